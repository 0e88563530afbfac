"""The mirrors that a ``mirrors.yaml`` of Spack lists, each as a lead."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from resolver.errors import InputError, ResolverError
from resolver.formats.mirrors import MirrorEntry, read_mirrors
from resolver.sources.address import is_remote, is_url
from resolver.sources.credentials import Credentials, configured
from resolver.sources.directory import DirectoryPlace
from resolver.sources.source import Lead, Source, Wanted

Look = Callable[[str, Wanted, Credentials], Lead]
"""Makes a lead of one location."""


def listed_mirrors(path: Path) -> list[MirrorEntry] | None:
    """The binary mirrors of a file, or None when it is no list of mirrors. Raises ``InputError`` on a list that cannot be used."""
    place = DirectoryPlace(path.parent)
    if path.suffix not in (".yaml", ".yml") or not place.exists(path.name):
        return None
    fetched = place.read(path.name)
    try:
        entries = read_mirrors(fetched.data.decode("utf-8-sig"), str(path)) if fetched else None
    except UnicodeDecodeError:
        return None
    if entries == []:
        msg = f"{path} lists no mirror of binaries"
        raise InputError(msg, why="it is empty, or all of its mirrors have `binary: false`", hint="give the URL of a mirror")
    return entries


def entry_lead(entry: MirrorEntry, path: Path, wanted: Wanted, look: Look) -> Lead:
    """A mirror of a list. What is wrong with it is found when it is looked for, so that it does not keep the others out."""
    where = f"{path}: mirrors:{entry.name}"
    wanted = replace(wanted, view=entry.view or wanted.view)
    try:
        if not entry.url:
            msg = f"the mirror {entry.name} has no URL to fetch from"
            raise InputError(msg, why="it is one to push to only", hint="give it a `fetch` or a `url`, or take it out")
        lead = look(_based(entry.url, path), wanted, _credentials(entry, where, wanted))
    except ResolverError as error:
        return Lead(where, partial(_fail, error.at(where)))
    return Lead(lead.location, partial(_found, entry, lead, where), lead.remote)


def _fail(error: ResolverError) -> list[Source]:
    raise error


def _credentials(entry: MirrorEntry, where: str, wanted: Wanted) -> Credentials:
    """What opens it; nothing is opened by it offline, and a path is opened by nothing."""
    used: Mapping[str, Any] = entry.connection if is_remote(entry.url) and not wanted.offline else {}
    return configured(used, where)


def _based(url: str, path: Path) -> str:
    """A path begins where the list lies; variables and ``~`` stand in paths alone (Spack ``util/path.py:canonicalize_path``)."""
    if is_url(url):
        return url
    expanded = os.path.expanduser(os.path.expandvars(url))  # noqa: PTH111 - leaves the name of an unknown user as it is
    return str(path.parent / expanded)


def _found(entry: MirrorEntry, lead: Lead, where: str) -> list[Source]:
    """The sources of the mirror, by the list's name."""
    try:
        found = lead.find()
    except ResolverError as error:
        raise error.at(where) from None
    alone = len({source.location for source in found}) == 1
    names = [f"{entry.name}{s.ending}" if alone else f"{entry.name}-{s.name}" for s in found]
    return [replace(source, name=name, signed=entry.signed) for source, name in zip(found, names, strict=True)]
