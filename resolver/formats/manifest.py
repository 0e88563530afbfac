"""Layout v3: manifests that point at content-addressed blobs, and where things lie in a mirror.

Source: Spack ``url_buildcache.py``, ``schema/url_buildcache_manifest.py``.
"""

from __future__ import annotations

import re

import msgspec

from resolver.errors import FormatError, InputError, UnsupportedError
from resolver.formats.clearsign import unsigned

INDEX_FOLDER = "v3/manifests/index"
INDEX_MANIFEST = f"{INDEX_FOLDER}/index.manifest.json"
SPEC_FOLDER = "v3/manifests/spec"
SPEC_SUFFIX = ".spec.manifest.json"
INDEX_PATH = re.compile(rf"(?P<mirror>.*)/{INDEX_FOLDER}/(?:(?P<view>.+)/)?index\.manifest\.json")
INDEX_TYPE = re.compile(r"application/vnd\.spack\.db\.v([0-9]{1,9})\+json")
SPEC_TYPE = re.compile(r"application/vnd\.spack\.spec\.v([0-9]{1,9})\+json")
ARCHIVE_TYPE = "application/vnd.spack.install.v2.tar+gzip"
NEWEST_SPEC = 6
MANIFEST_VERSION = 3
NEWEST_DATABASE = 9
UNSAFE = re.compile(r"[^A-Za-z0-9_+.-]")
VIEW_PART = re.compile(r"[A-Za-z0-9_+.@-]{1,128}")
MOST_BYTES = 1 << 63
DIGEST = re.compile(r"[0-9a-f]{64}")


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


# Made on import: threads that lay one type out at once, as its first decoding does, crash msgspec.
_decoder = msgspec.json.Decoder(_Manifest)


def read_manifest(data: bytes) -> tuple[Blob, ...]:
    """The blobs of a manifest, signed or not; the signature is not verified. Raises ``FormatError``."""
    try:
        manifest = _decoder.decode(unsigned(data))
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
        if not 0 <= blob.content_length < MOST_BYTES:
            msg = "a blob of a length that no file has"
            raise FormatError(msg, hint="fetch the manifest again; it may be damaged")
    return tuple(manifest.data)


def index_manifest_path(view: str) -> str:
    """Where the manifest of the default index, or of a named view, lies in a mirror. Raises ``InputError`` on a view that is no path."""
    parts = view.split("/") if view else []
    if any(part in ("", ".", "..") or not VIEW_PART.fullmatch(part) for part in parts):
        msg = f"{view[:80]!r} is not the name of a view"
        raise InputError(msg, hint="views are named as `spack buildcache update-index --name` did")
    return "/".join([INDEX_FOLDER, *parts, "index.manifest.json"])


def split_index_path(path: str) -> tuple[str, str] | None:
    """The mirror and the view that the path of an index manifest is of; None for other paths."""
    found = INDEX_PATH.fullmatch(path)
    return (found["mirror"], found["view"] or "") if found else None


def index_blob(blobs: tuple[Blob, ...]) -> Blob:
    """The index of the newest database version known here, among those that an index manifest lists.

    Raises ``FormatError`` when it lists none that is known.
    """
    return _newest(blobs, INDEX_TYPE, NEWEST_DATABASE, "package index")


def spec_blob(blobs: tuple[Blob, ...]) -> Blob:
    """The spec metadata of the newest version known here, among those that a spec manifest lists. Raises ``FormatError``."""
    return _newest(blobs, SPEC_TYPE, NEWEST_SPEC, "spec metadata")


def _newest(blobs: tuple[Blob, ...], kind: re.Pattern[str], newest: int, what: str) -> Blob:
    found = [(int(m[1]), blob) for blob in blobs if (m := kind.fullmatch(blob.media_type))]
    known = [(version, -place, blob) for place, (version, blob) in enumerate(found) if version <= newest]
    if known:
        return max(known, key=lambda item: item[:2])[2]
    if found:
        msg = f"the {what} is of version {min(v for v, _ in found)}, known are up to {newest}"
        raise UnsupportedError(msg, hint="use a newer spack-resolver")
    msg = f"the manifest lists no {what}"
    raise FormatError(msg, hint="let `spack buildcache update-index` write it again")


def polite(text: str) -> str:
    """A file name that Spack would write for this text (``polite_filename``)."""
    return UNSAFE.sub("_", text)


def spec_manifest_path(name: str, version: str, dag_hash: str) -> str:
    """Where the manifest of a spec lies in a layout v3 mirror, relative to the mirror."""
    return f"v3/manifests/spec/{polite(name)}/{polite(f'{name}-{version}-{dag_hash}')}.spec.manifest.json"
