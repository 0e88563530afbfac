"""Sets of facts by number: each half of what closures reach is a number whose bits are facts, and few of these numbers differ."""

from __future__ import annotations

import sqlite3
from itertools import islice

import msgspec

HALVES = ("packages", "hosts")
NUMBERS = 1 << 24
"""How many sets there may be."""
MOST_FACTS = 1 << 14
MOST_BYTES = 1 << 26
"""Bytes that all sets of a half may take in memory. Those of a hundred thousand records of a real cache take one megabyte."""


class Half:
    """One half of all reaches: its facts, each a bit, and the numbers of those sets of facts that occur.

    ``full`` tells that there are more than are kept, so that nothing new can be known.
    """

    def __init__(self, connection: sqlite3.Connection, half: str) -> None:
        self.half = half
        facts = connection.execute("SELECT place, value FROM fact WHERE half = ?", (half,))
        self._bits = {str(value): 1 << int(place) for place, value in facts}
        rows = connection.execute("SELECT id, facts FROM reach WHERE half = ? ORDER BY id", (half,))
        self.masks = {int(key): int.from_bytes(mask, "little") for key, mask in rows}
        self._numbers = {mask: key for key, mask in self.masks.items()}
        self._next = max(self.masks, default=0) + 1
        self._written = len(self._bits), len(self.masks)
        self._bytes = 0
        self.full = False

    def bit(self, *fact: str | None) -> int:
        """The bit of a fact."""
        value = msgspec.json.encode(fact).decode()
        if value not in self._bits:
            self.full = self.full or len(self._bits) >= MOST_FACTS
            if self.full:
                return 0
            self._bits[value] = 1 << len(self._bits)
        return self._bits[value]

    def number(self, mask: int) -> int:
        """The number of a set of facts; 0 where there are too many."""
        found = self._numbers.get(mask)
        return self._add(mask) if found is None else found

    def _add(self, mask: int) -> int:
        self._bytes += mask.bit_length() // 8
        self.full = self.full or self._bytes > MOST_BYTES or self._next >= NUMBERS
        if self.full:
            return 0
        self._numbers[mask] = self._next
        self.masks[self._next] = mask
        self._next += 1
        return self._next - 1

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what the catalog does not have yet."""
        facts, masks = self._written
        added = enumerate(islice(self._bits, facts, None), facts)
        connection.executemany("INSERT INTO fact VALUES (?, ?, ?)", [(self.half, place, value) for place, value in added])
        sets = islice(self.masks.items(), masks, None)
        rows = [(self.half, key, mask.to_bytes((mask.bit_length() + 7) // 8, "little")) for key, mask in sets]
        connection.executemany("INSERT INTO reach VALUES (?, ?, ?)", rows)
