"""From a table of measurements to the numbers a classifier learns from."""
