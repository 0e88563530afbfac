"""Time the catalog on large indexes, against reading the same file with ``json.load`` and against the start of an empty Python.

The indexes are grown out of the nodes that ship with the project (see grow.py). Each round starts with no catalog and runs every command
once, an empty Python before each, so that a slow phase of the machine falls on all of them. In the end the questions are asked of the
catalogs of all sizes in turn, which shows how they grow. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "scripts"
PROGRAM = [sys.executable, "-m", "resolver"]
MACHINE = ["--platform", "linux", "--os", "ubuntu24.04", "--target", "zen4", "--libc", "glibc@2.39", "--json"]
STACK = "ml-linux-x86_64-cpu"
BEST = ("--limit", "10")
PACKAGES = ("zlib-ng", "py-numpy@2: ^openblas", "py-torch")
# The process ends at once behind the load: freeing what was loaded is not counted.
LOAD = "import gc, json, os, sys\n{}with open(sys.argv[1]) as file:\n    json.load(file)\nos._exit(0)"
EMPTY, PARSED = "`python -c pass`", "`json.load`"
UNSATISFIED = 4
MARKS = ("<!-- begin: scripts/bench catalog -->", "<!-- end: scripts/bench catalog -->")
BETWEEN = re.compile(f"{re.escape(MARKS[0])}.*{re.escape(MARKS[1])}", re.DOTALL)
MEGA = 1_000_000
QUESTIONS_ROUNDS = 15
SETTLING = 2.5
"""Seconds until the time of a file proves that it has not changed since; a file that was written just now is compared by its content."""


class Step(msgspec.Struct, frozen=True):
    """A command of a round: its name in the table, which of the two indexes lies there, and whether the catalog is removed before."""

    name: str
    command: list[str]
    index: str = "whole"
    fresh: bool = False


class Run(msgspec.Struct, frozen=True):
    """What one process took: seconds, and the most bytes that it had in memory."""

    seconds: float
    peak: int


class Sized(msgspec.Struct, frozen=True):
    """All of one size: how many records, the bytes of the index and of the catalog, the runs by step, and where the catalog is."""

    records: int
    index: int
    catalog: int
    runs: dict[str, list[Run]]
    place: Path


def steps(index: Path) -> list[Step]:
    """What a round runs, in this order."""
    sync = [*PROGRAM, "sync", str(index)]
    return [
        Step(PARSED, [sys.executable, "-c", LOAD.format(""), str(index)]),
        Step(f"{PARSED}, no garbage collector", [sys.executable, "-c", LOAD.format("gc.disable()\n"), str(index)]),
        Step("`sync`, first", sync, fresh=True),
        Step("`sync`, unchanged", sync),
        Step("`sync`, one record changed", sync, index="changed"),
        *questions(),
    ]


def questions() -> list[Step]:
    """What is asked of a catalog."""
    return [
        *(Step(f"`find '{package}'`", [*PROGRAM, "find", package, *MACHINE], index="changed") for package in PACKAGES),
        *(Step(f"`find '{package}' --limit 10`", [*PROGRAM, "find", package, *BEST, *MACHINE], index="changed") for package in PACKAGES),
        Step(f"`resolve {STACK}`", [*PROGRAM, "resolve", STACK, *MACHINE], index="changed"),
    ]


def run(command: Sequence[str], catalog: Path) -> Run:
    """Run a command to its end. Exits with what it said when it fails; that a stack is not served in full is no failure."""
    environment = {**os.environ, "SPACK_RESOLVER_CATALOG": str(catalog)}
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in {0, UNSATISFIED}:
            said.seek(0)
            sys.exit(f"{' '.join(command)}: exit code {process.returncode}\n{said.read().decode(errors='replace')}")
    return Run(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def place(file: Path, index: Path) -> None:
    """Put a file in the index's place, in one move, as a mirror is updated."""
    if not (index.exists() and index.samefile(file)):
        moved = index.with_name("next.json")
        os.link(file, moved)
        moved.replace(index)
        time.sleep(SETTLING)


def grown(records: int, folder: Path) -> dict[str, Path]:
    """The index of this size and the one with a record changed; made when they are not there.

    Other processes do it, which keeps this one small: on Linux the peak memory of a process is never less than its parent's.
    """
    whole, changed = folder / f"index-{records}.json", folder / f"index-{records}-changed.json"
    if not whole.exists():
        subprocess.run([sys.executable, str(SCRIPTS / "grow.py"), str(records), str(whole)], check=True)
    if not changed.exists():
        subprocess.run([sys.executable, str(SCRIPTS / "grow_change.py"), str(whole), str(changed)], check=True)
    return {"whole": whole, "changed": changed}


def measured(records: int, rounds: int, keep: Path, work: Path) -> Sized:
    """Run all rounds of one size; the catalog stays in the folder ``work``."""
    work.mkdir()
    files = grown(records, keep)
    index, catalog = work / "index.json", work / "catalog" / "catalog.sqlite"
    runs: dict[str, list[Run]] = {EMPTY: []}
    size = 0
    for number in range(rounds):
        print(f"{records:,} records, round {number + 1} of {rounds}", file=sys.stderr)
        for step in steps(index):
            prepare(step, files, index, catalog)
            runs[EMPTY].append(run([sys.executable, "-c", "pass"], catalog))
            runs.setdefault(step.name, []).append(run(step.command, catalog))
            size = weight(catalog.parent) if step.fresh else size
    return Sized(records, files["whole"].stat().st_size, size, runs, catalog)


def growth(sizes: Sequence[Sized]) -> str:
    """How the questions grow: each asked of the catalogs of all sizes in turn, so that all meet the same phases of the machine."""
    times: dict[tuple[str, int], list[Run]] = {}
    print("the questions of all sizes in turn", file=sys.stderr)
    for step in [Step(EMPTY, [sys.executable, "-c", "pass"]), *questions()]:
        for _ in range(QUESTIONS_ROUNDS):
            for sized in sizes:
                times.setdefault((step.name, sized.records), []).append(run(step.command, sized.place))
    lines = [f"| what | {' | '.join(f'{s.records:,}' for s in sizes)} | growth |", f"|---|{'---:|' * (len(sizes) + 1)}"]
    for name in dict.fromkeys(name for name, _ in times):
        middles = [middle(times[name, sized.records]) for sized in sizes]
        lines.append(f"| {name} | {' | '.join(map(seconds, middles))} | {middles[-1] / middles[0]:.2f} |")
    return "\n".join(["### Growth", "", *lines])


def prepare(step: Step, files: dict[str, Path], index: Path, catalog: Path) -> None:
    """Bring about what a step starts from."""
    place(files[step.index], index)
    catalog.parent.mkdir(exist_ok=True)
    if step.fresh:
        for file in catalog.parent.iterdir():
            file.unlink()


def weight(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def report(sizes: Iterable[Sized]) -> str:
    """All tables."""
    found = list(sizes)
    python = ".".join(map(str, sys.version_info[:3]))
    head = f"{os.cpu_count()} cores, {sys.platform}, Python {python}, rounds: {len(found[0].runs[PARSED])}."
    lines = ["| records | index | catalog | of the index |", "|---:|---:|---:|---:|"]
    lines += [f"| {s.records:,} | {s.index / MEGA:,.1f} MB | {s.catalog / MEGA:,.1f} MB | {s.catalog / s.index:.0%} |" for s in found]
    return "\n\n".join([head, "\n".join(lines), *map(table, found), growth(found)])


def table(sized: Sized) -> str:
    """The times of one size."""
    bases = [middle(sized.runs[name]) for name in (EMPTY, PARSED)]
    lines = [
        f"### {sized.records:,} records",
        "",
        f"| what | least | middle | x {EMPTY} | x {PARSED} | peak memory |",
        "|---|---:|---:|---:|---:|---:|",
        *(row(name, runs, bases) for name, runs in sized.runs.items()),
    ]
    return "\n".join(lines)


def row(name: str, runs: Sequence[Run], bases: Sequence[float]) -> str:
    """One line: seconds, multiples of the bases' middle times, and the largest peak."""
    multiples = " | ".join(multiple(middle(runs) / base) for base in bases)
    peak = max(one.peak for one in runs) / MEGA
    return f"| {name} | {seconds(min(one.seconds for one in runs))} | {seconds(middle(runs))} | {multiples} | {peak:,.0f} MB |"


def multiple(ratio: float) -> str:
    """A ratio as text, with what digits it bears."""
    return f"{ratio:,.1f}" if ratio >= 1 else f"{ratio:.3f}"


def middle(runs: Sequence[Run]) -> float:
    """The median time in seconds."""
    return statistics.median(one.seconds for one in runs)


def seconds(taken: float) -> str:
    """A time as text, with what digits it bears."""
    return f"{taken * 1000:,.0f} ms" if taken < 1 else f"{taken:,.2f} s"


def check_marks(document: Path) -> None:
    """Exit when a document has no place for the tables: known before an hour of measuring, not after it."""
    if not document.is_file() or not BETWEEN.search(document.read_text("utf-8")):
        sys.exit(f"{document} has no place for the tables: it needs the lines {MARKS[0]} and {MARKS[1]}")


def write_into(document: Path, text: str) -> None:
    """Put the tables between the document's marks."""
    content = document.read_text("utf-8")
    document.write_text(BETWEEN.sub(lambda _: f"{MARKS[0]}\n\n{text}\n\n{MARKS[1]}", content), "utf-8")


def numbers(text: str) -> list[int]:
    """Sizes, parted by commas."""
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench catalog", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=numbers, default=[10_000, 260_000, 1_000_000], metavar="N,N", help="how many records")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="grow the indexes into this folder, and use those that it has")
    parser.add_argument("--write", type=Path, metavar="DOCUMENT", help="put the tables into a document, between its marks")
    wanted = parser.parse_args()
    if wanted.write:
        check_marks(wanted.write)
    if wanted.keep:
        wanted.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.keep) as work:
        keep = (wanted.keep or Path(work)).resolve()
        text = report([measured(records, wanted.rounds, keep, Path(work).resolve() / str(records)) for records in wanted.sizes])
    print(text)
    if wanted.write:
        write_into(wanted.write, text)


if __name__ == "__main__":
    main()
