"""Deciding which entries move between the store here and a remote, and moving them."""
