"""Upkeep of a catalog: checking, packing anew, exporting, removing sources."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from resolver.catalog.pages import packed, runs, unpacked
from resolver.catalog.store import Store
from resolver.errors import FormatError, InputError, ResolverError
from resolver.spec.dag_hash import HashVerdict, check_hash
from resolver.spec.node import decode_node

SHOWN = 20


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
    """Read all of a catalog: the file's own structure, every page, every node; with ``hashes`` every DAG hash is recomputed."""
    damage = [str(row[0]) for row in store.query("PRAGMA integrity_check") if row[0] != "ok"]
    verdicts: dict[str, int] = {}
    different: list[str] = []
    count = 0
    for dag_hash, name, node in _nodes(store, damage):
        count += 1
        try:
            decode_node(node)
        except FormatError as error:
            damage.append(f"record {dag_hash} of {name}: {error}")
            continue
        if hashes:
            verdict = _verdict(node, dag_hash)
            verdicts[verdict] = verdicts.get(verdict, 0) + 1
            if verdict == HashVerdict.DIFFERENT:
                different.append(f"{name}/{dag_hash}")
    return Report(count, tuple(damage), tuple(divergent(store)), dict(sorted(verdicts.items())), tuple(sorted(different)))


def _nodes(store: Store, damage: list[str]) -> Iterator[tuple[str, str, bytes]]:
    """Hash, name and node of every record whose page can be read; complete records alone, since pages state no node."""
    for page, nodes, size in _stream(store, "SELECT id, nodes, size FROM page ORDER BY id"):
        try:
            body = unpacked(nodes, size)
        except ResolverError as error:
            damage.append(f"page {page}: {error.what}")
            continue
        rows = store.query("SELECT hash, name, start, length FROM record WHERE page = ? AND complete ORDER BY start", (page,))
        for dag_hash, name, start, length in rows:
            yield str(dag_hash), str(name), body[start : start + length]


def _stream(store: Store, statement: str) -> Iterator[tuple[int, bytes, int]]:
    try:
        yield from store.connection.execute(statement)
    except sqlite3.DatabaseError as error:
        msg = f"the catalog {store.path} cannot be read"
        raise InputError(msg, why=str(error), hint="it is damaged; sync into a new one, named with --catalog") from None


def _verdict(node: bytes, dag_hash: str) -> str:
    body = msgspec.json.decode(node)
    return check_hash(body, dag_hash) if "name" in body else HashVerdict.OLDER


def divergent(store: Store) -> Iterator[Divergence]:
    """Hashes of which sources state different nodes or different archives, sorted."""
    names = {row[0]: str(row[1]) for row in store.query("SELECT id, name FROM source")}
    for what, statement in (
        (
            "archive",
            "SELECT r.hash FROM record r JOIN statement s ON s.record = r.id WHERE s.archive <> '' {} HAVING count(DISTINCT s.archive) > 1",
        ),
        ("node", "SELECT r.hash FROM record r WHERE r.complete {} HAVING count(*) > 1"),
    ):
        for (dag_hash,) in store.query(statement.format("GROUP BY r.hash") + " ORDER BY r.hash"):
            rows = store.query(
                "SELECT DISTINCT r.name, s.source FROM record r JOIN statement s ON s.record = r.id WHERE r.hash = ? AND r.complete",
                (dag_hash,),
            )
            yield Divergence(str(dag_hash), str(rows[0][0]), what, tuple(sorted({names[source] for _, source in rows})))


def pack(store: Store) -> tuple[int, int]:
    """Write pages anew without what no record refers to, and give free space back. Returns the file's bytes before and after."""
    before = store.path.stat().st_size
    with store.transaction():
        loose = [int(row[0]) for row in store.query("SELECT id FROM page WHERE live < (SELECT max(live) FROM page) ORDER BY id")]
        _repack(store.connection, loose)
    store.connection.execute("VACUUM")
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, store.path.stat().st_size


def _repack(connection: sqlite3.Connection, pages: list[int]) -> None:
    """Put the records of these pages, by name, into as few new ones."""
    rows: list[tuple[str, int, bytes]] = []
    for page in pages:
        body = unpacked(*connection.execute("SELECT nodes, size FROM page WHERE id = ?", (page,)).fetchone())
        found = connection.execute("SELECT name, id, start, length FROM record WHERE page = ?", (page,)).fetchall()
        rows += [(name, key, body[start : start + length]) for name, key, start, length in found]
        connection.execute("DELETE FROM page WHERE id = ?", (page,))
    rows.sort(key=lambda row: row[:2])
    for begin, end in runs([len(node) for _, _, node in rows]):
        part = rows[begin:end]
        nodes = [node for _, _, node in part]
        values = (len(part), sum(map(len, nodes)), packed(nodes))
        new = connection.execute("INSERT INTO page (live, size, nodes) VALUES (?, ?, ?)", values).lastrowid
        start = 0
        for _, key, node in part:
            connection.execute("UPDATE record SET page = ?, start = ? WHERE id = ?", (new, start, key))
            start += len(node)


def export(store: Store, path: Path) -> int:
    """Write the catalog as one file that can be read where nothing can be written, as on a shared file system; returns its bytes.

    It appears whole or not at all. Raises ``InputError`` when it cannot be written or something is there.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        if path.exists():
            msg = f"{path} is there already"
            raise InputError(msg, hint="name another file, or remove it")
        part.unlink(missing_ok=True)
        store.connection.execute("VACUUM INTO ?", (str(part),))
        with sqlite3.connect(part) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")
        copy.close()
        part.replace(path)
    except (sqlite3.Error, OSError) as error:
        msg = f"{path} cannot be written"
        raise InputError(msg, why=str(error), hint="check the path, its permissions and the free space") from None
    finally:
        part.unlink(missing_ok=True)
    return path.stat().st_size
