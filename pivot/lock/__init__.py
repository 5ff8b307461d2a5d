"""Locks: what a stage's last accepted run read, used and wrote, and the key it ran under."""
