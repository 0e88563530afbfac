"""Archspec's table of CPU targets, read for itself: archspec's own modules look at the host, and loading them takes as long as a query."""

from __future__ import annotations

from functools import cache
from pkgutil import get_data

import msgspec

TABLE = ("archspec", "json/cpu/microarchitectures.json")


class Entry(msgspec.Struct, frozen=True):
    """A target: the targets that it extends, and who makes it."""

    parents: tuple[str, ...] = msgspec.field(name="from", default=())
    vendor: str = "generic"


class _Table(msgspec.Struct, frozen=True):
    microarchitectures: dict[str, Entry]


@cache
def entries() -> dict[str, Entry]:
    """All targets by name."""
    return msgspec.json.decode(get_data(*TABLE) or b"", type=_Table).microarchitectures


@cache
def ancestors(name: str) -> tuple[str, ...]:
    """The targets that a known one extends, nearest first (archspec ``cpu/microarchitecture.py:Microarchitecture.ancestors``)."""
    found = dict.fromkeys(entries()[name].parents)
    for parent in entries()[name].parents:
        found |= dict.fromkeys(ancestors(parent))
    return tuple(found)
