"""How long the binaries of a mirror can be expected to stay, told by what it is called.

The public cache lies as ``<release>/<stack>``. Its ``develop`` loses what no pipeline has used for some weeks, a dated snapshot of it is
kept as it is, and a release is kept for good.
"""

from __future__ import annotations

import re
from typing import Literal

Durability = Literal["rolling", "snapshot", "release", "unknown"]

NAMED: tuple[tuple[Durability, re.Pattern[str]], ...] = (
    ("rolling", re.compile(r"develop")),
    ("snapshot", re.compile(r"develop-\d{4}-\d{2}-\d{2}")),
    ("release", re.compile(r"(?:releases?-)?v\d+\.\d+(?:\.\d+)*")),
)


def durability(release: str, url: str) -> Durability:
    """By the label of the mirror's records, else by the last two parts of its URL's path; most mirrors tell nothing."""
    path = url.partition("://")[2].rstrip("/").split("/")[1:]
    names = [release.rpartition("/")[2], *reversed(path[-2:])]
    return next((kind for name in names for kind, pattern in NAMED if pattern.fullmatch(name)), "unknown")
