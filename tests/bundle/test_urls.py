"""The list of what to download: exact, in forms that programs take, and what can be told without asking."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from fakes.environments import KEY, MIRRORS, archive_of, environment, files, mirror, nodes_of
from fakes.faulty_server import spoiled
from fakes.http_server import status

V3, V2 = MIRRORS / "v3-signed", MIRRORS / "v2-signed"


def env_at(root: Path, url: str, folder: Path, **more: Any) -> Path:
    return environment(folder / "env", nodes_of(root), {"origin": {"url": url, "signed": True, **more}})


def test_the_list_is_what_a_bundle_holds(run: Run, tmp_path: Path) -> None:
    for root in (V3, V2):
        rows = run("urls", env_at(root, root.as_uri(), tmp_path / root.name), "--json").document["files"]
        listed = {row["path"]: (row["size"], row["sha256"]) for row in rows}
        held = {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in files(root).items() if "index" not in name}
        made_by_us = {name for name in held if name == "v3/layout.json" or name not in listed}
        assert {name: listed[name] for name in held.keys() - made_by_us} == {name: held[name] for name in held.keys() - made_by_us}
        assert all("index" in name or name == "v3/layout.json" or b'"database"' in files(root)[name][:20] for name in made_by_us)
        assert listed.keys() - held.keys() <= {"build_cache/_pgp/index.json"}


def test_a_line_a_file_and_the_total_beside_it(run: Run, tmp_path: Path) -> None:
    env = env_at(V3, V3.as_uri(), tmp_path)
    result = run("urls", env, "--without-keys")
    rows = [line.split("\t") for line in result.out.splitlines()]
    assert len(rows) == 15
    assert {row[0] for row in rows} == {"manifest", "archive", "metadata"}
    assert all(Path(row[4].removeprefix("file://")).stat().st_size == int(row[2]) for row in rows)
    assert result.err == "15 files, 11.5 kB, for 5 packages\n"
    assert len(run("urls", env).out.splitlines()) == 19
    assert run("urls", env, "--format", "json").document["schema"] == "spack-resolver/urls/1"


def test_what_aria2_and_wget_take(run: Run, tmp_path: Path) -> None:
    with spoiled(V2) as server:
        env = env_at(V2, server.url, tmp_path)
        wget = run("urls", env, "--format", "wget").out.splitlines()
        aria = run("urls", env, "--format", "aria2").out
    assert len(wget) == 12
    assert all(line.startswith(f"{server.url}/build_cache/") for line in wget)
    entries = [block.splitlines() for block in aria.replace("\nhttp", "\0http").split("\0")]
    assert [entry[0] for entry in entries] == wget
    for url, out, checksum in entries:
        path = out.removeprefix("  out=")
        assert url == f"{server.url}/{path}"
        assert checksum == f"  checksum=sha-256={hashlib.sha256((V2 / path).read_bytes()).hexdigest()}"


def test_what_is_not_on_the_web_is_only_counted(run: Run, tmp_path: Path) -> None:
    result = run("urls", env_at(V3, V3.as_uri(), tmp_path), "--format", "wget")
    assert (result.code, result.out) == (0, "")
    assert "note: 19 files are not at http or https" in result.err


def test_an_archive_of_unknown_size_is_asked_for(run: Run, tmp_path: Path) -> None:
    with spoiled(V2) as server:
        rows = run("urls", env_at(V2, server.url, tmp_path), "--json").document["files"]
        sizes = {row["path"]: row["size"] for row in rows if row["kind"] == "archive"}
        assert sizes == {path: (V2 / path).stat().st_size for path in sizes}
        path = archive_of(V2, "xz").relative_to(V2).as_posix()
        server.spoil(path, status(403))
        document = run("urls", env_at(V2, server.url, tmp_path), "--json").document
    assert (document["unknown"], [row["size"] for row in document["files"] if row["path"] == path]) == (1, [None])


@pytest.mark.parametrize("root", [V3, V2], ids=["v3", "v2"])
def test_offline_only_what_can_be_told(run: Run, tmp_path: Path, root: Path) -> None:
    env = env_at(root, "https://mirror.example/m/", tmp_path)
    result = run("urls", env, "--offline", "--json")
    rows = result.document["files"]
    known = {name for name in files(root) if name.endswith((".spec.manifest.json", ".spec.json.sig", ".spack"))}
    assert {row["path"] for row in rows} == known
    assert all(row["url"] == f"https://mirror.example/m/{row['path']}" and row["size"] is None for row in rows)
    assert "were not asked for" in result.document["notes"][0]
    local = run("urls", env_at(root, root.as_uri(), tmp_path / "local"), "--offline", "--json").document
    assert (local["unknown"], local["notes"]) == (0, [])


def test_a_package_that_no_mirror_has(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    for path in root.glob("v3/manifests/spec/xz/*"):
        path.unlink()
    result = run("urls", env_at(root, root.as_uri(), tmp_path))
    assert result.code == 6
    assert "no mirror has a binary of xz@5.8.3/mxjilyf" in result.err


def test_keys_that_cannot_be_had_are_a_note(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    (root / "v3" / "manifests" / "key" / f"{KEY}.key.manifest.json").unlink()
    result = run("urls", env_at(root, root.as_uri(), tmp_path))
    assert (result.code, "note: the keys of origin are not listed" in result.err) == (0, True)
