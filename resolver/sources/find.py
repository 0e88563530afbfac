"""Finding the sources of a location: a path, a URL, a list of mirrors, the manifest of a public cache."""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, unquote

from resolver.errors import InputError, SourceError
from resolver.formats import build_cache, manifest
from resolver.sources.address import REGISTRY, address, is_remote, local_path, place_at, remote_parts, shown
from resolver.sources.credentials import NO_CREDENTIALS, Credentials
from resolver.sources.document import document_name, document_source
from resolver.sources.listed import entry_lead, listed_mirrors
from resolver.sources.local import labels_of, local_sources
from resolver.sources.mirror import mirror_sources
from resolver.sources.public import PUBLIC_MANIFEST, public_file, public_url
from resolver.sources.source import Lead, Source, Wanted

DOCUMENTS = (".json", ".gz", ".lock", ".md", ".sig", ".yaml")
"""Endings of URLs that name a single document; others are those of mirrors."""
NOTHING_SPECIAL = Wanted()


def find_leads(location: str, wanted: Wanted = NOTHING_SPECIAL) -> list[Lead]:
    """Where the sources of a path or URL are to be looked for: at each mirror of a list, else at one place. Asks no network.

    Raises ``InputError`` on what is neither, ``UnsupportedError`` for schemes that are not read, ``SourceError`` on a list of mirrors
    that cannot be read.
    """
    if not location.strip():
        msg = "no location is given"
        raise InputError(msg, hint="give a path or a URL; is a variable empty?")
    if not is_remote(location):
        path = local_path(location)
        entries = listed_mirrors(path)
        if entries is not None:
            return [entry_lead(entry, path, wanted, _lead) for entry in entries]
    return [_lead(location, wanted, NO_CREDENTIALS)]


def find_sources(location: str, wanted: Wanted = NOTHING_SPECIAL) -> list[Source]:
    """All sources at a path or URL, in a fixed order.

    Raises ``SourceError`` when nothing is there, ``InputError`` when what is there is no source, and what ``find_leads`` raises.
    """
    return [source for lead in find_leads(location, wanted) for source in lead.find()]


def _lead(location: str, wanted: Wanted, credentials: Credentials) -> Lead:
    if not is_remote(location):
        path = local_path(location)
        return Lead(str(path), partial(_local, path, wanted))
    parts = remote_parts(location)
    split = manifest.split_index_path(parts.path)
    if split:
        wanted = Wanted(wanted.releases, wanted.stacks, wanted.view or unquote(split[1]), wanted.offline)
        parts = parts._replace(path=split[0])
    parts = parts._replace(path=parts.path.removesuffix(f"/{build_cache.INDEX}"))
    return Lead(address(parts), partial(_remote, parts, wanted, credentials), remote=not wanted.offline)


def _local(path: Path, wanted: Wanted) -> list[Source]:
    try:
        found = public_file(path, wanted)
        return local_sources(path, wanted.view) if found is None else found
    except OSError as error:
        msg = f"{path} cannot be read"
        raise SourceError(msg, why=error.strerror or str(error), hint="check the path and its permissions") from None


def _remote(parts: SplitResult, wanted: Wanted, credentials: Credentials) -> list[Source]:
    name = PurePosixPath(parts.path).name
    if name == PUBLIC_MANIFEST and parts.scheme not in REGISTRY:
        return public_url(parts, wanted, credentials)
    if wanted.offline:
        return [Source(document_name(address(parts)), address(parts), view=wanted.view, remote=True, kept=True)]
    if parts.scheme in REGISTRY:
        return [_registry(parts, wanted, credentials)]
    place = place_at(parts, credentials)
    if name.endswith(DOCUMENTS):
        return [document_source(place, "", place.url, remote=True)]
    base = _mirror(parts, place.url)
    found = list(mirror_sources(place, base, wanted.view))
    if not found:
        raise _no_mirror(place.url)
    return found


def _registry(parts: SplitResult, wanted: Wanted, credentials: Credentials) -> Source:
    from resolver.sources.oci_source import oci_source

    if wanted.view:
        msg = f"the view {wanted.view[:80]!r} of {shown(parts)}"
        raise InputError(msg, why="build caches in registries have no views", hint="leave --view out")
    return oci_source(parts.geturl(), credentials)


def _mirror(parts: SplitResult, url: str) -> Source:
    """What the sources of a mirror have in common."""
    segments = ["", "", *unquote(parts.path).strip("/").split("/")]
    release, stack = labels_of(segments[-2], segments[-1])
    name = "-".join(part for part in (release, stack) if part) or document_name(url)
    return Source(name, url, url=url, stack=stack, release=release, remote=True)


def _no_mirror(where: str) -> SourceError:
    msg = f"there is no mirror at {where}"
    why = f"it has neither {manifest.INDEX_MANIFEST} nor {build_cache.INDEX}"
    hint = "is it the mirror's own address? a mirror without an index can be read from a directory or S3 only, where files can be listed"
    return SourceError(msg, why=why, hint=hint)
