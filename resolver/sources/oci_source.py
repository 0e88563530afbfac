"""A build cache in an OCI registry as a source: by its index, or without one by its packages' tags."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from msgspec.structs import replace

from resolver.errors import ResolverError, SourceError
from resolver.formats.index import read_index
from resolver.formats.oci import is_package_tag
from resolver.formats.record import Record
from resolver.sources.credentials import Credentials
from resolver.sources.files import plain
from resolver.sources.oci import Registry
from resolver.sources.place import Report
from resolver.sources.source import Content, Opened, Seen, Source
from resolver.sources.walk import AT_ONCE, binary_records, cost_note, names_digest, united


def oci_source(url: str, credentials: Credentials) -> Source:
    """The build cache at an ``oci://`` or ``oci+http://`` URL."""
    registry = Registry(url, credentials)
    name = registry.url.rpartition("/")[2]
    return Source(name, registry.url, partial(_open, registry), layout="oci", url=registry.url, remote=True)


def _open(registry: Registry, seen: Seen, report: Report) -> Opened:
    layer = registry.index_manifest()
    if layer is None:
        return _walk(registry, seen)
    digest = layer.digest.removeprefix("sha256:")
    if digest == seen.digest:
        return Opened("mirror", digest, unchanged=True)
    data = registry.blob(layer.digest, size=layer.size, report=report)
    return Opened("mirror", digest, signed=False, read=partial(_content, data, registry.url))


def _content(data: bytes, where: str) -> Content:
    try:
        index = read_index(plain(data))
    except ResolverError as error:
        raise error.at(f"{where}:index.spack") from None
    return Content(index.size, index.records)


def _walk(registry: Registry, seen: Seen) -> Opened:
    """A registry without an index: each package's configuration holds its spec file."""
    tags = sorted(tag for tag in registry.tags() if is_package_tag(tag))
    if not tags:
        msg = f"there is no build cache at {registry.url}"
        hint = "is it the repository that `spack buildcache push` was given, and may you read it?"
        raise SourceError(msg, why="it has no index and no packages", hint=hint)
    digest = names_digest(tags)
    if digest == seen.digest:
        return Opened("mirror", digest, unchanged=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        records = united(pool.map(partial(_package, registry), tags))
    return Opened("mirror", digest, signed=False, read=lambda: Content(len(records), iter(records)), note=cost_note(len(tags)))


def _package(registry: Registry, tag: str) -> list[Record]:
    try:
        package = registry.package(tag)
        if package is None:
            msg = "a package that was listed is gone"
            raise SourceError(msg, hint="sync again: the build cache is being changed")
        records = binary_records(package.document, tag)
    except ResolverError as error:
        raise error.at(f"{registry.url}:{tag}") from None
    archive = package.archive
    return [replace(records[0], archive=archive.digest.removeprefix("sha256:"), size=archive.size), *records[1:]]
