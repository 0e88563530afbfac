"""What the link/run closures of records reach, worked out while a source is read, so that questions need not walk them.

A reach is two numbers whose bits are facts: ``packages`` tells the names in the closure and who provides which virtual in it, ``hosts`` its
OS labels and the libcs that it needs. A node's facts are its own and those of all below it. Few reaches differ, so each is written once.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from resolver.catalog.bulk import rows_of
from resolver.catalog.pages import Bodies
from resolver.formats.record import Record
from resolver.spec.node import WireEdge, WireExternal, WireFacts, decode_edges, decode_facts
from resolver.spec.virtuals import LANGUAGES, LIBCS

MOST_FACTS = 1 << 14
MOST_BYTES = 1 << 26
"""Bytes that all reaches may take in memory. Those of a hundred thousand records of a real cache take one megabyte."""
IN_CLOSURE = frozenset({"link", "run"})
HASH = re.compile(rb'"hash":"([a-z0-9]{32})"')
MOST_KINDS = 1 << 16
PAGES_KEPT = 8
HALVES = ("packages", "hosts")

# The numbers by which the catalog knows the halves, packages and hosts, then the halves themselves.
Reach = tuple[int, int, int, int]
NOWHERE: Reach = (0, 0, 0, 0)
"""Nothing is known, as where a node below is in no source."""


class _Own(msgspec.Struct, frozen=True):
    """A node's own facts, the nodes below it, and the libc that it needs."""

    packages: int
    hosts: int
    children: Sequence[bytes] = ()
    libc: bytes = b""


class _Edges(msgspec.Struct, frozen=True):
    """What the dependencies of a node add to its closure: the places of its children and of its libc, and who provides what."""

    children: tuple[int, ...]
    libc: int | None
    provides: int


class _Half:
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
        """The number of a set of facts."""
        if mask not in self._numbers:
            self._bytes += mask.bit_length() // 8
            self.full = self.full or self._bytes > MOST_BYTES
            if self.full:
                return 0
            self._numbers[mask] = self._next
            self.masks[self._next] = mask
            self._next += 1
        return self._numbers[mask]

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what the catalog does not have yet."""
        facts, masks = self._written
        added = enumerate(islice(self._bits, facts, None), facts)
        connection.executemany("INSERT INTO fact VALUES (?, ?, ?)", [(self.half, place, value) for place, value in added])
        sets = islice(self.masks.items(), masks, None)
        rows = [(self.half, key, mask.to_bytes((mask.bit_length() + 7) // 8, "little")) for key, mask in sets]
        connection.executemany("INSERT INTO reach VALUES (?, ?, ?)", rows)


class Reaches:
    """Works out the reaches of one source's records, in whatever order they come; children first is the quickest.

    ``used`` are the virtuals that edges provide, each with the package that does. ``contradicted`` tells that one hash was stated with two
    reaches. Hashes are kept as bytes, as they stand in nodes.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._packages, self._hosts = (_Half(connection, half) for half in HALVES)
        self._shared: dict[tuple[int, int], Reach] = {}
        self._known: dict[bytes, Reach] = {}
        self._waiting: dict[bytes, _Own] = {}
        self._libcs: dict[bytes, int] = {}
        self._nodes: dict[tuple[str, str | None], tuple[int, int]] = {}
        self._edges: dict[bytes, _Edges] = {}
        self.used: set[tuple[str, str]] = set()
        self.contradicted = False

    def take(self, record: Record) -> Reach:
        """The reach of a record; ``NOWHERE`` where it is not known, or not known yet."""
        key, own = record.hash.encode(), self._own(record.wire)
        if record.wire.name in LIBCS:
            self._libcs[key] = self._libc(record.wire)
        if not record.complete or self._packages.full or self._hosts.full:
            return NOWHERE
        found = self._united(own)
        if found is None:
            self._waiting[key] = own
            return NOWHERE
        self._settle(key, found)
        if record.alias:
            self._known[record.alias.encode()] = found
        return found

    def _own(self, wire: WireFacts) -> _Own:
        node = (wire.name, wire.arch.platform_os)
        if node not in self._nodes:
            self._nodes[node] = self._packages.bit(wire.name), self._hosts.bit("os", node[1] or "")
        packages, hosts = self._nodes[node]
        edges, hashes = self._read(bytes(wire.dependencies))
        if wire.external:
            return _Own(packages, hosts)
        libc = b"" if edges.libc is None else hashes[edges.libc]
        return _Own(packages | edges.provides, hosts, [hashes[place] for place in edges.children], libc)

    def _read(self, raw: bytes) -> tuple[_Edges, Sequence[bytes]]:
        """The edges of a node and the hashes that they lead to.

        Nodes of one package differ in hardly more than these hashes, so what is left without them is read once.
        """
        parts = HASH.split(raw)
        hashes, rest = parts[1::2], b"\0".join(parts[::2])
        known = self._edges.get(rest)
        if known:
            return known, hashes
        edges = decode_edges(raw)
        stated = [edge.hash.encode() for _, edge in edges]
        added = self._added(edges)
        if stated == hashes:  # unless it is written in an unusual way
            if len(self._edges) >= MOST_KINDS:
                self._edges.clear()
            self._edges[rest] = added
        return added, stated

    def _added(self, edges: list[tuple[str, WireEdge]]) -> _Edges:
        """What edges add to a closure (as ``selection.closures.is_closure_edge`` has it)."""
        kinds = [(name, p.deptypes if (p := edge.parameters) else edge.type, p.virtuals if p else ()) for name, edge in edges]
        self.used.update((virtual, name) for name, _, virtuals in kinds for virtual in virtuals)
        libc = next((place for place, (*_, virtuals) in enumerate(kinds) if "libc" in virtuals), None)
        below = [(place, name, virtuals) for place, (name, types, virtuals) in enumerate(kinds) if _is_below(name, types, virtuals)]
        pairs = {(virtual, name) for _, name, virtuals in below for virtual in virtuals if virtual not in LANGUAGES}
        return _Edges(tuple(place for place, *_ in below), libc, sum(self._packages.bit(*pair) for pair in sorted(pairs)))

    def _libc(self, wire: WireFacts) -> int:
        path = wire.external.path if isinstance(wire.external, WireExternal) else None
        return self._hosts.bit("libc", wire.name, wire.version, path)

    def _united(self, own: _Own) -> Reach | None:
        """The facts of a node and of all below it; None when one of these is not known yet."""
        packages, hosts = own.packages, own.hosts
        for child in own.children:
            below = self._known.get(child)
            if below is None or below is NOWHERE:
                return below
            packages |= below[2]
            hosts |= below[3]
        if own.libc:
            libc = self._libcs.get(own.libc)
            if libc is None:
                return None
            hosts |= libc
        return self._shared.get((packages, hosts)) or self._numbered(packages, hosts)

    def _numbered(self, packages: int, hosts: int) -> Reach:
        numbers = self._packages.number(packages), self._hosts.number(hosts)
        found = (*numbers, packages, hosts) if all(numbers) else NOWHERE
        return self._shared.setdefault((packages, hosts), found)

    def _settle(self, key: bytes, found: Reach) -> None:
        if self._known.setdefault(key, found) is not found:
            self.contradicted = True
            self._known[key] = NOWHERE

    def finish(self) -> Iterator[tuple[int, int, str]]:
        """Write down what is new, and give what was not known when it was taken: packages, hosts and hash of records."""
        waiting = self._waiting
        self._look_up({c for own in waiting.values() for c in own.children} - self._known.keys() - waiting.keys())
        self._look_up_libcs({own.libc for own in waiting.values()} - self._libcs.keys())
        for key in waiting:
            self._resolve(key)
        self._packages.write(self._connection)
        self._hosts.write(self._connection)
        return ((*self._known[key][:2], key.decode()) for key in waiting)

    def _resolve(self, start: bytes) -> None:
        """Work out a reach after those below it; in a cycle, which no sound source has, nothing is known."""
        opened: set[bytes] = set()
        stack = [start]
        while stack:
            key = stack[-1]
            own = self._waiting[key]
            left = [] if key in opened else [c for c in own.children if c in self._waiting and c not in self._known]
            opened.add(key)
            if left and key not in self._known:
                stack += left
                continue
            stack.pop()
            if key not in self._known:
                self._known[key] = self._united(own) or NOWHERE

    def _look_up(self, keys: set[bytes]) -> None:
        """Take over what the catalog knows of nodes that the source refers to and does not state."""
        for key, packages, hosts in rows_of(
            self._connection, "SELECT hash, packages, hosts FROM record WHERE complete AND packages AND hash IN", _texts(keys)
        ):
            self._settle(key.encode(), self._numbered(self._packages.masks[packages], self._hosts.masks[hosts]))

    def _look_up_libcs(self, keys: set[bytes]) -> None:
        bodies = Bodies(self._connection, kept=1)
        for key, *place in rows_of(self._connection, "SELECT hash, page, start, length FROM record WHERE hash IN", _texts(keys)):
            wire = decode_facts(bodies.node(*place))
            if wire.name in LIBCS:
                self._libcs[key.encode()] = self._libc(wire)


def write_late(connection: sqlite3.Connection, reaches: Reaches) -> None:
    """Write the reaches that were not known when their records were taken.

    Where sources contradict each other about one hash, it is not known any longer what any closure reaches.
    """
    late = list(reaches.finish())
    connection.executemany("UPDATE record SET packages = ?, hosts = ? WHERE complete AND hash = ?", late)
    if reaches.contradicted:
        connection.execute("UPDATE record SET packages = 0, hosts = 0")


def learn(connection: sqlite3.Connection) -> None:
    """Work out the reaches that are not known, as of records whose sources came before those of what they need; forget unused ones."""
    reaches, bodies = Reaches(connection), Bodies(connection, PAGES_KEPT)
    rows = connection.execute("SELECT hash, alias, page, start, length FROM record WHERE complete AND NOT packages ORDER BY page, start")
    known = []
    for key, alias, *place in rows.fetchall():
        node = bodies.node(*place)
        reach = reaches.take(Record(key, decode_facts(node), node, in_buildcache=False, alias=alias))
        known.append((*reach[:2], key))
    connection.executemany("UPDATE record SET packages = ?, hosts = ? WHERE complete AND hash = ?", known)
    write_late(connection, reaches)
    for half in HALVES:
        connection.execute(f"DELETE FROM reach WHERE half = ? AND id NOT IN (SELECT {half} FROM record)", (half,))


def _is_below(name: str, types: tuple[str, ...], virtuals: tuple[str, ...]) -> bool:
    return not IN_CLOSURE.isdisjoint(types) and "libc" not in virtuals and name not in LIBCS


def _texts(keys: Iterable[bytes]) -> list[str]:
    """Hashes as texts, but for those that cannot be any."""
    return [key.decode() for key in keys if key.isascii()]
