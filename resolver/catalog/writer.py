"""Putting a source's records into the catalog: what is there already stays as it lies, so that a small change writes little."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from resolver.catalog.bulk import Bulk, rows_of
from resolver.catalog.composition import forget_unused
from resolver.catalog.ordered import order_versions
from resolver.catalog.pages import Bodies, packed, runs
from resolver.catalog.reach import Reaches, Written, write_late
from resolver.catalog.variants import VariantSets
from resolver.errors import FormatError
from resolver.formats.record import Record

BATCH = 4096
PAGES_KEPT = 512
MOST_OF_ONE_HASH = 100
"""Nodes that sources may state for one hash; each is compared with each, and sound sources differ in none."""

# What a source says of a record besides its node; the columns of `statement` behind its key.
Said = tuple[int | str, ...]
# The page, begin and length of a node.
_Place = tuple[int, int, int]


class _Held(msgspec.Struct, frozen=True):
    """A record that the catalog has, and what this source said of it so far."""

    id: int
    page: int
    start: int
    length: int
    said: Said | None


class Writer:
    """Takes the records of one source, in one transaction. ``count`` is how many it took."""

    def __init__(self, connection: sqlite3.Connection, source: int) -> None:
        self.connection = connection
        self.source = source
        self.count = 0
        self._next_record = self._after("record")
        self._next_page = self._after("page")
        self._empty = self._next_record == 1
        self._indexes = self._without_indexes() if self._empty else []
        self._new: set[str] = set()
        self._several: set[str] = set()
        self._stated: set[int] = set()
        self._summary: set[tuple[str, str, str]] = set()
        self._variants = VariantSets(connection)
        self._reaches = Reaches(connection)
        self._bodies = Bodies(connection, PAGES_KEPT)
        self._bulk = Bulk(connection)

    def _after(self, table: str) -> int:
        return int(self.connection.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0])

    def _without_indexes(self) -> list[str]:
        """Take the indexes of an empty table away, and give the statements that make them: made at the end, they take half the time."""
        rows = self.connection.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'record' AND type = 'index'").fetchall()
        for name, _ in rows:
            self.connection.execute(f"DROP INDEX {name}")
        return [str(statement) for _, statement in rows]

    def take(self, records: Iterable[Record]) -> None:
        """Take records, in whatever order they come."""
        try:
            self._take(iter(records))
            self._bulk.settle()
        finally:
            self._bulk.close()

    def _take(self, records: Iterator[Record]) -> None:
        while batch := list(islice(records, BATCH)):
            self.count += len(batch)
            variants = [self._variants.number(record.wire) for record in batch]
            known = {id(record): (self._reaches.take(record, found), found[0]) for record, found in zip(batch, variants, strict=True)}
            held, fresh = self._held(batch), _distinct(batch)
            if held:
                fresh = [record for record in fresh if not self._restate(record, known[id(record)][0], held.get(record.hash, ()))]
            self._insert(fresh, known)
            self._summary |= _summary(batch)
            batch = fresh = []  # let go before the next ones are read

    def _held(self, batch: list[Record]) -> dict[str, list[_Held]]:
        """What the catalog has of these hashes; before the first source is in, only what came earlier in it can be there."""
        hashes = {record.hash for record in batch}
        # Before the first source is in there is no index yet, so each question goes through the whole table.
        keys = list(hashes & self._new if self._empty else hashes)
        if keys:
            self._bulk.settle()
        found: dict[str, list[_Held]] = {}
        statement = (
            "SELECT r.hash, r.id, r.page, r.start, r.length, s.in_buildcache, s.stacks, s.release, s.archive, s.size, s.sound "
            f"FROM record r LEFT JOIN statement s ON s.record = r.id AND s.source = {self.source} WHERE r.hash IN"
        )
        for key, number, page, start, length, *said in rows_of(self.connection, statement, keys):
            stated = None if said[0] is None else tuple(said)
            found.setdefault(key, []).append(_Held(number, page, start, length, stated))
        return found

    def _restate(self, record: Record, known: Written, held: Sequence[_Held]) -> bool:
        """State a record that is there with the same node. Is it? Raises ``FormatError`` when its hash has too many nodes already."""
        if len(held) > MOST_OF_ONE_HASH:
            msg = f"the hash {record.hash} is stated with more than {MOST_OF_ONE_HASH} nodes"
            raise FormatError(msg, hint="a hash stands for one node; the source is damaged")
        same = next((h for h in held if h.length == len(record.node) and self._bodies.node(h.page, h.start, h.length) == record.node), None)
        if same is None:
            self._several.add(record.hash)
            return False
        said = _said(record, known)
        if same.said and self._reaches.waits(record.hash):
            said = (*said[:-1], same.said[-1])
        if same.id not in self._stated and same.said != said:
            self.connection.execute("INSERT OR REPLACE INTO statement VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (same.id, self.source, *said))
        self._stated.add(same.id)
        return True

    def _insert(self, fresh: list[Record], known: Mapping[int, tuple[Written, int]]) -> None:
        if self._empty:
            self._new.update(record.hash for record in fresh)
        first = self._next_record
        self._next_record += len(fresh)
        self._stated.update(range(first, self._next_record))
        places, pages = self._paged(fresh)
        found = [known[id(record)] for record in fresh]
        self._variants.changes.update(variants for _, variants in found)
        rows = list(map(_row, fresh, places, found))
        self._bulk.put(first, rows, self.source, [_said(record, known) for record, (known, _) in zip(fresh, found, strict=True)], pages)

    def _paged(self, fresh: list[Record]) -> tuple[list[_Place], list[tuple[int, int, int, bytes]]]:
        """The place of each new record's node, and the pages."""
        places: list[_Place] = []
        pages = []
        for begin, end in runs([len(record.node) for record in fresh]):
            nodes = [record.node for record in fresh[begin:end]]
            start = 0
            for node in nodes:
                places.append((self._next_page, start, len(node)))
                start += len(node)
            pages.append((self._next_page, len(nodes), start, packed(nodes)))
            self._next_page += 1
        return places, pages

    def finish(self) -> None:
        """Take out what the source no longer states, and write what its records have among them."""
        for statement in self._indexes:
            self.connection.execute(statement)
        gone = [] if self._empty else self._unstated()
        self.connection.executemany("DELETE FROM statement WHERE record = ? AND source = ?", [(record, self.source) for record in gone])
        self._variants.changes.subtract(_drop_unstated(self.connection, gone))
        self._reaches.contradicted = self._reaches.contradicted or self._contradicted()
        write_late(self.connection, self._reaches, self.source)
        if gone:
            forget_unused(self.connection)
        self._variants.write()  # behind the kinds, which keep their sets
        self._write_summary()

    def _unstated(self) -> list[int]:
        """The records that the source stated before, and does no longer."""
        rows = self.connection.execute("SELECT record FROM statement WHERE source = ?", (self.source,)).fetchall()
        return [int(record) for (record,) in rows if record not in self._stated]

    def _contradicted(self) -> bool:
        """Do several nodes that are stated for one hash reach different things, or are their closures made of others?"""
        found: dict[str, set[tuple[int, ...]]] = {}
        statement = "SELECT hash, packages, hosts, composition FROM record WHERE complete AND hash IN"
        for key, *reach in rows_of(self.connection, statement, self._several):
            found.setdefault(key, set()).add(tuple(reach))
        return any(len(reaches) > 1 for reaches in found.values())

    def _write_summary(self) -> None:
        used = self._reaches.used
        self._summary |= {("provider", virtual, name) for virtual, name in used}
        self._summary |= {("lacking", name, compiler) for name, compiler in self._reaches.lacking}
        rows = self.connection.execute("SELECT kind, name, value FROM summary WHERE source = ?", (self.source,)).fetchall()
        old = set(rows)
        versions = {name for kind, name, _ in old ^ self._summary if kind == "version"}
        for statement, keys in (
            ("DELETE FROM summary WHERE kind = ? AND name = ? AND value = ? AND source = ?", old - self._summary),
            ("INSERT INTO summary VALUES (?, ?, ?, ?)", self._summary - old),
        ):
            self.connection.executemany(statement, [(*key, self.source) for key in sorted(keys)])
        order_versions(self.connection, versions)


def _drop_unstated(connection: sqlite3.Connection, records: Sequence[int]) -> list[int]:
    """Take out those of these records that no source states any longer, and pages that have none left. The variants of these records."""
    pages: set[int] = set()
    variants: list[int] = []
    for record in records:
        row = connection.execute(
            "DELETE FROM record WHERE id = ? AND NOT EXISTS (SELECT 1 FROM statement WHERE record = record.id) RETURNING page, variants",
            (record,),
        ).fetchone()
        if row:
            connection.execute("UPDATE page SET live = live - 1 WHERE id = ?", row[:1])
            pages.add(int(row[0]))
            variants.append(int(row[1]))
    connection.executemany("DELETE FROM page WHERE id = ? AND live = 0", [(page,) for page in sorted(pages)])
    return variants


def _row(record: Record, place: _Place, found: tuple[Written, int]) -> tuple[object, ...]:
    known, variants = found
    wire = record.wire
    arch = wire.arch
    facts = (wire.name, wire.version, arch.platform or "", arch.platform_os or "", wire.target)
    return (record.hash, record.alias, *facts, record.complete, *place, *known[:2], variants, known[2])


def _said(record: Record, known: Written) -> Said:
    stacks = " ".join(record.stacks) if record.stacks else ""
    return record.in_buildcache, stacks, record.release, record.archive, record.size, known[3]


def _distinct(batch: list[Record]) -> list[Record]:
    """The records without those that say again what an earlier one said."""
    if len({record.hash for record in batch}) == len(batch):
        return batch
    return list({(record.hash, record.node): record for record in reversed(batch)}.values())[::-1]


def _summary(batch: Sequence[Record]) -> set[tuple[str, str, str]]:
    """What these records have among them, as rows of `summary` without the source."""
    kinds = {(r.wire.name, r.wire.version, r.wire.arch.platform_os, r.in_buildcache, r.stacks) for r in batch}  # far fewer than records
    found = {("version", name, version) for name, version, *_ in kinds}
    found |= {("os", "", os or "") for _, _, os, *_ in kinds}
    found |= {("stack", label, name) for name, _, _, in_buildcache, labels in kinds if in_buildcache for label in ("", *labels)}
    stating = [record.wire for record in batch if record.wire.provided_virtuals]
    return found | {("provider", entry.partition("@")[0], wire.name) for wire in stating for entry in wire.provided_virtuals}
