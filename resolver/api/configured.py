"""Which source of the configuration a source of the catalog is from, without asking the network."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from resolver.api.settings import Settings
from resolver.catalog.store import SourceRow
from resolver.errors import ResolverError
from resolver.formats import build_cache, manifest
from resolver.formats.config import SourceConfig
from resolver.formats.mirrors import UNION
from resolver.sources.address import WEB, address, is_at_or_below, is_remote, is_url, local_path, remote_parts, shown
from resolver.sources.listed import listed_mirrors

Place = tuple[int, int]
"""The number of the configuration's source and, where that is a list of mirrors, of the mirror in it."""
UNNAMED: Place = (1 << 31, 0)
PUBLIC_MANIFEST = "cache_spack_io_index.json"
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class _Named(msgspec.Struct, frozen=True):
    """A place that the configuration names; ``holds`` is whether it may hold several sources, of which ``wanted`` are meant."""

    place: Place
    location: str
    view: str
    holds: bool = False
    wanted: SourceConfig = SourceConfig("")

    def fit(self, row: SourceRow) -> int | None:
        """How well a source fits, from 0 as the best; None when it is from elsewhere."""
        if self.view not in ("", row.view):
            return None
        if row.location == self.location:
            return 0 if self.view == row.view else 1
        return 2 if self.holds and is_at_or_below(row.location, self.location) and _is_chosen(row, self.wanted) else None


def configured_places(settings: Settings, rows: Iterable[SourceRow]) -> dict[str, Place]:
    """Where the configuration names sources, by their names; those that it does not name are left out."""
    named = [one for number, entry in enumerate(settings.config.sources) for one in _named(number, entry, settings)]
    found = {}
    for row in rows:
        if fits := [(fit, one.place) for one in named if (fit := one.fit(row)) is not None]:
            found[row.name] = min(fits)[1]
    return found


def _named(number: int, entry: str | SourceConfig, settings: Settings) -> Iterator[_Named]:
    source = SourceConfig(entry) if isinstance(entry, str) else entry
    try:
        if is_remote(source.location):
            yield _remote((number, 0), source.location, source.view, source)
        else:
            yield from _local(number, source, settings)
    except (ResolverError, OSError):
        return  # a sync says what is wrong with it


def _local(number: int, source: SourceConfig, settings: Settings) -> Iterator[_Named]:
    """A path, or the mirrors of a list."""
    path = _path(source.location, settings.base)
    entries = listed_mirrors(path)
    for place, one in enumerate(entries or ()):
        view = one.view or source.view
        if is_remote(one.url):
            yield _remote((number, place), one.url, view, source)
        elif one.url:
            yield _Named((number, place), str(_path(os.path.expandvars(one.url), path.parent)), view, holds=True)
    if entries is None:
        yield _Named((number, 0), str(path), source.view, holds=True)


def _path(location: str, base: Path) -> Path:
    """The path that a location names where relative ones begin at a folder."""
    if is_url(location):
        return local_path(location)
    return local_path(str(base / os.path.expanduser(location)))  # noqa: PTH111 - leaves the name of an unknown user as it is


def _remote(place: Place, location: str, view: str, source: SourceConfig) -> _Named:
    """As sources are stored, a web server's without loading what asks it."""
    parts = remote_parts(location)
    if parts.scheme not in WEB:
        return _Named(place, address(parts), view)
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(DEFAULT_PORTS[parts.scheme])
    split = manifest.split_index_path(parts.path) or (parts.path, "")
    path = split[0].removesuffix(f"/{build_cache.INDEX}")
    folder = path.removesuffix(f"/{PUBLIC_MANIFEST}")
    where = shown(parts._replace(netloc=host, path=folder))
    return _Named(place, where, view or split[1], holds=folder != path, wanted=source)


def _is_chosen(row: SourceRow, source: SourceConfig) -> bool:
    """Is it one of those that release and stacks choose among the indexes of a public manifest?"""
    release = not source.release or row.release == source.release or fnmatchcase(row.release, source.release)
    return release and (not source.stacks or any(fnmatchcase(row.stack or UNION, pattern) for pattern in source.stacks))
