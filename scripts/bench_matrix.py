"""Time a matrix of 24 stacks by 8 machines, the whole process, over the shipped stacks and indexes grown out of them.

The catalog holds what ships with the project and one grown index (``scripts/grow.py``). Each round runs an empty Python and the matrix in
turn. The table says how many cells have a job; those without one are looked at all the same.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAM = [sys.executable, "-m", "resolver"]
STACKS = 24
LEFT_OUT = ("bootstrap-aarch64-darwin", "bootstrap-x86_64-linux-gnu", "windows-vis")
"""Of the shipped stacks these have the fewest roots."""
MACHINES = (
    *("github-ubuntu-22.04", "github-ubuntu-24.04", "github-ubuntu-24.04-arm", "github-macos-15"),
    *("lumi-c", "perlmutter-gpu", "leonardo-dcgp", "alps-gh200"),
)


def stacks() -> list[str]:
    """The names of the shipped stacks that are in the matrix."""
    return [path.name for path in sorted((ROOT / "stacks").iterdir()) if path.is_dir() and path.name not in LEFT_OUT][:STACKS]


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, bytes]:
    """How long one run takes, and what it prints."""
    start = time.perf_counter()
    done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start, done.stdout


def measured(records: int, rounds: int, folder: Path) -> str:
    """The line of the table for a grown index of so many records."""
    environment = {**os.environ, "SPACK_RESOLVER_CATALOG": str(folder / f"{records}.sqlite")}
    index = folder / f"{records}.json"
    timed([sys.executable, str(ROOT / "scripts" / "grow.py"), str(records), str(index)], environment)
    timed([*PROGRAM, "sync", str(index), str(ROOT / "stacks")], environment)
    words = [word for name in MACHINES for word in ("--machine", name)]
    base, times, printed = [], [], b""
    for _ in range(rounds):
        base.append(timed([sys.executable, "-c", "pass"], environment)[0])
        seconds, printed = timed([*PROGRAM, "matrix", *stacks(), *words, "--json"], environment)
        times.append(seconds)
    cells = json.loads(printed)["cells"]
    served = sum(1 for cell in cells if cell["served"])
    middle = statistics.median(times)
    ratio = middle / statistics.median(base)
    return f"| {records:,} | {len(cells)} | {served} | {min(times):.2f} s | {middle:.2f} s | {ratio:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000", help="Records in the grown index, parted by commas.")
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    print("| records | cells | with a job | least | middle | x an empty Python |\n|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for size in wanted.sizes.split(","):
            print(measured(int(size), wanted.rounds, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
