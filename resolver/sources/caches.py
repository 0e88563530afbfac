"""Opening build caches: mirrors in trees of files here, and what other modules open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from resolver.errors import InputError, ResolverError, SourceError
from resolver.formats import build_cache
from resolver.sources.address import REGISTRY, local_path, place_at, remote_parts
from resolver.sources.build_cache import BuildCache, CacheAddress
from resolver.sources.directory import DirectoryPlace
from resolver.sources.entry import Entry, StoredFile, v2_entry, v3_entry, v3_path
from resolver.sources.keyring import Published, published_keys
from resolver.sources.place import Place
from resolver.sources.sink import Sink
from resolver.spec.concrete import ConcreteSpec

T = TypeVar("T")


class TreeCache:
    """A mirror of layout v3, v2 or both: a tree of files at a place."""

    def __init__(self, address: CacheAddress, place: Place) -> None:
        self.address = address
        self.place = place
        # Spack asks for layout v3 first (``mirrors/mirror.py:Mirror.supported_layout_versions``), and a view is one of it.
        self._layouts = ("v3",) if address.view else ("v2", "v3") if address.layout == "v2" else ("v3", "v2")

    def has(self, spec: ConcreteSpec) -> bool:
        """See ``BuildCache``."""
        return any(self._has(spec, layout) for layout in self._layouts)

    def _has(self, spec: ConcreteSpec, layout: str) -> bool:
        if layout == "v3":
            return self.place.exists(v3_path(spec))
        return any(self.place.exists(build_cache.spec_path(spec, signed=signed)) for signed in (True, False))

    def entry(self, spec: ConcreteSpec) -> Entry | None:
        """See ``BuildCache``."""
        finders: dict[str, Callable[[Place, ConcreteSpec], Entry | None]] = {"v3": v3_entry, "v2": v2_entry}
        return next((found for layout in self._layouts if (found := finders[layout](self.place, spec))), None)

    def url(self, file: StoredFile) -> str:
        """See ``BuildCache``."""
        return f"{self.place.url}/{file.path}"

    def length(self, file: StoredFile) -> int | None:
        """See ``BuildCache``."""
        return self.place.length(file.path)

    def fetch(self, file: StoredFile, sink: Sink) -> bool:
        """See ``BuildCache``."""
        return self.place.fetch(file.path, sink)

    def keys(self, layout: str) -> Published:
        """See ``BuildCache``."""
        return published_keys(self.place, layout)


def open_cache(address: CacheAddress) -> BuildCache:
    """Open a build cache; no connection is made yet. Raises ``InputError`` and ``UnsupportedError`` for what is none."""
    if not address.url:
        raise InputError(f"the mirror {address.name} has no URL to fetch from", hint="give it a `url`")
    if address.broken:
        return LostCache(address, address.broken)
    if not address.remote:
        return _local(address)
    parts = remote_parts(address.url)
    if parts.scheme in REGISTRY:
        from resolver.sources.registry_cache import RegistryCache

        return RegistryCache(address)
    return TreeCache(address, place_at(parts, address.credentials))


def _local(address: CacheAddress) -> BuildCache:
    path = local_path(address.url)
    if path.is_dir():
        return TreeCache(address, DirectoryPlace(path))
    hint = "is its disk mounted? name another with --mirror"
    return LostCache(address, SourceError(f"there is no directory {path}", where=f"the mirror {address.name}", hint=hint))


class LostCache:
    """A mirror that is known not to be there: whatever it is asked it raises the error that says so."""

    def __init__(self, address: CacheAddress, error: ResolverError) -> None:
        self.address = address
        self._error = error

    def has(self, spec: ConcreteSpec) -> bool:
        """See ``BuildCache``."""
        raise self._fail(spec)

    def entry(self, spec: ConcreteSpec) -> Entry | None:
        """See ``BuildCache``."""
        raise self._fail(spec)

    def url(self, file: StoredFile) -> str:
        """See ``BuildCache``."""
        return f"{self.address.shown.rstrip('/')}/{file.path}"

    def length(self, file: StoredFile) -> int | None:
        """See ``BuildCache``."""
        raise self._fail(file)

    def fetch(self, file: StoredFile, sink: Sink) -> bool:
        """See ``BuildCache``."""
        raise self._fail(file, sink)

    def keys(self, layout: str) -> Published:
        """See ``BuildCache``."""
        raise self._fail(layout)

    def _fail(self, *_: object) -> ResolverError:
        return self._error


def first_having(caches: Sequence[BuildCache], ask: Callable[[BuildCache], T | None]) -> tuple[BuildCache, T] | None:
    """The first cache that answers with something, in order; None when all were asked and none has it.

    A cache that fails is passed over, as Spack does; when none of the others has it, the first failure is raised.
    """
    failed: ResolverError | None = None
    for cache in caches:
        try:
            found = ask(cache)
        except ResolverError as error:
            failed = failed or error
            continue
        if found is not None:
            return cache, found
    if failed:
        raise failed
    return None
