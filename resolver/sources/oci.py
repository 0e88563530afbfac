"""A build cache in an OCI registry: its index, its packages, its tags. Imported only when one is read, since httpx takes long to load.

Source: OCI distribution specification 1.1, Spack ``oci/oci.py``, ``binary_distribution.py:OCIIndexFetcher``.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterator
from typing import TypeVar

import httpx
import msgspec

from resolver.errors import InputError, ResolverError, SourceError, VerificationError
from resolver.formats.oci import (
    DIGEST,
    INDEX_TAG,
    MANIFEST_TYPES,
    TAG,
    Descriptor,
    ImageManifest,
    read_image_manifest,
    read_tags,
    read_url,
    stated_checksum,
)
from resolver.sources.credentials import NO_CREDENTIALS, Credentials
from resolver.sources.http_errors import shown
from resolver.sources.http_pace import Patience
from resolver.sources.oci_reader import Reader
from resolver.sources.place import MOST_BYTES, MOST_SMALL_BYTES, Report, no_report
from resolver.sources.sink import Sink

PATIENCE = Patience()
PAGE = 1000
"""How many tags are asked for at a time; a registry may send fewer."""
MOST_PAGES = 20_000
MOST_PAGE_BYTES = 1 << 28
"""The longest page, in bytes: some registries send all tags at once."""
MOST_TAGS = 5_000_000
SLACK = 1 << 16
"""How many bytes more than a blob's size are read: enough to tell that it is too long."""
ACCEPT = {"Accept": ", ".join(MANIFEST_TYPES)}
LINK = re.compile(r"<([^<>]*)>((?:[^,<\"]|\"[^\"]*\")*)")
NEXT = re.compile(r";\s*rel\s*=\s*(?:\"(?:[^\"]*\s)?next(?:\s[^\"]*)?\"|next)\s*(?:;|\Z)", re.IGNORECASE)
T = TypeVar("T")


class Package(msgspec.Struct, frozen=True):
    """A package of a build cache: ``document`` is its spec file with some keys of an image's configuration, ``archive`` its last layer."""

    document: bytes
    archive: Descriptor


class Registry:
    """A repository of a registry that is a build cache; threads may read at the same time.

    Credentials are those given, else what ``docker login`` left in docker's ``config.json``. ``page`` is how many tags are asked for at
    a time. Raises ``InputError`` for what is no ``oci://`` or ``oci+http://`` URL.
    """

    def __init__(self, url: str, credentials: Credentials = NO_CREDENTIALS, *, patience: Patience = PATIENCE, page: int = PAGE) -> None:
        self._repository = read_url(url)
        self._page = page
        self._reader = Reader(self._repository, credentials, patience)
        self._finalizer = weakref.finalize(self, self._reader.close)

    def __repr__(self) -> str:
        return f"Registry({self.url!r})"

    @property
    def url(self) -> str:
        """``oci://registry/repository``, as Spack completes it, without tag and credentials."""
        return self._repository.url

    def close(self) -> None:
        """Close all connections; what is collected unclosed is closed too."""
        self._finalizer()

    def index_manifest(self) -> Descriptor | None:
        """The blob that is the index, None when the repository has none.

        Raises ``SourceError`` when the registry cannot be read, ``FormatError`` and ``UnsupportedError`` for what is no image manifest.
        """
        manifest = self._manifest(INDEX_TAG)
        return manifest.layers[0] if manifest else None

    def package(self, tag: str) -> Package | None:
        """A package by its tag, None when there is no such tag.

        Raises as ``index_manifest`` and ``blob`` do, and ``VerificationError`` when the spec file is of another archive.
        """
        manifest = self._manifest(tag)
        if manifest is None:
            return None
        archive = manifest.layers[-1]  # those before are of the image that it stands on, and of its dependencies
        document = self.blob(manifest.config.digest, size=manifest.config.size, most=MOST_SMALL_BYTES)
        stated = _at(f"{self.url}:{tag}", stated_checksum, document)
        if stated not in {"", archive.digest}:
            msg = f"the spec file of {self.url}:{tag} is of another archive"
            raise VerificationError(msg, why=f"it states {stated[:80]}, the last layer is {archive.digest}", hint="push the package again")
        return Package(document, archive)

    def blob(self, digest: str, *, size: int | None = None, most: int = MOST_BYTES, report: Report = no_report) -> bytes:
        """A blob's bytes, checked against digest and size.

        Raises ``VerificationError`` when it is missing or another one, ``SourceError`` when it cannot be read or is larger than ``most``.
        """
        where = f"the blob {digest} of {self.url}"
        if not DIGEST.fullmatch(digest):
            raise VerificationError(f"{where[:200]} has no sha256", hint="push the package again")
        if size is not None and size > most:
            raise SourceError(f"{where} has {size} bytes", why=f"at most {most} are read", hint="check that this is the right repository")
        reply = self._reader.read(self._target("blobs", digest), {}, most if size is None else min(most, size + SLACK), report)
        if reply is None:
            raise VerificationError(f"{where} is missing", hint="let `spack buildcache push` write it again")
        found = reply.body
        if f"sha256:{found.sha256}" != digest or len(found.data) != (len(found.data) if size is None else size):
            why = f"{len(found.data)} bytes with sha256 {found.sha256} came"
            raise VerificationError(f"{where} is not what its manifest says", why=why, hint="read it again; push it again")
        return found.data

    def has(self, tag: str) -> bool:
        """Is there a package with this tag. Raises as ``package``."""
        return self._manifest(tag) is not None

    def fetch(self, digest: str, sink: Sink) -> bool:
        """Put a blob into a sink, False when it is missing. Raises ``SourceError``, and ``VerificationError`` as the sink does."""
        return self._reader.fetch(self._target("blobs", digest), sink)

    def manifest_url(self, tag: str) -> str:
        """Where the registry has the manifest of a tag."""
        return str(self._target("manifests", tag))

    def blob_url(self, digest: str) -> str:
        """Where the registry has a blob."""
        return str(self._target("blobs", digest))

    def length(self, digest: str) -> int | None:
        """How many bytes a blob has, None when it is missing, -1 where the registry does not tell. Raises ``SourceError``."""
        return self._reader.length(self._target("blobs", digest))

    def tags(self) -> Iterator[str]:
        """All tags, each once, page by page. Raises ``SourceError``, also for a list that has no end or goes on at another server."""
        url: httpx.URL | None = self._target("tags", "list").copy_merge_params({"n": str(self._page)})
        asked: set[str] = set()
        seen: set[str] = set()
        while url is not None:
            asked.add(str(url))
            reply = self._reader.read(url, {}, MOST_PAGE_BYTES)
            if reply is None:
                raise SourceError(f"{self.url} has no tags", why="the registry knows no such repository", hint="check its name")
            new = [tag for tag in dict.fromkeys(_at(shown(url), read_tags, reply.body.data)) if tag not in seen]
            seen.update(new)
            yield from new
            url = self._next(url, reply.headers.get("link", ""))
            if url is not None and (str(url) in asked or len(asked) >= MOST_PAGES or len(seen) > MOST_TAGS):
                raise SourceError(f"the list of tags of {self.url} does not end", hint="ask who runs the registry")

    def _next(self, url: httpx.URL, links: str) -> httpx.URL | None:
        found = next((match[1] for match in LINK.finditer(links) if NEXT.search(match[2])), None)
        if found is None:
            return None
        try:
            target = url.join(found)
        except (httpx.InvalidURL, ValueError):
            target = httpx.URL()
        if (target.scheme, target.raw_host, target.port, target.userinfo) == (url.scheme, url.raw_host, url.port, b""):
            return target
        why = f"its next page is at {shown(target)}"
        raise SourceError(f"the list of tags of {self.url} goes on at another server", why=why, hint="ask who runs the registry")

    def _manifest(self, tag: str) -> ImageManifest | None:
        if not TAG.fullmatch(tag):
            raise InputError(
                f"{tag[:200]!r} is no tag", hint="tags have letters, digits, dots, dashes and underscores, at most 128 of them"
            )
        reply = self._reader.read(self._target("manifests", tag), ACCEPT, MOST_SMALL_BYTES)
        return _at(f"{self.url}:{tag}", read_image_manifest, reply.body.data) if reply else None

    def _target(self, kind: str, name: str) -> httpx.URL:
        return httpx.URL(f"{self._repository.endpoint}/{kind}/{name}")


def _at(where: str, read: Callable[[bytes], T], data: bytes) -> T:
    try:
        return read(data)
    except ResolverError as error:
        raise error.at(where) from None
