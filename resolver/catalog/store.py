"""The catalog's file: opening it, its schema, and replacing what one source states.

A SQLite database in write-ahead mode: a sync is one transaction, so that readers see the old state or the new one, and a killed
sync leaves the old one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec.structs import astuple, replace

from resolver.errors import InputError
from resolver.formats.record import Record

SCHEMA_VERSION = 1
APPLICATION_ID = 0x53504B52
BUSY_SECONDS = 30.0
BATCH = 2000


class SourceRow(msgspec.Struct, frozen=True):
    """A source as the catalog knows it.

    ``kind`` is page, index, mirror or lockfile; ``layout`` v2 or v3 of a mirror. ``url`` is the mirror's, empty when the source is
    none. ``signed`` is whether its packages are, None when not known. ``stack`` and ``release`` label all its records.
    ``digest`` is of the bytes read; ``synced_at`` a UTC time.
    """

    name: str
    kind: str
    layout: str
    location: str
    url: str
    signed: bool | None
    stack: str
    release: str
    digest: str
    records: int
    synced_at: str


SOURCE_COLUMNS = ", ".join(SourceRow.__struct_fields__)


class Store:
    """An open catalog file. ``write`` creates it when it is not there; without, a missing file is an ``InputError``."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        self.path = path
        if not write and not (path.exists() and path.stat().st_size):
            msg = f"there is no catalog at {path}"
            raise InputError(msg, hint="`spack-resolver sync SOURCE` makes one")
        try:
            if write:
                path.parent.mkdir(parents=True, exist_ok=True)
            self.connection = self._open(write=write)
        except (sqlite3.Error, OSError) as error:
            msg = f"the catalog {path} cannot be opened"
            raise InputError(msg, why=str(error), hint="is it a catalog? name another with --catalog") from None

    def _open(self, *, write: bool) -> sqlite3.Connection:
        if write:
            return self._connected("mode=rwc", write=True)
        try:
            return self._connected("mode=ro", write=False)
        except sqlite3.OperationalError:
            # Write-ahead mode needs a file beside the catalog; where none can be made, nobody writes either.
            return self._connected("mode=ro&immutable=1", write=False)

    def _connected(self, mode: str, *, write: bool) -> sqlite3.Connection:
        path = str(self.path.absolute())
        for sign in "%?#":
            path = path.replace(sign, f"%{ord(sign):02x}")
        connection = sqlite3.connect(f"file:{path}?{mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            self._prepare(connection, write=write)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection, *, write: bool) -> None:
        application, version = _identity(connection)
        if write and version == 0 and application == 0:
            _create(connection)
            application, version = _identity(connection)
        if application != APPLICATION_ID:
            msg = f"{self.path} is not a catalog of spack-resolver"
            raise InputError(msg, hint="name another file with --catalog")
        if version != SCHEMA_VERSION:
            msg = f"the catalog {self.path} has schema {version}, this program knows {SCHEMA_VERSION}"
            raise InputError(msg, hint="sync into a new one, named with --catalog")

    def query(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows that a SELECT gives. Raises ``InputError`` when the file is damaged."""
        try:
            return self.connection.execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            msg = f"the catalog {self.path} cannot be read"
            raise InputError(msg, why=str(error), hint="it may be damaged; sync into a new one, named with --catalog") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.connection.close()

    def sources(self) -> list[SourceRow]:
        """All synced sources, by name."""
        rows = self.query(f"SELECT {SOURCE_COLUMNS} FROM source ORDER BY name")
        return [_source(row) for row in rows]

    def source(self, name: str) -> SourceRow | None:
        """The source with this name, or None."""
        rows = self.query(f"SELECT {SOURCE_COLUMNS} FROM source WHERE name = ?", (name,))
        return _source(rows[0]) if rows else None

    def replace(self, source: SourceRow, records: Iterable[Record]) -> int:
        """Put these records in the place of all that a source of this name stated before; returns their number.

        All or nothing: an error out of ``records`` leaves the catalog as it was. Memory holds one batch of records.
        """
        with self.transaction():
            key = self._replace_source(source)
            count = 0
            for batch in _batches(records):
                count += len(batch)
                self._insert(key, batch)
            self.connection.execute("UPDATE source SET records = ? WHERE id = ?", (count, key))
            self.connection.execute("DELETE FROM record WHERE id NOT IN (SELECT record FROM statement)")
        return count

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done inside happens, or nothing. Raises ``InputError`` when the file cannot be written."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            msg = f"the catalog {self.path} cannot be written"
            raise InputError(msg, why=str(error), hint="is another sync running, the disk full, or the file read-only?") from None

    def _replace_source(self, source: SourceRow) -> int:
        rows = self.query("SELECT id FROM source WHERE name = ?", (source.name,))
        if rows:
            key = int(rows[0][0])
            for table in ("statement", "provider"):
                self.connection.execute(f"DELETE FROM {table} WHERE source = ?", (key,))
            self.connection.execute("DELETE FROM source WHERE id = ?", (key,))
        marks = ", ".join("?" * len(SourceRow.__struct_fields__))
        done = self.connection.execute(f"INSERT INTO source ({SOURCE_COLUMNS}) VALUES ({marks})", astuple(source))
        return int(done.lastrowid or 0)

    def _insert(self, source: int, batch: list[Record]) -> None:
        rows = [(record, _digest(record)) for record in batch]
        self.connection.executemany(
            "INSERT OR IGNORE INTO record (hash, digest, alias, name, version, os, complete, node) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(r.hash, d, r.alias, r.wire.name, r.wire.version, r.wire.arch.platform_os or "", r.complete, r.node) for r, d in rows],
        )
        self.connection.executemany(
            "INSERT INTO statement SELECT id, ?, ?, ?, ? FROM record WHERE hash = ? AND digest = ? ON CONFLICT DO NOTHING",
            [(source, r.in_buildcache, " ".join(r.stacks), r.release, r.hash, d) for r, d in rows],
        )
        self.connection.executemany(
            "INSERT OR IGNORE INTO provider VALUES (?, ?, ?)",
            sorted({(virtual, name, source) for r in batch for virtual, name in _provided(r)}),
        )


def _identity(connection: sqlite3.Connection) -> tuple[int, int]:
    """Which program's file it is, and of which schema."""
    application, version = (connection.execute(f"PRAGMA {p}").fetchone()[0] for p in ("application_id", "user_version"))
    return application, version


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process has just made them.

    Write-ahead mode comes last: changing to it does not wait for others, and whoever comes later finds it.
    """
    from importlib.resources import files  # only a new catalog needs it

    script = files("resolver.catalog").joinpath("schema.sql").read_text("utf-8")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _identity(connection) == (0, 0):
            for statement in script.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")


def _source(row: tuple[object, ...]) -> SourceRow:
    source = SourceRow(*row)  # type: ignore[arg-type]
    return replace(source, signed=None if source.signed is None else bool(source.signed))


def _digest(record: Record) -> bytes:
    import hashlib  # only writing needs it

    return hashlib.blake2b(record.node, digest_size=12).digest()


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _provided(record: Record) -> Iterator[tuple[str, str]]:
    edges = record.wire.dependencies
    for edge in edges if isinstance(edges, list) else ():
        for virtual in edge.parameters.virtuals if edge.parameters else ():
            yield virtual, edge.name
    for entry in record.wire.provided_virtuals:
        yield entry.partition("@")[0], record.wire.name
