"""Where the nodes of closures run, worked out while a source is read: their places, the libcs they need, and whether all are binaries.

A place is a platform, OS and target. What is known of one closure is a number, and few differ.
"""

from __future__ import annotations

import sqlite3

from resolver.catalog.halves import Half
from resolver.spec.node import WireArch

MIXED = 0
"""In place of the place of a closure whose nodes are for several."""
UNKNOWN = 0


class Whereabouts:
    """Numbers of whereabouts, from 1; ``UNKNOWN`` where something is not known or there are too many."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.half = Half(connection, "hosts")
        self._places: dict[WireArch, tuple[int, int]] = {}
        # Of each number: the place, whether the source has binaries of all, the set of OS labels and libcs, and its number.
        self._rows: list[tuple[int, bool, int, int]] = [(MIXED, False, 0, UNKNOWN)]
        self._numbers: dict[tuple[int, bool, int], int] = {}
        self._united: dict[tuple[object, ...], int] = {}

    def place(self, arch: WireArch) -> tuple[int, int]:
        """The place of a node, from 1, and the fact of its OS label."""
        found = self._places.get(arch)
        if found is None:
            found = self._places[arch] = (len(self._places) + 1, self.half.bit("os", arch.platform_os or ""))
        return found

    def united(self, arch: WireArch, libc: int, below: frozenset[int], *, binary: bool) -> int:
        """The whereabouts of a node over others; ``libc`` is the fact of its own or 0."""
        key = (arch, libc, below, binary)
        found = self._united.get(key)
        if found is None:
            found = self._united[key] = self._unite(arch, libc, below, binary=binary)
        return found

    def _unite(self, arch: WireArch, libc: int, below: frozenset[int], *, binary: bool) -> int:
        place, hosts = self.place(arch)
        hosts |= libc
        for number in below:
            if number == UNKNOWN:
                return UNKNOWN
            other, binaries, mask, _ = self._rows[number]
            place = place if place == other else MIXED
            binary = binary and binaries
            hosts |= mask
        return self._number(place, hosts, binary=binary)

    def _number(self, place: int, hosts: int, *, binary: bool) -> int:
        key = (place, binary, hosts)
        if key not in self._numbers:
            number = self.half.number(hosts)
            if not number:
                return UNKNOWN
            self._numbers[key] = len(self._rows)
            self._rows.append((*key, number))
        return self._numbers[key]

    def stated(self, hosts: int) -> int:
        """The whereabouts of a closure of which the catalog knows no more than OS labels and libcs, given by their number."""
        return self._number(MIXED, self.half.masks[hosts], binary=False)

    def written(self, number: int) -> tuple[int, bool, bool]:
        """What is written down: the number of OS labels and libcs, whether there is one place, and whether the source has all binaries."""
        place, binaries, _, hosts = self._rows[number]
        return hosts, place != MIXED, binaries
