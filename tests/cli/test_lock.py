"""Locks made, kept and brought up to date, as a person does it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Result, Run
from fakes.locked import V3, ZEN4, changed_lines, hashes, mirror, package, stack

Z12, Z13 = package("zlib", "1.2"), package("zlib", "1.3")
CM = package("cmake", "3.30")
H12, H14 = package("hdf5", "1.12", Z12, build=[CM]), package("hdf5", "1.14", Z12, build=[CM])
H14_NEW = package("hdf5", "1.14", Z13)
PNG = package("libpng", "1.6", Z12)
PNG_NEW = package("libpng", "1.7", Z13)
XZ4, XZ6 = package("xz", "5.4"), package("xz", "5.6")
ARM = "linux-ubuntu24.04-aarch64-glibc@2.39"


class Project:
    """A folder with mirrors and stacks, and commands run in it."""

    def __init__(self, run: Run, path: Path) -> None:
        self.run = run
        self.path = path

    def sync(self, name: str, *nodes: dict[str, Any]) -> None:
        assert self.run("sync", mirror(self.path / name, nodes)).code == 0

    def stack(self, name: str, *specs: str, **more: Any) -> None:
        stack(self.path / name, *specs, **more)

    def lock(self, *words: str | Path, code: int = 0) -> Result:
        result = self.run("lock", *words)
        assert result.code == code, result.err
        return result

    @property
    def text(self) -> str:
        return (self.path / "resolver.lock").read_text()

    def hash(self, root: str, machine: str = "") -> str | None:
        return next(iter(hashes(self.text, machine)[root].values()), None)


@pytest.fixture
def project(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Project(run, folder)  # type: ignore[return-value]


@pytest.fixture
def locked(project: Project) -> Project:
    """Two roots over zlib 1.2, locked for a zen4; hdf5 1.14 has come up since."""
    project.sync("hub", Z12, H12, PNG, CM)
    project.stack("mine", "hdf5", "libpng")
    project.lock("mine", "--machine", ZEN4)
    project.sync("hub", Z12, Z13, H12, H14, H14_NEW, PNG, PNG_NEW, CM)
    return project


def test_a_lock_holds_roots_sources_and_nodes_with_what_they_were_built_with(locked: Project) -> None:
    document = json.loads(locked.text)
    assert document["schema"] == "spack-resolver/lock/1"
    assert document["stacks"] == {"mine": {"location": "./mine"}}
    assert document["machines"] == {ZEN4: {"platform": "linux", "os": "ubuntu24.04", "target": "zen4", "libc": "glibc@2.39"}}
    assert document["sources"]["hub"]["url"] == "./hub"
    assert len(document["sources"]["hub"]["digest"]) == 64
    assert document["selections"][0]["roots"] == {"hdf5": {"zen4": H12["hash"]}, "libpng": {"zen4": PNG["hash"]}}
    assert {node["node"]["name"] for node in document["nodes"].values() if node} == {"zlib", "hdf5", "libpng", "cmake", "glibc"}
    assert document["nodes"][H12["hash"]] == {"sources": ["hub"], "node": H12}


def test_what_is_locked_is_kept_though_there_is_something_newer(locked: Project) -> None:
    before, when = locked.text, (locked.path / "resolver.lock").stat().st_mtime_ns
    result = locked.lock()
    assert "is up to date: 1 stack on 1 machine, 2 roots" in result.err
    assert locked.text == before
    assert (locked.path / "resolver.lock").stat().st_mtime_ns == when


def test_an_upgrade_of_one_root_keeps_all_else_and_changes_its_lines_only(locked: Project) -> None:
    before = locked.text
    result = locked.lock("--upgrade", "hdf5")
    assert f"changed     mine on {ZEN4}: hdf5  hdf5@1.12/{H12['hash'][:7]} -> hdf5@1.14/{H14['hash'][:7]}" in result.err
    assert locked.hash("hdf5") == H14["hash"]
    gone, new = changed_lines(before, locked.text)
    for lines, root in ((gone, H12), (new, H14)):
        starts = sorted(line.split(":")[0].strip().strip('"') for line in lines)
        assert starts == sorted(["fingerprint", "hdf5", "hub", root["hash"]])


def test_an_upgrade_of_all_gives_what_a_new_lock_has(locked: Project) -> None:
    result = locked.lock("--upgrade")
    assert "1 stack on 1 machine, 2 roots, 4 packages; 2 changed" in result.err
    locked.lock("mine", "--machine", ZEN4, "-o", "new.lock")
    assert (locked.path / "new.lock").read_text() == locked.text
    assert locked.hash("libpng") == PNG_NEW["hash"]


def test_an_upgrade_of_all_looks_for_alternates_anew(project: Project) -> None:
    of = {target: package("xz", "5.4", target=target) for target in ("zen4", "x86_64_v4", "x86_64_v3")}
    project.sync("hub", of["zen4"], of["x86_64_v3"])
    project.stack("mine", "xz")
    project.lock("mine", "--machine", ZEN4)
    project.sync("hub", *of.values())
    project.lock("--upgrade")
    assert hashes(project.text) == {"xz": {target: one["hash"] for target, one in of.items()}}


def test_a_new_root_has_its_own_alternates_beside_those_that_are_kept(project: Project) -> None:
    xz = {target: package("xz", "5.4", target=target) for target in ("zen4", "x86_64")}
    pigz = {target: package("pigz", "2.8", target=target) for target in ("zen4", "x86_64_v4")}
    project.sync("hub", *xz.values())
    project.stack("mine", "xz")
    project.lock("mine", "--machine", ZEN4)
    project.sync("hub", *xz.values(), *pigz.values())
    project.stack("mine", "xz", "pigz")
    project.lock()
    found = hashes(project.text)
    assert found["pigz"] == {"zen4": pigz["zen4"]["hash"], "x86_64_v4": pigz["x86_64_v4"]["hash"], "x86_64_v3": None}
    assert found["xz"] == {"zen4": xz["zen4"]["hash"], "x86_64_v4": xz["x86_64"]["hash"]}


def test_a_dry_run_says_what_would_change_and_writes_nothing(locked: Project) -> None:
    before = locked.text
    result = locked.lock("--upgrade", "--dry-run")
    assert "resolver.lock would be written" in result.err
    assert "changed " in result.err
    assert locked.text == before
    document = locked.run("lock", "--upgrade", "--dry-run", "--json").document
    assert document["schema"] == "spack-resolver/lock-changes/1"
    assert not document["written"]
    assert [(change["kind"], change["root"]) for change in document["changes"]] == [("changed", "hdf5"), ("changed", "libpng")]


def test_an_upgrade_of_what_is_not_there_names_what_is_near(locked: Project) -> None:
    result = locked.lock("--upgrade", "hdf", code=3)
    assert "there is no root 'hdf' in the lock" in result.err
    assert "did you mean hdf5?" in result.err


def test_an_upgrade_takes_a_spec_in_any_spelling(project: Project) -> None:
    project.sync("hub", Z12, H12, XZ4)
    project.stack("mine", "hdf5@1.12: ^zlib", "xz")
    project.lock("mine", "--machine", ZEN4)
    project.sync("hub", Z12, H12, H14, XZ4, XZ6)
    project.lock("--upgrade", "hdf5 @1.12:  ^zlib")
    assert project.hash("hdf5@1.12: ^zlib") == H14["hash"]
    assert project.hash("xz") == XZ4["hash"]


def test_a_new_root_is_selected_and_the_others_keep_their_hashes(locked: Project) -> None:
    locked.sync("more", XZ4)
    locked.stack("mine", "hdf5", "libpng", "xz")
    result = locked.lock()
    assert f"added       mine on {ZEN4}: xz  xz@5.4/{XZ4['hash'][:7]}" in result.err
    assert locked.hash("hdf5") == H12["hash"]
    locked.stack("mine", "hdf5", "xz")
    assert f"removed     mine on {ZEN4}: libpng  libpng@1.6" in locked.lock().err
    assert set(hashes(locked.text)) == {"hdf5", "xz"}


def test_a_new_root_agrees_with_what_is_kept(locked: Project) -> None:
    new, old = package("netcdf", "5", H14_NEW), package("netcdf", "4", H12)
    locked.sync("more", new, old)
    locked.stack("mine", "hdf5", "libpng", "netcdf")
    locked.lock()
    assert locked.hash("netcdf") == old["hash"]
    assert locked.hash("hdf5") == H12["hash"]


def test_a_conflict_with_what_is_kept_names_the_roots_and_the_way_out(locked: Project) -> None:
    locked.sync("more", package("netcdf", "5", H14))
    locked.stack("mine", "hdf5", "libpng", "netcdf")
    before = locked.text
    result = locked.lock(code=4)
    assert "netcdf does not go with the hashes that are kept: hdf5" in result.err
    assert f"with hdf5 it is hdf5/{H12['hash'][:7]}, with netcdf hdf5/{H14['hash'][:7]}" in result.err
    assert "--upgrade hdf5 selects" in result.err
    assert locked.text == before
    locked.lock("--upgrade", "hdf5")
    assert locked.hash("hdf5") == H14["hash"]
    assert locked.hash("libpng") == PNG["hash"]


def test_a_hash_that_is_gone_is_replaced_and_the_reason_told(locked: Project) -> None:
    locked.sync("hub", Z12, Z13, H14, PNG, CM)
    result = locked.lock()
    assert "since no source that was synced has its hash any more" in result.err
    assert locked.hash("hdf5") == H14["hash"]
    assert locked.hash("libpng") == PNG["hash"]


def test_a_hash_that_may_not_serve_any_more_is_replaced(locked: Project) -> None:
    locked.stack("mine", "hdf5", "libpng", more='{"packages": {"hdf5": {"require": ["@1.14"]}}}')
    result = locked.lock()
    assert "since hdf5@1.12" in result.err
    assert "breaks packages:hdf5:require" in result.err
    assert locked.hash("hdf5") == H14["hash"]


def test_two_roots_of_one_package_keep_their_own(project: Project) -> None:
    project.sync("hub", XZ4, XZ6)
    project.stack("mine", "xz", "xz@5.4", unify=False)
    project.lock("mine", "--machine", ZEN4)
    newest = package("xz", "5.8")
    project.sync("hub", XZ4, XZ6, newest)
    project.lock()
    assert (project.hash("xz"), project.hash("xz@5.4")) == (XZ6["hash"], XZ4["hash"])
    project.lock("--upgrade", "xz")
    assert (project.hash("xz"), project.hash("xz@5.4")) == (newest["hash"], XZ4["hash"])


def test_groups_that_need_others_are_kept_and_selected_with_them(project: Project) -> None:
    project.sync("hub", Z12, Z13, H14, H14_NEW)
    specs = [{"group": "base", "specs": ["zlib@1.2"]}, {"group": "top", "needs": ["base"], "specs": ["hdf5"]}]
    (project.path / "spack.yaml").write_text(json.dumps({"spack": {"specs": specs, "concretizer": {"unify": True}}}))
    project.lock("spack.yaml", "--machine", ZEN4)
    document = json.loads(project.text)
    assert [selection["group"] for selection in document["selections"]] == ["base", "top"]
    assert list(document["stacks"]) == ["project"]
    project.lock()
    assert json.loads(project.text) == document


def test_machines_and_stacks_that_are_given_take_the_place_of_those_in_the_file(locked: Project) -> None:
    locked.sync("more", XZ4)
    locked.stack("tools", "xz")
    result = locked.lock("mine", "tools", "--machine", ZEN4, "--machine", V3)
    assert "2 stacks on 2 machines, 6 roots" in result.err
    assert "4 added" in result.err
    assert locked.hash("hdf5", ZEN4) == H12["hash"]
    assert locked.hash("hdf5", V3) == H14_NEW["hash"]
    assert "4 removed" in locked.lock("tools").err
    assert "1 removed" in locked.lock("--machine", V3).err


@pytest.mark.parametrize("way", [".", "./", "../project", "../project/", "mine/.."])
def test_the_stack_beside_a_lock_is_meant_by_any_way_to_it(locked: Project, way: str) -> None:
    stack(locked.path, "hdf5")
    locked.lock(way, "--machine", ZEN4, "-o", "own.lock")
    text = (locked.path / "own.lock").read_text()
    assert '"project": {"location":"./"}' in text
    locked.lock("-o", "own.lock")
    assert (locked.path / "own.lock").read_text() == text


def test_stacks_for_different_machines_stand_in_one_lock(locked: Project) -> None:
    locked.sync("more", package("pigz", "2.8", target="aarch64"))
    locked.stack("arm", "pigz")
    result = locked.lock("mine", "arm", "--machine", ZEN4, "--machine", ARM)
    assert f"note: arm has nothing for {ZEN4}: pigz: pigz@2.8" in result.err
    assert f"note: mine has nothing for {ARM}: hdf5: " in result.err
    rendered = locked.run("render", "resolver.lock", "--machine", ARM, "-o", "env")
    assert rendered.code == 0
    assert f"the lock has nothing of mine for {ARM}" in rendered.err
    assert "pigz@=2.8/" in (locked.path / "env" / "spack.yaml").read_text()
    assert locked.run("check", "resolver.lock").code == 0
    assert "arm has nothing" not in locked.lock("arm", "--machine", ZEN4, code=4).err


def test_a_root_without_a_hash_is_an_error_unless_that_is_allowed(locked: Project) -> None:
    locked.stack("mine", "hdf5", "libpng", "absent")
    result = locked.lock(code=4)
    assert f"1 root of mine on {ZEN4} has no hash: absent: no source has a record of absent" in result.err
    result = locked.lock("--partial")
    assert f"mine on {ZEN4}: absent has no hash" in result.err
    assert hashes(locked.text)["absent"] == {}
    assert locked.hash("hdf5") == H12["hash"]
    locked.lock(code=4)
    locked.sync("more", package("absent", "1"))
    locked.lock()
    assert locked.hash("absent")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there is no stack to lock"),
        (("mine",), "there is no machine to lock"),
        (("--machine", ZEN4), "there is no stack to lock"),
        (("absent", "--machine", ZEN4), "there is no stack 'absent'"),
        (("mine", "--machine", "nowhere"), "unknown machine 'nowhere'"),
        (("--import", f"{ZEN4}=nowhere"), "there is no lockfile nowhere"),
        (("mine", "--machine", ZEN4, "-o", "mine/spack.yaml"), "not a lock of spack-resolver"),
        (("mine", "--machine", ZEN4, "-o", "mine"), "mine cannot be read"),
        (("mine", "--machine", ZEN4, "--upgrade", "@@"), "@@"),
    ],
)
def test_what_cannot_be_locked_says_so(project: Project, words: tuple[str, ...], said: str) -> None:
    project.sync("hub", XZ4)
    project.stack("mine", "xz")
    result = project.lock(*words, code=3)
    assert said in result.err
    assert not (project.path / "resolver.lock").exists()


def test_an_import_without_a_machine_is_a_wrong_use(project: Project) -> None:
    assert "is not MACHINE=ENV" in project.lock("--import", "env", code=2).err


def test_choices_and_how_stacks_are_read_are_remembered(project: Project) -> None:
    project.sync("hub", XZ4)
    project.sync("other", XZ6)
    body = {"spack": {"definitions": [{"tools": ["xz"], "when": "env.get('CI') == '1'"}], "specs": ["$tools"]}}
    (project.path / "spack.yaml").write_text(json.dumps(body))
    project.lock("spack.yaml", "--machine", ZEN4, "--env", "CI=1", "--source", "hub", "--no-alternates")
    assert json.loads(project.text)["choices"] == {"sources": ["hub"], "alternates": False}
    project.lock("--upgrade")
    assert project.hash("xz") == XZ4["hash"]
    project.lock("--upgrade", "--os-policy", "spack", "--alternates")
    assert json.loads(project.text)["choices"] == {}
    assert json.loads(project.text)["stacks"]["project"]["environment"] == {"CI": "1"}
    assert project.hash("xz") == XZ6["hash"]
    project.lock("--env", "CI=2")
    assert hashes(project.text) == {}


def test_the_same_bytes_whatever_the_order_and_wherever_it_lies(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = set()
    for number, order in enumerate([(0, 1, 2), (2, 0, 1)]):
        folder = tmp_path / f"host{number}" / ("deep/" * number) / "p"
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("SPACK_RESOLVER_CATALOG", str(folder / "catalog.sqlite"))
        project = Project(run, folder)
        mirrors = [("a", Z12, H12, H14), ("b", PNG, Z12, XZ4), ("c", XZ4, H14, CM)]
        for place in order:
            project.sync(*mirrors[place])
        stacks = [("one", "hdf5", "libpng"), ("two", "xz"), ("three", "libpng")]
        for place in order:
            project.stack(*stacks[place])
        machines = [word for place in order for word in ("--machine", [ZEN4, V3, "linux-ubuntu24.04-skylake_avx512-glibc@2.39"][place])]
        sources = [word for place in order for word in ("--source", "abc"[place])]
        project.lock(*(stacks[place][0] for place in order), *machines, *sources)
        texts.add(project.text)
        assert str(tmp_path) not in project.text
    assert len(texts) == 1


def test_a_lock_in_another_folder_finds_its_stacks_and_mirrors(locked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (locked.path / "locks").mkdir()
    locked.lock("mine", "--machine", ZEN4, "-o", "locks/resolver.lock")
    text = (locked.path / "locks" / "resolver.lock").read_text()
    assert '"location":"../mine"' in text
    assert '"url":"../hub"' in text
    monkeypatch.chdir(locked.path / "locks")
    assert "is up to date" in locked.run("lock").err


def test_stacks_of_one_name_are_told_apart(project: Project) -> None:
    project.sync("hub", XZ4, XZ6)
    project.stack("a/mine", "xz")
    project.stack("b/mine", "xz@5.4")
    project.lock("b/mine", "a/mine", "--machine", ZEN4)
    assert json.loads(project.text)["stacks"] == {"mine": {"location": "./a/mine"}, "mine-2": {"location": "./b/mine"}}


def test_shipped_stacks_lie_nowhere_in_particular(shipped: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shipped("lock", "ml-linux-x86_64-cpu", "--machine", "github-ubuntu-24.04").code == 0
    document = json.loads((tmp_path / "resolver.lock").read_text())
    assert document["stacks"] == {"ml-linux-x86_64-cpu": {"location": "ml-linux-x86_64-cpu"}}
    assert document["sources"]["ml-linux-x86_64-cpu"]["url"] == "shipped:ml-linux-x86_64-cpu"


def test_nothing_is_written_where_the_search_fails_and_no_part_of_a_file_is_left(locked: Project) -> None:
    locked.stack("mine", "hdf5", "libpng", "absent")
    before = sorted(locked.path.iterdir())
    locked.lock(code=4)
    assert sorted(locked.path.iterdir()) == before


def test_imported_hashes_are_taken_as_they_are(locked: Project) -> None:
    locked.run("resolve", "mine", "--arch", ZEN4, "-o", "env")
    result = locked.lock("--import", f"{V3}=env", "-o", "imported.lock")
    assert "1 stack on 1 machine, 2 roots" in result.err
    text = (locked.path / "imported.lock").read_text()
    document = json.loads(text)
    assert document["stacks"] == {"env": {"location": "./env/spack.lock", "imported": V3}}
    assert {key for choices in hashes(text).values() for key in choices.values()} == {H14["hash"], PNG["hash"]} or hashes(text)
    assert document["sources"]["hub"]["url"] == "./hub"
    locked.lock("--import", "env", "--machine", V3, "-o", "again.lock")
    assert (locked.path / "again.lock").read_text() == text
    shutil.rmtree(locked.path / "env")
    result = locked.lock("-o", "imported.lock")
    assert "which is not there; it stays as it was" in result.err
    assert (locked.path / "imported.lock").read_text() == text


def test_an_import_stands_beside_stacks_for_its_own_machine(locked: Project) -> None:
    locked.run("resolve", "mine", "--arch", ZEN4, "-o", "env")
    locked.lock("mine", "--machine", ZEN4, "--import", f"{V3}=env")
    cells = [(one["stack"], one["machine"]) for one in json.loads(locked.text)["selections"]]
    assert cells == [("env", V3), ("mine", ZEN4)]
    before = locked.text
    locked.lock()
    assert locked.text == before
    (only,) = {spec for spec in hashes(before) if spec.startswith("hdf5@")}
    assert "is that of an environment that was imported" in locked.lock("--upgrade", only, code=3).err


def test_an_import_needs_no_catalog(locked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    locked.run("resolve", "mine", "--arch", ZEN4, "-o", "env")
    monkeypatch.setenv("SPACK_RESOLVER_CATALOG", str(locked.path / "none.sqlite"))
    locked.lock("--import", f"{V3}=env/spack.lock", "-o", "imported.lock")
    document = json.loads((locked.path / "imported.lock").read_text())
    assert document["sources"] == {}
    assert len(document["selections"][0]["roots"]) == 2


def test_the_schema_is_printed_and_needs_nothing_else(run: Run) -> None:
    result = run("lock", "--print-schema")
    assert result.document["title"] == "spack-resolver/lock/1"


def test_where_a_part_is_enough_what_is_new_stands_back_for_what_is_kept(locked: Project) -> None:
    locked.sync("more", package("netcdf", "5", H14), package("tool", "1", Z12))
    locked.stack("mine", "hdf5", "libpng", "netcdf", "tool")
    result = locked.lock("--partial")
    assert "netcdf has no hash" in result.err
    assert "does not go with the hashes that are kept: hdf5" in result.err
    assert locked.hash("hdf5") == H12["hash"]
    assert locked.hash("netcdf") is None
    assert locked.hash("tool")


def test_roots_of_one_package_that_share_a_hash_keep_it_together(project: Project) -> None:
    project.sync("hub", Z12, H12)
    project.stack("mine", "hdf5", "hdf5@1.12:")
    project.lock("mine", "--machine", ZEN4)
    project.sync("hub", Z12, H12, H14)
    project.lock()
    assert project.hash("hdf5") == project.hash("hdf5@1.12:") == H12["hash"]
    project.stack("mine", "hdf5", "hdf5@1.12:", "hdf5@1.14")
    assert "--upgrade hdf5" in project.lock(code=4).err
    project.lock("--upgrade")
    assert project.hash("hdf5@1.14") == H14["hash"]


def test_all_that_has_a_label_can_be_locked(run: Run, project: Project) -> None:
    assert run("sync", mirror(project.path / "hub", [Z12, XZ4]), "--label", "tools").code == 0
    project.lock("label:tools", "--machine", ZEN4)
    assert set(hashes(project.text)) == {"xz", "zlib"}
    assert list(json.loads(project.text)["stacks"]) == ["tools"]
    project.lock()
    assert run("check", "resolver.lock").code == 0


def test_this_host_goes_by_what_it_is(project: Project) -> None:
    project.sync("hub", XZ4)
    project.stack("mine", "xz")
    project.lock("mine", "--machine", "auto", "--partial")
    (name,) = json.loads(project.text)["machines"]
    assert name.count("-") >= 2
    assert "is up to date" in project.lock("--partial").err


def test_nodes_of_old_lockfiles_name_others_by_their_hashes(run: Run, project: Project) -> None:
    arch = {"platform": "linux", "platform_os": "centos7", "target": "x86_64"}
    compiler = {"name": "gcc", "version": "4.8.5"}
    low = {
        "name": "zlib",
        "version": "1.2.11",
        "arch": arch,
        "compiler": compiler,
        "parameters": {},
        "hash": "b" * 32,
        "build_hash": "c" * 32,
    }
    edge = {"name": "zlib", "build_hash": "c" * 32, "type": ["build", "link"]}
    top = {**low, "name": "libpng", "hash": "d" * 32, "build_hash": "e" * 32, "dependencies": [edge]}
    body = {
        "_meta": {"file-type": "spack-lockfile", "lockfile-version": 3, "specfile-version": 2},
        "roots": [{"hash": "e" * 32, "spec": "libpng"}],
        "concrete_specs": {"e" * 32: top, "c" * 32: low},
    }
    (project.path / "spack.lock").write_text(json.dumps(body))
    project.lock("--import", f"{V3}=spack.lock")
    document = json.loads(project.text)
    assert document["selections"][0]["roots"] == {"libpng": {"x86_64_v3": "d" * 32}}
    assert document["nodes"]["d" * 32]["node"]["dependencies"][0]["hash"] == "b" * 32
    assert run("render", "resolver.lock", "-o", "env").code == 0


def test_an_environment_without_roots_cannot_be_imported(project: Project) -> None:
    (project.path / "spack.lock").write_text('{"_meta": {"lockfile-version": 6}, "roots": [], "concrete_specs": {}}')
    assert "the lockfile has no roots" in project.lock("--import", f"{V3}=spack.lock", code=3).err


def test_facts_of_recipes_are_found_from_where_the_lock_lies(project: Project) -> None:
    project.sync("hub", XZ4, XZ6)
    project.stack("mine", "xz")
    (project.path / "facts.json").write_text(
        '{"schema": "spack-resolver/facts/1", "platform": "linux", "packages": {"xz": {"versions": ["5.6", "5.4"], "preferred": ["5.4"]}}}'
    )
    project.lock("mine", "--machine", ZEN4, "--facts", "facts.json", "-o", "locks/resolver.lock")
    text = (project.path / "locks" / "resolver.lock").read_text()
    assert json.loads(text)["choices"] == {"facts": "../facts.json"}
    assert hashes(text)["xz"] == {"zen4": XZ4["hash"]}
    assert "is up to date" in project.lock("--upgrade", "-o", "locks/resolver.lock").err


def test_commands_of_the_page_on_locks_work(shipped: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"^    spack-resolver (.*)$", (ROOT / "docs" / "lock.md").read_text(), re.MULTILINE)
    assert len(lines) == 4
    for line in lines:
        if "--import" in line:
            for name in ("frontier", "perlmutter"):
                shipped("render", "resolver.lock", "--machine", "github-ubuntu-24.04", "-o", f"envs/{name}")
                Path(f"{name}.yaml").write_text("{platform: linux, os: sles15, target: zen3, libc: glibc@2.38}")
            Path("resolver.lock").unlink()
        result = shipped(*line.split())
        assert result.code == 0, result.err
    assert list(json.loads(Path("resolver.lock").read_text())["machines"]) == ["frontier", "perlmutter"]
