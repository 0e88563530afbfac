"""Build caches in registries as sources, from a server on loopback that says what a registry would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Run
from fakes.mirrors import index, node
from fakes.registry import CONFIG, Blob, digest, manifest_of
from fakes.registry_answers import Answer, Asked, Server, answering

pytestmark = pytest.mark.usefixtures("impatient")

ZLIB, PNG = node("zlib"), node("libpng")


class Cache:
    """What a registry has below ``org/cache``; ``server`` is where."""

    server: Server

    def __init__(self) -> None:
        self.found: dict[str, bytes] = {}

    def image(self, tag: str, config: bytes, layer: bytes) -> None:
        blobs = (Blob(config, CONFIG), Blob(layer))
        self.found[f"/v2/org/cache/manifests/{tag}"] = manifest_of(*blobs)
        self.found.update({f"/v2/org/cache/blobs/{digest(blob.data)}": blob.data for blob in blobs})

    def package(self, one: dict[str, Any], *others: dict[str, Any], tag: str = "") -> None:
        archive = f"archive of {one['name']}".encode()
        checksum = {"hash_algorithm": "sha256", "hash": digest(archive).removeprefix("sha256:")}
        spec = {"_meta": {"version": 5}, "nodes": [one, *others]}
        document = {"os": "linux", "spec": spec, "buildcache_layout_version": 3, "binary_cache_checksum": checksum}
        self.image(tag or f"{one['name']}-{one['version']}-{one['hash']}.spack", json.dumps(document).encode(), archive)

    def answer(self, asked: Asked) -> Answer:
        path = asked.path.partition("?")[0]
        if path == "/v2/org/cache/tags/list":
            tags = [name.rpartition("/")[2] for name in self.found if "/manifests/" in name]
            return Answer(200, json.dumps({"tags": tags}).encode())
        return Answer(200, self.found[path]) if path in self.found else Answer(404, b"{}")

    @property
    def url(self) -> str:
        return f"oci+http://{self.server.host}/org/cache"

    def blobs(self) -> int:
        """How many blobs were asked for."""
        return sum("/blobs/" in path for path in self.server.paths)


@pytest.fixture
def cache() -> Iterator[Cache]:
    found = Cache()
    with answering(found.answer) as found.server:
        yield found


def test_an_unchanged_index_is_not_sent_again(run: Run, cache: Cache) -> None:
    cache.image("index.spack", b"{}", index(ZLIB))
    assert run("sync", f"{cache.url}:latest").err == "cache: mirror oci, 1 records, read\n"
    asked = cache.blobs()
    assert run("sync", cache.url).err == "cache: mirror oci, 1 records, unchanged\n"
    assert cache.blobs() == asked
    requests = len(cache.server.asked)
    assert run("sync", cache.url, "--offline").err == "cache: mirror oci, 1 records, unchanged\n"
    assert len(cache.server.asked) == requests
    (row,) = run("sources", "--json").document["sources"]
    assert (row["layout"], row["url"], row["location"], row["signed"]) == ("oci", cache.url, cache.url, False)


def test_without_an_index_tags_are_walked(run: Run, cache: Cache) -> None:
    cache.package(PNG, ZLIB)
    cache.package(ZLIB)
    cache.image("of-a-user", b"{}", b"x")
    read, note = run("sync", cache.url).err.splitlines()
    assert read == "cache: mirror oci, 2 records, read"
    assert note.startswith("note: cache: it has no index, so its 2 spec files were read one by one")
    asked = cache.blobs()
    assert run("sync", cache.url).err == "cache: mirror oci, 2 records, unchanged\n"
    assert cache.blobs() == asked


def test_damage_keeps_what_there_was(run: Run, cache: Cache) -> None:
    cache.image("index.spack", b"{}", index(ZLIB))
    run("sync", cache.url)
    cache.image("index.spack", b"{}", index(PNG))
    cache.found[f"/v2/org/cache/blobs/{digest(index(PNG))}"] = index(PNG)[:-1] + b" "
    result = run("sync", cache.url)
    assert result.code == 6
    assert "note: cache keeps its 1 records of" in result.err
    del cache.found["/v2/org/cache/manifests/index.spack"]
    cache.package(ZLIB, tag=f"zlib-1.0-{PNG['hash']}.spack")
    result = run("sync", cache.url)
    assert result.code == 5
    assert "not of the binary it is named after" in result.err


def test_there_is_no_build_cache(run: Run, cache: Cache) -> None:
    result = run("sync", cache.url)
    assert result.code == 5
    assert "there is no build cache" in result.err


def test_a_registry_has_no_views(run: Run, cache: Cache) -> None:
    result = run("sync", cache.url, "--view", "x")
    assert (result.code, cache.server.asked) == (3, [])
    assert "have no views" in result.err
