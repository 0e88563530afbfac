"""Reading the catalog: records by name and by hash, as selection asks for them. Every SELECT on records is here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import finalize

from resolver.catalog.composed import Composed
from resolver.catalog.keys import marks, parts
from resolver.catalog.pages import read_page
from resolver.catalog.reached import Reached
from resolver.catalog.store import SINCE_COMPOSITIONS, SINCE_VARIANTS, SourceRow, Store
from resolver.errors import FormatError, InputError
from resolver.selection.pool import Outline, Statement
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import decode_node
from resolver.versions import newest_first

if TYPE_CHECKING:
    from resolver.selection.composition import Composition
    from resolver.selection.facts import RecipeFacts

MOST_PAGES = 4096
"""Pages that are kept unpacked, some 25 kB each."""
RECORDS = (
    "SELECT r.hash, {}, r.complete, r.page, r.start, r.length, s.source, s.in_buildcache, s.stacks, s.release "
    "FROM record r JOIN statement s ON s.record = r.id WHERE"
)
ORDERED = "SELECT name, value FROM version WHERE name IN ({}) ORDER BY name, place"
UNORDERED = "SELECT DISTINCT name, value FROM summary WHERE kind = 'version' AND name IN ({}) AND {}"
UNUSUAL = "coalesce((SELECT unusual FROM variants WHERE id = r.variants), 0)"


class CatalogPool:
    """The records of a catalog, nodes decoded when they are wanted and kept. Implements selection's ``CandidatePool``.

    It closes the store when it is no longer used, since its specs look up their dependencies whenever they are asked for, and sees the
    catalog as it is now, whatever others write meanwhile.
    ``sources`` restricts it to the named sources; ``facts`` is what is known of recipes besides. Raises ``InputError`` when one of the
    sources is not there.
    """

    facts: RecipeFacts | None = None

    def __init__(self, store: Store, sources: Sequence[str] = ()) -> None:
        finalize(self, store.connection.close)
        self._query = store.query
        self._release = store.release_state
        store.keep_state()
        rows = self._query("SELECT id, name FROM source")
        known = {str(name): int(key) for key, name in rows}
        if unknown := [name for name in sources if name not in known]:
            msg = f"no source named {unknown[0]!r}"
            raise InputError(msg, hint=f"synced are: {', '.join(sorted(known)) or 'none'}")
        self._sources = {known[name]: name for name in (sources or known)}
        self._names = sorted(self._sources.values())
        self._versions: dict[str, list[str]] = {}
        self._unasked: set[str] = set()
        self._rows = {row.name: row for row in store.sources()}
        # Where sources are chosen, what others state does not exist.
        self._chosen = f"source IN ({', '.join(map(str, self._sources))})"
        self._specs: dict[str, ConcreteSpec | None] = {}
        self._statements: dict[str, Statement] = {}
        self._nodes: dict[str, bytes] = {}
        self._pages: dict[int, bytes] = {}
        self._statement = cache(self._make_statement)
        self._unusual: dict[str, int] = {}
        self._count_unusual = UNUSUAL if store.schema >= SINCE_VARIANTS else "0"
        self._made_of = "r.composition, s.sound" if store.schema >= SINCE_COMPOSITIONS else "0, 0"
        self._composed = Composed(store.query)
        # Only of all sources together the order is written down.
        self._are_ordered = store.schema >= SINCE_COMPOSITIONS and not sources
        self._versions_of = ORDERED if self._are_ordered else UNORDERED.format("{}", self._chosen)
        self._records = RECORDS.format(self._count_unusual)
        self._reached = Reached(store.query)
        self._outlines: dict[tuple[str | None, ...], list[Outline]] = {}

    def release(self) -> None:
        """The answer is there. What is still looked up is as the catalog is by then, so that others may give back this state's space."""
        self._release()

    @property
    def sources(self) -> dict[str, SourceRow]:
        """The sources that records are taken from, by name."""
        return {name: self._rows[name] for name in sorted(self._sources.values())}

    def source_names(self) -> list[str]:
        """Names of the sources that records are taken from, sorted."""
        return self._names

    def get(self, key: str) -> ConcreteSpec | None:
        """The spec with this hash, or None when no source states it."""
        if key not in self._specs:
            self._specs[key] = self._load(key)
        return self._specs[key]

    def prefetch(self, keys: Iterable[str]) -> None:
        """Load the specs with these hashes that are not loaded yet, many in one query."""
        for part in parts(sorted({key for key in keys if key not in self._specs})):
            self._adopt(self._query(f"{self._records} r.hash IN ({marks(part)})", part))

    def _load(self, key: str) -> ConcreteSpec | None:
        if specs := self._adopt(self._query(f"{self._records} r.hash = ?", (key,))):
            return specs[0]
        rows = self._query("SELECT hash FROM record WHERE alias = ? AND alias <> '' AND hash <> alias ORDER BY hash LIMIT 1", (key,))
        specs = self._adopt(self._query(f"{self._records} r.hash = ?", rows[0])) if rows else []
        return specs[0] if specs else None

    def named(self, name: str, platform: str | None = None, targets: Sequence[str] = ()) -> list[ConcreteSpec]:
        """The records of a package, by hash: all of them, or those for a platform and any of some targets."""
        if platform is None:
            return self._adopt(self._query(f"{self._records} r.name = ?", (name,)))
        where = f"r.name = ? AND r.platform = ? AND r.target IN ({marks(targets)})"
        return self._adopt(self._query(f"{self._records} {where}", (name, platform, *targets)))

    def outlines(self, name: str, version: str | None = None, platform: str = "", targets: Sequence[str] = ()) -> list[Outline]:
        """The outlines of a package's records, or of one version's for a platform and any of some targets, by hash; no node is read."""
        asked = (name, version, platform, *targets)
        if asked not in self._outlines:
            self._outlines[asked] = self._read_outlines(name, version, platform, *targets)
        return self._outlines[asked]

    def _read_outlines(self, name: str, version: str | None, platform: str, *targets: str) -> list[Outline]:
        chosen = f" AND r.version = ? AND r.platform = ? AND r.target IN ({marks(targets)})" if version is not None else ""
        rows = self._query(
            f"SELECT r.hash, r.version, r.platform, r.os, r.target, r.packages, r.hosts, {self._count_unusual}, {self._made_of}, "
            "r.complete, s.source, s.in_buildcache, s.stacks, s.release "
            f"FROM record r JOIN statement s ON s.record = r.id WHERE r.name = ?{chosen}",
            (name, version, platform, *targets) if version is not None else (name,),
        )
        reaches = self._reached.read((row[5], row[6]) for row in rows)
        found: dict[str, Outline] = {}
        for *place, packages, hosts, unusual, made_of, sound, complete, source, in_buildcache, stacks, release in rows:
            if source in self._sources:
                statement = self._statement(complete, source, in_buildcache, stacks, release)
                key, found_version, found_platform, os, target = place
                outline = Outline(
                    key, found_version, found_platform, os, target, statement, reaches[packages, hosts], unusual, made_of, bool(sound)
                )
                found[outline.hash] = found[outline.hash].joined(outline) if outline.hash in found else outline
        return [found[key] for key in sorted(found)]

    def compositions(self, numbers: Sequence[int]) -> list[Composition]:
        """What closures are made of, by the numbers that outlines have."""
        for kind in self._composed.read(numbers):
            self._unasked.update({kind.name, *(compiler.name for compiler in kind.traits.compilers)} - self._versions.keys())
        return [self._composed.get(number) for number in numbers]

    def lacks_runtimes(self) -> bool:
        """Is there a node that has a compiler and not the package of its runtime?"""
        return bool(self._query(f"SELECT 1 FROM summary WHERE kind = 'lacking' AND {self._chosen} LIMIT 1"))

    def count(self, name: str) -> int:
        """How many records a package has."""
        where = f"name = ? AND EXISTS (SELECT 1 FROM statement WHERE record = record.id AND {self._chosen})"
        return int(self._query(f"SELECT count(DISTINCT hash) FROM record WHERE {where}", (name,))[0][0])

    def with_prefix(self, prefix: str) -> list[ConcreteSpec]:
        """All records whose hash begins so, by hash."""
        return self._adopt(self._query(f"{self._records} r.hash >= ? AND r.hash < ?", (prefix, prefix + "\x7f")))

    def _adopt(self, rows: Iterable[tuple[Any, ...]]) -> list[ConcreteSpec]:
        """Make specs of rows, one for each statement; what no chosen source states is left out.

        Of divergent statements of one hash a complete one is taken, then the smallest node: the same in any order of syncing.
        """
        stated: dict[str, list[tuple[int, bytes, Statement, int]]] = {}
        chosen = [row for row in rows if row[6] in self._sources]
        pages = self._unpacked({row[3] for row in chosen})
        for key, unusual, complete, page, start, length, *said in chosen:
            found = (not complete, pages[page][start : start + length], self._statement(complete, *said), unusual)
            stated.setdefault(key, []).append(found)
        return [self._specs.get(key) or self._spec(key, stated[key]) for key in sorted(stated)]

    def _unpacked(self, numbers: set[int]) -> dict[int, bytes]:
        """These pages, among others. Those that were read before are there: what lies below a node is often its neighbour."""
        missing = sorted([number for number in numbers if number not in self._pages])
        if len(self._pages) > MOST_PAGES:
            self._pages.clear()
            missing = sorted(numbers)
        for part in parts(missing):
            rows = self._query(f"SELECT id, nodes, size FROM page WHERE id IN ({marks(part)})", part)
            self._pages.update((number, read_page((nodes, size))) for number, nodes, size in rows)
        if not self._pages.keys() >= numbers:
            read_page(None)
        return self._pages

    def _spec(self, key: str, stated: list[tuple[int, bytes, Statement, int]]) -> ConcreteSpec:
        _, node, statement, unusual = stated[0] if len(stated) == 1 else min(stated, key=lambda one: one[:2])
        for _, _, other, _ in stated if len(stated) > 1 else ():
            statement = statement.joined(other)
        try:
            wire = decode_node(node)
        except FormatError as error:
            raise error.at(f"record {key} of {', '.join(statement.sources)}") from None
        if wire.hash not in ("", key):
            msg = f"the catalog is damaged: its record {key} is that of another hash"
            raise InputError(msg, hint="sync into a new one, named with --catalog")
        spec = self._specs[key] = ConcreteSpec(wire, key, self)
        self._nodes[key] = node
        if spec.name not in self._versions:
            self._unasked.add(spec.name)
        self._statements[key] = statement
        if unusual:
            self._unusual[key] = unusual
        return spec

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

    def unusual(self, spec: ConcreteSpec) -> int:
        """How many variants of a spec that came from this pool have another value than most records of its package."""
        return self._unusual.get(spec.hash, 0)

    def node(self, spec: ConcreteSpec) -> bytes:
        """The JSON of a spec that came from this pool, as its source states it."""
        return self._nodes[spec.hash]

    def versions(self, name: str) -> list[str]:
        """All versions that records of a package have, the newest first. Those of all loaded specs' packages are read together."""
        if name not in self._versions:
            names, self._unasked = {name, *self._unasked}, set()
            found: dict[str, list[str]] = {one: [] for one in names}
            for part in parts(sorted(names)):
                for one, version in self._query(self._versions_of.format(marks(part)), part):
                    found[one].append(version)
            self._versions |= found if self._are_ordered else {one: newest_first(versions) for one, versions in found.items()}
        return self._versions[name]

    def names(self) -> list[str]:
        """The names of all packages and of all virtuals that some provide, sorted."""
        rows = self._query(f"SELECT DISTINCT name FROM summary WHERE kind IN ('version', 'provider') AND {self._chosen} ORDER BY name")
        return [str(row[0]) for row in rows]

    def oses(self) -> list[str]:
        """All OS labels of records, sorted."""
        return [os for os in self._summary("os", "") if os]

    def providers(self, virtual: str) -> list[str]:
        """The packages that were seen to provide a virtual, sorted."""
        return self._summary("provider", virtual)

    def has_package(self, name: str) -> bool:
        """Does any record have this name?"""
        return bool(self.versions(name))

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
