"""CI matrices: which job installs what on which machine."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from resolver.api.machines import runner_of
from resolver.api.resolve import Resolution, ResolveRequest, fingerprint, resolve
from resolver.api.selecting import Choices
from resolver.api.settings import Settings
from resolver.api.stacks import StackRequest
from resolver.arch.machine import Machine
from resolver.emit.matrix import Job, job_id
from resolver.selection.model import GroupAnswer, RootAnswer

Split = Literal["stack", "root"]


class MatrixResult(msgspec.Struct, frozen=True):
    """The jobs, and a sentence for every cell that lacks roots."""

    jobs: tuple[Job, ...]
    empty: tuple[str, ...]


def matrix(
    settings: Settings, stacks: Sequence[str], machines: Sequence[tuple[str, Machine]], choices: Choices, split: Split
) -> MatrixResult:
    """One job for each group of each stack on each machine, or for each of their roots; only what is served has a job."""
    jobs: list[Job] = []
    empty: list[str] = []
    for stack in stacks:
        for name, machine in machines:
            resolution = resolve(settings, ResolveRequest(StackRequest(stack), machine, choices))
            for group in resolution.groups:
                _add(resolution, group, (stack, name), settings, split, jobs, empty)
    return MatrixResult(tuple(_distinct(jobs)), tuple(empty))


def _distinct(jobs: Sequence[Job]) -> list[Job]:
    """Jobs with ids that differ: machines of one architecture are told apart by their names."""
    ids = [job.id for job in jobs]
    return [replace(job, id=job_id(job.id, job.machine)) if ids.count(job.id) > 1 else job for job in jobs]


def _add(
    resolution: Resolution,
    group: GroupAnswer,
    asked: tuple[str, str],
    settings: Settings,
    split: Split,
    jobs: list[Job],
    empty: list[str],
) -> None:
    stack, name = asked
    served = [answer for answer in group.roots if answer.chosen]
    if text := _missing(resolution, group, name):
        empty.append(text)
    if served and split == "stack":
        jobs.append(_job(resolution, group, stack, name, settings, None))
    elif split == "root":
        jobs += [_job(resolution, group, stack, name, settings, answer) for answer in served]


def _missing(resolution: Resolution, group: GroupAnswer, machine: str) -> str:
    """What a cell lacks, in a sentence with the first reason; empty when it lacks nothing."""
    left = [answer for answer in group.roots if not answer.chosen]
    if not left:
        return ""
    count = "none" if len(left) == len(group.roots) else f"{len(group.roots) - len(left)}"
    cell = f"{resolution.stack.name} on {machine}: {count} of {len(group.roots)} roots has a hash"
    return f"{cell}; {left[0].root}: {left[0].text}"


def _job(resolution: Resolution, group: GroupAnswer, stack: str, name: str, settings: Settings, answer: RootAnswer | None) -> Job:
    machine = resolution.machine
    chosen = answer.chosen if answer else None
    hashes = [spec.hash for spec in chosen.closure] if chosen else list(group.closure)
    parts = [resolution.stack.name, *([group.name] if len(resolution.groups) > 1 else []), machine.triple]
    if chosen:
        parts += [f"{chosen.spec.name}-{chosen.spec.hash[:7]}"]
    return Job(
        id=job_id(*parts),
        stack=resolution.stack.name,
        group=group.name,
        machine=name,
        platform=machine.platform or "",
        os=machine.os or "",
        target=machine.target or "",
        root=str(answer.root) if answer else None,
        hash=chosen.spec.hash if chosen else None,
        fingerprint=fingerprint(hashes, machine),
        runner=runner_of(name, settings),
        roots=1 if chosen else sum(1 for a in group.roots if a.chosen),
        command=_command(stack, name, group, resolution),
    )


def _command(stack: str, name: str, group: GroupAnswer, resolution: Resolution) -> str:
    words = ["spack-resolver", "resolve", stack, "--machine", name, "--partial", "-o", "env"]
    if len(resolution.groups) > 1:
        words += ["--group", group.name]
    return shlex.join(words)
