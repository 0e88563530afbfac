"""Many cells are looked at in several processes, which changes nothing but the time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from resolver.api.matrix.side_by_side import processors

STACKS = (
    "developer-tools-x86_64_v3-linux-gnu",
    "ml-linux-aarch64-cpu",
    "ml-linux-x86_64-cpu",
    "ml-linux-x86_64-cuda",
    "radiuss",
    "tutorial",
)
MACHINES = (
    "github-ubuntu-22.04",
    "github-ubuntu-24.04",
    "github-ubuntu-24.04-arm",
    "github-macos-15",
    "lumi-c",
    "alps-gh200",
    "leonardo-dcgp",
)
pytestmark = pytest.mark.skipif(processors() < 2, reason="there is one processor")


def matrix(*words: str, processes: int) -> subprocess.CompletedProcess[str]:
    machines = [word for name in (*MACHINES, "perlmutter-gpu") for word in ("--machine", name)]
    program = [sys.executable, "-m", "resolver", "matrix", *STACKS, *machines, "--only", "*none*", "--only", "*linux*", "--json", *words]
    allowed = sorted(os.sched_getaffinity(0))[:processes]
    return subprocess.run(
        program, capture_output=True, text=True, check=False, cwd=ROOT, preexec_fn=lambda: os.sched_setaffinity(0, allowed)
    )


@pytest.mark.usefixtures("shipped")
def test_several_processes_find_what_one_finds() -> None:
    one, several = matrix(processes=1), matrix(processes=2)
    assert one.returncode == 0
    assert '"id": "ml-linux-x86_64-cpu@linux-ubuntu24.04-x86_64_v3"' in one.stdout
    assert "--only '*none*' matches no job" in one.stderr
    assert (several.returncode, several.stdout, several.stderr) == (one.returncode, one.stdout, one.stderr)


@pytest.mark.usefixtures("shipped")
def test_an_error_of_one_process_is_told_as_ever(tmp_path: Path) -> None:
    (tmp_path / "spack.yaml").write_text('spack: {specs: ["@@@"]}')
    for processes in (1, 2):
        result = matrix(str(tmp_path), processes=processes)
        assert result.returncode == 3
        assert '"kind": "spec"' in result.stdout
