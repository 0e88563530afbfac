"""Alternates for lesser targets, and environments rendered from a lock on machines that it names and on others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Result, Run
from fakes.locked import OLD_GLIBC, V3, ZEN4, hashes, mirror, package, stack

Z3, Z4, ZZ = (package("zlib", "1.3", target=target) for target in ("x86_64_v3", "x86_64_v4", "zen4"))
H3, H4, HZ = (package("hdf5", "1.14", z, target=t) for z, t in ((Z3, "x86_64_v3"), (Z4, "x86_64_v4"), (ZZ, "zen4")))
X3, X4 = package("xz", "5.6"), package("xz", "5.6", target="x86_64_v4")
OLD = package("xz", "5.4", libc=OLD_GLIBC)
SKYLAKE = "linux-ubuntu24.04-skylake_avx512-glibc@2.39"
HASWELL = "linux-ubuntu24.04-haswell-glibc@2.39"
CORE2 = "linux-ubuntu24.04-core2-glibc@2.39"
RHEL8 = "linux-rhel8-haswell-glibc@2.28"


class Site:
    """A project whose lock is rendered elsewhere."""

    def __init__(self, run: Run, path: Path) -> None:
        self.run = run
        self.path = path

    def lock(self, *words: str) -> dict[str, Any]:
        result = self.run("lock", *words)
        assert result.code == 0, result.err
        return self.document

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.path / "resolver.lock").read_text())
        return found

    def render(self, machine: str, *words: str | Path) -> Result:
        option = "--arch" if machine.count("-") > 1 else "--machine"
        return self.run("render", "resolver.lock", option, machine, *words)

    def rendered(self, machine: str, *words: str) -> dict[str, str | None]:
        body = self.render(machine, "--json", *words).document
        return {root["spec"]: root["hash"] for group in body["groups"] for root in group["roots"]}


@pytest.fixture
def empty(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    (tmp_path / "site").mkdir()
    monkeypatch.chdir(tmp_path / "site")
    return Site(run, tmp_path / "site")  # type: ignore[return-value]


@pytest.fixture
def site(empty: Site) -> Site:
    """Two roots, one with binaries for three targets and one for two; the catalog is gone."""
    assert empty.run("sync", mirror(Path("hub"), [Z3, Z4, ZZ, H3, H4, HZ, X3, X4])).code == 0
    stack(Path("mine"), "hdf5", "xz")
    empty.lock("mine", "--machine", ZEN4)
    (empty.path.parent / "catalog.sqlite").unlink()
    return empty


def test_alternates_are_ranked_and_each_tier_goes_together(site: Site) -> None:
    (selection,) = site.document["selections"]
    assert selection["targets"] == ["zen4", "x86_64_v4", "x86_64_v3"]
    assert list(selection["roots"]["hdf5"].items()) == [("zen4", HZ["hash"]), ("x86_64_v4", H4["hash"]), ("x86_64_v3", H3["hash"])]
    assert list(selection["roots"]["xz"].items()) == [("zen4", X4["hash"]), ("x86_64_v3", X3["hash"])]
    assert {Z3["hash"], Z4["hash"], ZZ["hash"]} <= set(site.document["nodes"])


@pytest.mark.parametrize(
    ("machine", "hdf5", "xz"),
    [(ZEN4, HZ, X4), ("linux-ubuntu24.04-zen5-glibc@2.39", HZ, X4), (SKYLAKE, H4, X4), (HASWELL, H3, X3), (V3, H3, X3)],
)
def test_a_machine_gets_the_best_tier_that_it_can_run(site: Site, machine: str, hdf5: dict[str, Any], xz: dict[str, Any]) -> None:
    assert site.rendered(machine) == {"hdf5": hdf5["hash"], "xz": xz["hash"]}


def test_what_is_rendered_is_what_resolve_writes(empty: Site) -> None:
    empty.run("sync", mirror(Path("hub"), [Z3, Z4, H3, H4, X3]))
    stack(Path("mine"), "hdf5", "xz", more='{"view": {"default": {"root": "view"}}}')
    empty.lock("mine", "--machine", ZEN4)
    assert empty.run("resolve", "mine", "--arch", ZEN4, "-o", "resolved").code == 0
    told = empty.run("resolve", "mine", "--arch", ZEN4, "--json").document
    (empty.path.parent / "catalog.sqlite").unlink()
    body = empty.render(ZEN4, "--json").document
    assert body["fingerprint"] == told["fingerprint"] == empty.document["selections"][0]["fingerprint"]
    assert body["closure"] == told["groups"][0]["closure"]
    assert (body["mirrors"], body["host_requirements"]) == (told["mirrors"], told["host_requirements"])
    result = empty.render(ZEN4, "-o", "rendered")
    assert result.code == 0
    assert "wrote rendered/spack.lock" in result.err
    lock, manifest = ((empty.path / "rendered" / name).read_text() for name in ("spack.lock", "spack.yaml"))
    assert lock == (empty.path / "resolved" / "spack.lock").read_text()
    assert manifest.splitlines()[0] == f"# Made by: spack-resolver render resolver.lock --machine {ZEN4}" or "--platform linux" in manifest
    assert manifest.splitlines()[1:] == (empty.path / "resolved" / "spack.yaml").read_text().splitlines()[1:]


def test_a_mirror_in_the_file_system_is_found_from_where_the_lock_lies(site: Site, tmp_path: Path) -> None:
    site.path.rename(tmp_path / "moved")
    result = site.run("render", tmp_path / "moved" / "resolver.lock", "-o", tmp_path / "env")
    assert result.code == 0
    body = yaml.safe_load((tmp_path / "env" / "spack.yaml").read_text())["spack"]
    assert body["mirrors"]["hub"]["url"] == (tmp_path / "moved" / "hub").as_uri()


def test_what_cannot_run_is_said_with_its_gate(site: Site) -> None:
    result = site.render(CORE2, "-o", "env")
    assert result.code == 4
    assert "none of the lock can be had on linux-ubuntu24.04-core2 glibc@2.39" in result.err
    assert "is built for x86_64_v3, which does not run on core2" in result.err
    assert not (site.path / "env").exists()
    body = site.render(RHEL8, "--json")
    assert body.code == 4
    (group,) = body.document["groups"]
    assert {root["reason"]["gate"] for root in group["roots"]} == {"os"}
    assert "the machine has glibc 2.28" in group["roots"][0]["reason"]["text"]


def test_part_of_a_lock_is_written_where_that_is_allowed(empty: Site) -> None:
    empty.run("sync", mirror(Path("hub"), [Z3, H3, OLD]))
    stack(Path("mine"), "hdf5", "xz")
    empty.lock("mine", "--machine", ZEN4)
    result = empty.render(RHEL8, "-o", "env")
    assert result.code == 4
    assert "1 of 2 roots of the lock can be had" in result.err
    result = empty.render(RHEL8, "--partial", "-o", "env")
    assert result.code == 0
    assert "hdf5" in result.out
    assert [root["hash"] for root in json.loads((empty.path / "env" / "spack.lock").read_text())["roots"]] == [OLD["hash"]]
    assert empty.render(CORE2, "--partial", "-o", "none").code == 4


def test_roots_that_stand_alone_have_each_their_best(empty: Site) -> None:
    empty.run("sync", mirror(Path("hub"), [Z3, Z4, H3, H4, X3, X4]))
    stack(Path("mine"), "hdf5", "xz@5.6", unify=False)
    empty.lock("mine", "--machine", ZEN4)
    text = (empty.path / "resolver.lock").read_text().replace(f'"xz@5.6": {{"zen4":"{X4["hash"]}"', f'"xz@5.6": {{"zen4":"{X3["hash"]}"')
    (empty.path / "resolver.lock").write_text(text)
    assert empty.rendered(SKYLAKE) == {"hdf5": H4["hash"], "xz@5.6": X3["hash"]}


def test_another_machine_is_served_from_the_one_that_is_most_like_it(empty: Site) -> None:
    newer = package("xz", "5.8", libc=OLD_GLIBC)
    empty.run("sync", mirror(Path("hub"), [X3, X4, newer]))
    stack(Path("mine"), "xz@5.6:")
    empty.lock("mine", "--machine", ZEN4, "--machine", RHEL8)
    result = empty.render("linux-rocky8-haswell-glibc@2.28", "--json")
    assert result.document["groups"][0]["machine"] == RHEL8
    assert not result.document["exact"]
    assert f"mine: chosen out of what the lock has for {RHEL8}" in result.err
    assert empty.render(RHEL8, "--json").document["exact"]


def test_stacks_and_groups_can_be_chosen(empty: Site) -> None:
    empty.run("sync", mirror(Path("hub"), [Z3, H3, X3]))
    stack(Path("mine"), "hdf5")
    stack(Path("tools"), {"group": "packers", "specs": ["xz"]}, "zlib")  # type: ignore[arg-type]
    empty.lock("mine", "tools", "--machine", V3)
    assert set(empty.rendered(V3)) == {"hdf5", "xz", "zlib"}
    assert set(empty.rendered(V3, "--stack", "tools")) == {"xz", "zlib"}
    assert set(empty.rendered(V3, "--group", "packers")) == {"xz"}
    assert "did you mean tools?" in empty.render(V3, "--stack", "tool").err
    assert "the lock has no group 'packer'" in empty.render(V3, "--group", "packer").err


def test_artifacts_are_emitted_as_resolve_does(site: Site) -> None:
    result = site.render(ZEN4, "--emit", "mirrors.yaml")
    assert yaml.safe_load(result.out)["mirrors"]["hub"]["binary"] is True
    result = site.render(ZEN4, "--emit", "json", "--emit", "dot=g.dot", "--emit", "urls=u.tsv", "--emit", "packages.yaml=p.yaml")
    assert result.document["schema"] == "spack-resolver/render/1"
    assert (site.path / "g.dot").read_text().startswith("digraph")
    assert HZ["hash"] in (site.path / "u.tsv").read_text()
    assert site.render(ZEN4, "--emit", "dot", "--json").code == 2


def test_a_lock_for_one_machine_needs_no_name_of_it(site: Site) -> None:
    result = site.run("render", "resolver.lock")
    assert result.code == 0
    assert f"{ZEN4}:zen4" in result.out
    assert "2 of 2 roots, 3 packages" in result.err


def test_nothing_else_is_selected_where_alternates_are_off(empty: Site) -> None:
    empty.run("sync", mirror(Path("hub"), [Z3, Z4, H3, H4]))
    stack(Path("mine"), "hdf5")
    document = empty.lock("mine", "--machine", ZEN4, "--no-alternates")
    assert document["selections"][0]["targets"] == ["zen4"]
    assert empty.lock("--upgrade")["selections"][0]["targets"] == ["zen4"]
    assert empty.lock("--upgrade", "--alternates")["selections"][0]["targets"] == ["zen4", "x86_64_v3"]


def test_a_tier_that_another_can_stand_in_for_is_not_there(empty: Site) -> None:
    empty.run("sync", mirror(Path("hub"), [Z3, Z4, H3, X4]))
    stack(Path("mine"), "hdf5")
    assert empty.lock("mine", "--machine", ZEN4)["selections"][0]["targets"] == ["zen4"]


def test_a_root_that_a_lesser_target_has_not_is_said_to_be_none(empty: Site) -> None:
    empty.run("sync", mirror(Path("hub"), [Z3, Z4, H3, H4, X4]))
    stack(Path("mine"), "hdf5", "xz")
    document = empty.lock("mine", "--machine", ZEN4)
    assert document["selections"][0]["roots"]["xz"] == {"zen4": X4["hash"], "x86_64_v3": None}
    assert empty.rendered(HASWELL) == {"hdf5": H3["hash"], "xz": None}
    before = document
    assert empty.lock() == before


def test_alternates_are_kept_and_those_of_a_new_root_added(empty: Site) -> None:
    empty.run("sync", mirror(Path("hub"), [Z3, Z4, H3, H4]))
    stack(Path("mine"), "hdf5")
    empty.lock("mine", "--machine", ZEN4)
    newer = [package("hdf5", "1.16", z, target=t) for z, t in ((Z3, "x86_64_v3"), (Z4, "x86_64_v4"))]
    empty.run("sync", mirror(Path("hub"), [Z3, Z4, H3, H4, X3, X4, *newer]))
    stack(Path("mine"), "hdf5", "xz")
    empty.lock()
    found = hashes((empty.path / "resolver.lock").read_text())
    assert found == {"hdf5": {"zen4": H4["hash"], "x86_64_v3": H3["hash"]}, "xz": {"zen4": X4["hash"], "x86_64_v3": X3["hash"]}}
    empty.lock("--upgrade", "hdf5")
    found = hashes((empty.path / "resolver.lock").read_text())
    assert found["hdf5"] == {"zen4": newer[1]["hash"], "x86_64_v3": newer[0]["hash"]}


def test_externals_of_the_host_are_listed(empty: Site) -> None:
    mpi = {**package("mpich", "4"), "external": {"path": "/opt/mpi", "module": None}}
    from fakes.indexes import hashed

    mpi = hashed({key: value for key, value in mpi.items() if key not in ("hash", "annotations", "dependencies")})
    app = package("app", "1", mpi)
    empty.run("sync", mirror(Path("hub"), [mpi, app]))
    stack(Path("mine"), "app")
    empty.lock("mine", "--machine", ZEN4, "--assume-externals")
    result = empty.render(HASWELL, "--json")
    assert result.code == 0
    assert {"kind": "external", "name": "mpich", "version": "4", "path": "/opt/mpi"} in result.document["host_requirements"]


@pytest.mark.parametrize("words", [("absent.lock",), ("mine/spack.yaml",), (".",)])
def test_what_is_no_lock_says_so(site: Site, words: tuple[str, ...]) -> None:
    for command in ("render", "check"):
        result = site.run(command, *words)
        assert result.code == 3
        assert words[0] in result.err


def test_options_say_what_is_other_than_with_a_machine_of_the_lock(site: Site) -> None:
    result = site.run("render", "resolver.lock", "--machine", ZEN4, "--target", "haswell", "--json")
    assert result.document["machine"]["target"] == "haswell"
    assert result.document["machine"]["libc"] == "glibc@2.39"
    assert not result.document["exact"]


def test_a_stack_that_cannot_be_read_for_a_lesser_target_has_no_alternates_there(empty: Site) -> None:
    empty.run("sync", mirror(Path("hub"), [Z3, Z4, H3, H4]))
    Path("zen4.yaml").write_text("packages: {}")
    Path("spack.yaml").write_text('{"spack": {"include": ["${target}.yaml"], "specs": ["hdf5"]}}')
    result = empty.run("lock", "spack.yaml", "--machine", ZEN4)
    assert result.code == 0
    assert "no alternates for x86_64_v3: " in result.err
    assert empty.document["selections"][0]["targets"] == ["zen4"]


def test_a_package_whose_dependencies_no_source_states_is_pinned_alone(page: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stack(Path("mine"), "py-rasterio", unify=False)
    assert page("lock", "mine", "--machine", "github-ubuntu-24.04", "--assume-externals").code == 0
    document = json.loads(Path("resolver.lock").read_text())
    assert [node["complete"] for node in document["nodes"].values() if node] == [False]
    result = page("render", "resolver.lock", "-o", "env")
    assert result.code == 0
    assert "note: no spack.lock" in result.err
    assert sorted(path.name for path in Path("env").iterdir()) == ["spack.yaml"]
    assert page("check", "resolver.lock").code == 0
