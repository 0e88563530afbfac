"""The indexes that the manifest of a public cache lists, as sources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from urllib.parse import SplitResult

from resolver.errors import InputError, SourceError
from resolver.formats.mirrors import UNION, PublicIndex, read_public_manifest, require_public_manifest
from resolver.sources.address import address, origin, place_at, remote_parts, shown
from resolver.sources.credentials import NO_CREDENTIALS, Credentials
from resolver.sources.directory import DirectoryPlace
from resolver.sources.keys import keyed
from resolver.sources.mirror import pinned_index
from resolver.sources.place import MOST_SMALL_BYTES
from resolver.sources.source import Source, Wanted

PUBLIC_MANIFEST = "cache_spack_io_index.json"
SHOWN = 12
HEAD = 512
BEGIN = re.compile(rb'\s*\{\s*(?:\}|"[^"]*"\s*:\s*\[)')
"""How a mapping of lists begins; whatever begins otherwise need not be read to tell."""


def public_file(path: Path, wanted: Wanted) -> list[Source] | None:
    """The sources that are wanted of a manifest in a file, or None when the file is none."""
    if path.suffix != ".json" or not path.is_file() or path.stat().st_size > MOST_SMALL_BYTES:
        return None
    with path.open("rb") as file:
        if not BEGIN.match(file.read(HEAD)):
            return None
    fetched = DirectoryPlace(path.parent).read(path.name)
    listed = read_public_manifest(fetched.data) if fetched else None
    return None if listed is None else [_source(index, wanted) for index in _chosen(listed, str(path), wanted)]


def public_url(parts: SplitResult, wanted: Wanted, credentials: Credentials) -> list[Source]:
    """The sources that are wanted of a manifest on a server. Offline, what was synced of those that lie beside it."""
    where = shown(parts)
    if wanted.offline:
        folder = address(parts._replace(path=parts.path.rpartition("/")[0]))
        return [Source(PUBLIC_MANIFEST, folder, remote=True, chosen=True, kept=True)]
    fetched = place_at(parts, credentials).read("")
    if fetched is None:
        msg = f"there is no {where}"
        raise SourceError(msg, hint="check the address")
    listed = _chosen(require_public_manifest(fetched.data, where), where, wanted)
    return [_source(index, wanted, parts, credentials) for index in listed]


def is_chosen(release: str, stack: str, wanted: Wanted) -> bool:
    """Do release and stack of an index match what is wanted? Where nothing is said, everything is."""
    return _matches(release, wanted.releases) and _matches(stack or UNION, wanted.stacks)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _chosen(listed: list[PublicIndex], where: str, wanted: Wanted) -> list[PublicIndex]:
    """The indexes that are wanted. Without a stack named, all stacks, and their union where there is nothing else."""
    if not wanted.releases:
        names = sorted({index.release for index in listed}, reverse=True)
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        msg = f"{where} lists {len(listed)} indexes, and none is chosen"
        hint = "choose with --release, and if you like --stack: `--release develop --stack e4s`"
        raise InputError(msg, why=f"its releases are {', '.join(names[:SHOWN]) or 'none'}{more}", hint=hint)
    found = [index for index in listed if is_chosen(index.release, index.stack, wanted)]
    if not wanted.stacks:
        found = [index for index in found if index.stack != UNION] or found
    if not found:
        stacks = sorted({index.stack for index in listed if _matches(index.release, wanted.releases)})
        releases = sorted({index.release for index in listed}, reverse=True)
        why = f"of this release it lists {', '.join(stacks)}" if stacks else f"it lists {', '.join(releases[:SHOWN]) or 'none'}"
        raise InputError(f"{where} lists no such index", why=why, hint="check --release and --stack")
    return found


def _source(index: PublicIndex, wanted: Wanted, manifest: SplitResult | None = None, credentials: Credentials = NO_CREDENTIALS) -> Source:
    """An index as a source. What opens the manifest opens what lies on the same server, and nothing elsewhere."""
    parts = remote_parts(index.mirror)
    name = f"{index.release}-{index.stack}"
    if wanted.offline:
        return Source(name, address(parts), layout="v3", remote=True, kept=True)
    if manifest and origin(manifest) == origin(parts):
        parts = parts._replace(netloc=manifest.netloc)
    else:
        credentials = NO_CREDENTIALS
    place = place_at(parts, credentials)
    return Source(
        name=name,
        location=place.url,
        open=keyed(partial(pinned_index, place, index.path, index.digest), place, "v3"),
        layout="v3",
        url=place.url,
        stack="" if index.stack == UNION else index.stack,
        release=index.release,
        remote=True,
        chosen=True,
    )
