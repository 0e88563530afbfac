from __future__ import annotations

import json
from typing import Any

import pytest

from resolver.errors import FormatError, UnsupportedError
from resolver.formats.manifest import index_blob, read_manifest, spec_blob, spec_manifest_path, split_index_path

SUM = "ab" * 32


def blob(media_type: str, checksum: str = SUM) -> dict[str, Any]:
    return {"contentLength": 1, "mediaType": media_type, "compression": "none", "checksumAlgorithm": "sha256", "checksum": checksum}


def manifest(*blobs: dict[str, Any], version: int = 3) -> bytes:
    return json.dumps({"version": version, "data": blobs}).encode()


def test_a_blob_lies_beside_the_manifests() -> None:
    (found,) = read_manifest(manifest(blob("application/vnd.spack.db.v8+json")))
    assert found.path == f"blobs/sha256/ab/{SUM}"


def test_the_newest_known_index_is_taken() -> None:
    types = [f"application/vnd.spack.db.v{v}+json" for v in (8, 9, 12, 7)]
    found = index_blob(read_manifest(manifest(*map(blob, types))))
    assert found.media_type.endswith("v9+json")


def test_an_index_too_new_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="package index is of version 12, known are up to 9"):
        index_blob(read_manifest(manifest(blob("application/vnd.spack.db.v12+json"))))


def test_a_manifest_without_an_index() -> None:
    with pytest.raises(FormatError, match="lists no package index"):
        index_blob(read_manifest(manifest(blob("application/pgp-keys"))))


def test_a_signed_manifest_is_read_like_a_plain_one() -> None:
    body = manifest(blob("application/vnd.spack.spec.v5+json")).decode()
    signed = (
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{body}\n-----BEGIN PGP SIGNATURE-----\nxyz\n-----END PGP SIGNATURE-----\n"
    )
    assert read_manifest(signed.encode()) == read_manifest(body.encode())
    with pytest.raises(FormatError, match="cut short"):
        read_manifest(signed.encode()[:100])


@pytest.mark.parametrize("checksum", ["", "AB" * 32, "../" * 10, "ab"])
def test_checksums_are_safe_in_paths(checksum: str) -> None:
    with pytest.raises(FormatError):
        read_manifest(manifest(blob("application/vnd.spack.db.v8+json", checksum)))


@pytest.mark.parametrize("version", ["9" * 5000, "٨", "", "-1", "8.0"])
def test_versions_are_numbers_of_a_few_digits(version: str) -> None:
    with pytest.raises(FormatError, match="lists no"):
        index_blob(read_manifest(manifest(blob(f"application/vnd.spack.db.v{version}+json"))))


def test_the_newest_known_spec_is_taken() -> None:
    types = [f"application/vnd.spack.spec.v{v}+json" for v in (5, 7, 6)]
    assert spec_blob(read_manifest(manifest(*map(blob, types)))).media_type.endswith("v6+json")


@pytest.mark.parametrize("size", [-1, 1.5, "1", 10**400])
def test_sizes_are_counts(size: object) -> None:
    with pytest.raises(FormatError):
        read_manifest(manifest({**blob("application/vnd.spack.db.v8+json"), "contentLength": size}))


def test_the_path_of_an_index_tells_mirror_and_view() -> None:
    assert split_index_path("/m/v3/manifests/index/index.manifest.json") == ("/m", "")
    assert split_index_path("/m/v3/manifests/index/a/b/index.manifest.json") == ("/m", "a/b")
    assert split_index_path("/m/v3/manifests/index/x.json") is None
    assert split_index_path("v3/manifests/index/index.manifest.json") is None


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", manifest()[:-2]])
def test_other_documents_are_damaged(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_manifest(data)


def test_another_version_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="version 4, known is 3"):
        read_manifest(manifest(version=4))


def test_paths_are_polite() -> None:
    path = spec_manifest_path("py-x", "git.feature/x=2.2", "h" * 32)
    assert path == f"v3/manifests/spec/py-x/py-x-git.feature_x_2.2-{'h' * 32}.spec.manifest.json"
    assert ".." not in spec_manifest_path("../../x", "1", "h").split("/")
