"""A project: where it is, and its parts, each opened at first use."""
