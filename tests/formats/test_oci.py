from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from resolver.errors import FormatError, InputError, UnsupportedError
from resolver.formats.oci import (
    Descriptor,
    Repository,
    is_package_tag,
    package_tag,
    read_image_manifest,
    read_tags,
    read_url,
    stated_checksum,
    valid_tag,
)

DATA = Path(__file__).parents[1] / "data" / "oci"
HASH = "efw3j233uw6dsjy4tlubrab37bjdm6tf"
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("url", "scheme", "registry", "name"),
    [
        ("oci://ghcr.io/Org/Cache", "https", "ghcr.io", "org/cache"),
        ("oci://GHCR.io/org", "https", "GHCR.io", "org"),
        ("oci://ghcr.io/a/b/c/", "https", "ghcr.io", "a/b/c"),
        ("oci+http://localhost/cache", "http", "localhost", "cache"),
        ("oci+http://127.0.0.1:5000/org/cache", "http", "127.0.0.1:5000", "org/cache"),
        ("oci+http://[::1]:5000/org/cache", "http", "[::1]:5000", "org/cache"),
        ("oci://Registry/cache", "https", "Registry", "cache"),
        ("oci://cache", "https", "index.docker.io", "library/cache"),
        ("oci://org/cache", "https", "index.docker.io", "org/cache"),
        ("oci://org/my.cache__a--b", "https", "index.docker.io", "org/my.cache__a--b"),
        ("oci://ghcr.io/org/cache:latest", "https", "ghcr.io", "org/cache"),
        ("oci://org/cache:latest", "https", "index.docker.io", "org/cache"),
        (f"oci://host:5000/cache@{DIGEST}", "https", "host:5000", "cache"),
        (f"oci://ghcr.io/org/cache:latest@{DIGEST}", "https", "ghcr.io", "org/cache"),
    ],
)
def test_urls_name_repositories(url: str, scheme: str, registry: str, name: str) -> None:
    found = read_url(url)
    assert found == Repository(scheme, registry, name)
    assert found.endpoint == f"{scheme}://{registry}/v2/{name}"
    assert read_url(found.url) == found


@pytest.mark.parametrize(
    "url",
    [
        *("oci://", "oci:///cache", "oci://ghcr.io", "oci://ghcr.io/", "oci://ghcr.io//cache", "oci://ghcr.io/a/../b", "oci://ghcr.io/a b"),
        *("oci://ghcr.io/a?b=c", "oci://ghcr.io/a#b", "oci://ghcr.io/-a", "oci://ghcr.io:/a", "oci://ghcr.io:99999/a", "oci://host:0/a"),
        *("https://ghcr.io/org/cache", "ghcr.io/org/cache", "oci:ghcr.io/a", "OCI+ftp://a/b", f"oci://ghcr.io/{'a' * 300}"),
        *("oci://user:pa55@ghcr.io/a", "oci://user:pa/pa55@ghcr.io/a", "oci://ghcr.io/a@pa55", "oci://pa55@ghcr.io/a:b"),
    ],
)
def test_what_names_no_repository(url: str) -> None:
    with pytest.raises(InputError, match="Hint: ") as caught:
        read_url(url)
    assert "pa55" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_tags() -> None:
    assert package_tag("zlib-ng", "2.3.3", HASH) == f"zlib-ng-2.3.3-{HASH}.spack"
    assert package_tag("hdf5", "git.feature/x=1.14+b", HASH) == f"hdf5-git.feature_x_1.14_b-{HASH}.spack"
    long = package_tag("a" * 100, "1" * 60, HASH)
    assert (len(long), long[:64], long[64:]) == (128, "a" * 64, f"{'1' * 25}-{HASH}.spack")
    assert valid_tag("a" * 128) == "a" * 128
    assert [tag for tag in ("index.spack", "latest", f"zlib-1-{HASH}.spack") if is_package_tag(tag)] == [f"zlib-1-{HASH}.spack"]


def test_a_list_of_tags() -> None:
    found = read_tags((DATA / "tags_list.json").read_bytes())
    assert (len(found), sum(map(is_package_tag, found))) == (40, 39)
    assert read_tags(b'{"name":"a","tags":["good","../bad","-bad","b d",""]}') == ["good"]
    assert read_tags(b'{"name":"a","tags":null}') == []
    with pytest.raises(FormatError, match="not a list of tags"):
        read_tags(b'{"tags":[1]}')


def test_the_manifest_of_an_index() -> None:
    manifest = read_image_manifest((DATA / "manifest_index.spack.json").read_bytes())
    (layer,) = manifest.layers
    assert (layer.digest[:19], layer.size) == ("sha256:736e2ccf348f", 51633)
    assert layer.media_type == "application/vnd.oci.image.layer.v1.tar+gzip"  # which it is not


def test_the_manifest_and_configuration_of_a_package() -> None:
    manifest = read_image_manifest((DATA / "manifest_zlib-ng.spack.json").read_bytes())
    config = (DATA / "config_zlib-ng.json").read_bytes()
    assert stated_checksum(config) == manifest.layers[-1].digest
    assert len(config) == manifest.config.size
    assert f"sha256:{hashlib.sha256(config).hexdigest()}" != manifest.config.digest  # the sample's paths were changed


def image(**changes: Any) -> bytes:
    blob = {"digest": DIGEST, "size": 1}
    return json.dumps({"schemaVersion": 2, "config": blob, "layers": [blob], **changes}).encode()


def test_dockers_manifest_is_one_too() -> None:
    data = image(mediaType="application/vnd.docker.distribution.manifest.v2+json", unknown=1)
    assert read_image_manifest(data).layers == (Descriptor(DIGEST, 1),)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (image()[:-9], FormatError, "not an image manifest: .*cut short"),
        (b"\xff\xfe", FormatError, "not an image manifest"),
        (b"[" * 100_000, FormatError, "not an image manifest"),
        (b'{"schemaVersion":2}', FormatError, "not an image manifest"),
        (image(layers=[]), FormatError, "without layers"),
        (image(config={"digest": "sha256:../../x", "size": 1}), FormatError, "known by a sha256"),
        (image(layers=[{"digest": f"sha512:{'a' * 128}", "size": 1}]), FormatError, "known by a sha256"),
        (image(layers=[{"digest": DIGEST, "size": -1}]), FormatError, "of -1 bytes"),
        (image(manifests=[]), UnsupportedError, "several platforms"),
        (b'{"schemaVersion":1,"fsLayers":[]}', UnsupportedError, "schema 1"),
    ],
)
def test_manifests_that_are_none(data: bytes, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read_image_manifest(data)


def test_configurations() -> None:
    assert stated_checksum(b'{"spec":{"nodes":[]}}') == ""
    stated = b'{"spec":{},"buildcache_layout_version":1,"binary_cache_checksum":{"hash_algorithm":"sha256","hash":"ab"}}'
    assert stated_checksum(stated) == "sha256:ab"
    with pytest.raises(UnsupportedError, match="layout version 4, known are up to 3"):
        stated_checksum(b'{"spec":{},"buildcache_layout_version":4}')
    with pytest.raises(FormatError, match="not the configuration of a package"):
        stated_checksum(b'{"architecture":"amd64"}')
