"""The program in a process of its own, where it can be killed, be given limits, and have its memory measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

MB = 1_000_000
LAUNCHER = """
import ctypes, json, os, resource, sys
asked = json.loads(sys.argv[1])
child = os.fork()
if not child:
    if asked["most_in_a_file"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["most_in_a_file"],) * 2)
    if asked["ordinary"]:
        for capability in (1, 2):
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
    os.execv(sys.executable, [sys.executable, "-m", "resolver", *sys.argv[2:]])
_, status, used = os.wait4(child, 0)
os.write(2, b"\\npeak %d" % used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"""
"""Between the test and the program, since a process begins with the peak of the one that started it.

An ordinary one is held to permissions even where it is root: Linux takes from it what passes over them (``PR_CAPBSET_DROP`` of
``CAP_DAC_OVERRIDE`` and ``CAP_DAC_READ_SEARCH``).
"""


class Ended(NamedTuple):
    """How a child ended; ``peak`` is the most memory that it had resident, in bytes."""

    code: int
    out: str
    err: str
    peak: int


def command(*words: str | Path) -> list[str]:
    """What starts the program."""
    return [sys.executable, "-m", "resolver", *map(str, words)]


def start(catalog: Path, *words: str | Path) -> subprocess.Popen[bytes]:
    """The program at work; the test ends it."""
    return subprocess.Popen(command(*words), env=_environment(catalog), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def end_all(children: Sequence[subprocess.Popen[bytes]]) -> list[tuple[int, str]]:
    """Exit codes and messages of children that ran at once."""
    return [(child.wait(), text.decode()) for child in children for text in [child.communicate()[1]]]


def run_child(catalog: Path, *words: str | Path, most_in_a_file: int = 0, ordinary: bool = False) -> Ended:
    """Run the program to its end, with no file larger than so many bytes, or held to permissions, where that is asked."""
    asked = json.dumps({"most_in_a_file": most_in_a_file, "ordinary": ordinary and os.geteuid() == 0})
    launcher = [sys.executable, "-S", "-c", LAUNCHER, asked, *map(str, words)]
    done = subprocess.run(launcher, env=_environment(catalog), capture_output=True, check=False)
    err, _, peak = done.stderr.decode(errors="replace").rpartition("\npeak ")
    return Ended(done.returncode, done.stdout.decode(errors="replace"), err, int(peak) * (1 if sys.platform == "darwin" else 1024))


def _environment(catalog: Path) -> dict[str, str]:
    return {**os.environ, "SPACK_RESOLVER_CATALOG": str(catalog)}
