"""Reading what closures are made of (``catalog.composition`` says how it is written)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import msgspec

from resolver.catalog.keys import marks, parts
from resolver.errors import InputError
from resolver.selection.composition import Composition, Kind, Traits

Query = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]
KINDS = (
    "SELECT k.id, k.name, k.version, v.chosen, v.unusual, k.traits FROM kind k LEFT JOIN variants v ON v.id = k.variants WHERE k.id IN ({})"
)


def packed(kinds: Iterable[int]) -> bytes:
    """Numbers of kinds as they are stored: ascending, four bytes each, the lowest first."""
    numbers = sorted(kinds)
    return struct.pack(f"<{len(numbers)}I", *numbers)


def unpacked(blob: bytes) -> tuple[int, ...]:
    """The numbers of a composition. Raises ``struct.error`` when the bytes are damaged."""
    return struct.unpack(f"<{len(blob) // 4}I", blob)


class Composed:
    """The compositions of a catalog by number, each read once, and kinds with them."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._made: dict[int, Composition] = {}
        self._kinds: dict[int, Kind] = {}
        self._traits = cache(msgspec.json.Decoder(Traits).decode)

    def get(self, number: int) -> Composition:
        """A composition. Raises ``InputError`` when the catalog is damaged."""
        if number not in self._made:
            self.read([number])
        return self._made[number]

    def read(self, numbers: Iterable[int]) -> list[Kind]:
        """Read compositions, many in one query; gives the kinds that were not read before. Raises ``InputError`` on damage."""
        wanted = sorted({number for number in numbers if number not in self._made})
        members: dict[int, tuple[int, ...]] = {}
        try:
            for part in parts(wanted):
                rows = self._query(f"SELECT id, kinds FROM composition WHERE id IN ({marks(part)})", part)
                members.update((number, unpacked(blob)) for number, blob in rows)
            new = self._read_kinds({kind for kinds in members.values() for kind in kinds})
            self._made.update((number, tuple([self._kinds[kind] for kind in members[number]])) for number in wanted)
        except (KeyError, TypeError, struct.error, msgspec.MsgspecError) as error:
            msg = "the catalog is damaged: what a closure is made of cannot be read"
            raise InputError(msg, why=str(error), hint="sync into a new one, named with --catalog") from None
        return new

    def _read_kinds(self, numbers: set[int]) -> list[Kind]:
        found = []
        for part in parts(sorted(numbers - self._kinds.keys())):
            for number, name, version, chosen, unusual, traits in self._query(KINDS.format(marks(part)), part):
                found.append(Kind(number, name, version, chosen or "", unusual or 0, self._traits(traits)))
        self._kinds.update((kind.number, kind) for kind in found)
        return found
