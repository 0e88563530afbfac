"""Reading the catalog: records by name and by hash, as selection asks for them. Every SELECT on records is here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any
from weakref import finalize

from resolver.catalog.store import SourceRow, Store
from resolver.errors import InputError
from resolver.selection.pool import Statement
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import decode_node

IN_ONE_QUERY = 500
RECORD = (
    "SELECT r.hash, r.complete, r.node, s.source, s.in_buildcache, s.stacks, s.release "
    "FROM record r JOIN statement s ON s.record = r.id WHERE"
)
# Of divergent statements of one hash the complete one is taken, then the smallest digest: the same in any order of syncing.
BEST = "ORDER BY r.complete DESC, r.digest, s.source"


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
        # Where sources are chosen, what others state does not exist; where all are, the condition would only cost time.
        chosen = ", ".join(map(str, self._sources))
        self._stated = f"EXISTS (SELECT 1 FROM statement s WHERE s.record = record.id AND s.source IN ({chosen}))" if sources else "1"
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
            marks = ", ".join("?" * len(part))
            self._adopt(self._query(f"{RECORD} r.hash IN ({marks}) {BEST}", part))

    def _load(self, key: str) -> ConcreteSpec | None:
        if specs := self._adopt(self._query(f"{RECORD} r.hash = ? {BEST}", (key,))):
            return specs[0]
        rows = self._query("SELECT hash FROM record WHERE alias = ? AND alias <> '' AND hash <> alias ORDER BY hash LIMIT 1", (key,))
        return self.get(str(rows[0][0])) if rows else None

    def named(self, name: str) -> list[ConcreteSpec]:
        """All records of a package, by hash."""
        return self._adopt(self._query(f"{RECORD} r.name = ? {BEST}", (name,)))

    def with_prefix(self, prefix: str) -> list[ConcreteSpec]:
        """All records whose hash begins so, by hash."""
        return self._adopt(self._query(f"{RECORD} r.hash >= ? AND r.hash < ? {BEST}", (prefix, prefix + "\x7f")))

    def _adopt(self, rows: Iterable[tuple[Any, ...]]) -> list[ConcreteSpec]:
        """Make specs of rows, one for each statement, the best of each hash first; what no chosen source states is left out."""
        found: dict[str, ConcreteSpec] = {}
        for dag_hash, complete, node, *stated in rows:
            if stated[0] not in self._sources:
                continue
            statement = self._statement(complete, *stated)
            if dag_hash in found:
                self._statements[dag_hash] = self._statements[dag_hash].joined(statement)
                continue
            spec = self._specs.get(dag_hash)
            if spec is None:
                spec = self._specs[dag_hash] = ConcreteSpec(decode_node(node), dag_hash, self)
                self._nodes[dag_hash] = node
            found[dag_hash] = spec
            self._statements[dag_hash] = statement
        return [found[dag_hash] for dag_hash in sorted(found)]

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
        """All versions that records of a package have, in no order."""
        return self._column(f"SELECT DISTINCT version FROM record WHERE name = ? AND {self._stated}", name)

    def oses(self) -> list[str]:
        """All OS labels of records, sorted."""
        return self._column(f"SELECT DISTINCT os FROM record WHERE os <> '' AND {self._stated} ORDER BY os")

    def providers(self, virtual: str) -> list[str]:
        """The packages that were seen to provide a virtual, sorted."""
        chosen = ", ".join(map(str, self._sources))
        return self._column(f"SELECT DISTINCT name FROM provider WHERE virtual = ? AND source IN ({chosen}) ORDER BY name", virtual)

    def has_package(self, name: str) -> bool:
        """Does any record have this name?"""
        return bool(self._column(f"SELECT name FROM record WHERE name = ? AND {self._stated} LIMIT 1", name))

    def labels(self) -> list[str]:
        """All stack labels, sorted."""
        own = {row.stack for row in self.sources.values() if row.stack}
        chosen = ", ".join(map(str, self._sources))
        texts = self._column(f"SELECT DISTINCT stacks FROM statement WHERE stacks <> '' AND source IN ({chosen})")
        return sorted(own.union(*(text.split() for text in texts)))

    def labelled(self, stack: str) -> list[str]:
        """The packages that a record in a build cache with this stack label exists for, sorted."""
        chosen = ", ".join(map(str, self._sources))
        return self._column(
            "SELECT DISTINCT r.name FROM statement s JOIN record r ON r.id = s.record JOIN source o ON o.id = s.source "
            f"WHERE s.in_buildcache AND o.id IN ({chosen}) "
            "AND (o.stack = ?1 OR instr(' ' || s.stacks || ' ', ' ' || ?1 || ' ')) ORDER BY r.name",
            stack,
        )

    def _column(self, statement: str, *values: str) -> list[str]:
        return [str(row[0]) for row in self._query(statement, values)]
