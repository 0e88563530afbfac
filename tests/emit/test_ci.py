from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import msgspec
import pytest
import yaml
from fakes.ci import assert_schema, bash, job, lint, step, tells_arguments

from resolver.arch.machine import Machine
from resolver.emit.ci.github import MOST_LETTERS, chunks, emit_github, emit_lines
from resolver.emit.ci.gitlab import emit_gitlab
from resolver.emit.ci.names import join, label, labels, machine_label
from resolver.emit.ci.parent import emit_parent
from resolver.emit.ci.shell import command_line, comment, scalar, sequence, word
from resolver.emit.ci.texts import SET_UP, Plan
from resolver.emit.ci.workflow import emit_workflow

NASTY = (
    "${{ secrets.TOKEN }}",
    "a'b",
    'a"b',
    "a\nrun: evil\n  - x",
    "x\r\n::error::b",
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned #",
    "$HOME",
    "${CI_JOB_TOKEN}",
    "- x: y",
    "é\u2028\x85\x07\u200b😀",
    "yes",
    "",
    "--help",
    "$${{'",
    "'${{ x }}'",
    "\\n\\",
    "half\udc80",
)
PLAN = Plan("spack-resolver matrix --for github --workflow", "spack-resolver matrix --for github -o environments")
MATRIX_STEP = "Make the matrix and an environment for each of its jobs"


def test_a_github_matrix() -> None:
    include = json.loads(emit_github([job(1), job(2, runner=("a", "b"))]).content)["include"]
    assert [row["runner"] for row in include] == ["r", ["a", "b"]]
    assert [row["id"] for row in include] == ["s@1", "s@2"]


def test_an_empty_github_matrix_is_one_too() -> None:
    assert emit_github([]).content == b'{"include":[]}\n'
    assert emit_lines([]).content == b""


@pytest.mark.parametrize(("number", "sizes"), [(1, [1]), (256, [256]), (257, [256, 1]), (600, [256, 256, 88])])
def test_more_jobs_than_one_matrix_takes_are_several_lines(number: int, sizes: list[int]) -> None:
    lines = emit_github([job(i) for i in range(number)]).content.splitlines()
    found = [json.loads(line)["include"] for line in lines]
    assert [len(include) for include in found] == sizes
    assert [row["id"] for include in found for row in include] == [f"s@{i}" for i in range(number)]


def test_a_matrix_is_no_longer_than_an_output_of_a_job_may_be() -> None:
    jobs = [job(i, command="x" * 100_000) for i in range(12)]
    assert [len(chunk) for chunk in chunks(jobs)] == [4, 4, 4]
    assert all(len(line) < MOST_LETTERS + 100 for line in emit_github(jobs).content.splitlines())
    assert [len(chunk) for chunk in chunks([job(1, command="x" * 2 * MOST_LETTERS), job(2)])] == [1, 1]


def test_lines_are_jobs() -> None:
    lines = emit_lines([job(1), job(2)]).content.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["s@1", "s@2"]
    assert json.loads(lines[0])["tags"] == ["r"]


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (Machine("linux", "ubuntu22.04", "x86_64_v3"), "linux-ubuntu22.04-x86_64_v3"),
        (Machine("linux", "sles15", "neoverse_v2", None, ("90",)), "linux-sles15-neoverse_v2+cuda90"),
        (Machine("linux", "rhel9", "zen3", None, ("80", "90"), ("gfx90a:xnack+",)), "linux-rhel9-zen3+cuda80+cuda90+gfx90a_xnack+"),
        (Machine("linux", None, "zen2"), "linux-unknown-zen2"),
    ],
)
def test_a_machine_in_an_id_is_its_architecture_and_gpus(machine: Machine, expected: str) -> None:
    assert machine_label(machine) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hdf5@1.14:+mpi~shared build_type=Release", "hdf5@1.14_+mpi~shared_build_type=Release"),
        ("py-keras backend=torch ^mpich %gcc@13", "py-keras_backend=torch_mpich_gcc@13"),
        (".hidden", "_hidden"),
        ("--only", "_only"),
        ("", "_"),
        ("../../etc", "__.._etc"),
        ("a/b\\c", "a_b_c"),
    ],
)
def test_a_label_needs_no_quoting(text: str, expected: str) -> None:
    assert label(text) == expected


@pytest.mark.parametrize("text", NASTY)
def test_labels_of_anything_are_safe_words(text: str) -> None:
    found = label(text)
    assert shlex.quote(found) in (found, f"'{found}'")
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+~=@-]*", found)


def test_labels_differ_and_do_not_depend_on_order() -> None:
    texts = ["a b", "a_b", "a/b", "other", "x" * 100, "x" * 101]
    found = labels(texts)
    assert len(set(found.values())) == len(texts)
    assert found["other"] == "other"
    assert all(name.startswith("a_b-") for text, name in found.items() if text.startswith("a"))
    assert max(map(len, found.values())) == 60
    assert labels(reversed(texts)) == found


def test_an_id_is_no_longer_than_the_name_of_a_file_may_be() -> None:
    parts = [letter * 60 for letter in "abcd"]
    found = {join(*parts, "x"), join(*parts, "y"), join(*parts)}
    assert len(found) == 3
    assert {len(one) for one in found} == {240}
    assert join("e4s", "linux-ubuntu22.04-zen4", "tools") == "e4s@linux-ubuntu22.04-zen4@tools"


def test_a_word_stays_one_word_on_one_line(tmp_path: Path) -> None:
    line = command_line(["tell", *NASTY, "end"])
    assert line.isprintable()
    assert "${{" not in line
    bash(line, tmp_path, {"tell": tells_arguments(tmp_path / "told")})
    assert json.loads((tmp_path / "told").read_text()) == [*NASTY, "end"]
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("text", NASTY)
def test_a_scalar_stays_one_value(text: str) -> None:
    meant = text.replace("\udc80", "\ufffd")
    assert yaml.safe_load(f"- key: {scalar(text)}\n  other: {sequence([text, 'x'])}\n") == [{"key": meant, "other": [meant, "x"]}]


@pytest.mark.parametrize(
    "text", ["1.0", "1e3", "0x1f", "12:30", "~", "null", "NO", "=", "a: b", "a #b", "[a]", "{a}", "&a", "*a", "!a", "|", "2024-01-01"]
)
def test_a_scalar_stays_a_text(text: str) -> None:
    assert yaml.safe_load(scalar(text)) == text


@pytest.mark.parametrize("text", NASTY)
def test_a_comment_stays_a_comment(text: str) -> None:
    found = comment(text)
    assert len(found.splitlines()) < 2
    assert "${{" not in found
    assert yaml.safe_load(f"# {found}\nkey: value\n") == {"key": "value"}


def test_words_that_need_no_quoting_have_none() -> None:
    assert command_line(["spack-resolver", "matrix", "--only", "a@b+c", "/x/y.yaml"]) == "spack-resolver matrix --only a@b+c /x/y.yaml"
    assert word("it's") == "'it'\"'\"'s'"


def test_workflows_pass_the_linters(tmp_path: Path) -> None:
    lint(
        emit_workflow(PLAN, 1).content,
        emit_workflow(PLAN, 3).content,
        emit_workflow(msgspec.structs.replace(PLAN, sync=False), 1).content,
        folder=tmp_path,
    )


def test_a_linter_finds_what_is_wrong_with_a_workflow(tmp_path: Path) -> None:
    text = emit_workflow(PLAN, 1).content.replace(b'install "$RESOLVER"', b"install ${{ github.event.issue.title }}")
    with pytest.raises(AssertionError, match="potentially untrusted"):
        lint(text, folder=tmp_path)


def test_names_of_others_reach_a_workflow_quoted(tmp_path: Path) -> None:
    words = ["spack-resolver", "matrix", *NASTY]
    plan = Plan(command_line(words), command_line(words), resolver="a b: 'c' # d")
    text = emit_workflow(plan, 1).content
    lint(text, folder=tmp_path)
    assert yaml.safe_load(text)["env"]["RESOLVER"] == "a b: 'c' # d"
    script = step(text, "plan", MATRIX_STEP)["run"]
    output = tmp_path / "output"
    bash(script, tmp_path, {"spack-resolver": tells_arguments(tmp_path / "told")}, {"GITHUB_OUTPUT": str(output)})
    assert json.loads((tmp_path / "told").read_text()) == ["matrix", *NASTY]
    assert not (tmp_path / "pwned").exists()


def test_a_workflow_sees_values_of_the_matrix_in_variables_only() -> None:
    for number in (1, 2):
        for one in yaml.safe_load(emit_workflow(PLAN, number).content)["jobs"].values():
            assert not [step for step in one["steps"] if "${{" in step.get("run", "")]


def test_a_workflow_may_do_little() -> None:
    workflow = yaml.safe_load(emit_workflow(PLAN, 1).content)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    install = workflow["jobs"]["install"]
    assert install["strategy"]["fail-fast"] is False
    uses = [one["uses"] for job in workflow["jobs"].values() for one in job["steps"] if "uses" in one]
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", use) for use in uses)


def test_a_workflow_restores_by_fingerprint_and_installs_from_binaries() -> None:
    steps = yaml.safe_load(emit_workflow(PLAN, 1).content)["jobs"]["install"]["steps"]
    (cache,) = [one for one in steps if one.get("uses", "").startswith("actions/cache@")]
    assert cache["with"] == {"path": ".spack-store", "key": "${{ matrix.fingerprint }}"}
    assert steps[-2]["run"] == 'spack -e "$ENVIRONMENT" install --cache-only'


def test_a_workflow_takes_as_many_matrices_as_it_has_jobs_for(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(emit_github([job(i) for i in range(300)]).content)
    programs = {"spack-resolver": f"#!/bin/sh\ncat {tmp_path}/lines\n"}
    output = tmp_path / "output"
    run = step(emit_workflow(PLAN, 2).content, "plan", MATRIX_STEP)["run"]
    bash(run, tmp_path, programs, {"GITHUB_OUTPUT": str(output)})
    pairs = [line.split("=", 1) for line in output.read_text().splitlines()]
    assert [(name, len(json.loads(text)["include"])) for name, text in pairs] == [("matrix1", 256), ("matrix2", 44)]
    with pytest.raises(AssertionError, match="There are 2 matrices"):
        bash(step(emit_workflow(PLAN, 1).content, "plan", MATRIX_STEP)["run"], tmp_path, programs, {"GITHUB_OUTPUT": str(output)})


@pytest.mark.parametrize("code", [0, 4])
def test_a_workflow_runs_no_job_for_an_empty_matrix(code: int, tmp_path: Path) -> None:
    run = step(emit_workflow(PLAN, 1).content, "plan", MATRIX_STEP)["run"]
    programs = {"spack-resolver": f"#!/bin/sh\necho '{{\"include\":[]}}'\nexit {code}\n"}
    bash(run, tmp_path, programs, {"GITHUB_OUTPUT": str(tmp_path / "output")})
    assert not (tmp_path / "output").exists()


def test_a_workflow_stops_where_planning_fails(tmp_path: Path) -> None:
    run = step(emit_workflow(PLAN, 1).content, "plan", MATRIX_STEP)["run"]
    with pytest.raises(AssertionError):
        bash(run, tmp_path, {"spack-resolver": "#!/bin/sh\nexit 3\n"}, {"GITHUB_OUTPUT": str(tmp_path / "output")})


def test_a_store_of_another_place_is_not_used(tmp_path: Path) -> None:
    git = "#!/bin/sh\nmkdir -p .spack/bin\nprintf '#!/bin/sh\\necho \"$@\" > told' > .spack/bin/spack\nchmod +x .spack/bin/spack\n"
    script = "\n".join(SET_UP)
    store = tmp_path / ".spack-store"
    bash(script, tmp_path, {"git": git}, {"SPACK_REF": "v1"})
    (store / "package").mkdir()
    bash(script, tmp_path, {"git": git}, {"SPACK_REF": "v1"})
    assert (store / "package").is_dir()
    assert (tmp_path / "told").read_text() == f"config --scope site add config:install_tree:root:{store}\n"
    (store / ".place").write_text("/elsewhere/.spack-store\n")
    bash(script, tmp_path, {"git": git}, {"SPACK_REF": "v1"})
    assert sorted(path.name for path in store.iterdir()) == [".place"]


def test_a_gitlab_pipeline() -> None:
    pipeline = yaml.safe_load(emit_gitlab([job(1, hash="h", tags=("a", "b"), image="debian:13", needs=("s@2",))], PLAN).content)
    assert pipeline["stages"] == ["install"]
    one = pipeline["s@1"]
    assert (one["tags"], one["image"], one["needs"], one["extends"]) == (["a", "b"], "debian:13", ["s@2"], ".install")
    assert one["variables"]["RESOLVER_HASH"] == "h"
    assert one["variables"]["RESOLVER_COMMAND"] == "spack-resolver resolve s"
    assert "RESOLVER_ROOT" not in one["variables"]
    assert pipeline[".install"]["cache"] == {"key": "$RESOLVER_FINGERPRINT", "paths": [".spack-store/"]}
    assert pipeline[".install"]["artifacts"]["paths"] == ["env/"]
    assert 'eval "$RESOLVER_COMMAND"' in pipeline[".install"]["script"]


def test_a_gitlab_pipeline_with_environments_takes_them_from_its_parent() -> None:
    text = emit_gitlab([job(1, environment="environments/s@1", needs=("s@2",))], PLAN).content
    pipeline = yaml.safe_load(text)
    assert pipeline["s@1"]["needs"] == [{"pipeline": "$PARENT_PIPELINE_ID", "job": "plan"}, "s@2"]
    assert pipeline["s@1"]["variables"]["RESOLVER_ENVIRONMENT"] == "environments/s@1"
    assert b"RESOLVER_COMMAND" not in text
    parent = yaml.safe_load(emit_parent(PLAN).content)
    assert parent["install"]["variables"] == {"PARENT_PIPELINE_ID": "$CI_PIPELINE_ID"}
    assert parent["plan"]["artifacts"]["paths"] == ["pipeline.yml", "environments/"]


def test_an_empty_gitlab_pipeline_says_so() -> None:
    assert list(yaml.safe_load(emit_gitlab([], PLAN).content)) == ["stages", "nothing-to-do"]


def test_a_gitlab_job_needs_no_more_than_gitlab_takes() -> None:
    pipeline = yaml.safe_load(emit_gitlab([job(1, needs=tuple(f"s@{i}" for i in range(2, 99)))], PLAN).content)
    assert len(pipeline["s@1"]["needs"]) == 50


def test_gitlab_pipelines_fit_the_published_schema(tmp_path: Path) -> None:
    nasty = [
        job(i, id=f"s@{label(text)}@{i}", stack=text, group=text, root=text, image=text or None, setup=text, tags=(text or "x",))
        for i, text in enumerate(NASTY)
    ]
    texts = {
        "plain": emit_gitlab([job(1), job(2, needs=("s@1",), image="debian:13", signed=True)], PLAN),
        "written": emit_gitlab([job(1, environment="environments/s@1"), job(2, environment="e/s@2", needs=("s@1",))], PLAN),
        "empty": emit_gitlab([], PLAN),
        "nasty": emit_gitlab(nasty, Plan(command_line(NASTY), "")),
        "parent": emit_parent(PLAN),
        "parent-nasty": emit_parent(Plan(command_line(NASTY), command_line(["spack-resolver", *NASTY]))),
    }
    paths = [tmp_path / f"{name}.yml" for name in texts]
    for path, artifact in zip(paths, texts.values(), strict=True):
        path.write_bytes(artifact.content)
    assert_schema("gitlab-ci", *paths)
    (tmp_path / "wrong.yml").write_text("a:\n  script: 3\n  needs: 4\n")
    with pytest.raises(AssertionError):
        assert_schema("gitlab-ci", tmp_path / "wrong.yml")


def test_names_of_others_reach_gitlab_as_variables_that_expand_to_nothing() -> None:
    text = emit_gitlab([job(1, stack="$CI_JOB_TOKEN", root="a\nscript: [evil]")], PLAN).content
    variables = yaml.safe_load(text)["s@1"]["variables"]
    assert variables["RESOLVER_STACK"] == {"value": "$CI_JOB_TOKEN", "expand": False}
    assert variables["RESOLVER_ROOT"] == "a\nscript: [evil]"
    assert "script" not in yaml.safe_load(text)["s@1"]


def test_a_parent_pipeline_plans_with_words_of_others(tmp_path: Path) -> None:
    parent = yaml.safe_load(emit_parent(Plan("", command_line(["spack-resolver", *NASTY]))).content)
    bash(parent["plan"]["script"][-1], tmp_path, {"spack-resolver": tells_arguments(tmp_path / "told")})
    assert json.loads((tmp_path / "told").read_text()) == list(NASTY)
