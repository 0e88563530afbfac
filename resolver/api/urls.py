"""The exact list of what an environment or a lock needs downloaded: as mirrors state it, or what can be told without asking them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from resolver.api.bundle.model import AT_ONCE, Tell, tell_nobody
from resolver.api.bundle.plan import LOOKING, Package, at_once, nobody_has, size_of, sound
from resolver.api.downloads import computed_files
from resolver.api.serving import open_caches
from resolver.api.settings import Settings
from resolver.api.wanted import Part, Wanted, load_wanted
from resolver.emit.environment import Mirror
from resolver.emit.fetch_lists import Fetch
from resolver.errors import ResolverError
from resolver.sources.build_cache import BuildCache, CacheAddress
from resolver.sources.caches import first_having
from resolver.sources.entry import METADATA, StoredFile
from resolver.spec.concrete import ConcreteSpec

OLD_FORMAT = 4
"""Nodes up to this format are usually in layout v2."""


class UrlsRequest(msgspec.Struct, frozen=True):
    """What to list: an environment or a part of a lock.

    ``mirrors`` stand in place of those that it names. With ``offline`` nothing remote is asked. ``keys`` is whether the keys of mirrors
    that sign are listed too.
    """

    path: str
    part: Part = Part()
    mirrors: Sequence[str] = ()
    offline: bool = False
    keys: bool = True
    jobs: int = AT_ONCE


class Urls(msgspec.Struct, frozen=True):
    """The files, each once, sorted by package and path; those of keys last. ``notes`` are for a person."""

    files: tuple[Fetch, ...]
    packages: int
    notes: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """How many bytes these are, as far as it is known."""
        return sum(file.size or 0 for file in self.files)

    @property
    def unknown(self) -> int:
        """How many files of which it is not."""
        return sum(file.size is None for file in self.files)


def urls(settings: Settings, request: UrlsRequest, tell: Tell = tell_nobody) -> Urls:
    """List the files. Raises ``VerificationError`` when a package is in no mirror, ``SourceError`` when one cannot be asked."""
    wanted = load_wanted(request.path, settings, request.part, request.mirrors).complete()
    caches = open_caches(wanted.mirrors, settings)
    if request.offline:
        return _computed(wanted, caches, request.jobs)
    specs = wanted.packages
    asked = at_once(lambda spec: _asked(spec, caches, tell, len(specs)), specs.values(), request.jobs)
    packages = sound(asked, "cannot be had")
    rows = [row for one in at_once(lambda package: list(_rows(package)), packages, request.jobs) for row in one]
    notes = list(wanted.notes)
    keys = _key_rows(packages, notes) if request.keys else ()
    return Urls(tuple({row.url: row for row in (*rows, *keys)}.values()), len(packages), tuple(notes))


def _asked(spec: ConcreteSpec, caches: Sequence[BuildCache], tell: Tell, total: int) -> Package | ResolverError:
    try:
        found = first_having(caches, lambda cache: cache.entry(spec))
    except ResolverError as error:
        return error
    finally:
        tell(LOOKING, 1, total)
    return Package(spec, found[1], found[0]) if found else nobody_has(spec, caches)


def _rows(package: Package) -> Iterator[Fetch]:
    """The files of a package: its manifest first."""
    entry, cache, spec = package.entry, package.cache, package.spec
    if entry.listed:
        for one in entry.listed:
            yield Fetch(one.kind, spec.hash, spec.name, one.url, one.path, one.size, one.sha256 or None, cache.address.name)
        return
    document = hashlib.sha256(entry.document).hexdigest()
    kind = "spec" if entry.layout == "v2" else "manifest"
    yield Fetch(kind, spec.hash, spec.name, entry.origin, entry.path, len(entry.document), document, cache.address.name)
    for file in sorted(entry.files, key=lambda file: (file.kind == METADATA, file.path)):
        yield Fetch(file.kind, spec.hash, spec.name, cache.url(file), file.path, size_of(cache, file), file.sha256, cache.address.name)


def _key_rows(packages: Iterable[Package], notes: list[str]) -> Iterator[Fetch]:
    """The keys of mirrors that gave signed packages."""
    asked = {(id(p.cache), p.entry.layout): p for p in packages if p.entry.signed}
    for package in asked.values():
        cache = package.cache
        try:
            files = cache.keys(package.entry.layout).files
        except ResolverError as error:
            notes.append(f"the keys of {cache.address.name} are not listed: {error}")
            continue
        for path in sorted(files):
            data = files[path]
            url = cache.url(StoredFile("key", path, len(data), ""))
            yield Fetch("key", "", "", url, path, len(data), hashlib.sha256(data).hexdigest(), cache.address.name)


def _computed(wanted: Wanted, caches: Sequence[BuildCache], jobs: int) -> Urls:
    """Without asking what is remote: mirrors on this machine are read; of others, the first is taken to have the rest."""
    local = [cache for cache in caches if not cache.address.remote]
    remote = [cache.address for cache in caches if cache.address.remote]
    specs = wanted.packages

    def look(spec: ConcreteSpec) -> list[Fetch] | ResolverError:
        try:
            found = first_having(local, lambda cache: cache.entry(spec))
            if found:
                return list(_rows(Package(spec, found[1], found[0])))
            return list(_guessed(spec, remote[0])) if remote else nobody_has(spec, caches)
        except ResolverError as error:
            return error

    rows = [row for one in sound(at_once(look, specs.values(), jobs), "cannot be had") for row in one]
    return Urls(tuple({row.url: row for row in rows}.values()), len(specs), (*wanted.notes, *_guess_notes(rows, remote)))


def _guessed(spec: ConcreteSpec, address: CacheAddress) -> Iterator[Fetch]:
    """Where the manifest is, and in layout v2 the archive; without a known layout it is told by the age of the node."""
    oci, base = address.url.startswith("oci"), address.shown.rstrip("/")
    layout = address.layout or ("oci" if oci else "v2" if spec.format <= OLD_FORMAT and not address.view else "v3")
    signed = address.signed is not False
    for file in computed_files(spec, Mirror(address.name, base, layout, signed), layout):
        path = file.url.removeprefix(f"{base}/")
        yield Fetch(file.kind, spec.hash, spec.name, file.url, path, None, None, address.name)


def _guess_notes(rows: Sequence[Fetch], remote: Sequence[CacheAddress]) -> Iterator[str]:
    guessed = sum(row.sha256 is None for row in rows)
    if guessed:
        yield f"{guessed} files were not asked for: manifests state which archives belong to them, how large they are and their checksums"
    if guessed and len(remote) > 1:
        yield f"which of {len(remote)} mirrors has them is not known without asking; {remote[0].name} was taken, as the first"
