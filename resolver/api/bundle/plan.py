"""Where each package of a bundle is taken from, and how much there is to fetch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TypeVar

import msgspec

from resolver.api.bundle.model import Share, Tell
from resolver.errors import FormatError, InputError, ResolverError, SourceError, VerificationError
from resolver.selection.closures import GCC_RUNTIME
from resolver.sources.build_cache import BuildCache, CacheAddress
from resolver.sources.caches import TreeCache, first_having
from resolver.sources.directory import DirectoryPlace
from resolver.sources.entry import Entry, StoredFile
from resolver.sources.folder import Folder
from resolver.spec.concrete import ConcreteSpec

LOOKING = "looking"
MOST_NAMED = 3
T = TypeVar("T")
R = TypeVar("R")


class Package(msgspec.Struct, frozen=True):
    """A package and what is stated of it, by the cache that it is to be fetched from."""

    spec: ConcreteSpec
    entry: Entry
    cache: BuildCache


class Stock:
    """What lies on this machine already: the bundle's own directory first, then other bundles."""

    def __init__(self, own: Folder, others: Sequence[Path]) -> None:
        self.own = own
        self.others = tuple(path.absolute() for path in others)
        self.caches = [local_cache(path) for path in (own.path.absolute(), *self.others)]

    def has(self, file: StoredFile) -> bool:
        """Is there a file of this name and size? Its content has not been looked at."""
        lengths = [cache.length(file) for cache in self.caches]
        return any(length is not None and file.size in {None, length} for length in lengths)


def local_cache(path: Path) -> TreeCache:
    """A directory of this machine as a build cache."""
    return TreeCache(CacheAddress(path.name, path.as_uri()), DirectoryPlace(path))


def find_packages(specs: Mapping[str, ConcreteSpec], stock: Stock, caches: Sequence[BuildCache], jobs: int, tell: Tell) -> list[Package]:
    """What is stated of each spec, by what lies here or else by the first mirror that has it.

    Where all mirrors are signed, what lies here and is not does not count.

    Raises ``VerificationError`` when no mirror has some of them, and the first of other errors.
    """

    def look(spec: ConcreteSpec) -> Package | ResolverError | None:
        try:
            return _find(spec, stock, caches)
        except ResolverError as error:
            return error
        finally:
            tell(LOOKING, 1, len(specs))

    return [one for one in sound(at_once(look, specs.values(), jobs), "cannot be had") if one]


def at_once(work: Callable[[T], R], items: Iterable[T], jobs: int, stopped: Event | None = None) -> list[R]:
    """The work on each item, several at a time, in their order. When it is broken off, what has not begun is not, and others are told."""
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            if stopped:
                stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def sound(outcomes: Sequence[T | ResolverError], what: str) -> list[T]:
    """The outcomes that are none of errors. Raises one of the errors, with the number of the others, when there are any.

    What failed verification is told before what could not be reached, since that will not pass.
    """
    failed = [one for one in outcomes if isinstance(one, ResolverError)]
    if failed:
        error = max(failed, key=lambda one: one.exit_code)
        if len(failed) > 1:
            error.what = f"{error.what} ({len(failed)} of {len(outcomes)} packages {what})"
        raise error
    return [one for one in outcomes if not isinstance(one, ResolverError)]


def _find(spec: ConcreteSpec, stock: Stock, caches: Sequence[BuildCache]) -> Package | None:
    """Raises ``VerificationError`` when nobody has it, but for a gcc-runtime, which the rules of selection do not miss either."""
    signed = bool(caches) and all(cache.address.signed for cache in caches)
    for cache in stock.caches:
        entry = _sound_entry(cache, spec)
        if entry and (entry.signed or not signed) and all(map(stock.has, entry.files)):
            return Package(spec, entry, cache)
    found = first_having(caches, lambda cache: checked_entry(cache, spec))
    if found is None and (spec.name != GCC_RUNTIME or not caches):
        raise nobody_has(spec, caches)
    return Package(spec, found[1], found[0]) if found else None


def _sound_entry(cache: BuildCache, spec: ConcreteSpec) -> Entry | None:
    """What lies here of a spec; what is damaged is fetched again."""
    try:
        return cache.entry(spec)
    except ResolverError:
        return None


def checked_entry(cache: BuildCache, spec: ConcreteSpec) -> Entry | None:
    """What a mirror has of a spec. Raises ``VerificationError`` when it is not signed and is to be, ``SourceError`` when it is damaged."""
    try:
        entry = cache.entry(spec)
    except FormatError as error:
        raise SourceError(error.what, why=error.why, where=error.where or cache.address.shown, hint=error.hint) from None
    if entry and cache.address.signed and not entry.signed:
        msg = f"{spec.name}/{spec.hash[:7]} is not signed, and the packages of {cache.address.name} are to be"
        hint = "do not trust it; if that mirror is not signed at all, say `signed: false` where it is named"
        raise VerificationError(msg, why="Spack refuses to install it", where=entry.origin, hint=hint)
    return entry


def nobody_has(spec: ConcreteSpec, caches: Sequence[BuildCache]) -> ResolverError:
    """The error for a package that is in no mirror."""
    names = ", ".join(cache.address.name for cache in caches[:MOST_NAMED])
    if not caches:
        return InputError(f"{spec.name}/{spec.hash[:7]} is not there, and no mirror is asked", hint="leave --offline out")
    more = f" and {len(caches) - MOST_NAMED} more" if len(caches) > MOST_NAMED else ""
    msg = f"no mirror has a binary of {spec.name}@{spec.wire.version}/{spec.hash}"
    hint = "name another mirror with --mirror, or select anew: `spack-resolver check` and `resolve` say what there is"
    return VerificationError(msg, why=f"asked were {names}{more}", hint=hint)


def sizes(packages: Sequence[Package], jobs: int) -> dict[str, int]:
    """The size of each file by path, in bytes: as stated, else as its place tells. Files of which nobody tells it are left out."""
    files = {file.path: (package.cache, file) for package in packages for file in package.entry.files}
    found = zip(files, at_once(lambda one: size_of(*one), files.values(), jobs), strict=True)
    return {path: size for path, size in found if size is not None}


def size_of(cache: BuildCache, file: StoredFile) -> int | None:
    """As stated; of archives of layout v2, of which nothing states it, as the mirror tells. None where nobody does."""
    try:
        length = cache.length(file) if file.size is None else file.size
    except ResolverError:
        return None
    return length if length is not None and length >= 0 else None


def share(paths: Iterable[str], known: Mapping[str, int]) -> Share:
    """How many files these are, and how large."""
    rows = [known.get(path) for path in paths]
    return Share(len(rows), sum(size or 0 for size in rows), rows.count(None))
