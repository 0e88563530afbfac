"""The stacks that ship with the program, and the script that keeps them current."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run

from resolver.api.settings import Settings
from resolver.api.stacks import StackRequest, load_stack
from resolver.arch.machine import parse_triple
from resolver.formats.manifest_schema import check_manifest
from resolver.formats.yaml_tree import load_yaml
from resolver.selection.rules import Rules
from resolver.stacks.fit import misfits

STACKS = ROOT / "stacks"
UPSTREAM: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "scripts" / "stacks-upstream.toml").read_text("utf-8"))


def test_they_are_the_24_of_upstream() -> None:
    assert {path.parent.name for path in STACKS.glob("*/spack.yaml")} == set(UPSTREAM)
    assert len({entry.get("upstream", name) for name, entry in UPSTREAM.items()}) == 24


@pytest.mark.parametrize("name", UPSTREAM)
def test_each_is_sound_and_for_its_machine(name: str, tmp_path: Path) -> None:
    machine = parse_triple(UPSTREAM[name]["machine"])
    stack = load_stack(StackRequest(name), machine, Settings(tmp_path))
    assert stack.warnings == ()
    findings = check_manifest(load_yaml(Path(stack.place).read_text("utf-8"), name), name)  # the program takes this as done
    assert [str(finding) for finding in findings if "is read by Spack 1.2 and later" not in str(finding)] == []
    assert any(group.roots for group in stack.groups)
    for group in stack.groups:
        assert not any(misfits(group, machine))
        Rules.read(group.packages)


@pytest.mark.parametrize("name", UPSTREAM)
def test_each_begins_with_a_line_on_what_it_is(name: str) -> None:
    line = (STACKS / name / "spack.yaml").read_text("utf-8").splitlines()[0]
    assert line.startswith("# ")
    assert line.endswith(".")
    assert len(line) <= 100


def test_differences_that_are_meant_have_a_reason() -> None:
    assert not [name for name, entry in UPSTREAM.items() if entry.get("accepted") and not entry.get("why")]


def test_sync_passes_over_what_is_a_definition_only(run: Run) -> None:
    result = run("sync", STACKS)
    assert result.code == 0
    assert [line.split(":")[0] for line in (result.out + result.err).splitlines()] == [
        "ml-darwin-aarch64-mps",
        "ml-linux-aarch64-cpu",
        "ml-linux-x86_64-cpu",
        "ml-linux-x86_64-cuda",
    ]


MINE = """
spack:
  definitions:
  - libraries: [zlib, hdf5 +mpi]
  specs:
  - $libraries
  - {group: tools, specs: [cmake]}
  packages:
    all: {require: [+x, target=zen4]}
"""
TABLE = '[mine]\nupstream = "theirs"\nmachine = "linux-ubuntu24.04-zen4"\n'


def drift(folder: Path, theirs: str, table: str = TABLE) -> subprocess.CompletedProcess[str]:
    """The script, for a stack and a small upstream."""
    for place, text in (("ours/mine", MINE), ("up/stacks/theirs", theirs)):
        (folder / place).mkdir(parents=True, exist_ok=True)
        (folder / place / "spack.yaml").write_text(text)
    (folder / "table.toml").write_text(table)
    words = (ROOT / "scripts" / "stacks_drift.py", folder / "up", "--ours", folder / "ours", "--table", folder / "table.toml")
    return subprocess.run([sys.executable, *map(str, words)], check=False, capture_output=True, text=True)


def test_the_same_in_other_words_is_no_drift(tmp_path: Path) -> None:
    same = "spack: {specs: [hdf5+mpi, zlib, {group: tools, matrix: [[cmake]]}], packages: {all: {require: [target=zen4, +x]}}}"
    result = drift(tmp_path, same)
    assert (result.returncode, result.stdout) == (0, ""), result.stderr


def test_drift_names_what_was_added_and_is_gone(tmp_path: Path) -> None:
    other = "spack: {specs: [zlib, gmp, {group: more, specs: [ninja]}], packages: {all: {require: [+y]}}}"
    result = drift(tmp_path, other)
    assert result.returncode == 1
    lines = [line.removeprefix("mine on linux-ubuntu24.04-zen4: ") for line in result.stdout.splitlines()]
    assert [line.split(" from ")[0] for line in lines] == [
        "added group more",
        "added gmp",
        "gone hdf5+mpi",
        "changed all:require",
        "gone group tools",
    ]


def test_drift_that_is_meant_is_not_told(tmp_path: Path) -> None:
    other = "spack: {specs: [zlib, {group: tools, specs: [cmake]}], packages: {all: {require: [+x target=zen4]}}}"
    result = drift(tmp_path, other, f'{TABLE}accepted = ["gone hdf5+mpi", "changed all:require", "gone gmp"]\n')
    assert (result.returncode, result.stdout) == (0, "")
    assert "accepted, but no difference any more: gone gmp" in result.stderr


def test_where_includes_are_missing_roots_alone_are_compared(tmp_path: Path) -> None:
    other = "spack: {include: [nosuch.yaml], specs: [zlib, hdf5+mpi, {group: tools, specs: [cmake]}]}"
    result = drift(tmp_path, other)
    assert (result.returncode, result.stdout) == (0, "")
    assert "roots and groups alone are compared" in result.stderr


def test_stacks_that_one_side_alone_has_are_told(tmp_path: Path) -> None:
    drift(tmp_path, MINE)
    shutil.copytree(tmp_path / "up" / "stacks" / "theirs", tmp_path / "up" / "stacks" / "new")
    result = drift(tmp_path, MINE, f'{TABLE}[lost]\nmachine = "linux-ubuntu24.04-zen4"\n')
    assert result.stdout.splitlines() == ["new: added upstream, and no stack here is it", "lost: gone upstream"]
