"""Many rows in one statement, run in a thread of its own: while SQLite writes one batch, the next one is read.

Rows go in as one JSON text and are taken apart by SQLite itself, which holds no lock of Python meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec

from resolver.catalog.keys import marks, parts

Row = tuple[object, ...]


def _insert(table: str, columns: int, *, first: Sequence[str] = (), last: Sequence[str] = ()) -> str:
    values = [f"json_extract(value, '$[{place}]')" for place in range(columns)]
    return f"INSERT INTO {table} SELECT {', '.join([*first, *values, *last])} FROM json_each(?1)"


# What is the same in all rows, or counts up, is not taken out of each: that is much of the time. `key` is the row's place from 0.
RECORDS = _insert("record", 15, first=["?2 + key"])
STATEMENTS = _insert("statement", 6, first=["?2 + key", "?3"])
# The last two of a row of JSON say which bytes of the second parameter are the page.
PAGES = _insert("page", 3, last=["substr(?2, json_extract(value, '$[3]'), json_extract(value, '$[4]'))"])


class Bulk:
    """Writes batches one after the other. The connection must not be used by others before ``settle``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._pool = ThreadPoolExecutor(1)
        self._pending: Future[None] | None = None

    def put(
        self, first: int, records: Sequence[Row], source: int, said: Sequence[Row], pages: Sequence[tuple[int, int, int, bytes]]
    ) -> None:
        """Write these rows, when those before are written: records with numbers from ``first``, and what ``source`` says of each.

        ``pages`` are number, live nodes, size and bytes.
        """
        places, start = [], 1
        for number, live, size, page in pages:
            places.append((number, live, size, start, len(page)))
            start += len(page)
        body = b"".join(page for *_, page in pages)
        work = [(PAGES, _json(places), body), (RECORDS, _json(records), first), (STATEMENTS, _json(said), first, source)]
        self.settle()
        self._pending = self._pool.submit(self._write, work)

    def _write(self, work: Sequence[Row]) -> None:
        for statement, *values in work:
            self.connection.execute(str(statement), values)

    def settle(self) -> None:
        """Wait until all is written. Raises what SQLite raised."""
        pending, self._pending = self._pending, None
        if pending:
            pending.result()

    def close(self) -> None:
        """Wait for the thread to end, whatever came of its work."""
        self._pool.shutdown()


def rows_of(connection: sqlite3.Connection, statement: str, keys: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of a SELECT that ends in ``IN``, for any number of keys."""
    for part in parts(sorted(keys)):
        yield from connection.execute(f"{statement} ({marks(part)})", part).fetchall()


def _json(rows: Sequence[Row]) -> str:
    return msgspec.json.encode(rows).decode()
