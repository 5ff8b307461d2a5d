"""Data that no stage makes, under Pivot's care: `.pvt` files, finding them, and updating them."""
