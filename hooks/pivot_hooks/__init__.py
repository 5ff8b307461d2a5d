"""Thin entries for Git hooks: they look, and call Pivot."""
