"""Verifying: is what locks claim true of code, workspace and store. No definition is loaded."""
