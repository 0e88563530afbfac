"""The keys that mirrors state: read with the index, checked, and never a reason to do without the index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run
from fakes.file_server import FileServer, serving
from fakes.mirrors import blob, blob_file, index, manifest, node, old_node, put, put_v2, put_v3, put_v3_spec

from resolver.errors import FormatError
from resolver.formats.keys import MOST_KEYS, V2_INDEX, V3_INDEX, read_key_index

pytestmark = pytest.mark.usefixtures("impatient")

KEYS_TYPE = "application/vnd.spack.keyindex.v1+json"
ONE, TWO = "AFC07ED91076590135FCCC7DBB9298E6202EDAD0", "0" * 64


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    with serving(tmp_path / "served") as found:
        yield found


def key_index(*names: str) -> bytes:
    return json.dumps({"keys": {name: {} for name in names}}).encode()


def put_keys(root: Path, *names: str) -> Path:
    """A key index of layout v3; gives its blob."""
    entry = blob(root, key_index(*names), KEYS_TYPE)
    put(root / V3_INDEX, manifest(entry))
    return blob_file(root, entry)


def keys_of(run: Run) -> dict[str, list[str]]:
    return {row["name"]: row["keys"] for row in run("sources", "--json").document["sources"]}


def test_each_layout_states_its_own(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "m"
    put_v3(root, index(node("zlib")))
    put_keys(root, ONE.lower(), TWO)
    put_v2(root, index(old_node("zlib"), version="7"))
    put(root / V2_INDEX, key_index(ONE))
    put_v3_spec(tmp_path / "bare", node("hdf5"))
    put_keys(tmp_path / "bare", ONE)
    put_v3(tmp_path / "unsigned", index(node("curl")))
    assert run("sync", root, tmp_path / "bare", tmp_path / "unsigned").code == 0
    assert keys_of(run) == {"m": [TWO, ONE], "m-v2": [ONE], "bare": [ONE], "unsigned": []}


def test_they_are_asked_for_when_the_index_is_read_and_not_before(run: Run, server: FileServer) -> None:
    put_v3(server.root, index(node("zlib")))
    put_keys(server.root, ONE)
    run("sync", server.url, "--name", "m")
    assert keys_of(run) == {"m": [ONE]}
    server.log.clear()
    put_keys(server.root, TWO)
    run("sync", server.url, "--name", "m")
    assert [path for path, _ in server.log if "keys" in path] == []
    assert keys_of(run) == {"m": [ONE]}
    run("sync", server.url, "--name", "m", "--refresh")
    assert keys_of(run) == {"m": [TWO]}


def cut(server: FileServer) -> None:
    put_keys(server.root, ONE).write_bytes(b"{")


def refused(server: FileServer) -> None:
    server.refuse[V3_INDEX] = 403


def huge(server: FileServer) -> None:
    server.instead[V3_INDEX] = b" " * (1 << 21)


def no_json(server: FileServer) -> None:
    entry = blob(server.root, b"<html>", KEYS_TYPE)
    put(server.root / V3_INDEX, manifest(entry))


@pytest.mark.parametrize("spoil", [cut, refused, huge, no_json])
def test_a_key_index_that_cannot_be_read_is_a_note(run: Run, server: FileServer, spoil: object) -> None:
    put_v3(server.root, index(node("zlib")))
    put_keys(server.root, ONE)
    spoil(server)  # type: ignore[operator]
    result = run("sync", server.url, "--name", "m")
    assert (result.code, keys_of(run)) == (0, {"m": []})
    assert "m: its keys are not known: " in result.err


def test_what_is_no_fingerprint_is_passed_over() -> None:
    assert read_key_index(key_index("", ONE[:-1], f"{ONE}\n", "../../etc/passwd", "G" * 40, "٣" * 40, ONE, ONE.lower())) == (ONE,)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"keys": []}', b"\xff", b"[" * 100_000, b'{"keys": ' * 1000])
def test_what_is_no_key_index_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="not a list of keys"):
        read_key_index(data)


def test_more_keys_than_any_mirror_has_are_refused() -> None:
    assert len(read_key_index(key_index(*(f"{n:040}" for n in range(MOST_KEYS))))) == MOST_KEYS
    with pytest.raises(FormatError, match=f"a list of {MOST_KEYS + 1} keys"):
        read_key_index(key_index(*(f"{n:040}" for n in range(MOST_KEYS + 1))))
