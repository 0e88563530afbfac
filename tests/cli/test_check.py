"""Whether a lock still holds."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Result, Run
from fakes.locked import V3, ZEN4, mirror, package, stack
from fakes.mirrors import put_v3_spec

Z, Z4 = package("zlib", "1.3"), package("zlib", "1.3", target="x86_64_v4")
H, H4 = package("hdf5", "1.14", Z), package("hdf5", "1.14", Z4, target="x86_64_v4")
NEWER = package("hdf5", "1.16", Z)
XZ = package("xz", "5.6")
NODES = (Z, Z4, H, H4, XZ)


@pytest.fixture
def site(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two roots locked for two machines."""
    monkeypatch.chdir(tmp_path)
    assert run("sync", mirror(Path("hub"), NODES)).code == 0
    stack(Path("mine"), "hdf5", "xz")
    assert run("lock", "mine", "--machine", ZEN4, "--machine", V3).code == 0
    return tmp_path  # type: ignore[return-value]


def check(run: Run, *words: str) -> tuple[int, list[dict[str, Any]], list[str]]:
    """Exit code, problems and notes."""
    result = run("check", "resolver.lock", "--json", *words)
    body = result.document
    assert body["schema"] == "spack-resolver/check/1"
    assert body["ok"] == (not body["problems"])
    return result.code, body["problems"], body["notes"]


def edit(text: str, new: str) -> None:
    path = Path("resolver.lock")
    assert text in path.read_text()
    path.write_text(path.read_text().replace(text, new))


@pytest.mark.usefixtures("site")
def test_a_lock_that_holds(run: Run) -> None:
    assert check(run) == (0, [], [])
    result = run("check", "resolver.lock")
    assert result.out == ""
    assert "resolver.lock: 4 roots, 5 packages, 6 of their hashes computed anew: the catalog has all of them" in result.err


@pytest.mark.usefixtures("site")
def test_a_hash_that_is_served_no_more_names_root_stack_machine_and_what_mends_it(run: Run) -> None:
    mirror(Path("hub"), [Z4, H4, XZ, NEWER])
    run("sync", "hub")
    code, problems, notes = check(run)
    assert code == 4
    assert notes == ["the source hub has changed since the lock was written"]
    assert {(p["kind"], p["stack"], p["group"], p["root"], p["machine"], p["hash"]) for p in problems} == {
        ("served", "mine", "default", "hdf5", ZEN4, H["hash"]),
        ("served", "mine", "default", "hdf5", V3, H["hash"]),
    }
    assert {p["mend"] for p in problems} == {"spack-resolver lock -o resolver.lock --upgrade hdf5"}
    assert any("hdf5 on x86_64_v3" in p["text"] for p in problems)
    result = run("check", "resolver.lock")
    assert "to mend it: spack-resolver lock -o resolver.lock --upgrade hdf5" in result.err
    assert "2 problems" in result.err


@pytest.mark.usefixtures("site")
def test_what_mends_a_lock_mends_it(run: Run) -> None:
    zlib = package("zlib", "1.4")
    mirror(Path("hub"), [zlib, package("hdf5", "1.16", zlib), XZ])
    run("sync", "hub")
    code, problems, _ = check(run)
    assert code == 4
    assert run(*problems[0]["mend"].split()[1:]).code == 0
    assert check(run)[0] == 0


@pytest.mark.usefixtures("site")
def test_a_dependency_that_is_served_no_more_is_named(run: Run) -> None:
    mirror(Path("hub"), [Z4, H4, H, XZ])
    run("sync", "hub")
    code, problems, _ = check(run)
    assert code == 4
    assert f"it needs zlib/{Z['hash'][:7]}, which is in no source of the catalog any more" in problems[0]["text"]


@pytest.mark.usefixtures("site")
def test_what_a_stack_asks_for_otherwise_is_told(run: Run) -> None:
    stack(Path("mine"), "hdf5", "zlib")
    code, problems, _ = check(run)
    assert code == 4
    assert [(p["kind"], p["machine"]) for p in problems] == [("inputs", V3), ("inputs", ZEN4)]
    assert problems[0]["text"] == "the stack asks for zlib besides and no longer asks for xz"
    assert problems[0]["mend"] == "spack-resolver lock -o resolver.lock"
    stack(Path("mine"), "xz", "hdf5")
    assert check(run)[0] == 0
    stack(Path("mine"), "xz", "hdf5", more='{"packages": {"hdf5": {"require": ["@1.14"]}}}')
    assert check(run)[1][0]["text"] == "what the stack demands of the same roots has changed"
    stack(Path("mine"), "hdf5", "xz", more='{"packages": {"hdf5": {"permissions": {"read": "world"}}}}')
    assert check(run)[0] == 0
    shutil.rmtree("mine")
    assert "the stack cannot be read" in check(run)[1][0]["text"]


@pytest.mark.usefixtures("site")
def test_groups_that_come_or_go_are_told(run: Run) -> None:
    Path("mine/spack.yaml").write_text(json.dumps({"spack": {"specs": [{"group": "new", "specs": ["hdf5"]}]}}))
    texts = {p["group"]: p["text"] for p in check(run)[1]}
    assert texts["new"] == "the stack asks for 1 roots in a group that is not locked"
    assert texts["default"] == "the stack has the group no more, or it asks for nothing"


@pytest.mark.usefixtures("site")
def test_a_node_that_was_changed_has_not_its_hash(run: Run) -> None:
    edit(
        '"version":"1.14","arch":{"platform":"linux","platform_os":"ubuntu24.04","target":"x86_64_v3"}',
        '"version":"1.15","arch":{"platform":"linux","platform_os":"ubuntu24.04","target":"x86_64_v3"}',
    )
    code, problems, _ = check(run)
    assert code == 6
    assert [(p["kind"], p["hash"]) for p in problems] == [("hash", H["hash"])]
    assert "the bytes of its node have another hash" in problems[0]["text"]


@pytest.mark.usefixtures("site")
def test_a_root_that_was_given_another_hash_or_taken_out_is_told(run: Run) -> None:
    text = Path("resolver.lock").read_text()
    edit(f'"xz": {{"zen4":"{XZ["hash"]}"}}', f'"xz": {{"zen4":"{Z4["hash"]}"}}')
    code, problems, _ = check(run)
    assert (code, [(p["kind"], p["machine"]) for p in problems]) == (6, [("hash", ZEN4)])
    assert problems[0]["mend"] == "spack-resolver lock -o resolver.lock"
    assert run(*shlex.split(problems[0]["mend"])[1:]).code == 0
    assert Path("resolver.lock").read_text() == text
    edit(f',\n        "xz": {{"zen4":"{XZ["hash"]}"}}', "")
    assert ("inputs", "the stack asks for xz besides") in [(p["kind"], p["text"]) for p in check(run)[1]]


def test_a_catalog_without_the_source_says_so(run: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACK_RESOLVER_CATALOG", str(site / "other.sqlite"))
    result = run("check", "resolver.lock")
    assert result.code == 3
    assert "--remote asks the lock's mirrors themselves" in result.err
    run("sync", mirror(site / "elsewhere", [XZ]))
    code, problems, notes = check(run)
    assert code == 4
    assert "the source hub is not synced here" in notes
    assert {p["root"] for p in problems} == {"hdf5"}


def test_mirrors_themselves_are_asked(run: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACK_RESOLVER_CATALOG", str(site / "none.sqlite"))
    code, problems, _ = check(run, "--remote")
    assert code == 4
    assert "in none of the lock's mirrors any more" in problems[0]["text"]
    assert problems[0]["mend"] == "spack-resolver sync --refresh && spack-resolver lock -o resolver.lock --upgrade hdf5"
    for node in NODES:
        put_v3_spec(site / "hub", node)
    assert check(run, "--remote") == (0, [], [])
    assert "its mirrors have all of them" in run("check", "resolver.lock", "--remote").err


def test_roots_that_never_had_a_hash_are_no_problem(run: Run, site: Path) -> None:
    stack(site / "mine", "hdf5", "absent")
    assert run("lock", "--partial").code == 0
    code, _, notes = check(run)
    assert code == 0
    assert f"mine on {ZEN4}: 1 of 2 roots had no hash when the lock was written" in notes


def test_an_imported_environment_that_changed_is_told(run: Run, site: Path) -> None:
    assert run("resolve", "mine", "--arch", ZEN4, "-o", "env").code == 0
    assert run("lock", "--import", f"{V3}=env").code == 0
    assert check(run)[0] == 0
    mirror(site / "hub", [*NODES, NEWER])
    run("sync", "hub")
    assert run("resolve", "mine", "--arch", V3, "-o", "env").code == 0
    code, problems, _ = check(run)
    assert (code, problems[0]["kind"]) == (4, "inputs")
    assert run("lock").code == 0
    assert check(run)[0] == 0
    shutil.rmtree("env")
    code, _, notes = check(run)
    assert code == 0
    assert "env was imported from ./env/spack.lock, which is not there" in notes


def test_an_imported_environment_without_binaries_is_not_served(run: Run, site: Path) -> None:
    home = package("homemade", "1")
    body = {
        "_meta": {"file-type": "spack-lockfile", "lockfile-version": 6, "specfile-version": 5},
        "roots": [{"hash": home["hash"], "spec": "homemade"}],
        "concrete_specs": {home["hash"]: {**home, "dependencies": []}},
    }
    (site / "spack.lock").write_text(json.dumps(body))
    assert run("lock", "--import", f"{V3}=spack.lock").code == 0
    code, problems, _ = check(run)
    assert (code, {p["kind"] for p in problems}) == (6, {"hash", "served"})


def test_errors_are_documents_too(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result: Result = run("check", "absent.lock", "--json")
    assert result.code == 3
    assert result.document["schema"] == "spack-resolver/error/1"
