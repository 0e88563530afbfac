"""A matrix out of a ``resolver.lock``: no catalog, no network, and the same binaries for as long as the lock is the same."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from resolver.api.locks.chosen import Chosen, ChosenGroup, chosen
from resolver.api.locks.plan import load_lock
from resolver.api.machines import named_machine
from resolver.api.matrix.answers import Answer, Answers, CellAnswers, each
from resolver.api.matrix.wanted import MatrixRequest, NamedMachine, NamedStack, labelled
from resolver.api.settings import Settings
from resolver.arch.machine import Machine
from resolver.emit.ci.names import labels
from resolver.emit.environment import Environment
from resolver.errors import InputError


class FromLock:
    """Takes what a lock has: for its own machines what was selected for them, for others the best that they can run."""

    def __init__(self, settings: Settings, request: MatrixRequest) -> None:
        if request.split == "root":
            msg = "a lock gives jobs for stacks and groups, and none for single roots"
            raise InputError(msg, why="`spack-resolver render` writes no less than a group", hint="use --split group, or leave out --lock")
        self.settings = settings
        self.path = Path(request.lock)
        self.lock = load_lock(self.path)
        self.stacks = [NamedStack(name, name, own) for name, own in labels(request.stacks or self.lock.stacks).items()]
        self.machines = labelled({name: self._machine(name) for name in request.machines or self.lock.machines})

    def _machine(self, name: str) -> Machine:
        ours = self.lock.machines.get(name)
        return ours.machine(name) if ours else named_machine(name, self.settings)

    def answers(self, stack: NamedStack, machine: NamedMachine) -> CellAnswers:
        """What the lock gives a cell."""
        found = self._chosen(stack, machine, ())
        groups = tuple(_answers(group, found) for group in found.groups)

        def environment(names: Sequence[str], _: Sequence[str]) -> Environment:
            return self._chosen(stack, machine, names).environment

        def command(names: Sequence[str], _: Sequence[str]) -> str:
            return self._command(stack, machine, names, "--partial", "-o", "env")

        several = len({one.group for one in self.lock.selections if one.stack == stack.name}) > 1
        reason = "" if groups else "the lock has nothing for it there"
        return CellAnswers(groups, several, found.mirrors, environment, command, reason, notes=found.notes)

    def _chosen(self, stack: NamedStack, machine: NamedMachine, groups: Sequence[str]) -> Chosen:
        which = machine.asked if machine.asked in self.lock.machines else machine.machine
        command = self._command(stack, machine, groups)
        folder = self.path.absolute().parent
        return chosen(self.lock, which, self.settings, folder=folder, stacks=[stack.name], groups=groups, command=command)

    def _command(self, stack: NamedStack, machine: NamedMachine, groups: Sequence[str], *behind: str) -> str:
        words = ["spack-resolver", "render", self.path.as_posix(), "--machine", machine.asked, "--stack", stack.name]
        return shlex.join([*words, *each("--group", groups), *behind])

    def close(self) -> None:
        """Nothing is open."""


def _answers(group: ChosenGroup, found: Chosen) -> Answers:
    roots = []
    for one in group.roots:
        closure = frozenset(one.spec.closure()) & frozenset(found.closure) if one.spec else frozenset()
        roots.append(Answer(one.root, one.spec.hash if one.spec else "", closure, one.text))
    return Answers(group.group, (), tuple(roots))
