"""Files of a build cache: manifests, indexes, key indexes. All have the bytes that Spack would write, but that hashes are sorted.

Source: Spack ``url_buildcache.py``, ``database.py:Database._write_to_file``, ``binary_distribution.py`` (0.23 for layout v2).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec

from resolver.emit.spack_lock import UPGRADED, node_format, uniform, upgraded
from resolver.errors import UnsupportedError
from resolver.formats import build_cache, keys
from resolver.formats.manifest import ARCHIVE_TYPE, INDEX_MANIFEST, MANIFEST_VERSION, Blob
from resolver.formats.oci import Descriptor
from resolver.formats.spec_file import read_spec_file
from resolver.spec.node import decode_node

LAYOUT_FILE = "v3/layout.json"
LAYOUT = b'{"signing": "gpg"}'
KEY_TYPE = "application/pgp-keys"
KEY_INDEX_TYPE = "application/vnd.spack.keyindex.v1+json"
DATABASE_OF_LOCK = {4: 6, 5: 7, 6: 8, 8: 9}
"""The database version that holds the same nodes as a lockfile version (Spack ``database.py:reader``)."""
OLDEST_TAR = 2
"""The layout number since which archives hold whole prefixes, as layout v3 has them."""


class V3Package(msgspec.Struct, frozen=True):
    """A package as layout v3 states it: its manifest, the two blobs that this names, and the bytes of the metadata."""

    manifest: bytes
    archive: Blob
    metadata: Blob
    document: bytes


class _Config(msgspec.Struct):
    layout: int = msgspec.field(name="buildcache_layout_version", default=0)


_config = msgspec.json.Decoder(_Config)


def manifest_document(blobs: Iterable[Blob]) -> bytes:
    """A manifest. It has line breaks, since gpg cuts longer lines (``BlobRecord``, ``push_binary_package``)."""
    body = {"version": MANIFEST_VERSION, "data": [msgspec.to_builtins(blob) for blob in blobs]}
    return json.dumps(body, indent=0, separators=(",", ":")).encode()


def blob_of(data: bytes, media_type: str) -> Blob:
    """How a manifest states a blob that is stored as it is."""
    return Blob(len(data), media_type, "none", "sha256", hashlib.sha256(data).hexdigest())


def v3_package(config: bytes, archive: Descriptor) -> V3Package:
    """A package of a registry in the words of layout v3.

    The archive is the image's last layer, byte for byte; the metadata is the spec in the image's configuration, not compressed, so that
    it has the same bytes wherever it is made. Raises ``FormatError``, and ``UnsupportedError`` for archives of older layouts.
    """
    layout = _config.decode(config).layout
    if layout < OLDEST_TAR:
        msg = f"a package of layout version {layout}"
        why = f"its archive is not one of layout v3, as those since version {OLDEST_TAR} are"
        raise UnsupportedError(msg, why=why, hint="let it be pushed again by Spack 0.22 or newer, or take it from another mirror")
    nodes = [record.node for record in read_spec_file(config).records(in_buildcache=True)]
    nodes = [_modern(raw) for raw in nodes]
    version = max([UPGRADED, *map(node_format, nodes)])
    joined = b",".join(nodes)
    document = b'{"spec":{"_meta":{"version":%d},"nodes":[%b]},"buildcache_layout_version":%d}' % (version, joined, OLDEST_TAR)
    digest = archive.digest.removeprefix("sha256:")
    first = Blob(archive.size, ARCHIVE_TYPE, "gzip", "sha256", digest)
    second = blob_of(document, f"application/vnd.spack.spec.v{version}+json")
    return V3Package(manifest_document((first, second)), first, second, document)


def _modern(raw: bytes) -> bytes:
    """A node in format 5 at least."""
    shape = node_format(raw)
    return upgraded(raw, decode_node(raw).hash, {}) if shape < UPGRADED and shape != 0 else raw


def v3_index(nodes: Mapping[str, bytes], binaries: Collection[str]) -> dict[str, bytes]:
    """The index of a mirror of layout v3, by path: its manifest and the blob, of the lowest database version from 8 on that holds it."""
    modern = {key: _modern(raw) for key, raw in nodes.items()}
    version = 9 if any(node_format(raw) > UPGRADED for raw in modern.values()) else 8
    data = _database(version, modern, binaries)
    blob = blob_of(data, f"application/vnd.spack.db.v{version}+json")
    return {blob.path: data, INDEX_MANIFEST: manifest_document([blob])}


def v2_index(nodes: Mapping[str, bytes], binaries: Collection[str]) -> dict[str, bytes]:
    """The index of a mirror of layout v2, by path, of the database version of its nodes; what is older or mixed is brought up to date."""
    lock, alike = uniform(nodes)
    data = _database(DATABASE_OF_LOCK[lock], alike, binaries)
    return {build_cache.INDEX: data, build_cache.INDEX_HASH: hashlib.sha256(data).hexdigest().encode()}


def _database(version: int, nodes: Mapping[str, bytes], binaries: Collection[str]) -> bytes:
    """An index: one record for each node; ``ref_count`` is how many of the others depend on it."""
    wires = {key: decode_node(raw) for key, raw in nodes.items()}
    edges = (list(w.dependencies.values()) if isinstance(w.dependencies, dict) else w.dependencies for w in wires.values())
    parents = Counter(edge.hash for row in edges for edge in row)
    rows = (
        b'"%b":{"spec":%b,"ref_count":%d,"in_buildcache":%b}'
        % (key.encode(), nodes[key], parents[key], b"true" if key in binaries else b"false")
        for key in sorted(nodes)
    )
    return b'{"database":{"version":"%d","installs":{%b}}}' % (version, b",".join(rows))


def key_index(fingerprints: Iterable[str]) -> bytes:
    """The list of a mirror's keys."""
    return json.dumps({"keys": {name: {} for name in sorted(fingerprints)}}).encode()


def v3_keys(fingerprints: Iterable[str]) -> dict[str, bytes]:
    """The key index of a mirror of layout v3, by path."""
    data = key_index(fingerprints)
    blob = blob_of(data, KEY_INDEX_TYPE)
    return {blob.path: data, keys.V3_INDEX: manifest_document([blob])}
