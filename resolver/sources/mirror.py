"""What is read from a local mirror besides its index: the index manifest, whether packages are signed, where archives lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from resolver.errors import FormatError, ResolverError, VerificationError
from resolver.formats.manifest import (
    ARCHIVE_TYPE,
    CLEARSIGNED,
    Blob,
    index_blob,
    read_manifest,
    spec_manifest_path,
)
from resolver.sources.files import read_file, sha256
from resolver.spec.concrete import ConcreteSpec

MOST_MANIFEST_BYTES = 1 << 24


class IndexBlob(msgspec.Struct, frozen=True):
    """The index that a v3 mirror's manifest points at."""

    blob: Blob

    @property
    def digest(self) -> str:
        """The sha256 that the manifest states."""
        return self.blob.checksum

    def read(self, mirror: Path) -> bytes:
        """The blob's bytes. Raises ``VerificationError`` when length or checksum are not those of the manifest."""
        path = mirror / self.blob.path
        if not path.is_file():
            msg = f"the index blob {self.blob.path} is missing"
            hint = "fetch the mirror again, or let `spack buildcache update-index` write its index"
            raise VerificationError(msg, where=str(mirror), hint=hint)
        data = read_file(path)
        found = sha256(data)
        if len(data) != self.blob.content_length or found != self.blob.checksum:
            msg = f"the index blob {self.blob.path} is not what its manifest says"
            why = f"{len(data)} bytes with sha256 {found}, stated are {self.blob.content_length} bytes with {self.blob.checksum}"
            raise VerificationError(msg, why=why, where=str(mirror), hint="fetch the mirror again; a copy may have been cut short")
        return data


def v3_index(path: Path) -> IndexBlob:
    """The index that an index manifest points at. Raises ``FormatError`` naming the manifest."""
    try:
        return IndexBlob(index_blob(read_manifest(read_file(path))))
    except ResolverError as error:
        raise error.at(str(path)) from None


def is_signed(mirror: Path, layout: str) -> bool | None:
    """Are the mirror's packages signed, by the first one found; None when it holds none."""
    if layout == "v2":
        return _first(path.name.endswith(".sig") for path in sorted((mirror / "build_cache").glob("*.spec.json*")))
    names = sorted((mirror / "v3/manifests/spec").glob("*/*.spec.manifest.json"))
    return _first(_starts_signed(path) for path in names[:1])


def _first(answers: Iterator[bool]) -> bool | None:
    return next(iter(answers), None)


def _starts_signed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(CLEARSIGNED)) == CLEARSIGNED.encode()


def archive_blob(url: str, spec: ConcreteSpec) -> Blob | None:
    """The archive that a local v3 mirror's manifest names for a spec; None when the mirror is not local or has no manifest."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    path = Path(unquote(parts.path)) / spec_manifest_path(spec.name, spec.wire.version, spec.hash)
    if not path.is_file() or path.stat().st_size > MOST_MANIFEST_BYTES:
        return None
    try:
        blobs = read_manifest(read_file(path))
    except FormatError as error:
        raise error.at(str(path)) from None
    return next((blob for blob in blobs if blob.media_type == ARCHIVE_TYPE), None)
