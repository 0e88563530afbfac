"""The dependencies of nodes as a catalog looks at them while a source is read.

Nodes of one package differ in hardly more than the hashes that their edges lead to, so what is left without these is read once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from resolver.spec.node import WireEdge, decode_edges
from resolver.spec.virtuals import COMPILERS, LANGUAGES, LIBCS

HASH = re.compile(rb'"hash":"([a-z0-9]{32})"')
IN_CLOSURE = frozenset({"link", "run"})
MOST_KINDS = 1 << 16

# An edge to a compiler: the place of its hash among all, its package, deptypes, and virtuals.
CompilerEdge = tuple[int, str, tuple[str, ...], tuple[str, ...]]


class Edges(msgspec.Struct, frozen=True, gc=False):
    """The edges of a node without their hashes; places count through all of them. ``number`` tells these from all others.

    ``children`` takes what belongs to the link/run closure out of a list with an entry for each edge; ``libc`` is the place of the C
    library. ``uses`` are the virtuals that children provide, each with the package that does, sorted; ``built_with`` are those of edges
    outside the closure, languages apart.
    ``plain`` tells that each edge says its types as formats since 4 do.
    """

    number: int
    children: Callable[[Sequence[Any]], Sequence[Any]]
    libc: int | None
    uses: tuple[tuple[str, str], ...]
    built_with: tuple[str, ...]
    compilers: tuple[CompilerEdge, ...]
    plain: bool


class EdgeReader:
    """Reads edges. ``provided`` are all virtuals that were seen on edges, each with the package that provides it."""

    def __init__(self) -> None:
        self._known: dict[bytes, Edges] = {}
        self._made = 0
        self.provided: set[tuple[str, str]] = set()

    def read(self, raw: bytes) -> tuple[Edges, Sequence[bytes]]:
        """The edges of a node and the hashes that they lead to, as bytes. Raises ``FormatError`` when they are none."""
        parts = HASH.split(raw)
        hashes, rest = parts[1::2], b"\0".join(parts[::2])
        known = self._known.get(rest)
        if known:
            return known, hashes
        edges = decode_edges(raw)
        stated = [edge.hash.encode() for _, edge in edges]
        found = self._edges(edges, plain=raw[:1] == b"[" and all(edge.parameters is not None for _, edge in edges))
        if stated == hashes:  # unless it is written in an unusual way
            if len(self._known) >= MOST_KINDS:
                self._known.clear()
            self._known[rest] = found
        return found, stated

    def _edges(self, edges: list[tuple[str, WireEdge]], *, plain: bool) -> Edges:
        kinds = [(name, p.deptypes if (p := edge.parameters) else edge.type, p.virtuals if p else ()) for name, edge in edges]
        self.provided.update((virtual, name) for name, _, virtuals in kinds for virtual in virtuals)
        below = {place for place, kind in enumerate(kinds) if _is_below(*kind)}
        self._made += 1
        return Edges(
            self._made,
            _picking(sorted(below)),
            next((place for place, (*_, virtuals) in enumerate(kinds) if "libc" in virtuals), None),
            tuple(sorted({(v, kinds[place][0]) for place in below for v in kinds[place][2] if v not in LANGUAGES})),
            tuple(sorted({v for place, (*_, vs) in enumerate(kinds) if place not in below for v in vs} - LANGUAGES)),
            tuple((place, name, types, vs) for place, (name, types, vs) in enumerate(kinds) if _compiles(name, vs)),
            plain,
        )


def _picking(places: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """What takes these places out of a list."""
    if len(places) == 1:
        return itemgetter(slice(places[0], places[0] + 1))
    return itemgetter(*places) if places else _nothing


def _nothing(_: Sequence[Any]) -> Sequence[Any]:
    return ()


def _is_below(name: str, types: tuple[str, ...], virtuals: tuple[str, ...]) -> bool:
    """As ``selection.closures.is_closure_edge``."""
    return not IN_CLOSURE.isdisjoint(types) and "libc" not in virtuals and name not in LIBCS


def _compiles(name: str, virtuals: tuple[str, ...]) -> bool:
    return name in COMPILERS or not LANGUAGES.isdisjoint(virtuals)
