from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from resolver.errors import FormatError, UnsupportedError
from resolver.formats.lockfile import VERSIONS, LockRoot, read_lockfile, write_lockfile

DATA = Path(__file__).parents[1] / "data"
ZLIB = "z" * 32
PNG = "p" * 32


def lock(version: int) -> dict[str, Any]:
    """A lockfile of two nodes, as that version writes them."""
    arch = {"platform": "linux", "platform_os": "debian12", "target": "x86_64"}
    compiler = {"name": "gcc", "version": "11.4.0"}
    if version <= 2:
        edges = {"zlib": {"hash": ZLIB, "type": ["link"]}}
        wrapped = {"libpng": {"version": "1.6", "arch": arch, "compiler": compiler, "dependencies": edges, "hash": PNG}}
        nodes: dict[str, Any] = {PNG: wrapped, ZLIB: {"zlib": {"version": "1.3", "arch": arch, "compiler": compiler, "hash": ZLIB}}}
        return {"_meta": meta(version), "roots": [{"hash": PNG, "spec": "libpng"}], "concrete_specs": nodes}
    link: dict[str, Any] = {"name": "zlib", "hash": ZLIB, "parameters": {"deptypes": ["link"], "virtuals": []}}
    if version == 3:
        link = {"name": "zlib", "build_hash": ZLIB, "type": ["link"]}
    elif version == 4:
        link = {"name": "zlib", "hash": ZLIB, "type": ["link"]}
    common: dict[str, Any] = {"annotations": {"original_specfile_version": 5}} if version >= 6 else {"compiler": compiler}
    png = {"name": "libpng", "version": "1.6", "arch": arch, **common, "dependencies": [link], "hash": PNG}
    zlib = {"name": "zlib", "version": "1.3", "arch": arch, **common, "hash": ZLIB}
    root = {"hash": PNG, "spec": "libpng", **({"group": "apps"} if version >= 7 else {})}
    return {"_meta": meta(version), "roots": [root], "concrete_specs": {PNG: png, ZLIB: zlib}}


def meta(version: int) -> dict[str, Any]:
    return {"file-type": "spack-lockfile", "lockfile-version": version}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_known_version_is_read(version: int) -> None:
    opened = read_lockfile(json.dumps(lock(version)).encode())
    records = {record.hash: record for record in opened.records()}
    assert opened.version == version
    assert {r.wire.name for r in records.values()} == {"libpng", "zlib"}
    assert opened.roots[0].hash == PNG
    assert not any(record.in_buildcache for record in records.values())


def test_a_lock_from_the_future_is_refused_with_both_numbers() -> None:
    with pytest.raises(UnsupportedError, match="version 99, known are 1 to 8"):
        read_lockfile(json.dumps({**lock(6), "_meta": meta(99)}).encode())


def test_a_lock_that_does_not_say_its_version() -> None:
    with pytest.raises(FormatError, match="without `_meta`"):
        read_lockfile(b'{"roots":[],"concrete_specs":{}}')


def test_included_environments_count() -> None:
    document = {**lock(6), "concrete_specs": {}, "include_concrete": {"/env": {k: lock(6)[k] for k in ("roots", "concrete_specs")}}}
    assert len(read_lockfile(json.dumps(document).encode()).nodes) == 2


def test_a_lock_whose_keys_are_not_the_hashes() -> None:
    document = lock(3)
    document["concrete_specs"]["b" * 32] = {**document["concrete_specs"].pop(PNG), "build_hash": "b" * 32}
    record = next(r for r in read_lockfile(json.dumps(document).encode()).records() if r.wire.name == "libpng")
    assert (record.hash, record.alias) == (PNG, "b" * 32)


def names(document: dict[str, Any]) -> list[str]:
    return sorted(record.wire.version for record in read_lockfile(json.dumps(document).encode()).records())


def test_what_no_root_leads_to_is_left_out_as_spack_does() -> None:
    document = lock(6)
    document["concrete_specs"]["s" * 32] = {"name": "stray", "version": "9", "hash": "s" * 32}
    assert names(document) == ["1.3", "1.6"]
    document["roots"].append({"hash": "s" * 32, "spec": "stray"})
    assert names(document) == ["1.3", "1.6", "9"]
    document["roots"] = []
    assert names(document) == ["1.3", "1.6", "9"]


@pytest.mark.parametrize("version", [2, 3])
def test_of_several_nodes_with_one_hash_the_first_that_is_reached_is_taken(version: int) -> None:
    document = lock(version)
    twin = json.loads(json.dumps(document["concrete_specs"][PNG]).replace("1.6", "1.5").replace(ZLIB, "y" * 32))
    other = json.loads(json.dumps(document["concrete_specs"][ZLIB]).replace("1.3", "1.2").replace(ZLIB, "y" * 32))
    document["concrete_specs"] = {"t" * 32: twin, "y" * 32: other, **document["concrete_specs"]}
    document["roots"].append({"hash": "t" * 32, "spec": "libpng@1.5"})
    assert names(document) == ["1.3", "1.6"]
    document["roots"].reverse()
    assert names(document) == ["1.2", "1.5"]


def test_dependencies_in_a_circle_end() -> None:
    document = lock(6)
    edge = {"name": "libpng", "hash": PNG, "parameters": {"deptypes": ["link"], "virtuals": []}}
    document["concrete_specs"][ZLIB]["dependencies"] = [edge]
    assert names(document) == ["1.3", "1.6"]


@pytest.mark.parametrize("data", [b"", b"# concretized", b"[]", b'{"_meta":{}}', b'{"_meta":{"lockfile-version":"six"}}', b'{"_meta":'])
def test_other_documents_are_damaged(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_lockfile(data)


def test_round_trip_of_a_real_lock() -> None:
    data = (DATA / "locks" / "host-debian12.lock").read_bytes()
    opened = read_lockfile(data)
    written = write_lockfile(opened.version, opened.roots, {key: bytes(raw) for key, raw in opened.nodes.items()})
    again = read_lockfile(written)
    assert {k: bytes(v) for k, v in again.nodes.items()} == {k: bytes(v) for k, v in opened.nodes.items()}
    assert again.roots == opened.roots
    assert write_lockfile(again.version, again.roots, {key: bytes(raw) for key, raw in again.nodes.items()}) == written


def test_groups_are_written_from_version_7_on() -> None:
    roots = [LockRoot(hash=PNG, spec="libpng", group="apps")]
    assert b"group" not in write_lockfile(6, roots, {})
    assert b'"group":"apps"' in write_lockfile(7, roots, {})
