"""``matrix`` as a whole: what jobs there are, and how they are called."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import DATA, ROOT, Result, Run
from fakes.ci import assert_schema, bash, index, lint, step, tells_arguments

from resolver.arch.machine import Machine
from resolver.formats.config import read_config
from resolver.formats.resolver_lock import Lock, LockChoice, LockMachine, LockNode, LockRoot, LockSelection, LockStack, write_lock

ZEN4 = "linux-ubuntu24.04-zen4"
ARM = "linux-ubuntu24.04-neoverse_n1"
GROUPS = """\
spack:
  specs:
  - zlib
  - group: tools
    specs: [ninja]
  - group: apps
    needs: [tools]
    specs: [hdf5+mpi, hdf5~mpi, nosuch]
  concretizer: {unify: false}
"""


@pytest.fixture
def world(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A folder with a stack of three groups, one of a single one, and binaries for most of it."""
    assert run("sync", index(tmp_path / "index.json")).code == 0
    (tmp_path / "groups.yaml").write_text(GROUPS)
    (tmp_path / "plain.yaml").write_text("spack: {specs: [hdf5, solver], concretizer: {unify: false}}")
    monkeypatch.chdir(tmp_path)
    return run


def matrix(run: Run, *words: str | Path) -> Result:
    return run("matrix", *words)


def ids(result: Result) -> list[str]:
    return [row["id"] for row in result.document["include"]]


def test_a_job_is_for_a_stack_on_a_machine(world: Run) -> None:
    result = matrix(world, "plain.yaml", "groups.yaml", "--machine", ZEN4, "--machine", ARM, "--json")
    assert ids(result) == [f"groups@{ZEN4}", f"plain@{ARM}", f"plain@{ZEN4}"]
    whole, *_, plain = result.document["include"]
    assert (whole["group"], whole["roots"], whole["root"], whole["hash"]) == (None, 4, None, None)
    assert (plain["group"], plain["roots"], plain["stack"], plain["machine"]) == ("default", 1, "plain", ZEN4)


def test_a_job_may_be_for_a_group(world: Run) -> None:
    result = matrix(world, "plain.yaml", "groups.yaml", "--machine", ZEN4, "--split", "group", "--json")
    assert ids(result) == [f"groups@{ZEN4}@apps", f"groups@{ZEN4}@default", f"groups@{ZEN4}@tools", f"plain@{ZEN4}"]
    rows = {row["id"]: row for row in result.document["include"]}
    assert rows[f"groups@{ZEN4}@apps"]["needs"] == [f"groups@{ZEN4}@tools"]
    assert rows[f"groups@{ZEN4}@apps"]["roots"] == 2
    assert rows[f"groups@{ZEN4}@apps"]["command"] == f"spack-resolver resolve groups.yaml --machine {ZEN4} --partial -o env --group apps"


def test_a_job_may_be_for_a_root(world: Run) -> None:
    result = matrix(world, "groups.yaml", "--machine", ZEN4, "--split", "root", "--json")
    assert ids(result) == [f"groups@{ZEN4}@{name}" for name in ("apps@hdf5+mpi", "apps@hdf5~mpi", "default@zlib", "tools@ninja")]
    row = result.document["include"][0]
    assert (row["root"], row["hash"].rstrip("0"), row["group"]) == ("hdf5+mpi", "hdf5", "apps")
    assert row["command"].endswith("-o env --group apps --root hdf5+mpi")


@pytest.mark.parametrize("split", ["stack", "group", "root"])
def test_the_command_of_a_job_makes_what_its_fingerprint_names(world: Run, split: str) -> None:
    rows = matrix(world, "groups.yaml", "plain.yaml", "--machine", ZEN4, "--split", split, "--json").document["include"]
    for row in rows:
        assert world(*shlex.split(row["command"])[1:], "--json").document["fingerprint"] == row["fingerprint"]


@pytest.mark.parametrize("split", ["stack", "group", "root"])
def test_environments_are_written_where_they_are_asked_for(world: Run, split: str) -> None:
    result = matrix(world, "groups.yaml", "--machine", ZEN4, "--split", split, "-o", "environments", "--json")
    rows = result.document["include"]
    assert sorted(path.name for path in Path("environments").iterdir()) == [row["id"] for row in rows]
    for row in rows:
        assert row["environment"] == f"environments/{row['id']}"
        lock = json.loads((Path(row["environment"]) / "spack.lock").read_text())
        assert len(lock["roots"]) == row["roots"]
        words = shlex.split(row["command"])
        world(*[f"again/{row['id']}" if word == "env" else word for word in words[1:]])
        for name in ("spack.lock", "spack.yaml"):
            assert (Path("again") / row["id"] / name).read_bytes() == (Path(row["environment"]) / name).read_bytes()


def test_the_configuration_says_what_the_command_does_not(world: Run) -> None:
    config = {
        "machines": {"big": {"platform": "linux", "os": "ubuntu24.04", "target": "zen4", "cuda_arch": [90]}},
        "matrix": {"stacks": ["plain.yaml", "groups.yaml"], "machines": ["big", ARM], "split": "group", "skip": ["*@tools"]},
        "ci": {"runners": {"big": ["self-hosted", "gpu"]}, "images": {"big": "debian:13"}, "setup": {"big": ["apt-get update", "true"]}},
    }
    Path("spack-resolver.yaml").write_text(yaml.safe_dump(config))
    result = matrix(world, "--json")
    assert ids(result) == [f"groups@{ZEN4}+cuda90@apps", f"groups@{ZEN4}+cuda90@default", f"plain@{ARM}", f"plain@{ZEN4}+cuda90"]
    row = result.document["include"][-1]
    assert (row["runner"], row["tags"], row["image"]) == (["self-hosted", "gpu"], ["self-hosted", "gpu"], "debian:13")
    assert (row["setup"], row["machine"], row["cuda_arch"]) == ("apt-get update\ntrue", "big", ["90"])
    assert result.document["include"][-2]["image"] is None
    assert ids(matrix(world, "plain.yaml", "--split", "stack", "--machine", ZEN4, "--json")) == [f"plain@{ZEN4}"]
    assert ids(matrix(world, "--only", "plain*", "--skip", "*neoverse*", "--json")) == [f"plain@{ZEN4}+cuda90"]


def test_paths_of_the_configuration_begin_at_its_folder(world: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("spack-resolver.yaml").write_text(f"matrix: {{stacks: [plain.yaml], machines: [{ZEN4}]}}")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    (row,) = matrix(world, "--json").document["include"]
    assert row["command"].startswith("spack-resolver resolve ../plain.yaml ")
    workflow = matrix(world, "../plain.yaml", "--for", "github", "--workflow").out
    assert "spack-resolver matrix plain.yaml --for github" in workflow


@pytest.mark.parametrize("words", [(), ("plain.yaml",), ("--machine", ZEN4)])
def test_without_stacks_or_machines_an_example_is_shown(world: Run, words: tuple[str, ...]) -> None:
    result = matrix(world, *words)
    assert result.code == 3
    assert "nothing says which" in result.err
    example = result.err.partition("spack-resolver.yaml:\n")[2]
    Path("spack-resolver.yaml").write_text(example)
    assert matrix(world, *words).code in (0, 4)


def test_stacks_of_the_same_name_have_ids_of_their_own(world: Run) -> None:
    for folder in ("a", "b"):
        (Path(folder) / "same").mkdir(parents=True)
        (Path(folder) / "same" / "spack.yaml").write_text("spack: {specs: [zlib]}")
    found = ids(matrix(world, "a/same", "b/same", "plain.yaml", "--machine", ZEN4, "--json"))
    assert found == [f"a_same@{ZEN4}", f"b_same@{ZEN4}", f"plain@{ZEN4}"]
    assert ids(matrix(world, "b/same", "plain.yaml", "a/same", "a/same/spack.yaml", "--machine", ZEN4, "--json")) == found


def test_machines_of_the_same_architecture_have_ids_of_their_own(world: Run) -> None:
    Path("spack-resolver.yaml").write_text(
        "machines: {one: {platform: linux, os: ubuntu24.04, target: zen4}, two: {platform: linux, os: ubuntu24.04, target: zen4}}"
    )
    found = ids(matrix(world, "plain.yaml", "--machine", "two", "--machine", "one", "--machine", ARM, "--json"))
    assert found == [f"plain@{ARM}", f"plain@{ZEN4}.one", f"plain@{ZEN4}.two"]


def test_globs_choose_among_the_ids(world: Run) -> None:
    words = ("groups.yaml", "plain.yaml", "--machine", ZEN4, "--machine", ARM, "--split", "root", "--json")
    assert ids(matrix(world, *words, "--only", "*@hdf5*", "--skip", "*~mpi")) == [f"groups@{ZEN4}@apps@hdf5+mpi", f"plain@{ZEN4}@hdf5"]
    assert ids(matrix(world, *words, "--only", "plain@*", "--only", f"*{ZEN4}@tools@*")) == [
        f"groups@{ZEN4}@tools@ninja",
        f"plain@{ARM}@solver",
        f"plain@{ZEN4}@hdf5",
    ]
    result = matrix(world, *words, "--skip", "*")
    assert (result.code, ids(result)) == (4, [])


def test_a_glob_that_matches_nothing_is_said_with_near_ids(world: Run) -> None:
    result = matrix(world, "plain.yaml", "--machine", ZEN4, "--skip", "plan@linux-ubuntu24.04-zen3", "--json")
    assert result.code == 0
    assert f"--skip 'plan@linux-ubuntu24.04-zen3' matches no job; did you mean plain@{ZEN4}?" in result.err
    assert result.document["warnings"] == [f"--skip 'plan@linux-ubuntu24.04-zen3' matches no job; did you mean plain@{ZEN4}?"]
    assert matrix(world, "plain.yaml", "--machine", ZEN4, "--only", "zzz*").code == 4
    assert "matches no job" not in matrix(world, "plain.yaml", "--machine", ZEN4, "--skip", "plain*").err


def test_what_is_skipped_is_not_needed(world: Run) -> None:
    words = ("groups.yaml", "--machine", ZEN4, "--split", "group", "--skip", "*@tools")
    assert [row["needs"] for row in matrix(world, *words, "--json").document["include"]] == [[], []]
    pipeline = yaml.safe_load(matrix(world, *words, "--for", "gitlab").out)
    assert "needs" not in pipeline[f"groups@{ZEN4}@apps"]


def test_an_empty_cell_has_no_job_but_a_reason(world: Run) -> None:
    result = matrix(world, "groups.yaml", "plain.yaml", "--machine", ARM, "--json")
    assert ids(result) == [f"plain@{ARM}"]
    (empty,) = result.document["empty"]
    assert empty.startswith(f"groups@{ARM}: none of 5 roots has a hash; zlib: ")
    assert empty in result.err
    cells = {cell["id"]: cell for cell in result.document["cells"]}
    assert (cells[f"groups@{ARM}"]["asked"], cells[f"groups@{ARM}"]["served"]) == (5, 0)
    assert cells[f"plain@{ARM}"]["served"] == 1
    assert f"plain@{ARM}: 1 of 2 roots has a hash; hdf5: " in result.err


def test_a_stack_that_asks_for_nothing_on_a_machine_says_so(world: Run) -> None:
    Path("only.yaml").write_text("spack:\n  definitions:\n  - x: [zlib]\n    when: platform == 'darwin'\n  specs: [$x]\n")
    result = matrix(world, "only.yaml", "--machine", ZEN4, "--json")
    assert result.code == 4
    assert result.document["empty"][0].startswith(f"only@{ZEN4}: the stack asks for no root on {ZEN4}, since ")
    assert "platform == 'darwin'" in result.err
    assert len(result.err.splitlines()) == 1


def test_empty_groups_are_said_where_jobs_are_for_groups(world: Run) -> None:
    Path("two.yaml").write_text("spack: {specs: [zlib, {group: none, specs: [nosuch]}]}")
    document = matrix(world, "two.yaml", "--machine", ZEN4, "--split", "root", "--json").document
    assert [text.partition(":")[0] for text in document["empty"]] == [f"two@{ZEN4}@none"]
    assert matrix(world, "two.yaml", "--machine", ZEN4, "--split", "group", "--skip", "*@none", "--json").document["empty"] == []


@pytest.mark.parametrize("system", ["github", "gitlab", "jsonl", "json"])
@pytest.mark.parametrize("split", ["stack", "root"])
def test_the_order_of_the_arguments_changes_nothing(world: Run, system: str, split: str) -> None:
    machines = [("--machine", ZEN4), ("--machine", ARM), ("--skip", "*@zlib"), ("--only", "*")]
    texts = set()
    for order in list(permutations(machines))[::5]:
        for stacks in (["plain.yaml", "groups.yaml"], ["groups.yaml", "plain.yaml", "plain.yaml"]):
            words = [word for pair in order for word in pair]
            texts.add(matrix(world, *words, "--for", system, "--split", split, *stacks).out)
    assert len(texts) == 1


def test_plain_lines_are_the_rows_of_the_document(world: Run) -> None:
    words = ("groups.yaml", "--machine", ZEN4, "--split", "root")
    lines = matrix(world, *words, "--for", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == matrix(world, *words).document["include"]
    assert matrix(world, *words, "--for", "github").document == {"include": [json.loads(line) for line in lines]}


def test_more_than_256_jobs_are_several_matrices(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = [f"p{number:03}x" for number in range(300)]
    assert run("sync", index(tmp_path / "index.json", [{"id": name, "spec": f"{name}@=1 target=x86_64"} for name in names])).code == 0
    Path("many.yaml").write_text(f"spack: {{specs: [{', '.join(names)}], concretizer: {{unify: false}}}}")
    words = ("many.yaml", "--machine", ZEN4, "--split", "root", "--for", "github")
    lines = [json.loads(line)["include"] for line in matrix(run, *words).out.splitlines()]
    assert [len(include) for include in lines] == [256, 44]
    workflow = matrix(run, *words, "--workflow").out
    assert list(yaml.safe_load(workflow)["jobs"]) == ["plan", "install-1", "install-2"]
    lint(workflow, folder=tmp_path)


def test_tags_are_the_configurations_or_the_stacks_or_the_machines(world: Run) -> None:
    (Path("tagged.yaml")).write_text(
        "spack:\n  specs: [zlib, hdf5+mpi]\n  concretizer: {unify: false}\n  ci:\n    pipeline-gen:\n    - submapping:\n"
        "      - match: [zlib]\n        build-job: {tags: [small]}\n      - match: [hdf5]\n        build-job: {tags: [large]}\n"
        "    - build-job: {tags: [spack]}\n"
    )

    def tags(*words: str) -> list[list[str]]:
        return [row["tags"] for row in matrix(world, "tagged.yaml", "--machine", ZEN4, *words, "--json").document["include"]]

    assert tags() == [["spack"]]
    assert tags("--split", "root") == [["large", "spack"], ["small", "spack"]]
    Path("spack-resolver.yaml").write_text(f"ci: {{runners: {{{ZEN4}: mine}}}}")
    assert tags("--split", "root") == [["mine"], ["mine"]]
    assert [row["tags"] for row in matrix(world, "plain.yaml", "--machine", ARM, "--json").document["include"]] == [[ARM]]


def test_tags_that_cannot_be_read_are_a_warning(world: Run) -> None:
    Path("tagged.yaml").write_text("spack: {specs: [zlib], ci: {pipeline-gen: [{build-job: {tags: 3}}]}}")
    result = matrix(world, "tagged.yaml", "--machine", ZEN4, "--json")
    assert result.code in (0, 3)
    assert "tags" in result.err


def test_a_pipeline_fits_the_schema_and_a_workflow_the_linter(world: Run, tmp_path: Path) -> None:
    words = ("groups.yaml", "plain.yaml", "--machine", ZEN4, "--machine", ARM, "--split", "group")
    texts = [
        matrix(world, *words, "--for", "gitlab").out,
        matrix(world, *words, "--for", "gitlab", "-o", "environments").out,
        matrix(world, *words, "--for", "gitlab", "--workflow").out,
        matrix(world, "groups.yaml", "--machine", ARM, "--for", "gitlab").out,
    ]
    for number, text in enumerate(texts):
        (tmp_path / f"pipeline{number}.yml").write_text(text)
    assert_schema("gitlab-ci", *sorted(tmp_path.glob("pipeline*.yml")))
    lint(matrix(world, *words, "--for", "github", "--workflow").out, folder=tmp_path)


def test_a_workflow_is_written_to_a_file(world: Run) -> None:
    words = ("plain.yaml", "--machine", ZEN4, "--for", "github")
    result = matrix(world, *words, "--workflow", ".github/workflows/spack.yml")
    assert (result.code, result.out) == (0, "")
    text = Path(".github/workflows/spack.yml").read_text()
    assert text.splitlines()[0] == (
        f"# Made by: spack-resolver matrix plain.yaml --machine {ZEN4} --for github --workflow .github/workflows/spack.yml"
    )
    assert matrix(world, *words, "--workflow=again.yml", "--json").document["include"]
    assert Path("again.yml").read_text().splitlines()[1:] == text.splitlines()[1:]


def test_a_workflow_plans_what_was_asked_for(world: Run, tmp_path: Path) -> None:
    Path("spack-resolver.yaml").write_text(
        f"sources: [index.json]\nmatrix: {{stacks: [groups.yaml], machines: [{ZEN4}]}}\nci: {{spack: v1.2.0}}"
    )
    text = world(
        "--config", tmp_path / "spack-resolver.yaml", "matrix", "--split", "group", "--skip", "*@tools", "--for", "github", "--workflow"
    ).out
    assert yaml.safe_load(text)["env"]["SPACK_REF"] == "v1.2.0"
    run = step(text, "plan", "Make the matrix and an environment for each of its jobs")["run"]
    (line,) = [line for line in run.splitlines() if line.startswith("spack-resolver ")]
    command = line.partition(" > ")[0]
    assert command == "spack-resolver --config spack-resolver.yaml matrix --split group --skip '*@tools' --for github -o environments"
    programs = {"spack-resolver": f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m resolver "$@"\n'}
    catalog = {"SPACK_RESOLVER_CATALOG": os.environ["SPACK_RESOLVER_CATALOG"], "GITHUB_OUTPUT": str(tmp_path / "output")}
    bash(run, tmp_path, programs, catalog)
    name, _, include = (tmp_path / "output").read_text().partition("=")
    assert (name, [row["id"] for row in json.loads(include)["include"]]) == ("matrix1", [f"groups@{ZEN4}@apps", f"groups@{ZEN4}@default"])
    assert sorted(path.name for path in Path("environments").iterdir()) == [f"groups@{ZEN4}@apps", f"groups@{ZEN4}@default"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--workflow", "--for", "json"), "say --for github"),
        (("--for", "github", "--workflow", "groups.yaml2"), "ends in .yml"),
        (("--for", "github", "--workflow", "--json"), "stdout takes one document"),
        (("--for", "nosuch"), "nosuch"),
        (("--split", "nosuch"), "nosuch"),
    ],
)
def test_options_that_do_not_go_together_are_refused(world: Run, words: tuple[str, ...], text: str) -> None:
    result = matrix(world, "plain.yaml", "--machine", ZEN4, *words)
    assert (result.code, text in result.err) == (2, True)


def test_a_workflow_without_sources_or_with_paths_of_this_machine_says_so(world: Run, tmp_path: Path) -> None:
    far = tmp_path.parent / "far" / "spack.yaml"
    far.parent.mkdir(exist_ok=True)
    far.write_text("spack: {specs: [zlib]}")
    result = matrix(world, far, tmp_path / "plain.yaml", "--machine", ZEN4, "--for", "github", "--workflow")
    assert "names no sources" in result.err
    assert f"{far} is not below {tmp_path}" in result.err
    assert str(tmp_path / "plain.yaml") not in result.out
    assert "matrix " in result.out


def test_a_path_that_begins_with_a_hyphen_is_no_option_of_the_workflow(world: Run) -> None:
    Path("-mine").mkdir()
    Path("-mine/spack.yaml").write_text("spack: {specs: [zlib]}")
    result = matrix(world, "./-mine", "--machine", ZEN4, "--for", "github", "--workflow")
    assert "spack-resolver matrix ./-mine --machine" in result.out


def test_names_of_stacks_are_harmless(world: Run, tmp_path: Path) -> None:
    names = ["${{ github.token }}", "a b'c", "$(touch pwned)", "x\n- evil: [y", "::error::x", "pages", "-rf", ".hidden"]
    for name in names:
        folder = Path("stacks") / name
        folder.mkdir(parents=True)
        (folder / "spack.yaml").write_text(
            'spack: {specs: [zlib, nosuch, {group: "g ${{ x }}\\n\'", specs: [ninja]}], concretizer: {unify: false}}'
        )
    words = (*(f"stacks/{name}" for name in names), "--machine", ZEN4, "--split", "group")
    rows = matrix(world, *words, "--json").document["include"]
    assert sorted(row["stack"] for row in rows) == sorted(names * 2)
    assert all(row["id"] == shlex.quote(row["id"]) and not row["id"].startswith((".", "-")) for row in rows)
    workflow = matrix(world, *words, "--for", "github", "--workflow")
    assert "${{ github.token }}" not in workflow.out
    assert all(line.startswith("note: ") for line in workflow.err.splitlines())
    lint(workflow.out, folder=tmp_path)
    pipeline = matrix(world, *words, "--for", "gitlab").out
    (tmp_path / "pipeline.yml").write_text(pipeline)
    assert_schema("gitlab-ci", tmp_path / "pipeline.yml")
    body = yaml.safe_load(pipeline)
    assert set(body) == {"stages", "variables", ".install", *(row["id"] for row in rows)}
    commands = [body[row["id"]]["variables"]["RESOLVER_COMMAND"] for row in rows]
    texts = [command if isinstance(command, str) else command["value"] for command in commands]
    bash("\n".join(f"eval {shlex.quote(text)}" for text in texts), tmp_path, {"spack-resolver": tells_arguments(tmp_path / "told")})
    told = [json.loads(line)[1] for line in (tmp_path / "told").read_text().splitlines()]
    assert told == [f"stacks/{row['stack']}" for row in rows]
    assert not list(tmp_path.rglob("pwned"))


def machine_of(row: dict[str, Any]) -> LockMachine:
    return LockMachine.of(Machine(row["platform"], row["os"], row["target"]))


def locked(rows: list[dict[str, Any]], roots: dict[tuple[str, str | None], dict[str, str]]) -> bytes:
    """A lock with the fingerprints of these rows, each a group's, and the hashes of its roots."""
    selections = [
        LockSelection(
            row["stack"],
            row["group"],
            row["machine"],
            "false",
            "0" * 64,
            row["fingerprint"],
            optimal=True,
            roots=tuple(LockRoot(spec, (LockChoice(row["target"], key),)) for spec, key in roots[row["id"], row["group"]].items()),
            targets=(row["target"],),
        )
        for row in rows
    ]
    hashes = {key for row in roots.values() for key in row.values()}
    node = b'{"name":"x","version":"1","arch":{"platform":"linux","platform_os":"ubuntu24.04","target":"x86_64"},"hash":"%s"}'
    return write_lock(
        Lock(
            stacks={row["stack"]: LockStack(f"./{row['stack']}.yaml") for row in rows},
            machines={row["machine"]: machine_of(row) for row in rows},
            selections=tuple(selections),
            nodes={key: LockNode((), node % key.encode()) for key in hashes},
        )
    )


@pytest.fixture
def lock(world: Run) -> Path:
    """A lock of what both stacks have on both machines, under other names of machines."""
    words = ("groups.yaml", "plain.yaml", "--machine", ZEN4, "--machine", ARM, "--json")
    groups = matrix(world, *words, "--split", "group").document["include"]
    roots: dict[tuple[str, str | None], dict[str, str]] = {(row["id"], row["group"]): {} for row in groups}
    for row in matrix(world, *words, "--split", "root").document["include"]:
        group = next(one for one in groups if (one["stack"], one["group"], one["machine"]) == (row["stack"], row["group"], row["machine"]))
        roots[group["id"], group["group"]][row["root"]] = row["hash"]
    renamed = [{**row, "machine": row["machine"].rpartition("-")[2]} for row in groups]
    path = Path("resolver.lock")
    path.write_bytes(locked(renamed, roots))
    return path


@pytest.mark.parametrize("split", ["stack", "group", "root"])
def test_what_a_lock_has_is_left_out(world: Run, lock: Path, split: str) -> None:
    words = ("groups.yaml", "plain.yaml", "--machine", ZEN4, "--machine", ARM, "--split", split)
    before = matrix(world, *words, "--json").document["include"]
    result = matrix(world, *words, "--changed-since", lock, "--json")
    assert (result.code, ids(result)) == (0, [])
    assert result.document["unchanged"] == [row["id"] for row in before]
    assert f"{len(before)} jobs are left out" in result.err
    assert matrix(world, *words, "--changed-since", lock, "--for", "github").out == '{"include":[]}\n'


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("stack", [f"groups@{ZEN4}"]),
        ("group", [f"groups@{ZEN4}@apps"]),
        ("root", [f"groups@{ZEN4}@apps@hdf5+mpi"]),
    ],
)
def test_what_changed_since_a_lock_has_a_job(world: Run, lock: Path, tmp_path: Path, split: str, expected: list[str]) -> None:
    text = Path("groups.yaml").read_text()
    Path("groups.yaml").write_text(text.replace("nosuch", "other"))
    words = ("groups.yaml", "plain.yaml", "--machine", ZEN4, "--machine", ARM, "--split", split, "--changed-since", lock, "--json")
    assert ids(matrix(world, *words)) == []
    newer = [{"id": "newer", "spec": "hdf5@=1.15+mpi target=x86_64_v3", "link": []}]
    world("sync", index(tmp_path / "newer.json", newer))
    found = ids(matrix(world, *words))
    assert [one for one in found if one.startswith("groups")] == expected
    assert [one for one in found if one.startswith("plain")] == [f"plain@{ZEN4}{'@hdf5' if split == 'root' else ''}"]


def test_a_stack_that_lost_a_group_has_changed(world: Run, lock: Path) -> None:
    Path("groups.yaml").write_text("spack: {specs: [zlib, {group: tools, specs: [ninja]}], concretizer: {unify: false}}")
    words = ("groups.yaml", "--machine", ZEN4, "--changed-since", lock, "--json")
    assert ids(matrix(world, *words)) == [f"groups@{ZEN4}"]
    assert ids(matrix(world, *words, "--split", "group")) == []


def test_a_stack_is_compared_with_what_the_lock_has_for_its_place(world: Run) -> None:
    for name in ("one", "two"):
        Path(name, "mine").mkdir(parents=True)
        Path(name, "mine", "spack.yaml").write_text(f"spack: {{specs: [{'zlib' if name == 'one' else 'ninja'}]}}")
    words = ("one/mine", "two/mine", "--machine", ZEN4)
    assert world("lock", *words).code == 0
    assert ids(matrix(world, *words, "--changed-since", "resolver.lock", "--json")) == []


def test_a_machine_that_changed_has_jobs(world: Run, lock: Path) -> None:
    found = ids(matrix(world, "plain.yaml", "--machine", f"{ZEN4}-glibc@2.39", "--changed-since", lock, "--json"))
    assert found == [f"plain@{ZEN4}"]


@pytest.mark.parametrize(("content", "text"), [(None, "cannot be read"), (b"{}", "resolver.lock"), (b"\xff", "resolver.lock")])
def test_a_lock_that_cannot_be_read_is_told(world: Run, content: bytes | None, text: str) -> None:
    if content is not None:
        Path("resolver.lock").write_bytes(content)
    result = matrix(world, "plain.yaml", "--machine", ZEN4, "--changed-since", "resolver.lock")
    assert result.code == 3
    assert text in result.err


def test_packages_known_from_pages_alone_have_no_lockfile(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("sync", DATA / "pages" / "py-rasterio.md").code == 0
    Path("page.yaml").write_text("spack: {specs: [py-rasterio]}")
    result = matrix(run, "page.yaml", "--machine", "linux-ubuntu24.04-x86_64_v3", "-o", "e", "--json")
    (row,) = result.document["include"]
    assert os.listdir(row["environment"]) == ["spack.yaml"]  # noqa: PTH208 - a folder of one
    assert "no spack.lock" in result.err
    (Path(row["environment"]) / "spack.lock").write_text("{}")
    assert matrix(run, "page.yaml", "--machine", "linux-ubuntu24.04-x86_64_v3", "-o", "e").code == 3


def test_criteria_that_were_not_looked_at_are_said(world: Run) -> None:
    words = ("plain.yaml", "--machine", ZEN4, "--json")
    assert "deprecated versions" in matrix(world, *words).document["skipped_criteria"]
    assert "only package recipes tell" not in matrix(world, *words).err
    assert "note: not looked at, since only package recipes tell: deprecated versions" in world("-v", "matrix", *words).err


@pytest.fixture
def real_lock(world: Run) -> Path:
    """A lock as the program writes it, and no catalog any more."""
    machines = ("--machine", ZEN4, "--machine", ARM)
    assert world("lock", "groups.yaml", "plain.yaml", *machines, "--partial").code in (0, 4)
    Path("before.json").write_text(matrix(world, "groups.yaml", "plain.yaml", *machines, "--split", "group").out)
    Path(os.environ["SPACK_RESOLVER_CATALOG"]).unlink()
    return Path("resolver.lock")


def test_a_lock_gives_the_same_jobs_without_a_catalog(world: Run, real_lock: Path) -> None:
    rows = matrix(world, "--lock", real_lock, "--split", "group").document["include"]
    before = json.loads(Path("before.json").read_text())["include"]
    same = ("id", "stack", "group", "machine", "fingerprint", "roots", "runner")
    assert [[row[key] for key in same] for row in rows] == [[row[key] for key in same] for row in before]
    apps = next(row for row in rows if row["group"] == "apps")
    assert apps["command"] == f"spack-resolver render resolver.lock --machine {ZEN4} --stack groups --group apps --partial -o env"
    for row in rows:
        assert world(*shlex.split(row["command"])[1:], "--json").document["fingerprint"] == row["fingerprint"]
    assert not Path(os.environ["SPACK_RESOLVER_CATALOG"]).exists()


@pytest.mark.parametrize("split", ["stack", "group"])
def test_a_lock_gives_environments(world: Run, real_lock: Path, split: str) -> None:
    rows = matrix(world, "plain.yaml", "--lock", real_lock, "--machine", ZEN4, "--split", split)
    assert rows.code == 3
    rows = matrix(world, "groups", "--lock", real_lock, "--machine", ZEN4, "--split", split, "-o", "environments").document["include"]
    assert len(rows) == {"stack": 1, "group": 3}[split]
    for row in rows:
        assert len(json.loads((Path(row["environment"]) / "spack.lock").read_text())["roots"]) == row["roots"]


def test_a_lock_is_compared_with_another(world: Run, real_lock: Path) -> None:
    assert ids(matrix(world, "--lock", real_lock, "--changed-since", real_lock, "--json")) == []
    assert ids(matrix(world, "--lock", real_lock, "--machine", "linux-ubuntu24.04-zen5", "--changed-since", real_lock, "--json")) == [
        "groups@linux-ubuntu24.04-zen5",
        "plain@linux-ubuntu24.04-zen5",
    ]


def test_a_workflow_of_a_lock_reads_no_sources(world: Run, real_lock: Path, tmp_path: Path) -> None:
    result = matrix(world, "--lock", real_lock, "--for", "github", "--workflow")
    assert "sync" not in result.out
    assert "names no sources" not in result.err
    assert "spack-resolver matrix --lock resolver.lock --for github -o environments > matrices" in result.out
    lint(result.out, folder=tmp_path)
    assert "sync" not in matrix(world, "--lock", real_lock, "--for", "gitlab", "--workflow").out
    assert "sync" not in matrix(world, "--lock", real_lock, "--for", "gitlab").out


@pytest.mark.parametrize(("words", "text"), [(("--split", "root"), "none for single roots"), (("nosuch",), "no stack 'nosuch'")])
def test_what_a_lock_cannot_give_is_refused(world: Run, real_lock: Path, words: tuple[str, ...], text: str) -> None:
    result = matrix(world, *words, "--lock", real_lock)
    assert (result.code, text in result.err) == (3, True)


def test_a_lock_has_nothing_for_some_machines(world: Run, real_lock: Path) -> None:
    result = matrix(world, "--lock", real_lock, "--machine", "darwin-sequoia-m1", "--json")
    assert result.code == 4
    assert [text.partition(":")[0] for text in result.document["empty"]] == ["groups@darwin-sequoia-m1", "plain@darwin-sequoia-m1"]


def blocks(kind: str) -> list[str]:
    """The blocks of a kind in the document on CI."""
    return re.findall(rf"^```{kind}\n(.*?)^```", (ROOT / "docs" / "ci.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_document_on_ci_works_when_pasted(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stacks").symlink_to(ROOT / "stacks")
    first, second, workflow = blocks("yaml")
    config = yaml.safe_load(first)
    assert config["sources"][0]["location"].startswith("https://")
    Path("spack-resolver.yaml").write_text(yaml.safe_dump({**config, "sources": ["stacks"]}))
    for line in "".join(blocks("console")).splitlines():
        words, _, file = line.partition(" > ")
        if line.startswith("git show"):
            Path(file).write_bytes(Path("resolver.lock").read_bytes())
            continue
        result = run(*shlex.split(words)[1:])
        assert result.code == 0, result.err
    lint(Path(".github/workflows/spack.yml").read_text(), Path(".github/workflows/locked.yml").read_text(), folder=tmp_path)
    assert len(list(Path("environments").iterdir())) == 2
    assert read_config(second, "ci.md").matrix.split == "group"
    assert_schema("github-workflows", written(tmp_path / "own.yml", f"on: push\n{workflow}"))


def written(path: Path, text: str) -> Path:
    """A file with a text."""
    path.write_text(text)
    return path
