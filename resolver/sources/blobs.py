"""Content-addressed blobs of layout v3 mirrors."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from resolver.errors import ResolverError, SourceError, VerificationError
from resolver.formats.manifest import ARCHIVE_TYPE, Blob, read_manifest, spec_manifest_path
from resolver.sources.directory import DirectoryPlace
from resolver.sources.place import Fetched, Place, Report, no_report
from resolver.spec.concrete import ConcreteSpec

SLACK = 1 << 16
"""How many bytes more than a manifest says are read of a blob: enough to tell that it is another."""


def read_blob(place: Place, blob: Blob, most: int, report: Report = no_report) -> Fetched | None:
    """A blob as it is stored, None when it is missing. Raises ``SourceError`` when it has more than ``most`` bytes."""
    if blob.content_length > most:
        msg = f"the blob {blob.path} has {blob.content_length} bytes"
        raise SourceError(msg, why=f"at most {most} are read", where=place.url, hint="check that this is the right mirror")
    return place.read(blob.path, most=min(most, blob.content_length + SLACK), report=report)


def check_blob(fetched: Fetched | None, blob: Blob, where: str) -> bytes:
    """The blob's bytes. Raises ``VerificationError`` when it is missing, or length or checksum are not those of the manifest."""
    if fetched is None:
        msg = f"the blob {blob.path} is missing"
        raise VerificationError(msg, where=where, hint="fetch the mirror again, or let `spack buildcache update-index` write its index")
    if len(fetched.data) != blob.content_length or fetched.sha256 != blob.checksum:
        msg = f"the blob {blob.path} is not what its manifest says"
        stated = f"stated are {blob.content_length} bytes with {blob.checksum}"
        why = f"{len(fetched.data)} bytes with sha256 {fetched.sha256}, {stated}"
        raise VerificationError(msg, why=why, where=where, hint="fetch the mirror again; a copy may have been cut short")
    return fetched.data


def archive_blob(url: str, spec: ConcreteSpec) -> Blob | None:
    """The archive that a local v3 mirror's manifest names for a spec; None when the mirror is not local or has no manifest."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    path = spec_manifest_path(spec.name, spec.wire.version, spec.hash)
    fetched = DirectoryPlace(Path(unquote(parts.path))).read(path)
    if fetched is None:
        return None
    try:
        blobs = read_manifest(fetched.data)
    except ResolverError as error:
        raise error.at(f"{url}/{path}") from None
    return next((blob for blob in blobs if blob.media_type == ARCHIVE_TYPE), None)
