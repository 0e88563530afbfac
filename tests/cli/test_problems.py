"""Problems written out and solved again, limits and preferences, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from fakes.indexes import hashed, index_of

MACHINE = ("--arch", "linux-ubuntu24.04-zen4", "--libc", "glibc@2.39")
STACK = """
spack:
  concretizer: {unify: true}
  specs:
  - group: base
    specs: [xz]
    override: {packages: {xz: {require: '@5.4'}}}
  - group: top
    needs: [base]
    specs: [app, tool]
"""


def package(name: str, version: str, *children: dict[str, Any], note: str = "") -> dict[str, Any]:
    edges = [{"name": c["name"], "hash": c["hash"], "parameters": {"deptypes": ["link"], "virtuals": []}} for c in children]
    arch = {"platform": "linux", "platform_os": "ubuntu24.04", "target": "x86_64_v3"}
    return hashed(
        {"name": name, "version": version, "arch": arch, "namespace": "builtin", "parameters": {"note": note}, "dependencies": edges}
    )


OLD, NEW = package("xz", "5.4"), package("xz", "5.6")
APPS = [package("app", "1", OLD), package("app", "1", NEW)]
TOOLS = [package("tool", "1", OLD), package("tool", "2", NEW)]
NODES = [OLD, NEW, *APPS, *TOOLS]


@pytest.fixture
def world(run: Run, tmp_path: Path) -> Path:
    (tmp_path / "index.json").write_bytes(index_of(NODES))
    assert run("sync", tmp_path / "index.json").code == 0
    (tmp_path / "spack.yaml").write_text(STACK)
    return tmp_path


def chosen(answer: str) -> list[str]:
    return [root["hash"] for group in json.loads(answer)["groups"] for root in group["roots"]]


def test_a_problem_is_written_and_solved_again(run: Run, world: Path) -> None:
    first = run("resolve", world / "spack.yaml", *MACHINE, "--dump-problem", world / "p.json", "--json")
    assert first.code == 0
    assert f"wrote {world / 'p.json'}" in first.err
    again = run("resolve", "--replay", world / "p.json", "--json")
    assert again.code == 0
    assert chosen(again.out) == chosen(first.out)
    assert json.loads(again.out)["same"]
    run("resolve", world / "spack.yaml", *MACHINE, "--dump-problem", world / "q.json")
    assert (world / "p.json").read_bytes() == (world / "q.json").read_bytes()


def test_replay_prints_the_picks(run: Run, world: Path) -> None:
    run("resolve", world / "spack.yaml", *MACHINE, "--dump-problem", world / "p.json")
    result = run("resolve", "--replay", world / "p.json")
    assert result.out.splitlines()[0].split() == ["root", "hash"]
    assert f"tool  {TOOLS[1]['hash']}" in result.out


def test_a_picks_file_that_was_changed_is_told_apart(run: Run, world: Path) -> None:
    run("resolve", world / "spack.yaml", *MACHINE, "--dump-problem", world / "p.json")
    text = (world / "p.json").read_text().replace(f'"picks":["{OLD["hash"]}"]', '"picks":[null]')
    (world / "p.json").write_text(text)
    result = run("resolve", "--replay", world / "p.json")
    assert "1 of 1 roots are answered otherwise" in result.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("resolve",), 2, "STACK"),
        (("resolve", "x", "--replay", "p.json"), 2, "--replay"),
        (("resolve", "--replay", "no-such-file"), 3, "cannot read"),
        (("resolve", "--replay", __file__), 3, "no problem that was written"),
        (("resolve", "x", "--prefer", "oldest"), 2, "--prefer"),
        (("resolve", "x", "--time-limit", "-1"), 2, "--time-limit"),
    ],
)
def test_mistakes(run: Run, words: tuple[str, ...], code: int, says: str) -> None:
    result = run(*words)
    assert result.code == code
    assert says in result.err


def test_what_a_needed_group_has_is_offered_and_its_preference_yields_to_versions(run: Run, world: Path) -> None:
    result = run("resolve", world / "spack.yaml", *MACHINE, "--json")
    assert chosen(result.out) == [OLD["hash"], APPS[1]["hash"], TOOLS[1]["hash"]]
    alone = run("resolve", world / "spack.yaml", *MACHINE, "--group", "top", "--json")
    assert chosen(alone.out) == [APPS[1]["hash"], TOOLS[1]["hash"]]


def test_what_a_needed_group_has_comes_before_its_equals(run: Run, tmp_path: Path) -> None:
    twins = sorted([package("xz", "5.6", note="one"), package("xz", "5.6", note="two")], key=lambda node: node["hash"])
    apps = sorted([(package("app", "1", twin), twin) for twin in twins], key=lambda pair: pair[0]["hash"])
    (tmp_path / "index.json").write_bytes(index_of([*twins, *(app for app, _ in apps)]))
    assert run("sync", tmp_path / "index.json").code == 0
    for app, twin in apps:
        base = f"{{group: base, specs: ['xz/{twin['hash']}']}}"
        (tmp_path / "spack.yaml").write_text(f"spack: {{specs: [{base}, {{group: top, needs: [base], specs: [app]}}]}}")
        result = run("resolve", tmp_path / "spack.yaml", *MACHINE, "--json", "--group", "top")
        assert chosen(result.out) == [app["hash"]]


def test_without_time_it_is_said_that_nothing_is_proven(run: Run, world: Path) -> None:
    libraries = [package("xz", f"5.{n}") for n in range(10)]
    more = [package(name, f"1.{n}", below) for name in ("app", "tool") for n, below in enumerate(libraries)]
    (world / "index.json").write_bytes(index_of([*libraries, *more]))
    run("sync", world / "index.json")
    (world / "spack.yaml").write_text("spack: {specs: [app, tool], concretizer: {unify: true}}")
    result = run("resolve", world / "spack.yaml", *MACHINE, "--time-limit", "0", "--json")
    assert json.loads(result.out)["groups"][0]["optimal"] is False
    assert "not proven to be the best" in result.err


def test_a_preference_is_in_the_command_that_is_written(run: Run, world: Path) -> None:
    run("resolve", world / "spack.yaml", *MACHINE, "--prefer", "closest-target", "-o", world / "env")
    assert "--prefer closest-target" in (world / "env" / "spack.yaml").read_text()
