"""What can be told of a source from its text alone: names, and what code does with them."""
