"""From what a stack was given on a machine to the jobs of that cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from resolver.api.machines import runner_of
from resolver.api.matrix.answers import Answer, Answers, CellAnswers
from resolver.api.matrix.wanted import MatrixRequest, NamedMachine, NamedStack
from resolver.api.resolve import fingerprint
from resolver.api.settings import Settings
from resolver.emit.ci.jobs import Job
from resolver.emit.ci.names import join, labels
from resolver.emit.environment import Mirror
from resolver.errors import without_credentials

if TYPE_CHECKING:
    from resolver.api.matrix.former import Former


class CellRow(msgspec.Struct, frozen=True):
    """A cell of the matrix: a stack, or one of its groups, on a machine.

    ``asked`` roots are asked for there, ``served`` of them have a hash, and ``reason`` says why one has none.
    """

    id: str
    stack: str
    group: str | None
    machine: str
    asked: int
    served: int
    reason: str | None

    @property
    def text(self) -> str:
        """What the cell lacks, in a sentence; empty when it lacks nothing."""
        if self.asked and self.served == self.asked:
            return ""
        if not self.asked:
            return f"{self.id}: {self.reason}"
        count = f"{self.served or 'none'} of {self.asked} roots {'has' if self.served < 2 else 'have'} a hash"
        return f"{self.id}: {count}; {self.reason}" if self.reason else f"{self.id}: {count}"


class Part(msgspec.Struct, frozen=True):
    """What one job is to install: some groups, or one root of a group. ``id`` is the job's, ``row`` that of its row of the cell."""

    id: str
    row: str
    groups: tuple[Answers, ...]
    root: Answer | None = None

    @property
    def served(self) -> list[Answer]:
        """The roots that it installs."""
        return [self.root] if self.root else [answer for group in self.groups for answer in group.served]


class Cell(msgspec.Struct, frozen=True):
    """A stack on a machine, and what it was given there."""

    request: MatrixRequest
    settings: Settings
    stack: NamedStack
    machine: NamedMachine
    found: CellAnswers

    @property
    def id(self) -> str:
        """The part of the ids that all its jobs share."""
        return join(self.stack.label, self.machine.label)

    def rows(self) -> Iterator[CellRow]:
        """The cell itself, or each of its groups where jobs are for less than a stack."""
        if not self.found.groups:
            yield CellRow(self.id, self.stack.name, None, self.machine.asked, 0, 0, self.found.reason)
        elif self.request.split == "stack":
            only = None if self.found.several else self.found.groups[0].group
            yield self._row(self.id, only, [answer for one in self.found.groups for answer in one.roots])
        else:
            yield from (self._row(self._named(name), group.group, group.roots) for group, name in self._groups())

    def _row(self, key: str, group: str | None, roots: Sequence[Answer]) -> CellRow:
        reason = next((f"{answer.spec}: {answer.reason}" for answer in roots if answer.reason), None)
        served = sum(1 for answer in roots if answer.hash)
        return CellRow(key, self.stack.name, group, self.machine.asked, len(roots), served, reason)

    def _groups(self) -> list[tuple[Answers, str]]:
        """The groups, each with its part of ids; a stack's only group needs none."""
        names = labels(group.group for group in self.found.groups) if self.found.several else {}
        return [(group, names.get(group.group, "")) for group in self.found.groups]

    def _named(self, *parts: str) -> str:
        return join(self.id, *(part for part in parts if part))

    def parts(self) -> Iterator[Part]:
        """What each job that there may be is to install."""
        if self.request.split == "stack":
            yield Part(self.id, self.id, self.found.groups)
            return
        for group, name in self._groups():
            row = self._named(name)
            if self.request.split == "group":
                yield Part(row, row, (group,))
                continue
            answers = {answer.spec: answer for answer in group.served}
            for spec, own in labels(answers).items():
                yield Part(self._named(name, own), row, (group,), answers[spec])

    def same(self, former: Former, part: Part) -> bool:
        """Did a lock give the job the same?"""
        stack, machine = self.stack, self.machine.machine
        if part.root:
            return former.has_root(stack, machine, part.groups[0], part.root)
        if self.request.split == "group":
            return former.has_group(stack, machine, part.groups[0])
        return former.has(stack, machine, part.groups)

    def needs(self, part: Part) -> tuple[str, ...]:
        """The ids of the groups that a group needs."""
        if self.request.split != "group":
            return ()
        names = {group.group: name for group, name in self._groups()}
        return tuple(sorted(self._named(names[need]) for need in part.groups[0].needs if need in names))

    def job(self, part: Part) -> Job:
        """The job of a part that has something to install."""
        machine = self.machine.machine
        closure: frozenset[str] = frozenset().union(*(answer.closure for answer in part.served))
        mirrors = [mirror for mirror in self.found.mirrors if not closure.isdisjoint(mirror.serves)]
        runner, tags, image, setup = self._ci(part)
        return Job(
            id=part.id,
            stack=self.stack.name,
            group=part.groups[0].group if len(part.groups) == 1 else None,
            machine=self.machine.asked,
            platform=machine.platform or "",
            os=machine.os or "",
            target=machine.target or "",
            cuda_arch=machine.cuda_arch,
            amdgpu_target=machine.amdgpu_target,
            root=part.root.spec if part.root else None,
            hash=part.root.hash if part.root else None,
            fingerprint=fingerprint(closure, machine),
            roots=len(part.served),
            runner=runner,
            tags=tags,
            image=image,
            setup=setup,
            needs=self.needs(part),
            mirrors=tuple(without_credentials(mirror.url) for mirror in mirrors),
            signed=_signed(mirrors),
            environment=f"{self.request.folder}/{part.id}" if self.request.folder else None,
            command=self.command(part),
        )

    def _ci(self, part: Part) -> tuple[tuple[str, ...], tuple[str, ...], str | None, str | None]:
        """Runner, tags, image and setup: the configuration's first, and tags then those that the stack gives all its roots."""
        ci, name = self.settings.config.ci, self.machine.asked
        runner = runner_of(name, self.settings)
        tags = runner if ci.runners.get(name) else _shared(answer.tags for answer in part.served) or runner
        setup = ci.setup.get(name)
        return runner, tags, ci.images.get(name), setup if isinstance(setup, str) or setup is None else "\n".join(setup)

    def selects(self, part: Part) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The groups and roots that the environment of a job is restricted to; none where it is all of them."""
        groups = (part.groups[0].group,) if self.found.several and self.request.split != "stack" else ()
        return groups, (part.root.spec,) if part.root else ()

    def command(self, part: Part) -> str:
        """What makes the environment of a job."""
        return self.found.command(*self.selects(part))


def _shared(tags: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The tags that all have, in the order of the first."""
    rows = list(tags)
    return tuple(dict.fromkeys(tag for tag in rows[0] if all(tag in row for row in rows))) if rows else ()


def _signed(mirrors: Iterable[Mirror]) -> bool:
    """Spack demands signatures unless it is told that there are none."""
    return any(mirror.signed is not False for mirror in mirrors)
