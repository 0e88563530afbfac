"""What a build cache has of one package: its manifest or spec file, and the files that it names."""

from __future__ import annotations

import msgspec

from resolver.errors import FormatError, ResolverError, VerificationError
from resolver.formats import build_cache, manifest
from resolver.formats.clearsign import is_signed
from resolver.formats.record import Record
from resolver.formats.spec_file import read_spec_file
from resolver.sources.files import FREE_BYTES, plain
from resolver.sources.place import Place
from resolver.spec.concrete import ConcreteSpec

ARCHIVE, METADATA = "archive", "metadata"
DAMAGED_HINT = "it may have been cut short, or changed by somebody; let the package be pushed again"


class StoredFile(msgspec.Struct, frozen=True):
    """A file besides the manifest: ``archive``, ``metadata`` (the spec), ``key`` or another blob.

    ``path`` is relative to the mirror. ``size`` (bytes) and ``sha256`` are what the manifest or spec file states, None and empty where it
    does not.
    """

    kind: str
    path: str
    size: int | None
    sha256: str


class Listed(msgspec.Struct, frozen=True):
    """A file to download: what it is, its URL, where it goes below a mirror, its bytes and sha256 where they are known."""

    kind: str
    url: str
    path: str
    size: int | None
    sha256: str


class Entry(msgspec.Struct, frozen=True):
    """A package as it lies in a mirror of a layout, v3 or v2.

    ``path`` is that of its manifest or spec file, and ``document`` its bytes as they are there. ``made`` are files that stand for what
    the cache states otherwise, by path: of a registry all but the archive, and ``listed`` is then what it has itself. ``origin`` is the
    URL of what was read.
    """

    hash: str
    layout: str
    path: str
    document: bytes
    origin: str
    files: tuple[StoredFile, ...]
    made: dict[str, bytes] = {}
    listed: tuple[Listed, ...] = ()

    @property
    def signed(self) -> bool:
        """Is its manifest or spec file a signed message? Whether the signature holds is not known."""
        return is_signed(self.document)

    @property
    def archive(self) -> StoredFile:
        """Its archive."""
        return next(file for file in self.files if file.kind == ARCHIVE)

    @property
    def metadata(self) -> StoredFile | None:
        """Its spec, where that is a file of its own."""
        found = [file for file in self.files if file.kind == METADATA]
        return found[0] if found else None


def v3_path(spec: ConcreteSpec) -> str:
    """Where the manifest of a package lies in layout v3."""
    return manifest.spec_manifest_path(spec.name, spec.wire.version, spec.hash)


def v3_entry(place: Place, spec: ConcreteSpec) -> Entry | None:
    """A package by its manifest. Raises ``FormatError`` on a manifest that is damaged, ``SourceError``."""
    path = v3_path(spec)
    fetched = place.read(path)
    return read_v3_entry(fetched.data, spec.hash, path, f"{place.url}/{path}") if fetched else None


def read_v3_entry(document: bytes, dag_hash: str, path: str, origin: str) -> Entry:
    """What a manifest names. All of its blobs count, so that a copy keeps what it states. Raises ``FormatError``."""
    try:
        blobs = manifest.read_manifest(document)
        metadata = manifest.spec_blob(blobs)
        if not any(blob.media_type == manifest.ARCHIVE_TYPE for blob in blobs):
            raise FormatError("a manifest that names no archive", hint=DAMAGED_HINT)
    except ResolverError as error:
        raise error.at(origin) from None
    archive = next(blob for blob in blobs if blob.media_type == manifest.ARCHIVE_TYPE)
    kinds = {metadata.checksum: METADATA, archive.checksum: ARCHIVE}
    files: dict[str, StoredFile] = {}
    for b in blobs:  # of several statements of a blob Spack takes the first
        files.setdefault(b.path, StoredFile(kinds.get(b.checksum, "blob"), b.path, b.content_length, b.checksum))
    return Entry(dag_hash, "v3", path, document, origin, tuple(files.values()))


def v2_entry(place: Place, spec: ConcreteSpec) -> Entry | None:
    """A package by its spec file, the signed one before the other. Raises as ``v3_entry``."""
    for signed in (True, False):
        path = build_cache.spec_path(spec, signed=signed)
        fetched = place.read(path)
        if fetched:
            return read_v2_entry(fetched.data, spec.hash, path, build_cache.archive_path(spec), f"{place.url}/{path}")
    return None


def read_v2_entry(document: bytes, dag_hash: str, path: str, archive: str, origin: str) -> Entry:
    """What a spec file states. Raises ``FormatError``."""
    try:
        stated = read_spec_file(document, origin)
        if not stated.archive:
            raise FormatError("a spec file that states no checksum of its archive", hint=DAMAGED_HINT)
    except ResolverError as error:
        raise error.at(origin) from None
    return Entry(dag_hash, "v2", path, document, origin, (StoredFile(ARCHIVE, archive, stated.size or None, stated.archive),))


def stated_records(entry: Entry, metadata: bytes) -> list[Record]:
    """The records of a package's spec, its own first; ``metadata`` are the bytes of that blob, not looked at without one.

    Raises ``FormatError`` when they are damaged. Whether they are of this package is not looked at.
    """
    where = f"{entry.origin}: its spec" if entry.metadata else entry.origin
    try:
        document = plain(metadata if entry.metadata else entry.document, most=FREE_BYTES)
        return list(read_spec_file(document, where).records(in_buildcache=True))
    except ResolverError as error:
        raise error.at(where) from None


def entry_records(entry: Entry, metadata: bytes) -> list[Record]:
    """As ``stated_records``. Raises ``VerificationError`` when they are of another package."""
    records = stated_records(entry, metadata)
    if records[0].hash != entry.hash:
        msg = f"it is of {records[0].wire.name}/{records[0].hash}, and is named after /{entry.hash}"
        raise VerificationError(msg, where=entry.origin, hint="the mirror is damaged; take the package from another one")
    return records
