"""Whole commands from a cold interpreter, measured beside a peer in the same run."""
