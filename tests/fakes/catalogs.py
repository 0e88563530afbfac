"""Looking into a catalog and damaging it, past the program."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resolver.catalog.composed import unpacked as unpacked_kinds
from resolver.catalog.pages import packed, unpacked

PLACES = frozenset({"id", "page", "start", "length", "packages", "hosts", "variants", "composition"})
TIMES = frozenset({"id", "synced_at", "tag"})


def rows(catalog: Path, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """What a statement gives; what it changes is kept."""
    connection = sqlite3.connect(catalog)
    try:
        with connection:
            return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def tables(catalog: Path, *names: str) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of tables as they lie, in a fixed order."""
    return {name: rows(catalog, f"SELECT * FROM {name} ORDER BY 1, 2") for name in names}  # noqa: S608 - names of tables


def said(catalog: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that a catalog says, in a fixed order, without when it was read and where in the file it lies. It must be whole."""
    connection = sqlite3.connect(catalog)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return _said(connection)
    finally:
        connection.close()


def _said(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    connection.row_factory = sqlite3.Row
    sources = {row["id"]: row for row in connection.execute("SELECT * FROM source")}
    pages = {row["id"]: unpacked(row["nodes"], row["size"]) for row in connection.execute("SELECT * FROM page")}
    unusual = "coalesce((SELECT unusual FROM variants WHERE id = r.variants), 0) AS unusual"
    made = compositions(connection)
    found = connection.execute(f"SELECT r.*, {unusual} FROM record r")  # noqa: S608 - fixed
    records = {row["id"]: (*_record(row, pages), made.get(row["composition"])) for row in found}
    statements = [
        (*records[row["record"]], sources[row["source"]]["name"], *tuple(row)[2:]) for row in connection.execute("SELECT * FROM statement")
    ]
    summary = [(*tuple(row)[:-1], sources[row["source"]]["name"]) for row in connection.execute("SELECT * FROM summary")]
    return {
        "sources": sorted(tuple(row[key] for key in row.keys() if key not in TIMES) for row in sources.values()),  # noqa: SIM118 - a row
        "records": sorted(records.values()),
        "statements": sorted(statements),
        "summary": sorted(summary),
    }


def compositions(connection: sqlite3.Connection) -> dict[int, list[tuple[Any, ...]]]:
    """What each composition is made of, sorted."""
    chosen = "(SELECT chosen FROM variants WHERE id = kind.variants)"
    kinds = {row[0]: tuple(row)[1:] for row in connection.execute(f"SELECT id, name, version, {chosen}, traits FROM kind")}  # noqa: S608 - fixed
    rows = connection.execute("SELECT id, kinds FROM composition").fetchall()
    return {number: sorted(kinds[kind] for kind in unpacked_kinds(blob)) for number, blob in rows}


def _record(row: sqlite3.Row, pages: dict[int, bytes]) -> tuple[Any, ...]:
    node = pages[row["page"]][row["start"] : row["start"] + row["length"]]
    assert len(node) == row["length"]
    return (*(row[key] for key in row.keys() if key not in PLACES), node)  # noqa: SIM118 - a row has no other way


def as_of_schema_4(catalog: Path) -> None:
    """Make a catalog of schema 4 out of one of the present schema."""
    for table in ("kind", "composition", "version"):
        rows(catalog, f"DROP TABLE {table}")
    rows(catalog, "ALTER TABLE record DROP COLUMN composition")
    rows(catalog, "ALTER TABLE statement DROP COLUMN sound")
    rows(catalog, "DELETE FROM summary WHERE kind = 'lacking'")
    rows(catalog, "PRAGMA user_version = 4")


def change_node(catalog: Path, name: str, old: bytes, new: bytes) -> None:
    """Put other bytes, of the same number, into the stored node of a package's first record."""
    ((page, start, nodes, size),) = rows(
        catalog,
        "SELECT p.id, r.start, p.nodes, p.size FROM record r JOIN page p ON p.id = r.page WHERE r.name = ? ORDER BY r.id LIMIT 1",
        (name,),
    )
    body = unpacked(nodes, size)
    assert len(old) == len(new)
    assert old in body[start:]
    changed = body[:start] + body[start:].replace(old, new, 1)
    rows(catalog, "UPDATE page SET nodes = ? WHERE id = ?", (packed([changed]), page))
