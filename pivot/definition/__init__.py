"""Stages: how users declare them, where they are found, and what Pivot knows of them."""
