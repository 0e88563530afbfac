"""An index grown for measuring is as sound as those that it is grown from."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conftest import ROOT

from resolver.formats.index import read_index
from resolver.spec.dag_hash import HashVerdict, check_hash, computed_hash

COUNT = 3000
SCRIPTS = ROOT / "scripts"


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def grow() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield loaded("grow")


@pytest.fixture(scope="module")
def index(grow: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("grown") / "index.json"
    grow.grow(COUNT, path)
    return path


@pytest.fixture(scope="module")
def installs(index: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(index.read_bytes())["database"]["installs"]
    return found


def test_it_has_as_many_records_as_asked_for(index: Path) -> None:
    opened = read_index(index.read_bytes())
    assert (opened.version, opened.size) == ("8", COUNT)
    assert len({record.hash for record in opened.records}) == COUNT


def test_the_same_arguments_give_the_same_bytes_in_another_process(index: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.json"
    subprocess.run([sys.executable, SCRIPTS / "grow.py", str(COUNT), again], check=True, env={"PYTHONHASHSEED": "7"})
    assert again.read_bytes() == index.read_bytes()


def test_every_hash_is_that_of_its_node(installs: dict[str, Any]) -> None:
    assert {check_hash(install["spec"], key) for key, install in installs.items()} == {HashVerdict.VERIFIED}
    assert all(install["spec"]["hash"] == key for key, install in installs.items())


def test_what_a_record_needs_stands_before_it(installs: dict[str, Any]) -> None:
    seen: set[str] = set()
    for key, install in installs.items():
        assert seen.issuperset(edge["hash"] for edge in install["spec"].get("dependencies", ()))
        seen.add(key)


def test_the_first_copy_is_the_seed(installs: dict[str, Any], grow: ModuleType) -> None:
    paths = [path for mirror in grow.shipped_mirrors() for path in loaded("grow_seed").index_files(mirror)]
    for path in paths:
        for key, install in json.loads(path.read_bytes())["database"]["installs"].items():
            assert installs[key] == install
            assert list(installs[key]["spec"]) == list(install["spec"])


def test_copies_differ_in_target_os_and_version(installs: dict[str, Any]) -> None:
    nodes = [install["spec"] for install in installs.values()]
    targets = {target if isinstance(target, str) else target["name"] for target in (node["arch"]["target"] for node in nodes)}
    assert len(targets) > 4
    assert len({node["arch"]["platform_os"] for node in nodes}) > 3
    assert {node["version"] for node in nodes if node["name"] == "libyaml"} == {"0.2.5", "0.2.6"}


def test_a_linux_has_the_glibc_of_its_os(installs: dict[str, Any]) -> None:
    nodes = [install["spec"] for install in installs.values()]
    found = {(node["arch"]["platform_os"], node["version"]) for node in nodes if node["name"] == "glibc"}
    assert found >= {("ubuntu24.04", "2.39"), ("rhel8", "2.28")}
    assert max(Counter(os for os, _ in found).values()) == 1


def test_externals_have_no_binary(installs: dict[str, Any]) -> None:
    assert not [key for key, install in installs.items() if "external" in install["spec"] and install["in_buildcache"]]


def test_a_changed_copy_differs_in_one_record(index: Path, tmp_path: Path, installs: dict[str, Any]) -> None:
    changed = tmp_path / "changed.json"
    subprocess.run([sys.executable, SCRIPTS / "grow_change.py", index, changed], check=True)
    other = json.loads(changed.read_bytes())["database"]["installs"]
    (gone,), (new,) = installs.keys() - other.keys(), other.keys() - installs.keys()
    assert installs[gone]["spec"]["name"] == other[new]["spec"]["name"]
    assert check_hash(other[new]["spec"], new) is HashVerdict.VERIFIED
    assert not [key for key, install in other.items() if gone in (edge["hash"] for edge in install["spec"].get("dependencies", ()))]


def made_node(name: str, *needs: dict[str, Any], **more: Any) -> dict[str, Any]:
    edges = [{"name": one["name"], "hash": one["hash"], "parameters": {"deptypes": ["link"], "virtuals": []}} for one in needs]
    arch = {"platform": "linux", "platform_os": "rhel9", "target": "x86_64_v3"}
    annotations = {"original_specfile_version": 5}
    made = {"name": name, "version": "1.2", "arch": arch, "package_hash": "a", "dependencies": edges, "annotations": annotations, **more}
    return {**made, "hash": computed_hash(made)}


def seed_of(path: Path, *nodes: dict[str, Any]) -> Path:
    installs = {node["hash"]: {"spec": node, "ref_count": 0, "in_buildcache": True} for node in nodes}
    path.write_text(json.dumps({"database": {"version": "8", "installs": installs}}), "utf-8")
    return path


def test_a_spliced_node_keeps_the_tail_of_what_it_was_built_as(grow: ModuleType, tmp_path: Path) -> None:
    below, other = made_node("below"), made_node("below", namespace="other")
    built = made_node("top", below)
    spliced = made_node("top", other, build_spec={"name": "top", "hash": built["hash"]})
    grow.grow(40, tmp_path / "out.json", [seed_of(tmp_path / "seed.json", spliced, built, other, below)])
    installs = json.loads((tmp_path / "out.json").read_bytes())["database"]["installs"]
    tops = [install["spec"] for install in installs.values() if "build_spec" in install["spec"]]
    assert len(tops) > 5
    assert all(top["build_spec"]["hash"] in installs for top in tops)
    assert {check_hash(top, top["hash"]) for top in tops} == {HashVerdict.VERIFIED}


def test_what_lies_above_a_missing_record_is_left_out(grow: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing, there = made_node("missing"), made_node("there")
    middle = made_node("middle", missing, there)
    grow.grow(10, tmp_path / "out.json", [seed_of(tmp_path / "seed.json", made_node("top", middle), middle, there)])
    installs = json.loads((tmp_path / "out.json").read_bytes())["database"]["installs"]
    assert {install["spec"]["name"] for install in installs.values()} == {"there"}
    assert "2 records left out" in capsys.readouterr().err


def test_a_seed_that_cannot_grow_is_refused(grow: ModuleType, tmp_path: Path) -> None:
    alone = made_node(
        "alone", version="main", arch={"platform": "windows", "platform_os": "windows10", "target": "x86_64"}, external={"path": "/"}
    )
    with pytest.raises(SystemExit, match="too small"):
        grow.grow(10, tmp_path / "out.json", [seed_of(tmp_path / "seed.json", alone)])
    assert not (tmp_path / "out.json").exists()
