"""Time whole commands, warm, against the start of an empty Python.

Each round runs every command once, so that a slow phase of the machine falls on all of them. The table gives the smallest and the middle
time of each command, and both as multiples of the empty Python's.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAM = [sys.executable, "-m", "resolver"]
MACHINE = ["--platform", "linux", "--os", "ubuntu24.04", "--target", "zen4", "--libc", "glibc@2.39", "--json"]
STACK = "ml-linux-x86_64-cpu"
BASE = "python -c pass"


def commands(folder: str) -> dict[str, list[str]]:
    """What is timed, by the name in the table."""
    return {
        BASE: [sys.executable, "-c", "pass"],
        "--help": [*PROGRAM, "--help"],
        "sync, unchanged": [*PROGRAM, "sync", str(ROOT / "stacks")],
        "find py-torch": [*PROGRAM, "find", "py-torch", *MACHINE],
        f"resolve {STACK}": [*PROGRAM, "resolve", STACK, *MACHINE],
        f"resolve {STACK} -o": [*PROGRAM, "resolve", STACK, *MACHINE, "-o", folder],
        f"resolve {STACK} --unify when_possible": [*PROGRAM, "resolve", STACK, *MACHINE, "--unify", "when_possible"],
    }


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """How long one run takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SPACK_RESOLVER_CATALOG": f"{folder}/catalog.sqlite"}
        seconds([*PROGRAM, "sync", str(ROOT / "stacks")], environment)
        timed = commands(f"{folder}/env")
        times: dict[str, list[float]] = {name: [] for name in timed}
        for _ in range(rounds):
            for name, command in timed.items():
                times[name].append(seconds(command, environment))
    print(f"| command | least | x | middle | x |\n|---|---:|---:|---:|---:|\n{rows(times)}")


def rows(times: dict[str, list[float]]) -> str:
    """The lines of the table."""
    least, middle = min(times[BASE]), statistics.median(times[BASE])
    return "\n".join(f"| {name} | {cells(min(t), least)} | {cells(statistics.median(t), middle)} |" for name, t in times.items())


def cells(time_taken: float, base: float) -> str:
    """Milliseconds, and the multiple of the base."""
    return f"{time_taken * 1000:.0f} ms | {time_taken / base:.1f}"


if __name__ == "__main__":
    main()
