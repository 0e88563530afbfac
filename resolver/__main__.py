"""``python -m resolver`` and the console script."""

from __future__ import annotations

import gc
import os
import sys

# The process is short, and walking its many small objects again and again costs a fifth of a query.
gc.disable()

from resolver.cli.main import run  # noqa: E402 - loading the program is part of what is sped up


def main() -> None:
    """Run the program and leave with its exit code.

    The process ends at once: taking apart what it has built would take an eighth of a query's time. What is open is closed by whoever
    opened it, so nothing but the two streams is left to be written.
    """
    code = run()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
