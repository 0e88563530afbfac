"""Finding the sources of a location: a path, a URL, a list of mirrors, the manifest of the public cache."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec
from msgspec.structs import replace

from resolver.errors import InputError, ResolverError, SourceError, UnsupportedError
from resolver.formats import build_cache, manifest
from resolver.formats.mirrors import MirrorEntry, PublicIndex, read_mirrors, read_public_manifest, require_public_manifest
from resolver.sources.credentials import NO_CREDENTIALS, Credentials, configured
from resolver.sources.directory import DirectoryPlace
from resolver.sources.document import document_name, document_source
from resolver.sources.local import labels_of, local_sources
from resolver.sources.mirror import mirror_sources, pinned_index
from resolver.sources.place import MOST_SMALL_BYTES, Place
from resolver.sources.source import Source

REMOTE = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:/")
SCHEMES = ("http", "https", "s3", "oci", "oci+http")
DOCUMENTS = (".json", ".gz", ".lock", ".md", ".sig", ".yaml")
PUBLIC_MANIFEST = "cache_spack_io_index.json"
UNION = "root"
"""The label of the index that is the union of all stacks of a release."""
SHOWN = 12


class Wanted(msgspec.Struct, frozen=True):
    """What of a location is wanted.

    ``releases`` and ``stacks`` choose among the indexes of a public manifest, by names or patterns as of a shell. ``view`` is a named
    index of a layout v3 mirror. With ``offline`` nothing remote is read.
    """

    releases: Sequence[str] = ()
    stacks: Sequence[str] = ()
    view: str = ""
    offline: bool = False
    credentials: Credentials = NO_CREDENTIALS


NOTHING_SPECIAL = Wanted()


def is_remote(location: str) -> bool:
    """Is it a URL of something that is not a file of this machine?"""
    return bool(REMOTE.match(location)) and not location.strip().startswith("file:")


def find_sources(location: str, wanted: Wanted = NOTHING_SPECIAL) -> list[Source]:
    """All sources at a path or URL, in a fixed order.

    Raises ``SourceError`` when nothing is there, ``InputError`` when what is there is no source, ``UnsupportedError`` for schemes that
    are not read.
    """
    if not REMOTE.match(location):
        return _local(Path(os.path.expanduser(location)).resolve(), wanted)  # noqa: PTH111 - leaves the name of an unknown user as it is
    parts = _split(location)
    if parts.scheme == "file":
        return _local(Path(unquote(parts.path)).resolve(), wanted)
    if parts.scheme not in SCHEMES:
        msg = f"{parts.scheme}://{parts.hostname or ''} cannot be read from here"
        raise UnsupportedError(msg, why=f"read are files and {', '.join(SCHEMES)}", hint="copy the mirror's index to a file and sync that")
    if wanted.offline:
        msg = f"{shown(parts)} is not read, since --offline is given"
        raise SourceError(msg, hint="sync it once without --offline; what was synced stays")
    return _remote(parts, wanted)


def _split(location: str) -> SplitResult:
    try:
        return urlsplit(location.strip())
    except ValueError as error:
        msg = "not a URL"
        raise InputError(msg, why=str(error), hint="give a path, or file:///path") from None


def shown(parts: SplitResult) -> str:
    """A URL without credentials."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl().rstrip("/")


def _local(path: Path, wanted: Wanted) -> list[Source]:
    if path.suffix in (".yaml", ".yml") and path.is_file() and (entries := _mirror_list(path)) is not None:
        return [source for entry in entries for source in _of_entry(entry, path, wanted)]
    if path.suffix == ".json" and path.is_file() and (listed := _public_file(path)):
        return _chosen(listed, str(path), wanted)
    return local_sources(path, wanted.view)


def _mirror_list(path: Path) -> list[MirrorEntry] | None:
    fetched = DirectoryPlace(path.parent).read(path.name)
    try:
        return read_mirrors(fetched.data.decode("utf-8-sig"), str(path)) if fetched else None
    except UnicodeDecodeError:
        return None


def _of_entry(entry: MirrorEntry, path: Path, wanted: Wanted) -> list[Source]:
    """The sources of one mirror of a list, by the list's names; a relative URL begins where the list lies, as in an environment."""
    url = entry.url if REMOTE.match(entry.url) else str(path.parent / entry.url)
    wanted = replace(wanted, view=entry.view or wanted.view, credentials=configured(entry.connection, f"{path}: mirrors:{entry.name}"))
    try:
        found = find_sources(url, wanted)
    except ResolverError as error:
        raise error.at(f"{path}: mirrors:{entry.name}") from None
    names = [entry.name if len(found) == 1 else f"{entry.name}-{s.layout or s.name}" for s in found]
    return [replace(source, name=name) for source, name in zip(found, names, strict=True)]


def _public_file(path: Path) -> list[PublicIndex] | None:
    if path.stat().st_size > MOST_SMALL_BYTES:
        return None
    fetched = DirectoryPlace(path.parent).read(path.name)
    return read_public_manifest(fetched.data) if fetched else None


def _chosen(listed: list[PublicIndex], where: str, wanted: Wanted) -> list[Source]:
    """The indexes of a public manifest that are wanted. Without a stack named, all stacks, and their union where there is nothing else."""
    if not wanted.releases:
        names = sorted({index.release for index in listed}, reverse=True)
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        msg = f"{where} lists {len(listed)} indexes, and none is chosen"
        hint = "choose with --release, and if you like --stack: `--release develop --stack e4s`"
        raise InputError(msg, why=f"its releases are {', '.join(names[:SHOWN])}{more}", hint=hint)
    found = [index for index in listed if _matches(index.release, wanted.releases)]
    if wanted.stacks:
        found = [index for index in found if _matches(index.stack, wanted.stacks)]
    else:
        found = [i for i in found if i.stack != UNION] or found
    if not found:
        stacks = sorted({i.stack for i in listed if _matches(i.release, wanted.releases)})
        why = f"of this release it lists {', '.join(stacks)}" if stacks else f"it lists {', '.join(sorted({i.release for i in listed}))}"
        raise InputError(f"{where} lists no such index", why=why, hint="check --release and --stack")
    return [_of_index(index, wanted) for index in found]


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _of_index(index: PublicIndex, wanted: Wanted) -> Source:
    if wanted.offline:
        msg = f"{index.mirror} is not read, since --offline is given"
        raise SourceError(msg, hint="sync it once without --offline; what was synced stays")
    place = place_at(_split(index.mirror), wanted.credentials)
    opened = partial(pinned_index, place, index.url.removeprefix(f"{index.mirror}/"), index.digest)
    stack = "" if index.stack == UNION else index.stack
    return Source(
        f"{index.release}-{index.stack}",
        index.mirror,
        opened,
        layout="v3",
        url=index.mirror,
        stack=stack,
        release=index.release,
        remote=True,
        chosen=True,
    )


def place_at(parts: SplitResult, credentials: Credentials) -> Place:
    """What reads below a URL; each transport is loaded when it is needed."""
    if parts.scheme == "s3":
        from resolver.sources.s3 import S3Place

        return S3Place(parts.geturl(), credentials)
    from resolver.sources.http import HttpPlace

    return HttpPlace(parts.geturl(), credentials)


def _remote(parts: SplitResult, wanted: Wanted) -> list[Source]:
    if parts.scheme in ("oci", "oci+http"):
        from resolver.sources.oci_source import oci_source

        return [oci_source(parts.geturl(), wanted.credentials)]
    for ending in (f"/{manifest.INDEX_MANIFEST}", f"/{build_cache.INDEX}"):
        if parts.path.endswith(ending):
            parts = parts._replace(path=parts.path.removesuffix(ending))
    name = PurePosixPath(parts.path).name
    if name == PUBLIC_MANIFEST:
        fetched = place_at(parts, wanted.credentials).read("")
        if fetched is None:
            msg = f"there is no {shown(parts)}"
            raise SourceError(msg, hint="check the address")
        return _chosen(require_public_manifest(fetched.data, shown(parts)), shown(parts), wanted)
    place = place_at(parts, wanted.credentials)
    if name.endswith(DOCUMENTS):
        return [document_source(place, "", shown(parts), remote=True)]
    return _remote_mirror(place, parts, wanted)


def _remote_mirror(place: Place, parts: SplitResult, wanted: Wanted) -> list[Source]:
    segments = ["", "", *unquote(parts.path).strip("/").split("/")]
    release, stack = labels_of(segments[-2], segments[-1])
    name = "-".join(part for part in (release, stack) if part) or document_name(shown(parts))

    def make(ending: str, **fields: object) -> Source:
        return Source(name=f"{name}{ending}", location=place.url, url=place.url, stack=stack, release=release, remote=True, **fields)  # type: ignore[arg-type]

    found = list(mirror_sources(place, make, wanted.view))
    if not found:
        msg = f"there is no mirror at {shown(parts)}"
        why = f"it has neither {manifest.INDEX_MANIFEST} nor {build_cache.INDEX}"
        hint = (
            "is it the mirror's own address? a mirror without an index can be read from a directory or S3 only, where files can be listed"
        )
        raise SourceError(msg, why=why, hint=hint)
    return found
