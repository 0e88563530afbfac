from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run

GITHUB = ("--machine", "github-ubuntu-24.04")


@pytest.fixture
def own(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The program, with a folder of stacks of one's own."""
    folder = tmp_path / "mine"
    for name, text in OWN.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "spack.yaml").write_text(text)
    (folder / "extra").mkdir()
    (folder / "extra" / "packages.yaml").write_text("packages: {all: {require: [target=m1]}}")
    (tmp_path / "spack-resolver.yaml").write_text("stacks: [mine]\nmachines: {ours: {platform: darwin, os: sequoia, target: m1}}")
    monkeypatch.chdir(tmp_path)
    return run


OWN = {
    "broken": "spack: {specs: [a b]}",
    "damaged": "# What it is\nspack: [",
    "empty": "spack: {specs: []}",
    "here": "\n# -*- yaml -*-\n#  A stack of mine. \nspack:\n  definitions:\n  - x: [a, b]\n    when: platform == 'linux'\n"
    "  specs:\n  - $x\n  - group: g\n    specs: [c target=m1, $x]",
    "included": "spack: {include: [{path: ../extra, when: platform == 'linux'}], specs: [a]}",
}


def listed(run: Run, *words: str) -> dict[str, dict[str, Any]]:
    result = run("stacks", *words, "--json")
    assert result.code == 0, result.err
    return {one["name"]: one for one in result.document["stacks"]}


def on(stack: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {one["machine"]: (one["asked"], one["roots"]) for one in stack["machines"]}


def test_shipped_stacks_are_listed_with_their_roots(run: Run) -> None:
    found = listed(run, *GITHUB)
    assert set(found) == {path.parent.name for path in (ROOT / "stacks").glob("*/spack.yaml")}
    assert on(found["e4s"]) == {"github-ubuntu-24.04": (275, 275)}
    assert found["e4s"]["groups"] == ["default", "cuda-80", "cuda-90", "rocm"]
    assert found["e4s"]["about"].startswith("E4S, the Extreme-scale")
    assert found["e4s"]["place"] == str(ROOT / "stacks" / "e4s" / "spack.yaml")


def test_without_a_machine_ones_own_and_githubs_are_gone_through(own: Run) -> None:
    found = listed(own)
    names = own("machine", "--list", "machines", "--json").document["names"]
    assert list(on(found["ml-linux-x86_64-cpu"])) == [name for name in names if name == "ours" or name.startswith("github-")]
    assert on(found["ml-linux-x86_64-cpu"])["ours"] == (29, 0)
    assert on(found["developer-tools-darwin"])["ours"] == (63, 63)


def test_a_stack_of_ones_own_is_counted_for_each_machine(own: Run) -> None:
    found = listed(own)["here"]
    assert (found["about"], found["groups"]) == ("A stack of mine.", ["default", "g"])
    assert on(found)["github-ubuntu-22.04"] == (5, 4)
    assert on(found)["ours"] == (1, 1)


def test_includes_count_for_the_machine_that_they_are_for(own: Run) -> None:
    found = on(listed(own)["included"])
    assert (found["github-ubuntu-24.04"], found["ours"]) == ((1, 0), (1, 1))
    assert on(listed(own, "--no-include")["included"])["github-ubuntu-24.04"] == (1, 1)


REASONS = {
    "windows-vis": "`platform == 'windows'` is false",
    "developer-tools-darwin": "`platform == 'darwin' and arch.satisfies('target=aarch64:')` is false",
    "ml-darwin-aarch64-mps": "target=m1 does not run on x86_64_v3",
    "included": "target=m1 does not run on x86_64_v3",
    "empty": "it asks for nothing",
    "broken": "a second begins here",
    "damaged": "spack.yaml:",
}


def test_a_stack_that_is_not_for_the_machine_says_so(own: Run) -> None:
    found = listed(own, *GITHUB)
    lines = {line.split()[0]: line for line in own("stacks", *GITHUB).out.splitlines()}
    for name, reason in REASONS.items():
        (machine,) = found[name]["machines"]
        assert machine["roots"] == 0
        assert reason in machine["reason"]
        assert lines[name].split()[1] == "0"
        assert "not for this machine: " in lines[name]


def test_the_table_has_a_line_for_each_number_of_roots(own: Run) -> None:
    lines = [line.split(maxsplit=3) for line in own("stacks").out.splitlines()]
    rows = [line for line in lines if line[0] == "here"]
    assert [row[:3] for row in rows] == [["here", "1", "2"], ["here", "4", "2"]]
    assert rows[0][3].startswith("github-macos-14, github-macos-15, github-macos-26, ours ")
    assert next(line for line in lines if line[0] == "windows-vis")[3].startswith("github-windows-2022, github-windows-2025 ")
    assert next(line for line in lines if line[0] == "empty")[3].startswith("none ")


def test_documented_keys_are_the_real_ones(run: Run) -> None:
    text = (ROOT / "docs" / "json.md").read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| `stacks`"))
    document = run("stacks", *GITHUB, "--json").document
    stack = document["stacks"][0]
    keys = {*document, *stack, *stack["machines"][0]} - {"schema"}
    assert document["schema"] == "spack-resolver/stacks/1"
    assert not [key for key in keys if f"`{key}`" not in row]
