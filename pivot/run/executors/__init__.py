"""Where jobs run: executors take plain data and report plain data."""
