"""``expand``, and what it explains."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Run

ZEN4 = ("--arch", "linux-ubuntu24.04-zen4", "--libc", "glibc@2.39")
MANIFEST = """\
spack:
  include: [more/common.yaml]
  definitions:
  - mpis: [openmpi, mpich]
    when: target == 'zen4'
  - mpis: [mvapich2]
    when: target == 'zen3'
  specs:
  - zlib
  - $tools
  - matrix:
    - [hdf5]
    - [$^mpis]
    exclude: [^openmpi]
"""
COMMON = """\
definitions:
- tools: [cmake]
"""


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    (tmp_path / "more").mkdir()
    (tmp_path / "spack.yaml").write_text(MANIFEST)
    (tmp_path / "more" / "common.yaml").write_text(COMMON)
    return tmp_path


def test_the_roots_are_printed_one_a_line(run: Run, stack: Path) -> None:
    result = run("expand", stack, *ZEN4)
    assert result.code == 0
    assert result.out == "zlib\ncmake\nhdf5 ^mpich\n"


def test_explained_it_says_where_each_root_is_written(run: Run, stack: Path) -> None:
    assert run("expand", stack, *ZEN4, "--explain").out == (
        "zlib\n"
        "    spack.yaml:9:5  zlib\n"
        "cmake\n"
        "    more/common.yaml:2:11  cmake, by $tools at spack.yaml:10:5\n"
        "hdf5 ^mpich\n"
        "    spack.yaml:11:5  a matrix\n"
        "    spack.yaml:12:8  row 1: hdf5\n"
        "    spack.yaml:4:21  row 2: ^mpich, by $^mpis at spack.yaml:13:8\n"
        "excluded: hdf5 ^openmpi of the matrix at spack.yaml:11:5, by ^openmpi at spack.yaml:14:15\n"
        "left out: mpis at spack.yaml:7:5, since this is false: target == 'zen3'\n"
    )


def test_explained_as_json_each_root_has_an_origin(run: Run, stack: Path) -> None:
    place = stack / "spack.yaml"
    document = run("expand", stack, *ZEN4, "--explain", "--json").document
    (group,) = document["groups"]
    assert [origin["text"] for origin in group["origins"]] == group["specs"]
    assert group["origins"][1] == {
        "text": "cmake",
        "where": f"{stack / 'more' / 'common.yaml'}:2:11",
        "through": [{"reference": "$tools", "definition": "tools", "where": f"{place}:10:5"}],
        "rows": [],
    }
    assert [row["text"] for row in group["origins"][2]["rows"]] == ["hdf5", "^mpich"]
    assert group["excluded"] == [{"spec": "hdf5 ^openmpi", "matrix": f"{place}:11:5", "by": "^openmpi", "where": f"{place}:14:15"}]
    assert document["left_out"] == [{"definition": "mpis", "when": "target == 'zen3'", "where": f"{place}:7:5"}]
    assert document["warnings"] == []


def test_a_matrix_that_asks_for_nothing_names_its_empty_row(run: Run, stack: Path) -> None:
    result = run("expand", stack, "--arch", "linux-ubuntu24.04-zen2", "--libc", "glibc@2.39", "--explain")
    assert "nothing: the matrix at spack.yaml:11:5, since its row 2 is empty\n" in result.out


def test_a_stack_that_is_not_for_the_machine_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "spack.yaml").write_text("spack:\n  definitions:\n  - a: [x]\n    when: platform == 'darwin'\n  specs: [$a]\n")
    result = run("expand", tmp_path, *ZEN4)
    assert (result.code, result.out) == (0, "")
    warning = "the stack asks for no root on linux-ubuntu24.04-zen4, since this is false there: platform == 'darwin'"
    assert f"warning: {warning}" in result.err
    assert warning in run("expand", tmp_path, *ZEN4, "--json").document["warnings"][0]


def test_a_variable_that_a_condition_needs_is_asked_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "spack.yaml").write_text("spack:\n  definitions:\n  - a: [x]\n    when: env['SITE'] == 'here'\n  specs: [$a]\n")
    result = run("expand", tmp_path, *ZEN4)
    assert result.code == 3
    assert f"{tmp_path / 'spack.yaml'}:4:5: the condition" in result.err
    assert "--env SITE=VALUE" in result.err
    assert run("expand", tmp_path, *ZEN4, "--env", "SITE=here").out == "x\n"


RUNNERS = """\
spack:
  specs: [hdf5, zlib]
  ci:
    pipeline-gen:
    - submapping:
      - match: [hdf5]
        build-job: {tags: [huge]}
    - build-job: {tags: [small]}
"""


def test_the_tags_of_runners_stand_with_the_roots(run: Run, tmp_path: Path) -> None:
    (tmp_path / "spack.yaml").write_text(RUNNERS)
    assert run("expand", tmp_path, *ZEN4).out == "hdf5\nzlib\n"
    assert run("expand", tmp_path, *ZEN4, "--json").document["groups"][0]["tags"] == [["huge", "small"], ["small"]]
    assert "hdf5\n    spack.yaml:2:11  hdf5\n    runner: huge, small\nzlib\n" in run("expand", tmp_path, *ZEN4, "--explain").out


def test_without_tags_that_can_be_read_there_are_none(run: Run, tmp_path: Path, stack: Path) -> None:
    assert run("expand", stack, *ZEN4, "--json").document["groups"][0]["tags"] is None
    (tmp_path / "spack.yaml").write_text(RUNNERS.replace("[hdf5]\n", "['a b']\n"))
    document = run("expand", tmp_path, *ZEN4, "--json").document
    assert document["groups"][0]["tags"] is None
    assert "the tags of runners are not known: ci:pipeline-gen[0]" in document["warnings"][0]


def test_includes_that_are_left_out_are_named(run: Run, stack: Path) -> None:
    includes = "[more/common.yaml, {path: a.yaml, when: platform == 'darwin'}, {path: b.yaml, optional: true}]"
    (stack / "spack.yaml").write_text(MANIFEST.replace("[more/common.yaml]", includes))
    place = stack / "spack.yaml"
    assert run("expand", stack, *ZEN4, "--json").document["not_included"] == [
        {"include": "a.yaml", "where": f"{place}:2:31", "when": "platform == 'darwin'"},
        {"include": "b.yaml", "where": f"{place}:2:75", "when": None},
    ]
    out = run("expand", stack, *ZEN4, "--explain").out
    assert "left out: the include a.yaml at spack.yaml:2:31, since this is false: platform == 'darwin'\n" in out
    assert "left out: the include b.yaml at spack.yaml:2:75, which is optional and not there\n" in out


def test_what_a_sigil_hides_is_excluded_as_it_was(run: Run, tmp_path: Path) -> None:
    text = "spack:\n  definitions:\n  - m: [{matrix: [[a, b], [+x]], exclude: [a+x]}]\n  specs: [{matrix: [[root], [$%m]]}]\n"
    (tmp_path / "spack.yaml").write_text(text)
    assert "excluded: a+x of the matrix at spack.yaml:3:9, by a+x at" in run("expand", tmp_path, *ZEN4, "--explain").out


def test_all_errors_are_told_at_once_in_order_and_each_once(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "spack.yaml"
    place.write_text(
        "spack:\n  concretizer: {unify: yes}\n  specs:\n  - {group: a, specs: [x, {group: b, specs: [y]}]}\n  - a b\n  - py-x@1:\n  view: 3\n"
        "  include: [{pathh: a}]\n"
    )
    result = run("expand", tmp_path, *ZEN4, "--no-include")
    lines = [line.strip().removeprefix(f"{place}:") for line in result.err.splitlines()[1:]]
    assert result.code == 3
    assert [line.split(" ")[0] for line in lines] == ["2:17:", "4:27:", "5:5:", "6:5:", "7:3:", "8:13:"]


@pytest.mark.parametrize("text", ["", "- a\n", "just text\n", "specs: [a]\n", "env: {specs: [a]}\n", "spack: 3\n"])
def test_what_is_no_stack_is_told_once_with_its_place(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "spack.yaml").write_text(text)
    error = run("expand", tmp_path, *ZEN4, "--json").document
    assert error["exit_code"] == 3
    assert error["where"] == f"{tmp_path / 'spack.yaml'}:1:1"


def test_explained_groups_stand_above_their_roots(run: Run, tmp_path: Path) -> None:
    groups = "[zlib, {group: apps, needs: [tools], explicit: false, specs: [hdf5]}, {group: tools, specs: [cmake]}]"
    (tmp_path / "spack.yaml").write_text(f"spack:\n  specs: {groups}\n")
    lines = [line for line in run("expand", tmp_path, *ZEN4, "--explain").out.splitlines() if not line.startswith(" ")]
    assert lines == [
        "group: default   unify: true",
        "zlib",
        "group: tools   unify: true",
        "cmake",
        "group: apps   unify: true   needs: tools   explicit: false",
        "hdf5",
    ]


def test_a_text_that_ends_in_a_colon_loses_it_as_in_spack(run: Run, tmp_path: Path) -> None:
    (tmp_path / "spack.yaml").write_text(
        'spack:\n  specs:\n  - "hdf5 target=x86_64_v3:"\n  - "zlib@1.3:"\n  - hdf5 target=x86_64_v3:zen4\n'
    )
    result = run("expand", tmp_path, *ZEN4)
    assert result.out == "hdf5 target=x86_64_v3\nzlib@1.3:\nhdf5 target=x86_64_v3:zen4\n"
    assert "spack.yaml:3:5: Spack reads 'hdf5 target=x86_64_v3:' as 'hdf5 target=x86_64_v3'" in result.err
    assert "zlib" not in result.err
