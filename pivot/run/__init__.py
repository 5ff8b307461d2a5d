"""Running stages, each in a process of its own."""
