"""Which mirror serves a hash, asked of the mirrors themselves."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from resolver.api.settings import Settings
from resolver.errors import InputError, ResolverError
from resolver.formats.mirrors import MirrorEntry
from resolver.sources.address import address, is_remote, is_url, remote_parts
from resolver.sources.build_cache import BuildCache, CacheAddress
from resolver.sources.caches import first_having, open_cache
from resolver.sources.credentials import NO_CREDENTIALS, Credentials, configured
from resolver.sources.listed import listed_mirrors
from resolver.spec.concrete import ConcreteSpec

AT_ONCE = 8


class NamedMirror(Protocol):
    """A mirror as an environment, a lock or a catalog names it."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def url(self) -> str:
        """Where it is: a URL, or a path."""

    @property
    def layout(self) -> str:
        """v3, v2, oci or empty."""

    @property
    def view(self) -> str:
        """The named index of it that is used, or empty."""

    @property
    def signed(self) -> bool | None:
        """Are its packages to be signed, None where that is not known."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Fingerprints of the keys that may sign."""


def served(
    mirrors: Sequence[NamedMirror], specs: Iterable[ConcreteSpec], settings: Settings | None = None, *, jobs: int = AT_ONCE
) -> dict[str, str | None]:
    """For the hash of each spec the name of the first mirror that has its binary, None where all were asked and none has it.

    Externals are left out, since the host has them. Of a spliced spec it is the binary that was built. Raises ``SourceError`` when a
    mirror cannot be asked and no other has the binary, ``InputError`` for what is no mirror.
    """
    wanted = {spec.hash: built(spec) for spec in specs if not spec.external}
    caches = open_caches(mirrors, settings)
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        found = pool.map(lambda spec: first_having(caches, lambda cache: cache.has(spec) or None), wanted.values())
        return {key: one[0].address.name if one else None for key, one in zip(wanted, found, strict=True)}


def built(spec: ConcreteSpec) -> ConcreteSpec:
    """The spec whose binary is fetched: of a spliced one that which was built (Spack ``binary_distribution.py:download_tarball``).

    Raises ``InputError`` when that is not among the nodes at hand.
    """
    reference = spec.wire.build_spec
    if reference is None or not reference.key:
        return spec
    found = spec.graph.get(reference.key)
    if found is None:
        msg = f"{spec.name}/{spec.hash[:7]} was built as {reference.name}/{reference.key[:7]}, whose node is missing"
        raise InputError(msg, why="its binary lies under that name and version", hint="write the environment again, without --runtime-only")
    return found


def open_caches(mirrors: Sequence[NamedMirror], settings: Settings | None = None) -> list[BuildCache]:
    """The mirrors, each place once, with the credentials that the configuration's lists of mirrors have for them."""
    places = {(mirror.url.rstrip("/"), mirror.view): mirror for mirror in reversed(mirrors)}
    ordered = [mirror for mirror in mirrors if places[mirror.url.rstrip("/"), mirror.view] is mirror]
    return [open_cache(_address(mirror, settings)) for mirror in ordered]


def _address(mirror: NamedMirror, settings: Settings | None) -> CacheAddress:
    facts = (mirror.name, mirror.url, mirror.layout, mirror.view, mirror.signed, tuple(mirror.keys))
    found = mirror if isinstance(mirror, CacheAddress) else CacheAddress(*facts)
    if found.credentials != NO_CREDENTIALS or found.broken or settings is None or not found.remote:
        return found
    return replace(found, credentials=_known_credentials(found.url, settings))


def _known_credentials(url: str, settings: Settings) -> Credentials:
    """What a list of mirrors among the configured sources says of how this very URL is opened."""
    wanted = address(remote_parts(url))
    for source in settings.config.sources:
        location = source if isinstance(source, str) else source.location
        if is_url(location):
            continue
        path = settings.base / os.path.expanduser(location)  # noqa: PTH111 - leaves the name of an unknown user as it is
        for entry in _entries(path):
            if is_remote(entry.url) and address(remote_parts(entry.url)) == wanted:
                return configured(entry.connection, f"{path}: mirrors:{entry.name}")
    return NO_CREDENTIALS


def _entries(path: Path) -> list[MirrorEntry]:
    """The mirrors of a list; one that is damaged is a sync's to complain of."""
    try:
        return listed_mirrors(path) or []
    except (ResolverError, OSError):
        return []
