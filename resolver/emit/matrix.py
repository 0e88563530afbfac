"""CI matrices: one entry a job, as GitHub Actions and GitLab take them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from msgspec.structs import asdict

from resolver.emit.environment import Artifact
from resolver.emit.spack_yaml import dump, header
from resolver.errors import InputError

MOST_GITHUB_JOBS = 256
UNSAFE = re.compile(r"[^A-Za-z0-9_.@+-]")


class Job(msgspec.Struct, frozen=True):
    """One cell of a matrix: a stack's group, or one of its roots, on a machine.

    ``id`` is stable and can be searched for, as ``e4s@linux-ubuntu22.04-x86_64_v3``. ``root`` and ``hash`` are None when the job is a
    whole group. ``runner`` is a label or several of the CI system's machines. ``command`` makes the environment of the job.
    """

    id: str
    stack: str
    group: str
    machine: str
    platform: str
    os: str
    target: str
    root: str | None
    hash: str | None
    fingerprint: str
    runner: tuple[str, ...]
    roots: int
    command: str

    def row(self) -> dict[str, object]:
        """The entry as plain values; a single runner label is a text."""
        row = asdict(self)
        row["runner"] = self.runner[0] if len(self.runner) == 1 else list(self.runner)
        return row


def emit_github(jobs: Sequence[Job]) -> Artifact:
    """``{"include": [...]}`` on one line, for ``fromJSON``. Raises ``InputError`` above GitHub's 256 jobs."""
    if len(jobs) > MOST_GITHUB_JOBS:
        msg = f"{len(jobs)} jobs are more than the {MOST_GITHUB_JOBS} that GitHub takes in one matrix"
        raise InputError(msg, hint="split it: name fewer stacks or machines in each call, or use --split stack")
    return Artifact("matrix.json", msgspec.json.encode({"include": [job.row() for job in jobs]}) + b"\n")


def emit_gitlab(jobs: Sequence[Job], command: str) -> Artifact:
    """A child pipeline with one job an entry. An empty matrix has one job that says so, since GitLab refuses an empty pipeline."""
    body: dict[str, object] = {"stages": ["install"]}
    for job in jobs:
        body[job.id] = {
            "stage": "install",
            "tags": list(job.runner),
            "variables": _variables(job),
            "script": [job.command, "spack -e env install --cache-only"],
        }
    if not jobs:
        body["nothing-to-do"] = {"stage": "install", "script": ["echo 'no stack has a binary for any of the machines'"]}
    return Artifact("pipeline.yml", header(command) + dump(body))


def _variables(job: Job) -> dict[str, str]:
    pairs = {key: getattr(job, key) for key in ("stack", "group", "machine", "platform", "os", "target", "root", "hash", "fingerprint")}
    return {f"RESOLVER_{key.upper()}": value for key, value in pairs.items() if value is not None}


def job_id(*parts: str) -> str:
    """An id of parts joined by ``@``, made of letters that need no quoting anywhere."""
    return UNSAFE.sub("_", "@".join(parts))
