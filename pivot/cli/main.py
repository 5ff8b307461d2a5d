"""The console script."""


def main() -> int:
    """Run `pivot`."""
    return 0
