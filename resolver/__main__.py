"""``python -m resolver`` and the console script."""

from __future__ import annotations

import gc
import sys

# The process is short, and walking its many small objects again and again costs a fifth of a query.
gc.disable()

from resolver.cli.main import run  # noqa: E402 - loading the program is part of what is sped up


def main() -> None:
    """Run the program and leave with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
