"""The sources that a catalog holds while a sync goes on, and the names by which new ones go."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from resolver.catalog.store import SourceRow
from resolver.errors import InputError
from resolver.sources.address import is_at_or_below, is_remote
from resolver.sources.source import Seen, Source

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and what stands for bytes that are no UTF-8."""


class Held:
    """What the catalog holds, by name and by place."""

    def __init__(self, rows: Iterable[SourceRow]) -> None:
        self.rows = {row.name: row for row in rows}
        self._names = {_place(row): row.name for row in self.rows.values()}
        self._taken: dict[str, tuple[str, str, str]] = {}

    def row(self, source: Source, name: str | None, stack: str | None, release: str | None) -> SourceRow:
        """The source as the catalog will hold it: by the name that is given, or under which it lies there already, or its own.

        Raises ``InputError`` when the name is another source's, or cannot be one.
        """
        row = SourceRow(
            name=f"{name}{source.ending}" if name else self._name(source),
            kind="",
            layout=source.layout,
            view=source.view,
            location=source.location,
            url=source.url,
            signed=source.signed,
            stack=source.stack if stack is None else stack,
            release=source.release if release is None or source.chosen else release,
            digest="",
            tag="",
            records=0,
            synced_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        self._take(row)
        return row

    def _name(self, source: Source) -> str:
        """The name it has already, its own before others that its place goes by."""
        place = (source.location, source.layout, source.view)
        own = self.rows.get(source.name)
        return source.name if own and _place(own) == place else self._names.get(place, source.name)

    def _take(self, row: SourceRow) -> None:
        """Two places must not go by one name, or each sync of one would throw the other out; a place that is gone gives its name free."""
        if UNSAFE.search(row.name) or UNSAFE.search(row.location):
            msg = f"{ascii(row.name)[:100]} at {ascii(row.location)[:200]} cannot be the name of a source"
            raise InputError(msg, hint="give it one of letters, digits and signs with --name, or rename the file")
        old = self.rows.get(row.name)
        earlier = self._taken.get(row.name) or (_place(row) if old is None or _is_gone(old) else _place(old))
        if earlier != _place(row):
            msg = f"the name {row.name!r} is that of another source, {earlier[0]}"
            raise InputError(msg, hint="give this one another with --name")
        self._taken[row.name] = earlier

    def same(self, row: SourceRow) -> SourceRow | None:
        """What the catalog holds of this very source."""
        old = self.rows.get(row.name)
        return old if old and _place(old) == _place(row) else None

    def seen(self, row: SourceRow) -> Seen:
        """What was seen of it when it was last read."""
        old = self.same(row)
        return Seen(old.digest, old.tag) if old else Seen()

    def below(self, location: str) -> list[SourceRow]:
        """The sources at a location or inside it, by name."""
        return [self.rows[name] for name in sorted(self.rows) if is_at_or_below(self.rows[name].location, location)]

    def put(self, row: SourceRow) -> None:
        """The catalog now holds this one."""
        self.rows[row.name] = row


def _place(row: SourceRow) -> tuple[str, str, str]:
    return row.location, row.layout, row.view


def _is_gone(row: SourceRow) -> bool:
    return not is_remote(row.location) and not Path(row.location).exists()
