"""What the link/run closures of records reach, worked out while a source is read, so that questions need not walk them.

A reach is two sets of facts: ``packages`` tells the names in the closure and who provides which virtual in it, ``hosts`` its OS labels and
the libcs that it needs. A node's facts are its own and those of all below it. Few reaches differ, so each is written once. What the
closure is made of (``catalog.composition``) is worked out along with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from resolver.catalog.bulk import rows_of
from resolver.catalog.composition import Compositions, forget_unused
from resolver.catalog.edges import EdgeReader, Edges
from resolver.catalog.halves import HALVES, NUMBERS, Half
from resolver.catalog.pages import Bodies
from resolver.catalog.variants import VariantSets
from resolver.catalog.whereabouts import Whereabouts
from resolver.formats.record import Record
from resolver.spec.node import CURRENT_FORMAT, WireAnnotations, WireArch, WireExternal, WireFacts, decode_facts
from resolver.spec.virtuals import COMPILER_RUNTIMES, COMPILERS, LIBCS

PAGES_KEPT = 8
MOST_STRUCTURES = 1 << 16
GCC_RUNTIME = COMPILER_RUNTIMES["gcc"]
"""Needs no binary where others need it: Spack takes or builds another one."""
NOTHING, WAITS = 0, -1
"""In place of what is known: nothing; something in the closure was not there yet."""
WHERE = 48
STRUCTURE = (1 << WHERE) - 1
_annotations = msgspec.json.Decoder(WireAnnotations)

# What is written down of a record: the numbers of the halves of its reach, of its composition, and whether the source has all binaries.
Written = tuple[int, int, int, int]
UNWRITTEN: Written = (0, 0, 0, 0)


# What a node is apart from its place and from what its edges lead to: name, version, numbers of its set of variants and of its edges, what
# it states to provide, and these bits.
Own = tuple[str, str, int, int, tuple[str, ...], int]
EXTERNAL, PLAIN = 1, 2
"""Is it an external; does its kind tell all about it?"""


class _Node(msgspec.Struct, frozen=True, gc=False):
    """A node, with the hashes of what is in its closure, of its compilers, and of the C library it needs."""

    own: Own
    arch: WireArch
    edges: Edges
    children: Sequence[bytes]
    compilers: Sequence[bytes]
    libc: bytes
    binary: bool


class Reaches:
    """Works out the reaches and compositions of one source's records, in whatever order they come; children first is the quickest.

    What is known of a node is its *structure*, the numbers of the packages in its closure and of its composition, and its whereabouts.
    ``used`` are the virtuals that edges provide, each with the package that does. ``lacking`` are packages of which a node has a compiler
    and not the package of its runtime in its closure, each with the compiler. ``contradicted`` tells that one hash was stated with two
    reaches. Hashes are kept as bytes, as they stand in nodes.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._packages = Half(connection, "packages")
        self._where = Whereabouts(connection)
        self._compositions = Compositions(connection)
        self._structures: dict[tuple[object, ...], int] = {}
        # By hash whereabouts and structure in one number, since looking up is what takes the time.
        self._known: dict[bytes, int] = {}
        self._waiting: dict[bytes, _Node] = {}
        self._same: dict[Any, Any] = {}
        self._libcs: dict[bytes, int] = {}
        self._compilers: dict[bytes, str] = {}
        self._formats: dict[bytes, bool] = {}
        self._edges = EdgeReader()
        self.used = self._edges.provided
        self.lacking: set[tuple[str, str]] = set()
        self.contradicted = False

    def take(self, record: Record, variants: tuple[int, bool]) -> Written:
        """What is written down of a record; ``UNWRITTEN`` where it is not known, or not known yet.

        ``variants`` is the number of its set of variants, and whether that tells all of them.
        """
        key = record.hash.encode()
        node = self._node(record, *variants)
        if record.wire.name in LIBCS:
            self._libcs[key] = self._libc(record.wire)
        if record.wire.name in COMPILERS:
            self._compilers[key] = record.wire.version
        if not record.complete or self._packages.full or self._where.half.full:
            self._look_for_runtimes(node, 0)
            return UNWRITTEN
        known = self._look_at(node)
        if known == WAITS:
            self._waiting[key] = self._slim(node)
            return UNWRITTEN
        if self._known.setdefault(key, known) != known:
            self._contradict(key, known)
        if record.alias:
            self._known[record.alias.encode()] = known
        return self._written(known)

    def waits(self, key: str) -> bool:
        """Is it known only at the end what is written down of the record?"""
        return bool(self._waiting) and key.encode() in self._waiting

    def _node(self, record: Record, variants: int, told: bool) -> _Node:  # noqa: FBT001 - out of a pair
        wire = record.wire
        edges, hashes = self._edges.read(bytes(wire.dependencies))
        provided = tuple(wire.provided_virtuals) if wire.provided_virtuals else ()
        if wire.external:
            return _Node((wire.name, wire.version, 0, edges.number, provided, EXTERNAL | PLAIN), wire.arch, edges, (), (), b"", binary=True)
        state = PLAIN if told and edges.plain and self._is_plain(wire) else 0
        own = (wire.name, wire.version, variants, edges.number, provided, state)
        libc = b"" if edges.libc is None else hashes[edges.libc]
        compilers = [hashes[edge[0]] for edge in edges.compilers]
        binary = record.in_buildcache or wire.name == GCC_RUNTIME
        return _Node(own, wire.arch, edges, edges.children(hashes), compilers, libc, binary)

    def _slim(self, node: _Node) -> _Node:
        """The node without what others have as well: in a source that states parents first nearly all nodes wait."""
        same = self._same.setdefault
        name, version, *rest = node.own
        own = (same(name, name), same(version, version), *rest)
        children, compilers = (tuple([same(key, key) for key in keys]) for keys in (node.children, node.compilers))
        return _Node(own, same(node.arch, node.arch), node.edges, children, compilers, same(node.libc, node.libc), node.binary)

    def _is_plain(self, wire: WireFacts) -> bool:
        """Is it a node of a present format that Spack may reuse, and not spliced?"""
        raw = bytes(wire.annotations)
        if raw not in self._formats:
            self._formats[raw] = _is_present(raw)
        return self._formats[raw] and not (wire.compiler or wire.build_spec) and wire.name != "compiler-wrapper"

    def _libc(self, wire: WireFacts) -> int:
        path = wire.external.path if isinstance(wire.external, WireExternal) else None
        return self._where.half.bit("libc", wire.name, wire.version, path)

    def _look_at(self, node: _Node, *, last: bool = False) -> int:
        """What is known of a node; ``WAITS`` where something in its closure is not known yet or, but for the ``last`` look, a compiler."""
        libc = self._libcs.get(node.libc, 0) if node.libc else 0
        get = self._known.get
        below = [get(key, WAITS) for key in node.children]
        compilers = tuple([self._compilers.get(key, "") for key in node.compilers])
        if WAITS in below or (node.libc and not libc) or ("" in compilers and not last):
            return WAITS
        key = (node.own, compilers, *[known & STRUCTURE for known in below])
        structure = self._structures.get(key)
        if structure is None:
            if len(self._structures) >= MOST_STRUCTURES:
                self._structures.clear()
            structure = self._structures[key] = self._unite(node, compilers, [known & STRUCTURE for known in below])
        where = self._where.united(node.arch, libc, frozenset([known >> WHERE for known in below]), binary=node.binary)
        return where << WHERE | structure

    def _unite(self, node: _Node, compilers: tuple[str, ...], below: Sequence[int]) -> int:
        """The structure of a node over others."""
        packages = self._packages_in(node, below)
        self._look_for_runtimes(node, packages)
        if not all(below):
            return NOTHING
        number = self._packages.number(packages)
        return number and number * NUMBERS + self._composition(node, compilers, [structure % NUMBERS for structure in below])

    def _packages_in(self, node: _Node, below: Sequence[int]) -> int:
        """The facts of a node and of what is known below it."""
        name, *_, state = node.own
        found = self._packages.bit(name)
        if not state & EXTERNAL:
            found |= sum(self._packages.bit(*pair) for pair in node.edges.uses)
        for structure in below:
            found |= self._packages.masks[structure // NUMBERS] if structure else 0
        return found

    def _look_for_runtimes(self, node: _Node, packages: int) -> None:
        """Has a node, given what is in its closure, the runtimes of the compilers that it has or is?"""
        name, *_, state = node.own
        own = {compiler for _, compiler, *_ in node.edges.compilers} | (set() if state & EXTERNAL else {name})
        for compiler in own & COMPILER_RUNTIMES.keys():
            if not packages & self._packages.bit(COMPILER_RUNTIMES[compiler]):
                self.lacking.add((name, compiler))

    def _composition(self, node: _Node, compilers: tuple[str, ...], below: Sequence[int]) -> int:
        """What a closure is made of; 0 where that is not known."""
        name, version, variants, _, provided, state = node.own
        if not state & PLAIN or not all(below):
            return 0
        if state & EXTERNAL:
            return self._compositions.united((name, version, 0, (), ()), None, ())
        return self._compositions.united((name, version, variants, provided, compilers), node.edges, below) if all(compilers) else 0

    def _contradict(self, key: bytes, known: int) -> None:
        """Another node was stated for a hash before, or the same in another way."""
        self.contradicted = self.contradicted or self._written(self._known[key])[:3] != self._written(known)[:3]
        self._known[key] = NOTHING

    def _written(self, known: int) -> Written:
        hosts, one_place, binaries = self._where.written(known >> WHERE)
        packages, composition = divmod(known & STRUCTURE, NUMBERS)
        if not packages or not hosts:
            return UNWRITTEN
        return packages, hosts, composition if one_place else 0, int(binaries)

    def finish(self) -> Iterator[tuple[Written, str]]:
        """Write down what is new, and give what was not known when it was taken, with the hashes of records."""
        waiting = self._waiting
        self._look_up({c for node in waiting.values() for c in node.children} - self._known.keys() - waiting.keys())
        self._look_up_libcs({node.libc for node in waiting.values()} - self._libcs.keys())
        for key in waiting:
            self._resolve(key)
        for part in (self._packages, self._where.half, self._compositions):
            part.write(self._connection)
        return ((self._written(self._known[key]), key.decode()) for key in waiting)

    def _resolve(self, start: bytes) -> None:
        """Work out a node after those below it; in a cycle, which no sound source has, nothing is known."""
        opened: set[bytes] = set()
        stack = [start]
        while stack:
            key = stack[-1]
            node = self._waiting[key]
            left = [] if key in opened else [c for c in node.children if c in self._waiting and c not in self._known]
            opened.add(key)
            if left and key not in self._known:
                stack += left
                continue
            stack.pop()
            if key not in self._known:
                known = self._look_at(node, last=True)
                if known == WAITS:
                    below = [self._known.get(c, NOTHING) & STRUCTURE for c in node.children]
                    self._look_for_runtimes(node, self._packages_in(node, below))
                self._known[key] = NOTHING if known == WAITS else known

    def _look_up(self, keys: set[bytes]) -> None:
        """Take over what the catalog knows of nodes that the source refers to and does not state."""
        for key, packages, hosts in rows_of(
            self._connection, "SELECT hash, packages, hosts FROM record WHERE complete AND packages AND hash IN", _texts(keys)
        ):
            known = self._where.stated(hosts) << WHERE | packages * NUMBERS
            if self._known.setdefault(key.encode(), known) != known:
                self._contradict(key.encode(), known)

    def _look_up_libcs(self, keys: set[bytes]) -> None:
        bodies = Bodies(self._connection, kept=1)
        for key, *place in rows_of(self._connection, "SELECT hash, page, start, length FROM record WHERE hash IN", _texts(keys)):
            wire = decode_facts(bodies.node(*place))
            if wire.name in LIBCS:
                self._libcs[key.encode()] = self._libc(wire)


def write_late(connection: sqlite3.Connection, reaches: Reaches, source: int = 0) -> None:
    """Write what was not known when records were taken; of a source, if one is named, whether it has all binaries of their closures, too.

    Where sources contradict each other about one hash, it is not known any longer what any closure reaches.
    """
    write_known(connection, list(reaches.finish()), source)
    if reaches.contradicted:
        connection.execute("UPDATE record SET packages = 0, hosts = 0, composition = 0")


def write_known(connection: sqlite3.Connection, known: Sequence[tuple[Written, str]], source: int = 0) -> None:
    """Write what is known of records by hash; of a source, if one is named, whether it has all binaries of their closures, too."""
    rows = [(*numbers[:3], key) for numbers, key in known]
    connection.executemany("UPDATE record SET packages = ?, hosts = ?, composition = ? WHERE complete AND hash = ?", rows)
    if source:
        sound = [(soundness, source, key, soundness) for (*_, soundness), key in known]
        complete = "SELECT id FROM record WHERE hash = ? AND complete"
        connection.executemany(f"UPDATE statement SET sound = ? WHERE source = ? AND record IN ({complete}) AND sound <> ?", sound)


def learn(connection: sqlite3.Connection) -> None:
    """Work out the reaches that are not known, as of records whose sources came before those of what they need; forget unused ones."""
    variants = VariantSets(connection)
    reaches, bodies = Reaches(connection), Bodies(connection, PAGES_KEPT)
    rows = connection.execute("SELECT hash, alias, page, start, length FROM record WHERE complete AND NOT packages ORDER BY page, start")
    known = []
    for key, alias, *place in rows.fetchall():
        node = bodies.node(*place)
        record = Record(key, decode_facts(node), node, in_buildcache=False, alias=alias)
        known.append((reaches.take(record, variants.number(record.wire)), key))
    write_known(connection, known)
    write_late(connection, reaches)
    for half in HALVES:
        connection.execute(f"DELETE FROM reach WHERE half = ? AND id NOT IN (SELECT {half} FROM record)", (half,))
    forget_unused(connection)


def _is_present(annotations: bytes) -> bool:
    """Do annotations, where there are any, say that the node was first written in a present format, with its compiler as a dependency?"""
    if not annotations:
        return True
    try:
        found = _annotations.decode(annotations)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return found.original_specfile_version >= CURRENT_FORMAT and not found.compiler


def _texts(keys: Iterable[bytes]) -> list[str]:
    """Hashes as texts, but for those that cannot be any."""
    return [key.decode() for key in keys if key.isascii()]
