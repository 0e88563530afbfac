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
from typing import TYPE_CHECKING, Any, Self

import msgspec
from msgspec.structs import astuple, replace

from resolver.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from resolver.formats.record import Record

SCHEMA_VERSION = 5
SINCE_KEYS = SINCE_VARIANTS = 4
SINCE_COMPOSITIONS = 5
OLDEST_READ = 3
"""Of the schemas that are read as they are, where nobody may write: what they lack is not known of their sources."""
APPLICATION_ID = 0x53504B52
BUSY_SECONDS = 30.0
CACHE_KIB = 32_768
PRIMARY_CODE = 0xFF
BROKEN = (sqlite3.Error, UnicodeDecodeError)
"""What a damaged file raises; SQLite quotes its bytes in messages, whatever they are."""
UNWRITABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


class SourceRow(msgspec.Struct, frozen=True):
    """A source as the catalog knows it.

    ``kind`` is page, index, mirror, database, spec or lockfile; ``layout`` v2, v3 or oci of a mirror, ``view`` its named index. ``url``
    is the mirror's, empty when the source is none. ``signed`` is whether its packages are, None when not known. ``stack`` and ``release``
    label all its records.
    ``digest`` is of the bytes read, ``tag`` what its place is asked with whether they changed; ``synced_at`` a UTC time. ``keys`` are the
    OpenPGP fingerprints that the mirror's key index states, sorted; nobody has verified them.
    """

    name: str
    kind: str
    layout: str
    view: str
    location: str
    url: str
    signed: bool | None
    stack: str
    release: str
    digest: str
    tag: str
    records: int
    synced_at: str
    keys: tuple[str, ...] = ()


SOURCE_COLUMNS = ", ".join(SourceRow.__struct_fields__)


class Store:
    """An open catalog file. ``write`` creates it when it is not there; without, a missing file is an ``InputError``.

    ``schema`` is the version that the file has, ``SCHEMA_VERSION`` unless it was not to be written.
    """

    def __init__(self, path: Path, *, write: bool = False) -> None:
        self.path = path
        self.schema = SCHEMA_VERSION
        if not write:
            require_catalog(path)
        try:
            if write:
                path.parent.mkdir(parents=True, exist_ok=True)
            self.connection = self._open(write=write)
        except (*BROKEN, OSError) as error:
            msg = f"the catalog {path} cannot be opened"
            hint = "check the path, its permissions and the free space; is it a catalog? name another with --catalog"
            raise InputError(msg, why=str(error), hint=hint) from None

    def _open(self, *, write: bool) -> sqlite3.Connection:
        if write:
            return self._connected("mode=rwc", write=True)
        try:
            return self._connected("mode=ro", write=False)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY_CODE not in UNWRITABLE:
                raise
            # Write-ahead mode needs a file beside the catalog; where none can be made, nobody writes either.
            return self._connected("mode=ro&immutable=1", write=False)

    def _connected(self, mode: str, *, write: bool) -> sqlite3.Connection:
        path = str(self.path.absolute())
        for sign in "%?#":
            path = path.replace(sign, f"%{ord(sign):02x}")
        connection = sqlite3.connect(f"file:{path}?{mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            if write:
                connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
                connection.execute("PRAGMA synchronous = NORMAL")
            self._prepare(connection, write=write)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection, *, write: bool) -> None:
        application, version = _identity(connection)
        if write and (version < SCHEMA_VERSION and application in (0, APPLICATION_ID)):
            _bring_up_to_date(connection)
            application, version = _identity(connection)
        if application != APPLICATION_ID:
            msg = f"{self.path} is not a catalog of spack-resolver"
            raise InputError(msg, hint="name another file with --catalog")
        if version < OLDEST_READ:
            msg = f"the catalog {self.path} has schema {version}, this program reads {SCHEMA_VERSION}"
            raise InputError(msg, hint="`spack-resolver catalog vacuum`, or any sync, brings it up to date")
        if version > SCHEMA_VERSION:
            msg = f"the catalog {self.path} has schema {version}, this program knows {SCHEMA_VERSION}"
            raise InputError(msg, hint="use a newer spack-resolver, or sync into a new one, named with --catalog")
        self.schema = version
        if write:
            # Changing to write-ahead mode does not wait for others; whoever comes later does it then.
            with suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode = WAL")

    def query(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows that a SELECT gives. Raises ``InputError`` when the file is damaged."""
        try:
            return self.connection.execute(statement, values).fetchall()
        except BROKEN as error:
            msg = f"the catalog {self.path} cannot be read"
            raise InputError(msg, why=str(error), hint="it may be damaged; sync into a new one, named with --catalog") from None

    @property
    def _columns(self) -> str:
        return SOURCE_COLUMNS if self.schema >= SINCE_KEYS else SOURCE_COLUMNS.replace(", keys", ", ''")

    def keep_state(self) -> None:
        """From now on see the catalog as it is at the next query, whatever others write."""
        self.connection.execute("BEGIN")

    def release_state(self) -> None:
        """From now on see what others write."""
        if self.connection.in_transaction:
            self.connection.execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.connection.close()

    def sources(self) -> list[SourceRow]:
        """All synced sources, by name."""
        rows = self.query(f"SELECT {self._columns} FROM source ORDER BY name")
        return [_source(row) for row in rows]

    def source(self, name: str) -> SourceRow | None:
        """The source with this name, or None."""
        rows = self.query(f"SELECT {self._columns} FROM source WHERE name = ?", (name,))
        return _source(rows[0]) if rows else None

    def replace(self, source: SourceRow, records: Iterable[Record]) -> int:
        """Put these records in the place of all that a source of this name stated before; returns their number.

        All or nothing: an error out of ``records`` leaves the catalog as it was. Memory holds one batch of records.
        """
        from resolver.catalog.writer import Writer  # only writing needs it

        with self.transaction():
            writer = Writer(self.connection, self._put(source))
            writer.take(records)
            writer.finish()
            self.connection.execute("UPDATE source SET records = ? WHERE name = ?", (writer.count, source.name))
        return writer.count

    def relabel(self, source: SourceRow) -> None:
        """Change what is said of a source as a whole, its records left as they are."""
        with self.transaction():
            self._put(source)

    def remove(self, names: Sequence[str]) -> None:
        """Forget sources and what they alone stated: all or none. Raises ``InputError`` when there is none of a name."""
        rows = {row.name: row for row in self.sources()}
        if unknown := [name for name in names if name not in rows]:
            msg = f"no source named {unknown[0]!r}"
            raise InputError(msg, hint=f"{did_you_mean(unknown[0], rows)}synced are: {', '.join(rows) or 'none'}")
        from resolver.catalog.writer import Writer  # only writing needs it

        with self.transaction():
            for name in dict.fromkeys(names):
                Writer(self.connection, self._put(rows[name])).finish()
                self.connection.execute("DELETE FROM source WHERE name = ?", (name,))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done inside happens, or nothing. Raises ``InputError`` when the file cannot be written."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                # SQLite has undone it already where the disk is full.
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
        except BROKEN as error:
            msg = f"the catalog {self.path} cannot be written"
            raise InputError(msg, why=str(error), hint="is another sync running, the disk full, or the file read-only?") from None

    def _put(self, source: SourceRow) -> int:
        """The number of the source, whose row now is this one."""
        names = SourceRow.__struct_fields__
        assigned = ", ".join(f"{name} = excluded.{name}" for name in names)
        row = self.connection.execute(
            f"INSERT INTO source ({SOURCE_COLUMNS}) VALUES ({', '.join('?' * len(names))}) "
            f"ON CONFLICT (name) DO UPDATE SET {assigned} RETURNING id",
            (*astuple(source)[:-1], " ".join(source.keys)),
        ).fetchone()
        return int(row[0])


def require_catalog(path: Path) -> None:
    """Raises ``InputError`` when there is no file."""
    if not (path.exists() and path.stat().st_size):
        msg = f"there is no catalog at {path}"
        raise InputError(msg, hint="`spack-resolver sync SOURCE` makes one")


def _identity(connection: sqlite3.Connection) -> tuple[int, int]:
    """Which program's file it is, and of which schema."""
    application, version = (connection.execute(f"PRAGMA {p}").fetchone()[0] for p in ("application_id", "user_version"))
    return application, version


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make the tables, or those of an older schema into ours, unless another process has just done so."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        application, version = _identity(connection)
        if (application, version) == (0, 0) and not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            _create(connection)
        elif application == APPLICATION_ID and version < SCHEMA_VERSION:
            from resolver.catalog.migrations import migrate  # only an old catalog needs it

            migrate(connection, version, lambda: _create(connection))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _create(connection: sqlite3.Connection) -> None:
    from importlib.resources import files  # only a new catalog needs it

    script = files("resolver.catalog").joinpath("schema.sql").read_text("utf-8")
    for statement in script.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _source(row: tuple[object, ...]) -> SourceRow:
    source = SourceRow(*row[:-1])  # type: ignore[arg-type]
    return replace(source, signed=None if source.signed is None else bool(source.signed), keys=tuple(str(row[-1]).split()))
