"""Keys and bytes over storage; knows nothing of Pivot."""
