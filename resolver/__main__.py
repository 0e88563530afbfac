"""``python -m resolver`` and the console script."""

from __future__ import annotations

import sys

from resolver.cli.main import run


def main() -> None:
    """Run the program and leave with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
