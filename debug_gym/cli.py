"""The ``debug-gym`` command."""


def main() -> None:
    """Entry point."""
