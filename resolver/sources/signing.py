"""Are the packages of a mirror signed? Told by one of them: the first that is listed, or the first of the index where nothing is."""

from __future__ import annotations

from collections.abc import Callable

from resolver.errors import ResolverError, SourceError, UnsupportedError
from resolver.formats import build_cache, manifest
from resolver.formats.clearsign import is_signed
from resolver.formats.record import Record
from resolver.sources.place import Place
from resolver.sources.source import Content
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import decode_node

SIGNED_END = ".sig"


class _Alone:
    """A graph that has no node: for what a spec says of itself."""

    def get(self, key: str) -> None:
        """No spec has this hash."""


def v3_signed(place: Place, content: Callable[[], Content]) -> bool | None:
    """Are the packages of a layout v3 mirror signed; None when it has none, or its first cannot be read."""

    def from_index() -> str | None:
        record = _binary(content)
        return manifest.spec_manifest_path(record.wire.name, record.wire.version, record.hash) if record else None

    try:
        path = _first(place, manifest.SPEC_FOLDER, (manifest.SPEC_SUFFIX,), from_index)
        fetched = place.read(path) if path else None
    except ResolverError:
        return None
    return is_signed(fetched.data) if fetched else None


def v2_signed(place: Place, content: Callable[[], Content]) -> bool | None:
    """Are the packages of a layout v2 mirror signed; None when it has none. A signed spec file counts before one that is not."""

    def from_index() -> str | None:
        record = _binary(content)
        return build_cache.spec_path(ConcreteSpec(decode_node(record.node), record.hash, _Alone()), signed=False) if record else None

    try:
        path = _first(place, build_cache.FOLDER, (".spec.json", f".spec.json{SIGNED_END}"), from_index)
        if path is None:
            return None
        plain = path.removesuffix(SIGNED_END)
        if place.exists(f"{plain}{SIGNED_END}"):
            return True
        return False if place.exists(plain) else None
    except ResolverError:
        return None


def _first(place: Place, folder: str, endings: tuple[str, ...], otherwise: Callable[[], str | None]) -> str | None:
    """The first file of a folder with one of these endings; where the place cannot list, or may not, another one."""
    try:
        return next((path for path in place.paths(folder) if path.endswith(endings)), None)
    except (UnsupportedError, SourceError):
        return otherwise()


def _binary(content: Callable[[], Content]) -> Record | None:
    return next((record for record in content().records if record.in_buildcache), None)
