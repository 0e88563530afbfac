"""CI matrices: which job installs what on which machine."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from resolver.api.machines import runner_of
from resolver.api.resolve import Resolution, ResolveRequest, choice_words, fingerprint, resolve
from resolver.api.selecting import Choices
from resolver.api.settings import Settings
from resolver.api.stacks import StackRequest
from resolver.arch.machine import Machine
from resolver.emit.matrix import Job, job_id
from resolver.selection.model import GroupAnswer, RootAnswer

Split = Literal["stack", "root"]


class MatrixResult(msgspec.Struct, frozen=True):
    """The jobs, a sentence for every cell that lacks roots, and what was found in the stacks and is no error."""

    jobs: tuple[Job, ...]
    empty: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def matrix(
    settings: Settings,
    stacks: Sequence[str],
    machines: Sequence[tuple[str, Machine]],
    choices: Choices,
    split: Split,
    reading: StackRequest | None = None,
) -> MatrixResult:
    """One job for each group of each stack on each machine, or for each of their roots; only what is served has a job.

    ``reading`` is how the stacks are read, whichever it names itself.
    """
    jobs: list[Job] = []
    empty: list[str] = []
    warnings: dict[str, None] = {}
    for stack in dict.fromkeys(stacks):
        for name, machine in dict(machines).items():
            request = replace(reading or StackRequest(), stack=stack)
            resolution = resolve(settings, ResolveRequest(request, machine, choices))
            warnings.update(dict.fromkeys(resolution.stack.warnings))
            cell = _Cell(request, name, resolution, choices, runner_of(name, settings))
            for group in cell.resolution.groups:
                jobs += cell.jobs(group, split)
                empty += [text] if (text := cell.missing(group)) else []
    return MatrixResult(tuple(_distinct(jobs)), tuple(empty), tuple(warnings))


def _distinct(jobs: Sequence[Job]) -> list[Job]:
    """Jobs with ids that differ: those of one architecture are told apart by machine, then by a number."""
    ids = Counter(job.id for job in jobs)
    named = [replace(job, id=job_id(job.id, job.machine)) if ids[job.id] > 1 else job for job in jobs]
    seen: Counter[str] = Counter()
    found = []
    for job in named:
        seen[job.id] += 1
        found.append(replace(job, id=f"{job.id}-{seen[job.id]}") if seen[job.id] > 1 else job)
    return found


class _Cell(msgspec.Struct, frozen=True):
    """A stack and how it is read, a machine as it was named, and what was resolved."""

    request: StackRequest
    machine: str
    resolution: Resolution
    choices: Choices
    runner: tuple[str, ...]

    def jobs(self, group: GroupAnswer, split: Split) -> list[Job]:
        """The jobs of a group: one, or one a root; none where nothing is served."""
        served = [answer for answer in group.roots if answer.chosen]
        if split == "root":
            return [self.job(group, answer) for answer in served]
        return [self.job(group, None)] if served else []

    def missing(self, group: GroupAnswer) -> str:
        """What the cell lacks, in a sentence with the first reason; empty when it lacks nothing."""
        left = [answer for answer in group.roots if not answer.chosen]
        if not left:
            return ""
        count = "none" if len(left) == len(group.roots) else f"{len(group.roots) - len(left)}"
        what = f"{self.resolution.stack.name} on {self.machine}: {count} of {len(group.roots)} roots has a hash"
        return f"{what}; {left[0].root}: {left[0].text}"

    def job(self, group: GroupAnswer, answer: RootAnswer | None) -> Job:
        machine, stack = self.resolution.machine, self.resolution.stack.name
        chosen = answer.chosen if answer else None
        hashes = [spec.hash for spec in chosen.closure] if chosen else list(group.closure)
        parts = [stack, *([group.name] if len(self.resolution.groups) > 1 else []), machine.triple]
        return Job(
            id=job_id(*parts, *([f"{chosen.spec.name}-{chosen.spec.hash[:7]}"] if chosen else [])),
            stack=stack,
            group=group.name,
            machine=self.machine,
            platform=machine.platform or "",
            os=machine.os or "",
            target=machine.target or "",
            root=str(answer.root) if answer else None,
            hash=chosen.spec.hash if chosen else None,
            fingerprint=fingerprint(hashes, machine),
            runner=self.runner,
            roots=1 if chosen else sum(1 for a in group.roots if a.chosen),
            command=self.command(group, answer),
        )

    def command(self, group: GroupAnswer, answer: RootAnswer | None) -> str:
        """What makes the environment of a job."""
        words = ["spack-resolver", "resolve", self.request.stack, "--machine", self.machine, *choice_words(self.choices)]
        words += [*self.request.words(), "--partial", "-o", "env"]
        words += ["--group", group.name] if len(self.resolution.groups) > 1 else []
        words += ["--root", str(answer.root)] if answer else []
        return shlex.join(words)
