"""What is emitted where sources state awkward things: spliced nodes, pages below indexes, old formats, missing nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import UBUNTU, Run

ARCH = {"platform": "linux", "platform_os": "ubuntu24.04", "target": "x86_64_v3"}
MACHINE = (*UBUNTU, "--target", "zen4")
OLD = {"name": "gcc", "version": "11.4.0"}


def key(letter: str) -> str:
    return letter * 32


def node(name: str, letter: str, *edges: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    links = [{"name": n, "hash": key(h), "parameters": {"deptypes": [kind], "virtuals": []}} for n, h, kind in edges]
    return {
        "name": name,
        "version": "1.0",
        "arch": ARCH,
        "dependencies": links,
        "annotations": {"original_specfile_version": 5},
        "hash": key(letter),
        **more,
    }


def write_index(path: Path, *nodes: dict[str, Any], version: str = "8", **keys: dict[str, Any]) -> Path:
    installs = {n["hash"]: {"spec": n, "in_buildcache": True} for n in nodes}
    installs |= {key(letter): {"spec": n, "in_buildcache": True} for letter, n in keys.items()}
    path.write_text(json.dumps({"database": {"version": version, "installs": installs}}))
    return path


def page(path: Path, name: str, letter: str, version: str = "1.0") -> Path:
    detail = {"hash": key(letter), "versions": [version], "platform": "linux", "os": "ubuntu24.04", "target": "x86_64_v3"}
    path.write_text(f"---\ntitle: {name}\nspec_details: {json.dumps([detail])}\n---\n")
    return path


@pytest.fixture
def env(run: Run, tmp_path: Path) -> Any:
    def make(*roots: str, options: tuple[str, ...] = ()) -> Any:
        (tmp_path / "spack.yaml").write_text(f"spack: {{specs: {json.dumps(list(roots))}}}")
        result = run("resolve", tmp_path / "spack.yaml", *MACHINE, "-o", tmp_path / "env", *options)
        lock = tmp_path / "env" / "spack.lock"
        return result, json.loads(lock.read_text()) if lock.exists() else None

    return make


def test_a_page_below_an_index_is_an_incomplete_closure(run: Run, env: Any, tmp_path: Path) -> None:
    run("sync", write_index(tmp_path / "i", node("app", "a", ("zlib", "b", "link"))), page(tmp_path / "p", "zlib", "b"))
    result, lock = env("app")
    assert (result.code, lock) == (4, None)
    assert "of which only a page is known" in result.err


def test_a_page_of_a_build_tool_is_cut(run: Run, env: Any, tmp_path: Path) -> None:
    run("sync", write_index(tmp_path / "i", node("app", "a", ("cmake", "c", "build"))), page(tmp_path / "p", "cmake", "c"))
    result, lock = env("app")
    assert list(lock["concrete_specs"]) == [key("a")]
    assert "dependencies" not in lock["concrete_specs"][key("a")]
    assert "1 build-only nodes" in result.err


def test_a_spliced_node_needs_what_was_built(run: Run, env: Any, tmp_path: Path) -> None:
    spliced = node("app", "a", build_spec={"name": "app", "hash": key("d")})
    run("sync", write_index(tmp_path / "i", spliced))
    result, _ = env("app/aaa")
    assert result.code == 4
    assert "was spliced from app/ddddddd, which no source has" in result.err


def test_the_dag_of_what_was_built_is_in_the_lock(run: Run, env: Any, tmp_path: Path) -> None:
    spliced = node("app", "a", ("zlib", "b", "link"), build_spec={"name": "app", "hash": key("d")})
    built = node("app", "d", ("zlib", "e", "link"), ("cmake", "c", "build"))
    run("sync", write_index(tmp_path / "i", spliced, built, node("zlib", "b"), node("zlib", "e"), node("cmake", "c")))
    _, lock = env("app/aaa", options=("--runtime-only",))
    assert set(lock["concrete_specs"]) == {key(letter) for letter in "adbe"}
    _, whole = env("app/aaa")
    assert set(whole["concrete_specs"]) == {key(letter) for letter in "adbec"}


def test_nodes_of_database_5_are_converted(run: Run, env: Any, tmp_path: Path) -> None:
    zlib = {"zlib": {"version": "1.3", "arch": ARCH, "compiler": OLD}}
    app = {
        "app": {
            "version": "2",
            "arch": ARCH,
            "compiler": OLD,
            "dependencies": {"zlib": {"hash": key("b"), "type": ["link"]}, "gone": {"hash": key("x"), "type": ["build"]}},
        }
    }
    run("sync", write_index(tmp_path / "i", version="5", a=app, b=zlib))
    _, lock = env("app")
    assert lock["_meta"]["lockfile-version"] == 6
    assert {k: n["hash"] for k, n in lock["concrete_specs"].items()} == {key("a"): key("a"), key("b"): key("b")}
    assert lock["concrete_specs"][key("a")]["annotations"] == {"original_specfile_version": 1, "compiler": "gcc@=11.4.0"}


def test_nodes_of_database_6_stay_as_they_are(run: Run, env: Any, tmp_path: Path) -> None:
    zlib = {"name": "zlib", "version": "1.3", "arch": ARCH, "compiler": OLD, "hash": key("b")}
    app = {
        "name": "app",
        "version": "2",
        "arch": ARCH,
        "compiler": OLD,
        "dependencies": [{"name": "zlib", "hash": key("b"), "type": ["link"]}],
        "hash": key("a"),
    }
    run("sync", write_index(tmp_path / "i", app, zlib, version="6"))
    _, lock = env("app")
    assert lock["_meta"]["lockfile-version"] == 4
    assert lock["concrete_specs"] == {key("a"): app, key("b"): zlib}


def test_references_by_build_hash_are_followed_in_any_order(run: Run, env: Any, tmp_path: Path) -> None:
    zlib = {"name": "zlib", "version": "1.3", "arch": ARCH, "compiler": OLD, "hash": key("b"), "build_hash": key("3")}
    app: dict[str, Any] = {"name": "app", "version": "2", "arch": ARCH, "compiler": OLD, "hash": key("a"), "build_hash": key("4")}
    app["dependencies"] = [{"name": "zlib", "build_hash": key("3"), "type": ["link"]}]
    lock = {"_meta": {"lockfile-version": 3}, "roots": [], "concrete_specs": {key("4"): app, key("3"): zlib}}
    (tmp_path / "l").write_text(json.dumps(lock))
    run("sync", tmp_path / "l", page(tmp_path / "p1", "zlib", "b", "1.3"), page(tmp_path / "p2", "app", "a", "2"))
    for roots in (["zlib", "app"], ["app", "zlib"]):
        result, written = env(*roots)
        assert result.code == 0, result.err
        nodes = written["concrete_specs"]
        assert all(edge["hash"] in nodes for one in nodes.values() for edge in one.get("dependencies", []))


def test_an_odd_version_spoils_nothing_else(run: Run, tmp_path: Path) -> None:
    run(
        "sync",
        write_index(
            tmp_path / "i", node("app", "a"), node("app", "b", version="a b"), node("app", "c", version=""), node("app", "d", version="1.1")
        ),
    )
    records = run("find", "app@1:", *MACHINE, "--json").document["records"]
    assert [r["version"] for r in records] == ["1.1", "1.0"]
    assert len(run("find", "app", *MACHINE, "--json").document["records"]) == 4


def test_a_package_without_a_mirror_is_said(run: Run, env: Any, tmp_path: Path) -> None:
    run("sync", write_index(tmp_path / "i", node("app", "a")))
    result, _ = env("app")
    assert result.code == 0
    assert "1 of 1 packages are in no mirror that is known (app)" in result.err


def test_a_lock_of_another_environment_is_not_left_beside_a_new_manifest(run: Run, env: Any, tmp_path: Path) -> None:
    run("sync", page(tmp_path / "p", "zlib", "b"))
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "spack.lock").write_text("{}")
    result, _ = env("zlib")
    assert result.code == 3
    assert [p.name for p in (tmp_path / "env").iterdir()] == ["spack.lock"]


def test_all_is_written_or_nothing(run: Run, env: Any, tmp_path: Path) -> None:
    run("sync", write_index(tmp_path / "i", node("app", "a")))
    (tmp_path / "env" / "spack.yaml").mkdir(parents=True)
    result, _ = env("app")
    assert (result.code, [p.name for p in (tmp_path / "env").iterdir()]) == (3, ["spack.yaml"])


def test_a_manifest_emitted_with_a_lock_keeps_spack_from_solving(run: Run, env: Any, tmp_path: Path) -> None:
    run("sync", write_index(tmp_path / "i", node("app", "a")))
    env("app")
    run(
        "resolve",
        tmp_path / "spack.yaml",
        *MACHINE,
        "--emit",
        f"spack.lock={tmp_path / 'x.lock'}",
        "--emit",
        f"spack.yaml={tmp_path / 'x.yaml'}",
    )
    assert "unify: true" in (tmp_path / "x.yaml").read_text()


@pytest.mark.parametrize("name", ["../../x", "x\ny", "", 'a"b'])
def test_names_that_are_no_packages_are_refused(run: Run, tmp_path: Path, name: str) -> None:
    result = run("sync", write_index(tmp_path / "i", node(name, "a")))
    assert result.code == 5
    assert "record" in result.err
