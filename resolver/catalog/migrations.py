"""Bringing a catalog of an older schema up to date, inside the transaction of whoever opens it for writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

from resolver.catalog.halves import HALVES
from resolver.catalog.ordered import order_versions
from resolver.catalog.pages import Bodies
from resolver.catalog.reach import UNWRITTEN, Reaches, learn, write_known, write_late
from resolver.catalog.variants import VariantSets, learn_variants
from resolver.catalog.writer import Writer
from resolver.formats.record import Record
from resolver.spec.node import decode_facts

TABLES_OF_1 = ("source", "record", "statement", "provider")
INDEXES_OF_1 = ("record_by_hash", "record_by_name", "record_by_alias")
SCHEMA_OF_REACHES = 3
SCHEMA_OF_KEYS_AND_VARIANTS = 4
SCHEMA_OF_COMPOSITIONS = 5
PAGES_KEPT = 8
SOURCE_OF_1 = "id, name, kind, layout, location, url, signed, stack, release, digest, records, synced_at"


def migrate(connection: sqlite3.Connection, version: int, create: Callable[[], None]) -> None:
    """From this version to the present one; ``create`` makes the present tables. Raises ``sqlite3.Error`` and what records raise."""
    while version in MIGRATIONS:
        MIGRATIONS[version](connection, create)
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])


def _from_1(connection: sqlite3.Connection, create: Callable[[], None]) -> None:
    """Until 0.1 a row held its node uncompressed, and what a source's records have among them was not written down."""
    for table in TABLES_OF_1:
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    for index in INDEXES_OF_1:
        connection.execute(f"DROP INDEX {index}")
    create()
    connection.execute(f"INSERT INTO source ({SOURCE_OF_1}, view, tag, keys) SELECT {SOURCE_OF_1}, '', '', '' FROM old_source")
    for (source,) in connection.execute("SELECT id FROM source ORDER BY name").fetchall():
        writer = Writer(connection, int(source))
        writer.take(_records_of_1(connection, int(source)))
        writer.finish()
    for table in TABLES_OF_1:
        connection.execute(f"DROP TABLE old_{table}")


def _records_of_1(connection: sqlite3.Connection, source: int) -> Iterator[Record]:
    rows = connection.execute(
        "SELECT r.hash, r.alias, r.complete, r.node, s.in_buildcache, s.stacks, s.release "
        "FROM old_record r JOIN old_statement s ON s.record = r.id WHERE s.source = ? ORDER BY r.hash, r.digest",
        (source,),
    )
    for key, alias, complete, node, in_buildcache, stacks, release in rows:
        yield Record(key, decode_facts(node), node, bool(in_buildcache), bool(complete), alias, tuple(stacks.split()), release)


def _from_2(connection: sqlite3.Connection, _: Callable[[], None]) -> None:
    """Until then nobody wrote down what closures reach."""
    for half in HALVES:
        connection.execute(f"ALTER TABLE record ADD COLUMN {half} INTEGER NOT NULL DEFAULT 0")
    key = "half TEXT NOT NULL, {0} INTEGER NOT NULL, {1} NOT NULL, PRIMARY KEY (half, {0})"
    connection.execute(f"CREATE TABLE fact ({key.format('place', 'value TEXT')}) WITHOUT ROWID")
    connection.execute(f"CREATE TABLE reach ({key.format('id', 'facts BLOB')}) WITHOUT ROWID")
    _make_room_for_variants(connection)
    _make_room_for_compositions(connection)
    learn(connection)
    connection.execute(f"PRAGMA user_version = {SCHEMA_OF_REACHES}")


def _from_3(connection: sqlite3.Connection, _: Callable[[], None]) -> None:
    """Until then nobody asked which keys a mirror is signed with, which is asked when it is read next, nor which variants are usual."""
    _add_column(connection, "source", "keys TEXT NOT NULL DEFAULT ''")
    _make_room_for_variants(connection)
    _make_room_for_compositions(connection)
    learn_variants(connection)
    connection.execute(f"PRAGMA user_version = {SCHEMA_OF_KEYS_AND_VARIANTS}")


def _make_room_for_variants(connection: sqlite3.Connection) -> None:
    _add_column(connection, "record", "variants INTEGER NOT NULL DEFAULT 0")
    connection.execute("DROP TABLE IF EXISTS variants")
    columns = "id INTEGER PRIMARY KEY, name TEXT NOT NULL, chosen TEXT NOT NULL, records INTEGER NOT NULL, unusual INTEGER NOT NULL"
    connection.execute(f"CREATE TABLE variants ({columns})")
    connection.execute("CREATE INDEX variants_by_name ON variants (name)")


def _from_4(connection: sqlite3.Connection, _: Callable[[], None]) -> None:
    """Until then nobody wrote down what closures are made of, nor the order of versions."""
    _make_room_for_compositions(connection)
    # Where sources state different nodes of one hash, it is not known what closures are made of, nor what lacks a runtime.
    divergent = connection.execute("SELECT 1 FROM record WHERE complete GROUP BY hash HAVING count(*) > 1 LIMIT 1").fetchone()
    for (source,) in connection.execute("SELECT id FROM source ORDER BY name").fetchall():
        if divergent:
            connection.execute("INSERT OR IGNORE INTO summary VALUES ('lacking', '', '', ?)", (source,))
        else:
            _learn_compositions(connection, int(source))
    order_versions(connection, {name for (name,) in connection.execute("SELECT name FROM summary WHERE kind = 'version'")})
    connection.execute(f"PRAGMA user_version = {SCHEMA_OF_COMPOSITIONS}")


def _learn_compositions(connection: sqlite3.Connection, source: int) -> None:
    """Work out what the closures of a source's records are made of."""
    variants, reaches = VariantSets(connection), Reaches(connection)
    taken = [(reaches.take(record, variants.number(record.wire)), record.hash) for record in _records_of_4(connection, source)]
    write_known(connection, [(numbers, key) for numbers, key in taken if numbers != UNWRITTEN], source)
    write_late(connection, reaches, source)
    variants.write()
    lacking = [("lacking", *pair, source) for pair in sorted(reaches.lacking)]
    connection.executemany("INSERT OR IGNORE INTO summary VALUES (?, ?, ?, ?)", lacking)


def _records_of_4(connection: sqlite3.Connection, source: int) -> Iterator[Record]:
    """The records of a source, as they lie in the catalog."""
    bodies = Bodies(connection, PAGES_KEPT)
    rows = connection.execute(
        "SELECT r.hash, r.alias, r.page, r.start, r.length, s.in_buildcache FROM record r JOIN statement s ON s.record = r.id "
        "WHERE s.source = ? AND r.complete ORDER BY r.page, r.start",
        (source,),
    )
    for key, alias, page, start, length, in_buildcache in rows.fetchall():
        node = bodies.node(page, start, length)
        yield Record(key, decode_facts(node), node, bool(in_buildcache), alias=alias)


def _make_room_for_compositions(connection: sqlite3.Connection) -> None:
    _add_column(connection, "record", "composition INTEGER NOT NULL DEFAULT 0")
    _add_column(connection, "statement", "sound INTEGER NOT NULL DEFAULT 0")
    traits = "name TEXT NOT NULL, version TEXT NOT NULL, variants INTEGER NOT NULL, traits TEXT NOT NULL"
    connection.execute(f"CREATE TABLE IF NOT EXISTS kind (id INTEGER PRIMARY KEY, {traits})")
    connection.execute("CREATE TABLE IF NOT EXISTS composition (id INTEGER PRIMARY KEY, kinds BLOB NOT NULL)")
    key = "name TEXT NOT NULL, place INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name, place)"
    connection.execute(f"CREATE TABLE IF NOT EXISTS version ({key}) WITHOUT ROWID")


def _add_column(connection: sqlite3.Connection, table: str, column: str) -> None:
    if column.partition(" ")[0] not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")


MIGRATIONS: dict[int, Callable[[sqlite3.Connection, Callable[[], None]], None]] = {1: _from_1, 2: _from_2, 3: _from_3, 4: _from_4}
"""What brings a catalog of a version nearer to the present one."""
