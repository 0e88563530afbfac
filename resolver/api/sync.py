"""Reading sources into the catalog."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from threading import Event
from typing import Any, Self

import msgspec
from msgspec.structs import replace

from resolver.api.held import Held
from resolver.api.settings import Settings
from resolver.catalog.store import SourceRow, Store
from resolver.errors import FormatError, InputError, ResolverError, SourceError
from resolver.formats.config import SourceConfig
from resolver.formats.record import Record
from resolver.sources.find import find_leads
from resolver.sources.public import is_chosen
from resolver.sources.source import Lead, Opened, Seen, Source, Wanted

FOUND_AT_ONCE = 16
FETCHED_AT_ONCE = 4


class SyncRequest(msgspec.Struct, frozen=True):
    """What to read: a location, and what overrides the source's own name and labels.

    ``releases`` and ``stacks`` choose among the indexes of a public manifest; ``release`` labels any other source. ``view`` is a named
    index of a mirror. With ``refresh`` it is read even if it has not changed. With ``offline`` only what lies on this machine is read, and
    what was synced from elsewhere counts as unchanged.
    """

    location: str
    name: str | None = None
    stack: str | None = None
    release: str | None = None
    refresh: bool = False
    stacks: Sequence[str] = ()
    view: str = ""
    offline: bool = False

    @property
    def wanted(self) -> Wanted:
        """What of the location is wanted."""
        return Wanted((self.release,) if self.release else (), tuple(self.stacks), self.view, self.offline)


class Synced(msgspec.Struct, frozen=True):
    """What became of one source: its row, and whether it was read (or found unchanged)."""

    row: SourceRow
    changed: bool


class SyncResult(msgspec.Struct, frozen=True):
    """All sources, and the errors of those that could not be read; those keep the records they had. ``notes`` are for a person."""

    synced: tuple[Synced, ...]
    errors: tuple[ResolverError, ...]
    notes: tuple[str, ...] = ()


class Reporter:
    """Is told how a sync goes on. This one says nothing."""

    def received(self, name: str, count: int, total: int | None) -> None:
        """So many more bytes of a source came, of so many where that is known. Called from several threads."""

    def started(self, name: str, size: int) -> None:
        """A source with so many records is being read."""

    def advanced(self, count: int) -> None:
        """So many more records were read."""

    def finished(self) -> None:
        """The source is read."""

    def ended(self, name: str) -> None:
        """Nothing more comes of a source: it is stored, unchanged, or could not be read."""


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

    Remote sources are looked for and fetched several at once, and stored as they come; the result has them in the order asked.
    """
    with Store(settings.catalog, write=True) as store, _Sync(store, reporter or Reporter()) as run:
        return run.run(requests)


class _Search(msgspec.Struct):
    """A lead that is followed. ``order`` is its place among all that was asked."""

    order: tuple[int, ...]
    request: SyncRequest
    lead: Lead


class _Task(msgspec.Struct):
    """A source on its way into the catalog, and the row that it will have."""

    order: tuple[int, ...]
    source: Source
    row: SourceRow
    seen: Seen


class _Sync:
    """One run: follows leads, opens what they lead to, stores it. Only this thread uses the catalog; others wait for the network."""

    def __init__(self, store: Store, reporter: Reporter) -> None:
        self.store = store
        self.reporter = reporter
        self.held = Held(store.sources())
        self.outcome: list[tuple[tuple[int, ...], Synced | ResolverError]] = []
        self.notes: list[tuple[tuple[int, ...], str]] = []
        self.waiting = deque[_Task]()
        self.running: dict[Future[Any], _Search | _Task] = {}
        self.finders = ThreadPoolExecutor(FOUND_AT_ONCE)
        self.fetchers = ThreadPoolExecutor(FETCHED_AT_ONCE)
        self.stopped = Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what is still on its way when the run was broken off."""
        self.stopped.set()
        for pool in (self.finders, self.fetchers):
            pool.shutdown(cancel_futures=True)

    def run(self, requests: Sequence[SyncRequest]) -> SyncResult:
        """Do it. What lies here is read while what is remote is on its way."""
        searches = [search for number, request in enumerate(requests) for search in self._searches(number, request)]
        for search in searches:
            if search.lead.remote:
                self.running[self.finders.submit(search.lead.find)] = search
        for search in searches:
            if not search.lead.remote:
                self._found(search, search.lead.find)
                self._collect(0)
        while self.running:
            self._collect(None)
        return self._result()

    def _result(self) -> SyncResult:
        done = [one for _, one in sorted(self.outcome, key=lambda pair: pair[0])]
        notes = [note for _, note in sorted(self.notes)]
        errors = tuple(one for one in done if isinstance(one, ResolverError))
        return SyncResult(tuple(one for one in done if isinstance(one, Synced)), errors, tuple(dict.fromkeys(notes)))

    def _searches(self, number: int, request: SyncRequest) -> list[_Search]:
        try:
            leads = find_leads(request.location, request.wanted)
            if request.name and len(leads) > 1:
                raise _nameless(request.name, "the list", len(leads))
        except ResolverError as error:
            self._fail((number,), error)
            return []
        return [_Search((number, place), request, lead) for place, lead in enumerate(leads)]

    def _collect(self, seconds: float | None) -> None:
        """Take what has come; waits so long, or until something does."""
        done = wait(self.running, seconds, FIRST_COMPLETED).done
        for future in sorted(done, key=lambda one: self.running[one].order):
            job = self.running.pop(future)
            if isinstance(job, _Search):
                self._found(job, future.result)
            else:
                self._store(job, future.result)
        self._fetch()

    def _fetch(self) -> None:
        """Open what waits. What is open is held in memory until it is stored, so it is a few at a time."""
        busy = sum(isinstance(job, _Task) for job in self.running.values())
        for _ in range(min(FETCHED_AT_ONCE - busy, len(self.waiting))):
            task = self.waiting.popleft()
            report = partial(self._received, task.row.name)
            self.running[self.fetchers.submit(task.source.open, task.seen, report)] = task

    def _received(self, name: str, count: int, total: int | None) -> None:
        if self.stopped.is_set():
            msg = "the sync was stopped"
            raise SourceError(msg)
        self.reporter.received(name, count, total)

    def _found(self, search: _Search, find: Callable[[], list[Source]]) -> None:
        """Take up the sources that a lead led to."""
        try:
            found = find()
            if search.request.name and len({source.location for source in found}) > 1:
                raise _nameless(search.request.name, search.lead.location, len(found))
        except ResolverError as error:
            self._fail(search.order, error)
            self._say_kept(search.order, self.held.below(search.lead.location))
            return
        for place, source in enumerate(found):
            order = (*search.order, place)
            try:
                self._take(order, search.request, source)
            except ResolverError as error:
                self._fail(order, error, source.location)

    def _take(self, order: tuple[int, ...], request: SyncRequest, source: Source) -> None:
        if source.kept:
            self._keep(order, request, source)
        elif source.broken:
            self._lose(order, source, source.broken)
        else:
            row = self.held.row(source, request.name, request.stack, request.release)
            task = _Task(order, source, row, Seen() if request.refresh else self.held.seen(row))
            if source.remote:
                self.waiting.append(task)
                self._fetch()
            else:
                self._store(task, partial(source.open, task.seen, partial(self._received, row.name)))

    def _keep(self, order: tuple[int, ...], request: SyncRequest, source: Source) -> None:
        """What was synced of a place that is not asked now. Raises ``SourceError`` when nothing was."""
        rows = [row for row in self.held.below(source.location) if not source.view or row.view == source.view]
        if source.chosen:
            rows = [row for row in rows if is_chosen(row.release, row.stack, request.wanted)]
        elif source.layout:
            rows = [row for row in rows if row.location == source.location]
        if not rows:
            msg = "it was never synced, and is not read now, since --offline is given"
            raise SourceError(msg, where=source.location, hint="sync it once without --offline")
        self.outcome += [((*order, place), Synced(row, changed=False)) for place, row in enumerate(rows)]

    def _lose(self, order: tuple[int, ...], source: Source, error: ResolverError) -> None:
        """A source that is known to be broken, or a layout that could not be asked for: that is one only if it was there before."""
        rows = [row for row in self.held.below(source.location) if row.layout == source.layout or not source.doubtful]
        if source.doubtful and not rows:
            note = f"{source.name}: whether it has layout {source.layout} too could not be asked: {error}"
            self.notes.append((order, _writable(note)))
            return
        self._fail(order, error, source.location)
        self._say_kept(order, rows)

    def _fail(self, order: tuple[int, ...], error: ResolverError, where: str = "") -> None:
        self.outcome.append((order, _as_damage(error, where)))

    def _say_kept(self, order: tuple[int, ...], rows: Sequence[SourceRow]) -> None:
        self.notes += [(order, f"{row.name} keeps its {row.records} records of {row.synced_at}") for row in rows]

    def _store(self, task: _Task, opened: Callable[[], Opened]) -> None:
        try:
            synced = self._stored(task, opened())
        except ResolverError as error:
            self._fail(task.order, error, task.source.location)
            old = self.held.same(task.row)
            self._say_kept(task.order, [old] if old else [])
        else:
            self.held.put(synced.row)
            self.outcome.append((task.order, synced))
        finally:
            self.reporter.ended(task.row.name)

    def _stored(self, task: _Task, opened: Opened) -> Synced:
        old = self.held.same(task.row)
        if opened.unchanged and old:
            return self._relabelled(old, task.row, opened)
        signed = task.row.signed if opened.signed is None else opened.signed
        row = replace(task.row, kind=opened.kind, digest=opened.digest, tag=opened.tag, signed=signed, keys=opened.keys)
        content = opened.read()
        self.reporter.started(row.name, content.size)
        try:
            self.store.replace(replace(row, release=row.release or content.release), _counted(content.records, self.reporter))
        finally:
            self.reporter.finished()
        if opened.note:
            self.notes.append((task.order, f"{row.name}: {opened.note}"))
        return Synced(self.store.source(row.name) or row, changed=True)

    def _relabelled(self, old: SourceRow, row: SourceRow, opened: Opened) -> Synced:
        """The source with its records as they are; its labels may be other ones now."""
        kept = {name: getattr(old, name) for name in ("kind", "digest", "records", "synced_at", "keys")}
        signed = row.signed if old.signed is None else old.signed
        new = replace(row, **kept, signed=signed, release=row.release or old.release, tag=opened.tag or old.tag)
        labels = (new.stack, new.release) != (old.stack, old.release)
        if new != old:
            self.store.relabel(new)
        return Synced(new, changed=labels)


def _as_damage(error: ResolverError, where: str) -> ResolverError:
    """The error with its place. Damage in a document is the source's, so it counts as such (exit code 5)."""
    if isinstance(error, FormatError):
        error = SourceError(error.what, why=error.why, hint=error.hint, where=error.where)
    error.at(where)
    error.what, error.why, error.where = map(_writable, (error.what, error.why, error.where))
    return error


def _writable(text: str) -> str:
    """A text with all letters that can be written; names of files may have others."""
    return text.encode(errors="backslashreplace").decode()


def _nameless(name: str, where: str, count: int) -> InputError:
    msg = f"{where} holds {count} sources, so one name {name!r} cannot be given"
    return InputError(msg, hint="sync them one at a time, or without --name")


def _counted(records: Iterator[Record], reporter: Reporter) -> Iterator[Record]:
    for number, record in enumerate(records, 1):
        yield record
        if number % 1000 == 0:
            reporter.advanced(1000)
