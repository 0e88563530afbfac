"""Layout v3: manifests that point at content-addressed blobs, and where things lie in a mirror.

Source: Spack ``url_buildcache.py``, ``schema/url_buildcache_manifest.py``.
"""

from __future__ import annotations

import re

import msgspec

from resolver.errors import FormatError, UnsupportedError

INDEX_MANIFEST = "v3/manifests/index/index.manifest.json"
INDEX_TYPE = re.compile(r"application/vnd\.spack\.db\.v(\d+)\+json")
ARCHIVE_TYPE = "application/vnd.spack.install.v2.tar+gzip"
MANIFEST_VERSION = 3
NEWEST_DATABASE = 9
UNSAFE = re.compile(r"[^A-Za-z0-9_+.-]")
DIGEST = re.compile(r"[0-9a-f]{64}")
CLEARSIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"
SIGNED_BODY = re.compile(r"\A-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:[^\r\n]+\r?\n)*\r?\n(.*?)-----BEGIN PGP SIGNATURE-----", re.DOTALL)


class Blob(msgspec.Struct, frozen=True):
    """One blob of a manifest: ``checksum`` (sha256) and ``contentLength`` (bytes) are of the blob as it is stored."""

    content_length: int = msgspec.field(name="contentLength")
    media_type: str = msgspec.field(name="mediaType")
    compression: str
    algorithm: str = msgspec.field(name="checksumAlgorithm")
    checksum: str

    @property
    def path(self) -> str:
        """Where it lies, relative to the mirror."""
        return f"blobs/{self.algorithm}/{self.checksum[:2]}/{self.checksum}"


class _Manifest(msgspec.Struct):
    version: int
    data: list[Blob]


def read_manifest(data: bytes) -> tuple[Blob, ...]:
    """The blobs of a manifest, signed or not; the signature is not verified. Raises ``FormatError``."""
    try:
        manifest = msgspec.json.decode(_unsigned(data), type=_Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = "not a manifest of a layout v3 mirror"
        raise FormatError(msg, why=str(error), hint="fetch it again; it may have been cut short") from None
    if manifest.version != MANIFEST_VERSION:
        msg = f"manifest of version {manifest.version}, known is {MANIFEST_VERSION}"
        raise UnsupportedError(msg, hint="use a newer spack-resolver")
    for blob in manifest.data:
        if blob.algorithm != "sha256" or not DIGEST.fullmatch(blob.checksum):
            msg = f"a blob with the checksum {blob.algorithm}:{blob.checksum[:80]}"
            raise FormatError(msg, why="blobs are known by a sha256 of 64 hexadecimal digits")
    return tuple(manifest.data)


def _unsigned(data: bytes) -> bytes:
    if not data.startswith(CLEARSIGNED.encode()):
        return data
    body = SIGNED_BODY.match(data.decode("utf-8", errors="replace"))
    if body is None:
        msg = "a signed manifest that is cut short"
        raise FormatError(msg, hint="fetch it again")
    return body[1].encode()


def index_blob(blobs: tuple[Blob, ...]) -> Blob:
    """The index of the newest database version known here, among those that an index manifest lists.

    Raises ``FormatError`` when it lists none that is known.
    """
    found = [(int(m[1]), blob) for blob in blobs if (m := INDEX_TYPE.fullmatch(blob.media_type))]
    known = [(version, -place, blob) for place, (version, blob) in enumerate(found) if version <= NEWEST_DATABASE]
    if known:
        return max(known, key=lambda item: item[:2])[2]
    if found:
        msg = f"the index is of database version {min(v for v, _ in found)}, known are up to {NEWEST_DATABASE}"
        raise UnsupportedError(msg, hint="use a newer spack-resolver")
    msg = "the index manifest lists no package index"
    raise FormatError(msg, hint="let `spack buildcache update-index` write it again")


def polite(text: str) -> str:
    """A file name that Spack would write for this text (``polite_filename``)."""
    return UNSAFE.sub("_", text)


def spec_manifest_path(name: str, version: str, dag_hash: str) -> str:
    """Where the manifest of a spec lies in a layout v3 mirror, relative to the mirror."""
    return f"v3/manifests/spec/{polite(name)}/{polite(f'{name}-{version}-{dag_hash}')}.spec.manifest.json"
