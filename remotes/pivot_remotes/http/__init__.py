"""Web servers, read by ranges."""
