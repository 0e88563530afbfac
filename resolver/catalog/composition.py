"""What link/run closures are made of, worked out while a source is read, so that questions need not walk them.

A *kind* is a package as one of its records has it, apart from its hash, OS and target (``selection.composition.Kind``). Where all nodes of
a closure are for one platform, OS and target, their kinds, its *composition*, tell all that gates and order look at but for libcs, which
are in the reach. Few compositions differ, since the same graphs are built for many systems, so each is written once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import islice

import msgspec

from resolver.catalog.composed import packed, unpacked
from resolver.catalog.edges import Edges
from resolver.catalog.halves import NUMBERS

MOST_KINDS = 1 << 20
MOST_BYTES = 1 << 27
"""Bytes that all compositions may take in memory; those of a hundred thousand records of a real cache take some ten megabytes."""

# What a kind is told by: name, version, the number of its set of variants, what it states to provide, the versions of its compilers.
KindKey = tuple[str, str, int, tuple[str, ...], tuple[str, ...]]


class Kinds:
    """The kinds that a catalog knows by number, and those that are new."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        rows = connection.execute("SELECT name, version, variants, traits, id FROM kind")
        self._numbers: dict[tuple[str, str, int, str], int] = {row[:4]: row[4] for row in rows}
        self._written = len(self._numbers)
        self._next = max(self._numbers.values(), default=0) + 1

    def number(self, key: KindKey, edges: Edges | None) -> int:
        """The number of a kind, of an external without edges; 0 where there are too many."""
        name, version, variants, provided, compilers = key
        row = (name, version, variants, _traits(edges, provided, compilers))
        if row not in self._numbers:
            if len(self._numbers) >= MOST_KINDS:
                return 0
            self._numbers[row] = self._next
            self._next += 1
        return self._numbers[row]

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what the catalog does not have yet."""
        rows = [(number, *key) for key, number in islice(self._numbers.items(), self._written, None)]
        connection.executemany("INSERT INTO kind VALUES (?, ?, ?, ?, ?)", rows)


def _traits(edges: Edges | None, provided: tuple[str, ...], compilers: tuple[str, ...]) -> str:
    """The rest of a kind as JSON, as ``selection.composition.Traits`` reads it."""
    if edges is None:
        return "[true]"
    built = [(name, version, *rest) for (_, name, *rest), version in zip(edges.compilers, compilers, strict=True)]
    bare = edges.libc is None and bool(built)
    return msgspec.json.encode([False, bare, edges.uses, edges.built_with, built, provided]).decode()


class Compositions:
    """The compositions that a catalog knows by number, and those that are new."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._kinds = Kinds(connection)
        self._blobs: dict[int, bytes] = dict(connection.execute("SELECT id, kinds FROM composition ORDER BY id").fetchall())
        self._numbers = {blob: number for number, blob in self._blobs.items()}
        self._written = len(self._blobs)
        self._next = max(self._blobs, default=0) + 1
        self._bytes = sum(map(len, self._numbers))

    def united(self, key: KindKey, edges: Edges | None, below: Iterable[int]) -> int:
        """The composition of a node of some kind over others; 0 where there are too many. ``edges`` are None of an external."""
        kind = self._kinds.number(key, edges)
        return kind and self._number(packed({kind}.union(*(unpacked(self._blobs[number]) for number in below))))

    def _number(self, blob: bytes) -> int:
        if blob not in self._numbers:
            self._bytes += len(blob)
            if self._bytes > MOST_BYTES or self._next >= NUMBERS:
                return 0
            self._numbers[blob] = self._next
            self._blobs[self._next] = blob
            self._next += 1
        return self._numbers[blob]

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what the catalog does not have yet."""
        self._kinds.write(connection)
        rows = islice(self._blobs.items(), self._written, None)
        connection.executemany("INSERT INTO composition VALUES (?, ?)", rows)


def forget_unused(connection: sqlite3.Connection) -> None:
    """Take out compositions that no record has, and kinds that no composition has."""
    connection.execute("DELETE FROM composition WHERE id NOT IN (SELECT composition FROM record)")
    used = {kind for (blob,) in connection.execute("SELECT kinds FROM composition") for kind in unpacked(blob)}
    unused = [(kind,) for (kind,) in connection.execute("SELECT id FROM kind").fetchall() if kind not in used]
    connection.executemany("DELETE FROM kind WHERE id = ?", unused)
