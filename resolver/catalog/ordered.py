"""The versions of packages in Spack's order, written down while sources are read, so that questions need not read and sort them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from resolver.catalog.bulk import rows_of
from resolver.versions import newest_first


def order_versions(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Write the order of all versions of these packages anew."""
    found: dict[str, set[str]] = {name: set() for name in names}
    for name, value in rows_of(connection, "SELECT name, value FROM summary WHERE kind = 'version' AND name IN", found):
        found[name].add(value)
    connection.executemany("DELETE FROM version WHERE name = ?", [(name,) for name in found])
    rows = [(name, place, value) for name, values in found.items() for place, value in enumerate(newest_first(values))]
    connection.executemany("INSERT INTO version VALUES (?, ?, ?)", rows)
