"""Reading the catalog: records by name and by hash, as selection asks for them. Every SELECT on records is here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any
from weakref import finalize

from resolver.catalog.pages import unpacked
from resolver.catalog.store import SourceRow, Store
from resolver.errors import FormatError, InputError
from resolver.selection.pool import Statement
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import decode_node

IN_ONE_QUERY = 500
RECORD = (
    "SELECT r.hash, r.complete, r.page, r.start, r.length, s.source, s.in_buildcache, s.stacks, s.release "
    "FROM record r JOIN statement s ON s.record = r.id WHERE"
)


class CatalogPool:
    """The records of a catalog, nodes decoded when they are wanted and kept. Implements selection's ``CandidatePool``.

    It closes the store when it is no longer used, since its specs look up their dependencies whenever they are asked for.
    ``sources`` restricts it to the named sources. Raises ``InputError`` when one of them is not there.
    """

    def __init__(self, store: Store, sources: Sequence[str] = ()) -> None:
        finalize(self, store.connection.close)
        self._query = store.query
        rows = self._query("SELECT id, name FROM source")
        known = {str(name): int(key) for key, name in rows}
        if unknown := [name for name in sources if name not in known]:
            msg = f"no source named {unknown[0]!r}"
            raise InputError(msg, hint=f"synced are: {', '.join(sorted(known)) or 'none'}")
        self._sources = {known[name]: name for name in (sources or known)}
        self._rows = {row.name: row for row in store.sources()}
        # Where sources are chosen, what others state does not exist.
        self._chosen = f"source IN ({', '.join(map(str, self._sources))})"
        self._specs: dict[str, ConcreteSpec | None] = {}
        self._statements: dict[str, Statement] = {}
        self._nodes: dict[str, bytes] = {}
        self._statement = cache(self._make_statement)

    @property
    def sources(self) -> dict[str, SourceRow]:
        """The sources that records are taken from, by name."""
        return {name: self._rows[name] for name in sorted(self._sources.values())}

    def source_names(self) -> list[str]:
        """Names of the sources that records are taken from, sorted."""
        return sorted(self._sources.values())

    def get(self, key: str) -> ConcreteSpec | None:
        """The spec with this hash, or None when no source states it."""
        if key not in self._specs:
            self._specs[key] = self._load(key)
        return self._specs[key]

    def prefetch(self, keys: Iterable[str]) -> None:
        """Load the specs with these hashes that are not loaded yet, many in one query."""
        missing = sorted({key for key in keys if key not in self._specs})
        for start in range(0, len(missing), IN_ONE_QUERY):
            part = missing[start : start + IN_ONE_QUERY]
            self._adopt(self._query(f"{RECORD} r.hash IN ({_marks(part)})", part))

    def _load(self, key: str) -> ConcreteSpec | None:
        if specs := self._adopt(self._query(f"{RECORD} r.hash = ?", (key,))):
            return specs[0]
        rows = self._query("SELECT hash FROM record WHERE alias = ? AND alias <> '' AND hash <> alias ORDER BY hash LIMIT 1", (key,))
        return self.get(str(rows[0][0])) if rows else None

    def named(self, name: str, platform: str | None = None, targets: Sequence[str] = ()) -> list[ConcreteSpec]:
        """The records of a package, by hash: all of them, or those for a platform and any of some targets."""
        if platform is None:
            return self._adopt(self._query(f"{RECORD} r.name = ?", (name,)))
        where = f"r.name = ? AND r.platform = ? AND r.target IN ({_marks(targets)})"
        return self._adopt(self._query(f"{RECORD} {where}", (name, platform, *targets)))

    def count(self, name: str) -> int:
        """How many records a package has."""
        stated = f"EXISTS (SELECT 1 FROM statement WHERE record = record.id AND {self._chosen})"
        return int(self._query(f"SELECT count(DISTINCT hash) FROM record WHERE name = ? AND {stated}", (name,))[0][0])

    def with_prefix(self, prefix: str) -> list[ConcreteSpec]:
        """All records whose hash begins so, by hash."""
        return self._adopt(self._query(f"{RECORD} r.hash >= ? AND r.hash < ?", (prefix, prefix + "\x7f")))

    def _adopt(self, rows: Iterable[tuple[Any, ...]]) -> list[ConcreteSpec]:
        """Make specs of rows, one for each statement; what no chosen source states is left out.

        Of divergent statements of one hash a complete one is taken, then the smallest node: the same in any order of syncing.
        """
        places: dict[str, dict[tuple[int, int, int, int], Statement]] = {}
        for dag_hash, complete, page, start, length, *stated in rows:
            if stated[0] in self._sources:
                by_place = places.setdefault(dag_hash, {})
                place = (not complete, page, start, length)
                statement = self._statement(complete, *stated)
                by_place[place] = by_place[place].joined(statement) if place in by_place else statement
        wanted = {place[1] for key, found in places.items() if key not in self._specs for place in found}
        pages = self._pages(wanted)
        return [self._spec(key, places[key], pages) for key in sorted(places)]

    def _spec(self, key: str, places: dict[tuple[int, int, int, int], Statement], pages: dict[int, bytes]) -> ConcreteSpec:
        known = self._specs.get(key)
        if known is not None:
            return known
        bodies = [(place[0], _part(pages, place), statement) for place, statement in places.items()]
        bodies.sort(key=lambda body: body[:2])
        _, node, statement = bodies[0]
        for _, _, other in bodies[1:]:
            statement = statement.joined(other)
        try:
            spec = self._specs[key] = ConcreteSpec(decode_node(node), key, self)
        except FormatError as error:
            raise error.at(f"record {key} of {', '.join(statement.sources)}") from None
        self._nodes[key] = node
        self._statements[key] = statement
        return spec

    def _pages(self, numbers: Collection[int]) -> dict[int, bytes]:
        """The nodes of some pages."""
        order = sorted(numbers)
        found: dict[int, bytes] = {}
        for start in range(0, len(order), IN_ONE_QUERY):
            part = order[start : start + IN_ONE_QUERY]
            rows = self._query(f"SELECT id, nodes, size FROM page WHERE id IN ({_marks(part)})", part)
            found.update((key, unpacked(nodes, size)) for key, nodes, size in rows)
        return found

    def _make_statement(self, complete: int, source: int, in_buildcache: int, stacks: str, release: str) -> Statement:
        """What one row states. Few differ, so they are shared."""
        name = self._sources[source]
        row = self._rows[name]
        labels = {*stacks.split(), row.stack} if row.stack else set(stacks.split())
        releases = {text for text in (release, row.release) if text}
        served = (name,) if in_buildcache else ()
        return Statement(bool(in_buildcache), (name,), served, tuple(sorted(labels)), tuple(sorted(releases)), bool(complete))

    def statement(self, spec: ConcreteSpec) -> Statement:
        """What the sources state of a spec that came from this pool."""
        return self._statements[spec.hash]

    def node(self, spec: ConcreteSpec) -> bytes:
        """The JSON of a spec that came from this pool, as its source states it."""
        return self._nodes[spec.hash]

    def versions(self, name: str) -> list[str]:
        """All versions that records of a package have, sorted as texts."""
        return self._summary("version", name)

    def oses(self) -> list[str]:
        """All OS labels of records, sorted."""
        return [os for os in self._summary("os", "") if os]

    def providers(self, virtual: str) -> list[str]:
        """The packages that were seen to provide a virtual, sorted."""
        return self._summary("provider", virtual)

    def has_package(self, name: str) -> bool:
        """Does any record have this name?"""
        return bool(self._summary("version", name))

    def labels(self) -> list[str]:
        """All stack labels, sorted."""
        own = {row.stack for row in self.sources.values() if row.stack}
        rows = self._query(f"SELECT DISTINCT name FROM summary WHERE kind = 'stack' AND name <> '' AND {self._chosen}")
        return sorted(own.union(str(row[0]) for row in rows))

    def labelled(self, stack: str) -> list[str]:
        """The packages that a record in a build cache with this stack label exists for, sorted."""
        whole = [str(key) for key, name in self._sources.items() if self._rows[name].stack == stack]
        rows = self._query(f"SELECT DISTINCT value FROM summary WHERE kind = 'stack' AND name = '' AND source IN ({', '.join(whole)})")
        return sorted({str(row[0]) for row in rows}.union(self._summary("stack", stack)))

    def _summary(self, kind: str, name: str) -> list[str]:
        rows = self._query(
            f"SELECT DISTINCT value FROM summary WHERE kind = ? AND name = ? AND {self._chosen} ORDER BY value",
            (kind, name),
        )
        return [str(row[0]) for row in rows]


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def _part(pages: dict[int, bytes], place: tuple[int, int, int, int]) -> bytes:
    _, page, start, length = place
    if page not in pages:
        msg = f"the catalog is damaged: its page {page} is missing"
        raise InputError(msg, hint="sync into a new one, named with --catalog")
    return pages[page][start : start + length]
