from __future__ import annotations

import json
from typing import Any

import pytest

from resolver.errors import FormatError, InputError, UnsupportedError
from resolver.formats.index import VERSIONS, read_index

BARE = {"name": "zlib", "version": "1.3", "hash": "a" * 32}


def index(version: str, spec: dict[str, Any], key: str = "a" * 32, **more: Any) -> bytes:
    return json.dumps({"database": {"version": version, "installs": {key: {"spec": spec, **more}}}}).encode()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_known_version_is_read(version: str) -> None:
    spec = {"zlib": {"version": "1.3"}} if version == "5" else BARE
    opened = read_index(index(version, spec, in_buildcache=True, ref_count=1))
    (record,) = opened.records
    assert (record.hash, record.wire.name, record.in_buildcache) == ("a" * 32, "zlib", True)


def test_a_record_without_the_flag_has_no_binary() -> None:
    (record,) = read_index(index("8", BARE)).records
    assert not record.in_buildcache


def test_the_node_is_kept_as_it_stands() -> None:
    node = '{"name":"zlib","zeta":1.10,"arch":{"target":"x86_64"},"alpha":[true,null],"hash":"' + "a" * 32 + '"}'
    data = f'{{"database": {{"version": "8", "installs": {{"{"a" * 32}": {{"spec": {node}}}}}}}}}'
    (record,) = read_index(data.encode()).records
    assert record.node.decode() == node


def test_white_space_of_a_node_does_not_count() -> None:
    (record,) = read_index(json.dumps(json.loads(index("8", BARE)), indent=2).encode()).records
    assert record.node == json.dumps(BARE, separators=(",", ":")).encode()


def test_targets_may_be_texts_or_objects() -> None:
    for target in ("zen3", {"name": "zen3", "vendor": "AuthenticAMD", "features": [], "generation": 0, "parents": ["zen2"]}):
        (record,) = read_index(index("8", {**BARE, "arch": {"platform": "linux", "platform_os": "x", "target": target}})).records
        assert record.wire.target == "zen3"


@pytest.mark.parametrize("version", ["4", "0.9.3", "10", "nine"])
def test_other_versions_are_refused_with_both_numbers(version: str) -> None:
    with pytest.raises(UnsupportedError, match=f"version {version}, known are 5, 6, 7, 8, 9"):
        read_index(index(version, BARE))


@pytest.mark.parametrize("cut", [1, 20, 40, 80])
def test_a_cut_index_is_damaged(cut: int) -> None:
    with pytest.raises(FormatError):
        list(read_index(index("8", BARE)[:-cut]).records)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff\xfe", b"null", b'{"database":{"version":[]}}', b"[" * 100_000])
def test_other_documents_are_damaged(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_index(data)


@pytest.mark.parametrize("key", ["../../etc/passwd", "A" * 32, "", "x" * 100, "a b"])
def test_hashes_are_safe_in_paths(key: str) -> None:
    with pytest.raises(InputError, match="not a DAG hash"):
        list(read_index(index("8", {"name": "zlib"}, key)).records)
