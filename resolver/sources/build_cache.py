"""Build caches as packages are taken from them, wherever they lie: which packages they have, and the files of these."""

from __future__ import annotations

from typing import Protocol

import msgspec

from resolver.errors import ResolverError
from resolver.sources.address import is_remote, remote_parts, shown
from resolver.sources.credentials import NO_CREDENTIALS, Credentials
from resolver.sources.entry import Entry, StoredFile
from resolver.sources.keyring import Published
from resolver.sources.sink import Sink
from resolver.spec.concrete import ConcreteSpec


class CacheAddress(msgspec.Struct, frozen=True):
    """Where a build cache is and how it is opened: ``url`` of Spack's kinds or a path.

    ``layout`` is v3, v2, oci or empty: what it has is looked for in this layout first. ``view`` is the named index of it that is used,
    which only layout v3 has. ``signed`` is whether its packages are to be signed, None where that is not known; ``keys`` are fingerprints
    of the keys that may sign, any of its own when there are none. With ``broken`` it is known beforehand that it cannot be opened, and why.
    """

    name: str
    url: str
    layout: str = ""
    view: str = ""
    signed: bool | None = None
    keys: tuple[str, ...] = ()
    credentials: Credentials = NO_CREDENTIALS
    broken: ResolverError | None = None

    @property
    def remote(self) -> bool:
        """Does it lie elsewhere than on this machine?"""
        return is_remote(self.url)

    @property
    def shown(self) -> str:
        """The URL without credentials and query, a path as it is. Raises ``InputError`` for a URL that cannot be read."""
        return shown(remote_parts(self.url)) if self.remote else self.url


class BuildCache(Protocol):
    """An open build cache. Threads may use it at the same time. All may raise ``SourceError``."""

    @property
    def address(self) -> CacheAddress:
        """Where it is."""

    def has(self, spec: ConcreteSpec) -> bool:
        """Has it a binary of this very spec, by its manifest, spec file or tag?"""

    def entry(self, spec: ConcreteSpec) -> Entry | None:
        """What it has of a spec. Raises ``FormatError`` where that is damaged."""

    def url(self, file: StoredFile) -> str:
        """Where a file can be had, without credentials."""

    def length(self, file: StoredFile) -> int | None:
        """How many bytes a file has, None when it is missing, -1 where that is not told."""

    def fetch(self, file: StoredFile, sink: Sink) -> bool:
        """Put a file into a sink, False when it is missing. Raises ``VerificationError`` as the sink does."""

    def keys(self, layout: str) -> Published:
        """The keys that it publishes in a layout. Raises ``FormatError`` and ``VerificationError`` too."""
