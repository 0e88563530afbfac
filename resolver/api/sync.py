"""Reading sources into the catalog."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec.structs import replace

from resolver.api.settings import Settings
from resolver.catalog.store import SourceRow, Store
from resolver.errors import FormatError, InputError, ResolverError, SourceError
from resolver.formats.config import SourceConfig
from resolver.formats.record import Record
from resolver.sources.find import Wanted, find_sources, is_remote
from resolver.sources.source import Opened, Seen, Source

FETCHED_AT_ONCE = 4


class SyncRequest(msgspec.Struct, frozen=True):
    """What to read: a location, and what overrides the source's own name and labels.

    ``releases`` and ``stacks`` choose among the indexes of a public manifest; ``release`` labels any other source. ``view`` is a named
    index of a mirror. With ``refresh`` it is read even if it has not changed, with ``offline`` only if it lies on this machine.
    """

    location: str
    name: str | None = None
    stack: str | None = None
    release: str | None = None
    refresh: bool = False
    stacks: Sequence[str] = ()
    view: str = ""
    offline: bool = False


class Synced(msgspec.Struct, frozen=True):
    """What became of one source: its row, and whether it was read (or found unchanged)."""

    row: SourceRow
    changed: bool


class SyncResult(msgspec.Struct, frozen=True):
    """All sources, and the errors of those that could not be read; those keep the records they had. ``notes`` are for a person."""

    synced: tuple[Synced, ...]
    errors: tuple[ResolverError, ...]
    notes: tuple[str, ...] = ()


class Reporter(Protocol):
    """Is told how a sync goes on."""

    def received(self, name: str, count: int, total: int | None) -> None:
        """So many more bytes of a source came, of so many where that is known. Called from several threads."""

    def started(self, name: str, size: int) -> None:
        """A source with so many records is being read."""

    def advanced(self, count: int) -> None:
        """So many more records were read."""

    def finished(self) -> None:
        """The source is read."""


class Silent:
    """A reporter that says nothing."""

    def received(self, name: str, count: int, total: int | None) -> None:
        """See ``Reporter``."""

    def started(self, name: str, size: int) -> None:
        """See ``Reporter``."""

    def advanced(self, count: int) -> None:
        """See ``Reporter``."""

    def finished(self) -> None:
        """See ``Reporter``."""


def configured(settings: Settings, *, refresh: bool = False, offline: bool = False) -> list[SyncRequest]:
    """The sources of the configuration."""
    entries = [SourceConfig(s) if isinstance(s, str) else s for s in settings.config.sources]
    return [SyncRequest(_based(e.location, settings), e.name, e.stack, e.release, refresh, e.stacks, e.view, offline) for e in entries]


def _based(location: str, settings: Settings) -> str:
    if "://" in location:
        return location
    return str(settings.base / os.path.expanduser(location))  # noqa: PTH111 - leaves the name of an unknown user as it is


def sync(settings: Settings, requests: Sequence[SyncRequest], reporter: Reporter | None = None) -> SyncResult:
    """Read sources into the catalog, each all or nothing. Raises ``InputError`` when the catalog cannot be written.

    Remote sources are fetched several at once, and stored in the order asked.
    """
    with Store(settings.catalog, write=True) as store, ThreadPoolExecutor(FETCHED_AT_ONCE) as pool:
        return _Sync(store, pool, reporter or Silent()).run(requests)


class _Task(msgspec.Struct):
    """A source on its way into the catalog: the row it will have, and how to get at it once it is opened."""

    request: SyncRequest
    source: Source
    row: SourceRow
    opened: Callable[[], Opened]


class _Sync:
    """One run: finds sources, opens them ahead of their turn, stores them one by one."""

    def __init__(self, store: Store, pool: Executor, reporter: Reporter) -> None:
        self.store = store
        self.pool = pool
        self.reporter = reporter
        self.synced: list[Synced] = []
        self.errors: list[ResolverError] = []
        self.notes: list[str] = []
        self.taken: dict[str, str] = {}
        self.known = {_place(row): row.name for row in store.sources()}

    def run(self, requests: Sequence[SyncRequest]) -> SyncResult:
        """Do it."""
        waiting = deque[_Task]()
        for task in self._tasks(requests):
            waiting.append(task)
            if len(waiting) >= FETCHED_AT_ONCE or not task.source.remote:
                self._finish(waiting)
        while waiting:
            self._finish(waiting)
        return SyncResult(tuple(self.synced), tuple(self.errors), tuple(dict.fromkeys(self.notes)))

    def _finish(self, waiting: deque[_Task]) -> None:
        task = waiting.popleft()
        try:
            self.synced.append(self._store(task))
        except ResolverError as error:
            self.errors.append(_as_damage(error).at(task.source.location))

    def _tasks(self, requests: Sequence[SyncRequest]) -> Iterator[_Task]:
        """The sources of all requests; remote ones are looked for several at once, and begin to be fetched when they are found."""
        searches = [(r, self.pool.submit(self._find, r) if is_remote(r.location) else None) for r in requests]
        for request, search in searches:
            try:
                found = search.result() if search else self._find(request)
                _check_single(request, found)
            except ResolverError as error:
                self.errors.append(_as_damage(error))
                continue
            for source in found:
                try:
                    yield self._task(request, source)
                except ResolverError as error:
                    self.errors.append(_as_damage(error).at(source.location))

    @staticmethod
    def _find(request: SyncRequest) -> list[Source]:
        releases = () if request.release is None else (request.release,)
        return find_sources(request.location, Wanted(releases, request.stacks, request.view, request.offline))

    def _task(self, request: SyncRequest, source: Source) -> _Task:
        row = _row(source, request, self.known.get((source.location, source.layout, source.view)))
        self._check_name(row)
        old = self.store.source(row.name)
        seen = Seen(old.digest, old.tag) if old and not request.refresh and old.location == row.location else Seen()
        report = partial(self.reporter.received, row.name)
        if source.note:
            self.notes.append(f"{row.name}: {source.note}")
        if source.remote:
            return _Task(request, source, row, self.pool.submit(source.open, seen, report).result)
        return _Task(request, source, row, partial(source.open, seen, report))

    def _check_name(self, row: SourceRow) -> None:
        """Two places must not go by one name, or each sync of one would throw the other out; a place that is gone gives its name free."""
        old = self.store.source(row.name)
        moved = old is not None and not is_remote(old.location) and not Path(old.location).exists()
        earlier = self.taken.get(row.name) or (" ".join(_place(old)) if old and not moved else " ".join(_place(row)))
        if earlier != " ".join(_place(row)):
            msg = f"the name {row.name!r} is that of another source, {earlier.partition(' ')[0]}"
            raise InputError(msg, hint="give this one another with --name")
        self.taken[row.name] = earlier

    def _store(self, task: _Task) -> Synced:
        opened = task.opened()
        old = self.store.source(task.row.name)
        if opened.unchanged and old:
            return self._relabelled(old, task.row, opened)
        row = replace(task.row, kind=opened.kind, digest=opened.digest, tag=opened.tag, signed=opened.signed)
        content = opened.read()
        self.reporter.started(row.name, content.size)
        try:
            self.store.replace(replace(row, release=row.release or content.release), _counted(content.records, self.reporter))
        finally:
            self.reporter.finished()
        return Synced(self.store.source(row.name) or row, changed=True)

    def _relabelled(self, old: SourceRow, row: SourceRow, opened: Opened) -> Synced:
        """The source with its records as they are; its labels may be other ones now."""
        kept = {name: getattr(old, name) for name in ("kind", "signed", "digest", "records", "synced_at")}
        new = replace(row, **kept, release=row.release or old.release, tag=opened.tag or old.tag)
        labels = (new.stack, new.release) != (old.stack, old.release)
        if new != old:
            self.store.relabel(new)
        return Synced(new, changed=labels)


def _place(row: SourceRow) -> tuple[str, str, str]:
    return row.location, row.layout, row.view


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
        kind="",
        layout=source.layout,
        view=source.view,
        location=source.location,
        url=source.url,
        signed=None,
        stack=source.stack if request.stack is None else request.stack,
        release=source.release if request.release is None or source.chosen else request.release,
        digest="",
        tag="",
        records=0,
        synced_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _counted(records: Iterator[Record], reporter: Reporter) -> Iterator[Record]:
    for number, record in enumerate(records, 1):
        yield record
        if number % 1000 == 0:
            reporter.advanced(1000)
