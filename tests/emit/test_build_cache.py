"""The files of a mirror that we write ourselves have Spack's bytes."""

from __future__ import annotations

import json
from typing import Any

from fakes.environments import KEY, MIRRORS, nodes_of

from resolver.emit.build_cache import blob_of, key_index, manifest_document, v2_index, v3_index, v3_keys
from resolver.formats.manifest import read_manifest

SIGNED = MIRRORS / "v3-signed"


def raw(nodes: dict[str, Any]) -> dict[str, bytes]:
    return {key: json.dumps(node, separators=(",", ":")).encode() for key, node in nodes.items()}


def test_manifests_and_keys_are_as_spack_writes_them() -> None:
    path = "v3/manifests/key/keys.manifest.json"
    assert v3_keys([KEY])[path] == (SIGNED / path).read_bytes()
    assert key_index([KEY]) == (MIRRORS / "v2-signed" / "build_cache" / "_pgp" / "index.json").read_bytes()
    for found in (SIGNED / "v3" / "manifests" / "index").iterdir():
        assert manifest_document(read_manifest(found.read_bytes())) == found.read_bytes()


def test_the_index_of_a_whole_mirror_differs_from_spacks_in_its_order_alone() -> None:
    (theirs,) = [path for path in (MIRRORS / "v3" / "blobs").rglob("*") if path.is_file()]
    installs = json.loads(theirs.read_bytes())["database"]["installs"]
    binaries = {key for key, record in installs.items() if record["in_buildcache"]}
    nodes = {key: record["spec"] for key, record in installs.items()}
    found = v3_index(raw(nodes), binaries)
    ours = found.pop("v3/manifests/index/index.manifest.json")
    (data,) = found.values()
    assert json.loads(data)["database"] == {"version": "8", "installs": installs}
    assert list(json.loads(data)["database"]["installs"]) == sorted(installs)
    assert len(data) == theirs.stat().st_size
    assert read_manifest(ours)[0].checksum == blob_of(data, "").checksum


def test_an_old_mirrors_index_keeps_its_nodes_and_version() -> None:
    document = json.loads((MIRRORS / "v2" / "build_cache" / "index.json").read_bytes())["database"]
    installs = document["installs"]
    binaries = {key for key, record in installs.items() if record["in_buildcache"]}
    found = v2_index(raw({key: record["spec"] for key, record in installs.items()}), binaries)
    assert json.loads(found["build_cache/index.json"])["database"] == document
    assert len(found["build_cache/index.json.hash"]) == 64


def test_nodes_of_several_formats_are_brought_to_one() -> None:
    new, old = nodes_of(SIGNED), nodes_of(MIRRORS / "v2-signed")
    mixed = raw({**new, **old})
    (data,) = (data for path, data in v3_index(mixed, new).items() if path.startswith("blobs"))
    records = json.loads(data)["database"]
    assert records["version"] == "8"
    assert not any("compiler" in record["spec"] for record in records["installs"].values())
    assert all(records["installs"][key]["spec"] == node for key, node in new.items())
    assert json.loads(v2_index(mixed, old)["build_cache/index.json"])["database"]["version"] == "8"


def test_nodes_of_spack_017_are_brought_up_to_date() -> None:
    edge = {"name": "y", "build_hash": "b" * 32, "type": ["link"]}
    node = {"name": "x", "version": "1", "compiler": {"name": "gcc", "version": "9"}, "dependencies": [edge], "hash": "a" * 32}
    database = json.loads(v2_index(raw({"a" * 32: node}), ())["build_cache/index.json"])["database"]
    assert (database["version"], database["installs"]["a" * 32]["spec"]["annotations"]["original_specfile_version"]) == ("8", 2)


def test_the_same_nodes_give_the_same_bytes_in_any_order() -> None:
    nodes = raw(nodes_of(SIGNED))
    assert v3_index(nodes, list(nodes)) == v3_index(dict(reversed(nodes.items())), list(reversed(nodes)))
