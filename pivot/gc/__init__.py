"""Removing from a store what nothing needs: mark what roots reach, plan, sweep."""
