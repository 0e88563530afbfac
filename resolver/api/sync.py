"""Reading sources into the catalog."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec.structs import replace

from resolver.api.settings import Settings
from resolver.catalog.store import SourceRow, Store
from resolver.errors import FormatError, InputError, ResolverError, SourceError
from resolver.formats.config import SourceConfig
from resolver.formats.record import Record
from resolver.sources.local import find_sources
from resolver.sources.source import Source


class SyncRequest(msgspec.Struct, frozen=True):
    """What to read: a location, and what overrides the source's own name and labels."""

    location: str
    name: str | None = None
    stack: str | None = None
    release: str | None = None
    refresh: bool = False


class Synced(msgspec.Struct, frozen=True):
    """What became of one source: its row, and whether it was read (or found unchanged)."""

    row: SourceRow
    changed: bool


class SyncResult(msgspec.Struct, frozen=True):
    """All sources, and the errors of those that could not be read; those keep the records they had."""

    synced: tuple[Synced, ...]
    errors: tuple[ResolverError, ...]


class Reporter(Protocol):
    """Is told how a sync goes on."""

    def started(self, name: str, size: int) -> None:
        """A source with so many records is being read."""

    def advanced(self, count: int) -> None:
        """So many more records were read."""

    def finished(self) -> None:
        """The source is read."""


class Silent:
    """A reporter that says nothing."""

    def started(self, name: str, size: int) -> None:
        """See ``Reporter``."""

    def advanced(self, count: int) -> None:
        """See ``Reporter``."""

    def finished(self) -> None:
        """See ``Reporter``."""


def configured(settings: Settings) -> list[SyncRequest]:
    """The sources of the configuration."""
    entries = [SourceConfig(s) if isinstance(s, str) else s for s in settings.config.sources]
    return [SyncRequest(_based(e.location, settings), e.name, e.stack, e.release) for e in entries]


def _based(location: str, settings: Settings) -> str:
    if "://" in location:
        return location
    return str(settings.base / os.path.expanduser(location))  # noqa: PTH111 - leaves the name of an unknown user as it is


def sync(settings: Settings, requests: Sequence[SyncRequest], reporter: Reporter | None = None) -> SyncResult:
    """Read sources into the catalog, each all or nothing. Raises ``InputError`` when the catalog cannot be written."""
    synced: list[Synced] = []
    errors: list[ResolverError] = []
    taken: dict[str, str] = {}
    with Store(settings.catalog, write=True) as store:
        known = {(row.location, row.layout): row.name for row in store.sources()}
        for request in requests:
            try:
                found = find_sources(request.location)
                _check_single(request, found)
            except ResolverError as error:
                errors.append(_as_damage(error))
                continue
            for source in found:
                try:
                    row = _row(source, request, known.get((source.location, source.layout)))
                    _check_name(row, store, taken)
                    synced.append(_sync_one(store, source, row, request, reporter or Silent()))
                except ResolverError as error:
                    errors.append(_as_damage(error).at(source.location))
    return SyncResult(tuple(synced), tuple(errors))


def _as_damage(error: ResolverError) -> ResolverError:
    """Damage in a document is the source's, so it counts as such (exit code 5)."""
    if not isinstance(error, FormatError):
        return error
    return SourceError(error.what, why=error.why, hint=error.hint, where=error.where)


def _check_single(request: SyncRequest, found: Sequence[Source]) -> None:
    if request.name and len(found) > 1:
        msg = f"{request.location} holds {len(found)} sources, so one name {request.name!r} cannot be given"
        raise InputError(msg, hint="sync them one at a time, or without --name")


def _row(source: Source, request: SyncRequest, known: str | None) -> SourceRow:
    """The source as the catalog will hold it; ``known`` is the name under which it lies there already."""
    return SourceRow(
        name=request.name or known or source.name,
        kind=source.kind,
        layout=source.layout,
        location=source.location,
        url=source.url,
        signed=source.signed,
        stack=source.stack if request.stack is None else request.stack,
        release=source.release if request.release is None else request.release,
        digest=source.digest,
        records=0,
        synced_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _check_name(row: SourceRow, store: Store, taken: dict[str, str]) -> None:
    """Two places must not go by one name, or each sync of one would throw the other out; a place that is gone gives its name free."""
    old = store.source(row.name)
    place = f"{row.location} {row.layout}"
    moved = old is not None and not Path(old.location).exists()
    earlier = taken.get(row.name) or (f"{old.location} {old.layout}" if old and not moved else place)
    if earlier != place:
        msg = f"the name {row.name!r} is that of another source, {earlier.rsplit(' ', 1)[0]}"
        raise InputError(msg, hint="give this one another with --name")
    taken[row.name] = place


def _sync_one(store: Store, source: Source, row: SourceRow, request: SyncRequest, reporter: Reporter) -> Synced:
    old = store.source(row.name)
    if old and not request.refresh and _same(old, row):
        return Synced(old, changed=False)
    content = source.open()
    release = row.release or content.release
    reporter.started(row.name, content.size)
    try:
        store.replace(replace(row, release=release), _counted(content.records, reporter))
    finally:
        reporter.finished()
    return Synced(store.source(row.name) or row, changed=True)


def _same(old: SourceRow, new: SourceRow) -> bool:
    keys = ("kind", "layout", "location", "url", "signed", "stack", "digest")
    same_release = new.release in ("", old.release)
    return same_release and all(getattr(old, key) == getattr(new, key) for key in keys)


def _counted(records: Iterator[Record], reporter: Reporter) -> Iterator[Record]:
    for number, record in enumerate(records, 1):
        yield record
        if number % 1000 == 0:
            reporter.advanced(1000)
