"""Checking what is written for CI systems: their linters, their schemas, and shells that run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.world import nodes_of

from resolver.emit.ci.jobs import Job

BIN = Path(sys.executable).parent
RECORDS: list[dict[str, Any]] = [
    {"id": "zlib", "spec": "zlib@=1.3 target=x86_64_v3"},
    {"id": "hdf5", "spec": "hdf5@=1.14+mpi target=x86_64_v3", "link": ["zlib"]},
    {"id": "serial", "spec": "hdf5@=1.14~mpi target=x86_64_v3", "link": ["zlib"]},
    {"id": "ninja", "spec": "ninja@=1.13 target=x86_64_v3"},
    {"id": "solver", "spec": "solver@=2.0 target=aarch64", "link": []},
]


def index(path: Path, records: Iterable[Mapping[str, Any]] = RECORDS) -> Path:
    """A build cache's index of these records."""
    installs = {key: {"spec": node, "in_buildcache": True, "ref_count": 0} for key, node in nodes_of(records).items()}
    path.write_text(json.dumps({"database": {"version": "8", "installs": installs}}))
    return path


def job(number: int = 1, **more: Any) -> Job:
    """A job, as far as a test does not say otherwise."""
    facts: dict[str, Any] = {
        "id": f"s@{number}",
        "stack": "s",
        "group": "default",
        "machine": "m",
        "platform": "linux",
        "os": "o",
        "target": "t",
        "cuda_arch": (),
        "amdgpu_target": (),
        "root": None,
        "hash": None,
        "fingerprint": "f" * 64,
        "roots": 1,
        "runner": ("r",),
        "tags": ("r",),
        "image": None,
        "setup": None,
        "needs": (),
        "mirrors": (),
        "signed": False,
        "environment": None,
        "command": "spack-resolver resolve s",
    }
    return Job(**{**facts, **more})


def lint(*workflows: bytes | str, folder: Path) -> None:
    """Check workflows with every linter that is here: actionlint's rules are in both."""
    paths = []
    for number, text in enumerate(workflows):
        paths.append(folder / f"workflow{number}.yml")
        paths[-1].write_bytes(text if isinstance(text, bytes) else text.encode())
    linters = [["jactionlint", "--no-hints", "--shellcheck="], ["actionlint", "-shellcheck="]]
    found = [
        [program, *words[1:]] for words in linters if (program := shutil.which(words[0], path=f"{BIN}{os.pathsep}{os.environ['PATH']}"))
    ]
    if not found:
        pytest.skip("neither jactionlint nor actionlint is installed")
    for words in found:
        result = subprocess.run([*words, *paths], capture_output=True, text=True, check=False, cwd=folder)
        assert (result.returncode, result.stdout) == (0, ""), result.stdout + result.stderr
    assert_schema("github-workflows", *paths)


def assert_schema(name: str, *paths: Path) -> None:
    """Check files with a schema that is published for a CI system."""
    words: list[str | Path] = [sys.executable, "-m", "check_jsonschema", "--no-cache", "--builtin-schema", f"vendor.{name}", *paths]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def bash(script: str, folder: Path, programs: Mapping[str, str], environment: Mapping[str, str] | None = None) -> str:
    """Run a script as a CI system does, with these programs before all others; what it prints."""
    place = folder / "programs"
    place.mkdir(exist_ok=True)
    for name, text in programs.items():
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    variables = {"PATH": f"{place}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder), **(environment or {})}
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    result = subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder, env=variables)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def tells_arguments(path: Path) -> str:
    """A program that writes its arguments to a file, as a JSON list on a line of its own."""
    return f"#!{sys.executable} -IS\nimport json, sys\nopen({str(path)!r}, 'a').write(json.dumps(sys.argv[1:]) + '\\n')\n"


def step(workflow: bytes | str, job_name: str, name: str) -> dict[str, Any]:
    """A step of a workflow, by its name."""
    steps: Sequence[dict[str, Any]] = yaml.safe_load(workflow)["jobs"][job_name]["steps"]
    return next(one for one in steps if one.get("name") == name)
