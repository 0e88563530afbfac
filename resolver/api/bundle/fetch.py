"""Getting the files of packages into a directory: each checked against what its manifest states, a package's manifest last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock
from typing import Literal

import msgspec

from resolver.api.bundle.model import Tell
from resolver.api.bundle.plan import Package, Stock, checked_entry
from resolver.errors import ResolverError, SourceError, VerificationError
from resolver.formats.record import Record
from resolver.sources.build_cache import BuildCache
from resolver.sources.directory import DirectoryPlace
from resolver.sources.entry import Entry, StoredFile, entry_records
from resolver.sources.folder import Part
from resolver.sources.place import MOST_SMALL_BYTES
from resolver.sources.sink import Memory, Sink

FETCHING = "fetching"
How = Literal["kept", "taken", "fetched", "left out"]
KEPT: How = "kept"
TAKEN: How = "taken"
FETCHED: How = "fetched"
LEFT_OUT: How = "left out"


class Obtained(msgspec.Struct, frozen=True):
    """A package that is there: where it was taken from, and the records of its spec, its own first."""

    package: Package
    records: list[Record]


class Fetcher:
    """Fills a directory. Threads may use it at the same time. ``how`` says of each path how it came there."""

    def __init__(self, stock: Stock, caches: Sequence[BuildCache], tell: Tell, total: int, *, delta: bool = False) -> None:
        self.stopped = Event()
        self.how: dict[str, How] = {}
        self._stock, self._caches, self._delta = stock, caches, delta
        self._tell, self._total = tell, total
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)
        self._guard = Lock()

    def obtain(self, package: Package) -> Obtained | ResolverError:
        """Get a package: as it was planned, else from the other mirrors in their order. Gives the first error when none has it whole."""
        failed: ResolverError | None = None
        for attempt in self._attempts(package):
            try:
                return self._whole(attempt)
            except ResolverError as error:
                failed = failed or error
        return (failed or SourceError("it was stopped")).at(f"{package.spec.name}/{package.spec.hash[:7]}")

    def _attempts(self, package: Package) -> Iterable[Package]:
        yield package
        for cache in self._caches:
            if cache is not package.cache and not self.stopped.is_set():
                entry = _entry(cache, package)
                if entry and (entry.signed or not package.entry.signed):
                    yield Package(package.spec, entry, cache)

    def _whole(self, package: Package) -> Obtained:
        """Raises ``VerificationError`` when a file is missing or wrong, ``FormatError`` when the package is another one."""
        entry = package.entry
        for file in entry.files:
            with self._lock_of(file.path):
                self._get(file, package)
        records = entry_records(entry, self._metadata(entry))
        self._keep(entry.path, self._settled(entry))
        return Obtained(package, records)

    def _settled(self, entry: Entry) -> How:
        """Put the manifest there, unless a delta leaves it out."""
        elsewhere = any(_holds(other, entry) for other in self._stock.others)
        if elsewhere and self._delta:
            return LEFT_OUT
        written = self._stock.own.put(entry.path, entry.document)
        return (TAKEN if elsewhere else FETCHED) if written else KEPT

    def _get(self, file: StoredFile, package: Package) -> None:
        if file.path in self.how:
            return
        own = self._stock.own
        size = own.holds(file.path)
        if size is not None and file.size in {None, size} and _is_right(own.file(file.path), file):
            self._keep(file.path, KEPT, size)
        elif source := self._elsewhere(file):
            if not self._delta:
                own.link(file.path, source)
            elif size is not None:
                own.remove(file.path)
            self._keep(file.path, LEFT_OUT if self._delta else TAKEN, source.stat().st_size)
        elif file.path in package.entry.made:
            own.put(file.path, package.entry.made[file.path])
            self._keep(file.path, FETCHED, file.size or 0)
        else:
            self._fetch(file, package.cache)
            self._keep(file.path, FETCHED)

    def _elsewhere(self, file: StoredFile) -> Path | None:
        """A file of another bundle that is right."""
        paths = (other / file.path for other in self._stock.others)
        return next((path for path in paths if path.is_file() and _is_right(path, file)), None)

    def _fetch(self, file: StoredFile, cache: BuildCache) -> None:
        part = self._stock.own.part(file.path, file.size, file.sha256, self._report)
        try:
            if not part.complete:
                self._fill(part, file, cache)
            self._stock.own.finish(part, file.path)
        finally:
            part.close()

    def _fill(self, part: Part, file: StoredFile, cache: BuildCache) -> None:
        """From its mirror, else from any that has the same. What came and is wrong is dropped, what came and is not all is kept."""
        failed: ResolverError | None = None
        for one in [cache, *(other for other in self._caches if other is not cache)]:
            try:
                if one.fetch(file, part):
                    return
                msg = f"{one.url(file)} is missing"
                failed = failed or VerificationError(msg, hint="take the package from another mirror, or let it be pushed again")
            except ResolverError as error:
                failed = failed or error.at(one.url(file))
                if isinstance(error, VerificationError):
                    part.restart()
        raise failed or SourceError("it was stopped")

    def _metadata(self, entry: Entry) -> bytes:
        """The bytes of a package's metadata blob, wherever it lies now."""
        if entry.metadata is None:
            return b""
        sink = Memory(entry.metadata.path, size=entry.metadata.size, sha256=entry.metadata.sha256, most=MOST_SMALL_BYTES)
        for cache in self._stock.caches:
            with suppress(VerificationError):  # of a delta another bundle may have the right one
                if cache.length(entry.metadata) is not None and cache.fetch(entry.metadata, sink):
                    return sink.data
        raise VerificationError(f"{entry.metadata.path} is gone", hint="does somebody else write here? run it again")

    def _report(self, count: int, _: int | None) -> None:
        if self.stopped.is_set():
            raise SourceError("it was stopped")
        self._tell(FETCHING, count, self._total)

    def _keep(self, path: str, how: How, size: int = 0) -> None:
        with self._guard:
            self.how.setdefault(path, how)
        if size:
            self._tell(FETCHING, size, self._total)

    def _lock_of(self, path: str) -> Lock:
        """Packages may share a blob, which is fetched once."""
        with self._guard:
            return self._locks[path]


def _entry(cache: BuildCache, package: Package) -> Entry | None:
    """What another mirror has of a package; one that is not signed and is to be does not count."""
    try:
        return checked_entry(cache, package.spec)
    except ResolverError:
        return None


def _holds(other: Path, entry: Entry) -> bool:
    """Has another bundle this very manifest?"""
    fetched = DirectoryPlace(other).read(entry.path)
    return fetched is not None and fetched.data == entry.document


def _is_right(path: Path, file: StoredFile) -> bool:
    """Has a file of this machine the bytes that are stated?"""
    sink = Sink(file.path, size=file.size, sha256=file.sha256)
    try:
        return DirectoryPlace(path.parent).fetch(path.name, sink)
    except ResolverError:
        return False
