"""Upkeep of a catalog: checking it, packing it anew, exporting it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from resolver.catalog.pages import IN_ONE_PAGE, MOST_IN_ONE_PAGE, Bodies, packed, runs, unpacked
from resolver.catalog.reach import learn
from resolver.catalog.store import SINCE_COMPOSITIONS, SINCE_VARIANTS, Store
from resolver.errors import FormatError, InputError, ResolverError
from resolver.spec.dag_hash import HashVerdict, check_hash
from resolver.spec.node import decode_node

MOVED_AT_ONCE = 4096
PAGES_KEPT = 64

ORPHANS = {
    "records that no source states": "SELECT count(*) FROM record r WHERE NOT EXISTS (SELECT 1 FROM statement WHERE record = r.id)",
    "statements on records that are not there": "SELECT count(*) FROM statement WHERE record NOT IN (SELECT id FROM record)",
    "statements of sources that are not there": "SELECT count(*) FROM statement WHERE source NOT IN (SELECT id FROM source)",
}
OF_VARIANTS = {
    "records whose variants are not there": "SELECT count(*) FROM record WHERE variants AND variants NOT IN (SELECT id FROM variants)",
    "sets of variants that miscount their records": "SELECT count(*) FROM variants v LEFT JOIN "
    "(SELECT variants, count(*) AS records FROM record GROUP BY variants) r ON r.variants = v.id WHERE v.records <> coalesce(r.records, 0)",
}
OF_COMPOSITIONS = {
    "records whose composition is not there": "SELECT count(*) FROM record WHERE composition AND composition NOT IN "
    "(SELECT id FROM composition)",
    "kinds of packages whose variants are not there": "SELECT count(*) FROM kind WHERE variants AND variants NOT IN "
    "(SELECT id FROM variants)",
}
STATED = "SELECT r.hash, r.name, s.source FROM record r JOIN statement s ON s.record = r.id WHERE {0} AND r.hash IN "
DIVERGENT = {
    "archive": STATED.format("s.archive <> ''") + "(SELECT r.hash FROM record r JOIN statement s ON s.record = r.id "
    "WHERE s.archive <> '' GROUP BY r.hash HAVING count(DISTINCT s.archive) > 1)",
    "node": STATED.format("r.complete") + "(SELECT hash FROM record WHERE complete GROUP BY hash HAVING count(*) > 1)",
}


class Divergence(msgspec.Struct, frozen=True):
    """A hash of which sources state different things: ``what`` is node or archive; ``sources`` are all that state it."""

    hash: str
    name: str
    what: str
    sources: tuple[str, ...]


class Report(msgspec.Struct, frozen=True):
    """What a check found.

    ``damage`` are sentences on what cannot be read. ``verdicts`` counts recomputed hashes by verdict, where that was asked for, and
    ``different`` are records whose hash is not that of their node.
    """

    records: int
    damage: tuple[str, ...]
    divergent: tuple[Divergence, ...]
    verdicts: dict[str, int]
    different: tuple[str, ...]


def check(store: Store, *, hashes: bool = False) -> Report:
    """Read all of a catalog: the file's own structure, every page, every node; with ``hashes`` every DAG hash is recomputed.

    It looks at one state of the catalog, whatever a sync writes meanwhile.
    """
    found = _Check(store, hashes=hashes)
    with _one_state(store.connection):
        for step in (found.structure, found.references, found.pages, found.divergence):
            found.attempt(step)
    return Report(
        found.count,
        tuple(found.damage),
        tuple(found.divergent),
        dict(sorted(found.verdicts.items())),
        tuple(sorted(found.different)),
    )


@contextmanager
def _one_state(connection: sqlite3.Connection) -> Iterator[None]:
    if not connection.in_transaction:
        connection.execute("BEGIN")
    try:
        yield
    finally:
        with suppress(sqlite3.Error):
            connection.rollback()


class _Check:
    """A check that is under way, and what it has found so far."""

    def __init__(self, store: Store, *, hashes: bool) -> None:
        self.store = store
        self.hashes = hashes
        self.count = 0
        self.damage: list[str] = []
        self.divergent: list[Divergence] = []
        self.verdicts: dict[str, int] = {}
        self.different: list[str] = []

    def attempt(self, step: Callable[[], None]) -> None:
        """Do a step; where damage ends it half way, that is one more thing found, and the next step follows."""
        try:
            step()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self.damage.append(f"the file cannot be read to its end: {error}")
        except ResolverError as error:
            self.damage.append(f"the file cannot be read to its end: {error.why or error.what}")

    def structure(self) -> None:
        """The file as SQLite sees it."""
        self.damage += [str(row[0]) for row in self.store.query("PRAGMA integrity_check") if row[0] != "ok"]

    def references(self) -> None:
        """Rows that refer to others that are not there."""
        since = {0: ORPHANS, SINCE_VARIANTS: OF_VARIANTS, SINCE_COMPOSITIONS: OF_COMPOSITIONS}
        for statements in (found for version, found in since.items() if self.store.schema >= version):
            for what, statement in statements.items():
                if number := self.store.query(statement)[0][0]:
                    self.damage.append(f"{number} {what}")

    def pages(self) -> None:
        """Every page that records refer to, and the nodes in it."""
        rows = self.store.connection.execute("SELECT page, start, length, hash, name, complete FROM record ORDER BY page, start")
        for page, records in groupby(rows, key=itemgetter(0)):
            self._page(page, list(records))

    def _page(self, page: int, records: Sequence[tuple[Any, ...]]) -> None:
        self.count += len(records)
        row = self.store.connection.execute("SELECT nodes, size, live FROM page WHERE id = ?", (page,)).fetchone()
        if row is None:
            self.damage.append(f"page {page} is missing, and with it {len(records)} records, as {records[0][4]}/{records[0][3]}")
            return
        nodes, size, live = row
        if live != len(records):
            self.damage.append(f"page {page} counts {live} records, and {len(records)} refer to it")
        try:
            body = unpacked(nodes, size)
        except (ResolverError, TypeError, OverflowError, MemoryError) as error:
            self.damage.append(f"page {page}, with {len(records)} records: {error.why if isinstance(error, ResolverError) else error}")
            return
        for _, start, length, *record in records:
            self._node(body[start : start + length], *record)

    def _node(self, node: bytes, dag_hash: str, name: str, complete: int) -> None:
        try:
            decode_node(node)
            if self.hashes and complete:
                self._hash(node, dag_hash, name)
        except FormatError as error:
            self.damage.append(f"record {name}/{dag_hash}: {error}")

    def _hash(self, node: bytes, dag_hash: str, name: str) -> None:
        verdict = _verdict(node, dag_hash)
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        if verdict == HashVerdict.DIFFERENT:
            self.different.append(f"{name}/{dag_hash}")

    def divergence(self) -> None:
        """Hashes of which sources state different nodes or different archives."""
        self.divergent += divergent(self.store)


def _verdict(node: bytes, dag_hash: str) -> str:
    try:
        body = msgspec.json.decode(node)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = "a spec node whose hash cannot be computed"
        raise FormatError(msg, why=str(error)) from None
    return check_hash(body, dag_hash) if "name" in body else HashVerdict.OLDER


def divergent(store: Store) -> Iterator[Divergence]:
    """Hashes of which sources state different nodes or different archives, sorted."""
    names = {row[0]: str(row[1]) for row in store.query("SELECT id, name FROM source")}
    for what, statement in DIVERGENT.items():
        for dag_hash, rows in groupby(store.query(f"{statement} ORDER BY r.hash"), key=itemgetter(0)):
            found = list(rows)
            yield Divergence(str(dag_hash), str(found[0][1]), what, tuple(sorted({names.get(row[2], "?") for row in found})))


def pack(store: Store) -> tuple[int, int]:
    """Write pages anew without what no record refers to, and give free space back. Returns the catalog's bytes before and after.

    Raises ``InputError`` when the catalog cannot be written; it says the same as before then.
    """
    before = _size(store)
    with store.transaction():
        _repack(store.connection)
        learn(store.connection)
    try:
        store.connection.execute("VACUUM")
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        msg = f"the catalog {store.path} cannot be made small"
        raise InputError(msg, why=str(error), hint="it takes as much free space again as the catalog has, and no other may write") from None
    return before, _size(store)


def _size(store: Store) -> int:
    """The catalog's bytes, with those that lie in the file beside it."""
    pages, size = (store.query(f"PRAGMA {what}")[0][0] for what in ("page_count", "page_size"))
    return int(pages * size)


def _repack(connection: sqlite3.Connection) -> None:
    """Put the records of pages that are not full into as few new ones, neighbours by name as when they came."""
    connection.execute(
        "CREATE TEMP TABLE loose AS SELECT p.id FROM page p LEFT JOIN record r ON r.page = p.id GROUP BY p.id "
        "HAVING coalesce(sum(r.length), 0) < p.size OR (p.live < ? AND p.size < ?)",
        (IN_ONE_PAGE, MOST_IN_ONE_PAGE // 2),
    )
    connection.execute(
        "CREATE TEMP TABLE moved AS SELECT id, page, start, length FROM record "
        "WHERE page IN (SELECT id FROM loose) ORDER BY name, target, hash, id",
    )
    rows = connection.execute("SELECT id, page, start, length FROM moved ORDER BY rowid")
    bodies = Bodies(connection, PAGES_KEPT)
    while part := list(islice(rows, MOVED_AT_ONCE)):
        _move(connection, [(key, bodies.node(page, start, length)) for key, page, start, length in part])
    connection.execute("DELETE FROM page WHERE id IN (SELECT id FROM loose)")
    for table in ("loose", "moved"):
        connection.execute(f"DROP TABLE {table}")


def _move(connection: sqlite3.Connection, rows: Sequence[tuple[int, bytes]]) -> None:
    for begin, end in runs([len(node) for _, node in rows]):
        nodes = [node for _, node in rows[begin:end]]
        values = (len(nodes), sum(map(len, nodes)), packed(nodes))
        page = connection.execute("INSERT INTO page (live, size, nodes) VALUES (?, ?, ?)", values).lastrowid
        start = 0
        for key, node in rows[begin:end]:
            connection.execute("UPDATE record SET page = ?, start = ? WHERE id = ?", (page, start, key))
            start += len(node)


def export(store: Store, path: Path) -> int:
    """Write the catalog as one file that can be read where nothing can be written, as on a shared file system; returns its bytes.

    It appears whole or not at all. Raises ``InputError`` when it cannot be written or something is there.
    """
    try:
        _refuse_existing(path)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            part.unlink(missing_ok=True)
            _copy(store, part)
            _refuse_existing(path)  # it may have come meanwhile
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path.stat().st_size
    except (sqlite3.Error, OSError) as error:
        msg = f"{path} cannot be written"
        raise InputError(msg, why=str(error), hint="check the path, its permissions and the free space") from None


def _refuse_existing(path: Path) -> None:
    if path.exists():
        msg = f"{path} is there already"
        raise InputError(msg, hint="name another file, or remove it")


def _copy(store: Store, path: Path) -> None:
    """The catalog's content as a file without another beside it, on the disk when this returns."""
    store.connection.execute("VACUUM INTO ?", (str(path),))
    copy = sqlite3.connect(path)
    try:
        copy.execute("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()
    with path.open("rb") as file:
        os.fsync(file.fileno())
