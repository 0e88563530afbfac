"""Small mirrors, laid out as Spack lays them out."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DB8 = "application/vnd.spack.db.v8+json"
SPEC5 = "application/vnd.spack.spec.v5+json"
ARCHIVE = "application/vnd.spack.install.v2.tar+gzip"
INDEX_MANIFEST = "v3/manifests/index/index.manifest.json"
PGP = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{}\n-----BEGIN PGP SIGNATURE-----\n\nxyz\n-----END PGP SIGNATURE-----\n"


def node(name: str, version: str = "1.0") -> dict[str, Any]:
    """A node whose hash is told by its name and version."""
    arch = {"platform": "linux", "platform_os": "ubuntu24.04", "target": "x86_64_v3"}
    return {"name": name, "version": version, "arch": arch, "parameters": {}, "hash": hash_of(name, version)}


def old_node(name: str) -> dict[str, Any]:
    """A node as Spack 0.23 wrote it."""
    return {**node(name), "compiler": {"name": "gcc", "version": "12.2.0"}}


def hash_of(name: str, version: str = "1.0") -> str:
    return "".join(c for c in f"{name}{version}" if c.isalnum()).ljust(32, "0")


def index(*nodes: dict[str, Any], version: str = "8") -> bytes:
    installs = {one["hash"]: {"spec": one, "in_buildcache": True, "ref_count": 0} for one in nodes}
    return json.dumps({"database": {"version": version, "installs": installs}}).encode()


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def blob(root: Path, data: bytes, media_type: str) -> dict[str, Any]:
    """Lay a blob into a mirror; gives its entry of a manifest."""
    digest = hashlib.sha256(data).hexdigest()
    put(root / "blobs" / "sha256" / digest[:2] / digest, data)
    entry = {"contentLength": len(data), "mediaType": media_type, "compression": "none"}
    return {**entry, "checksumAlgorithm": "sha256", "checksum": digest}


def manifest(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"version": 3, "data": entries}).encode()


def put_v3(root: Path, data: bytes, *, view: str = "", types: Sequence[str] = (DB8,)) -> Path:
    """An index of layout v3, with a blob for each media type; gives the first blob's file."""
    entries = [blob(root, data, media_type) for media_type in types]
    folder = root / "v3" / "manifests" / "index" / view
    put(folder / "index.manifest.json", manifest(*entries))
    return blob_file(root, entries[0])


def blob_file(root: Path, entry: dict[str, Any]) -> Path:
    checksum: str = entry["checksum"]
    return root / "blobs" / "sha256" / checksum[:2] / checksum


def put_v2(root: Path, data: bytes, *, hashed: bool = True) -> Path:
    if hashed:
        put(root / "build_cache" / "index.json.hash", hashlib.sha256(data).hexdigest().encode())
    return put(root / "build_cache" / "index.json", data)


def put_v3_spec(root: Path, one: dict[str, Any], *others: dict[str, Any], signed: bool = False) -> Path:
    """A package of layout v3; gives its spec manifest."""
    document = json.dumps({"spec": {"_meta": {"version": 5}, "nodes": [one, *others]}, "buildcache_layout_version": 2}).encode()
    text = manifest(blob(root, f"archive of {one['hash']}".encode(), ARCHIVE), blob(root, gzip.compress(document, mtime=0), SPEC5)).decode()
    name = f"{one['name']}-{one['version']}-{one['hash']}.spec.manifest.json"
    return put(root / "v3" / "manifests" / "spec" / one["name"] / name, (PGP.format(text) if signed else text).encode())


def put_v2_spec(root: Path, one: dict[str, Any], *, signed: bool = False) -> Path:
    """A package of layout v2; gives its spec file."""
    checksum = {"hash_algorithm": "sha256", "hash": "ab" * 32}
    text = json.dumps(
        {"spec": {"_meta": {"version": 4}, "nodes": [one]}, "buildcache_layout_version": 2, "binary_cache_checksum": checksum}
    )
    name = f"linux-ubuntu24.04-x86_64_v3-gcc-12.2.0-{one['name']}-{one['version']}-{one['hash']}.spec.json"
    return put(root / "build_cache" / f"{name}{'.sig' if signed else ''}", (PGP.format(text) if signed else text).encode())
