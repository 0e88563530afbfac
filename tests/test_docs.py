"""What the documents say is run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from conftest import ROOT, Run
from fakes.environments import lay_out
from fakes.recipes import small_repository

from resolver.cli.main import COMMANDS

README = (ROOT / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"^    (spack-resolver .*)$", README, re.MULTILINE)
CARRYING = {"urls", "bundle", "verify"}
"""Commands on an environment whose binaries there are."""
LOCKED = {"check", "lock", "render"}
"""Commands on a lock that there is, beside an environment."""


def lock_for(run: Run, command: str) -> None:
    """Put a lock where a command looks for one."""
    if command in LOCKED:
        run("lock", "ml-linux-x86_64-cpu", "--machine", "github-ubuntu-24.04")
        run("resolve", "ml-linux-x86_64-cpu", "--machine", "github-ubuntu-24.04", "-o", "env")


def test_every_command_is_in_the_readme() -> None:
    assert {shlex.split(line)[1] for line in EXAMPLES} == set(COMMANDS)


@pytest.mark.parametrize("line", EXAMPLES)
def test_examples_of_the_readme_work(shipped: Run, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stacks").symlink_to(ROOT / "stacks")
    monkeypatch.chdir(tmp_path)
    if " facts " in line:
        small_repository(tmp_path / "spack-packages")
    if "--against env" in line:
        shipped("resolve", "ml-linux-x86_64-cpu", "--machine", "github-ubuntu-24.04", "-o", "env")
    if "--replay" in line:
        shipped("resolve", "ml-linux-x86_64-cpu", "--machine", "github-ubuntu-24.04", "--dump-problem", "problem.json")
    if shlex.split(line)[1] in CARRYING:
        lay_out(tmp_path, shipped)
    lock_for(shipped, shlex.split(line)[1])
    if "://" in line:
        pytest.skip("it reads from the network")
    result = shipped(*shlex.split(line, comments=True)[1:])
    assert result.code == 0, result.err
    assert result.out or {"sync", "export", "import", "verify", "lock", "check", "render", "--workflow"} & set(line.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_of_the_help_work(shipped: Run, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stacks").symlink_to(ROOT / "stacks")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spack.yaml").write_text("spack: {specs: [py-torch], concretizer: {unify: false}}")
    small_repository(tmp_path / "spack-packages")
    if command in CARRYING:
        lay_out(tmp_path, shipped)
    lock_for(shipped, command)
    examples = re.findall(r"^ +(spack-resolver \S+ .*|spack-resolver \S+)$", shipped(command, "--help").out, re.MULTILINE)
    assert examples
    for line in examples:
        words = shlex.split(line)[1:]
        if not any(word.startswith(("/mnt", "index.json.gz", "mirrors.yaml")) or "://" in word for word in words):
            if "--against" in words:
                shipped("resolve", "ml-linux-x86_64-cpu", "--machine", "github-ubuntu-24.04", "-o", "env")
            result = shipped(*words)
            assert result.code in (0, 4), f"{line}: {result.err}"


def test_the_readme_shows_real_output(shipped: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = README.split("```console")[1].split("```")[0]
    line = next(one for one in shown.splitlines() if " resolve " in one)
    result = shipped(*shlex.split(line.removeprefix("$ "))[1:])
    real = set((result.out + result.err).splitlines())
    listed = [one for one in shown.partition(line)[2].splitlines() if one and one != "..."]
    assert len(listed) > 5
    assert not [one for one in listed if one not in real]


def test_python_example_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stacks").symlink_to(ROOT / "stacks")
    monkeypatch.chdir(tmp_path)
    code = README.split("```python")[1].split("```")[0]
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - our own text
    assert capsys.readouterr().out.startswith("True ")


def test_documented_keys_are_the_real_ones(shipped: Run) -> None:
    text = (ROOT / "docs" / "json.md").read_text("utf-8")
    machine = ("--machine", "github-ubuntu-24.04", "--json")
    documents = {
        "find": shipped("find", "py-torch", *machine).document,
        "resolve": shipped("resolve", "ml-linux-x86_64-cpu", *machine).document,
        "expand": shipped("expand", "ml-linux-x86_64-cpu", *machine).document,
        "matrix": shipped("matrix", "ml-linux-x86_64-cpu", *machine).document,
        "machine": shipped("machine", *machine).document,
        "sources": shipped("sources", "--json").document,
    }
    for command, document in documents.items():
        row = next(one for one in text.splitlines() if one.startswith(f"| `{command}`"))
        keys = set(document) - {"schema"}
        for value in document.values():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                keys |= set(value[0])
        assert not [key for key in keys if f"`{key}`" not in row], command
