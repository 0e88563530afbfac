"""What a stack was given on a machine, as far as jobs are made of it, whatever said so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from resolver.api.matrix.wanted import NamedMachine, NamedStack
from resolver.emit.environment import Environment, Mirror

Tags = tuple[str, ...]


class Answer(msgspec.Struct, frozen=True):
    """What a root was given: the hash and the hashes of its link/run closure, or none and the reason. ``tags`` are of its runner."""

    spec: str
    hash: str
    closure: frozenset[str] = frozenset()
    reason: str = ""
    tags: Tags = ()


class Answers(msgspec.Struct, frozen=True):
    """What the roots of a group were given."""

    group: str
    needs: tuple[str, ...]
    roots: tuple[Answer, ...]

    @property
    def served(self) -> tuple[Answer, ...]:
        """The roots that have a hash."""
        return tuple(answer for answer in self.roots if answer.hash)


class CellAnswers(msgspec.Struct, frozen=True):
    """What a stack was given on a machine, group by group; ``several`` is whether it has several.

    ``environment`` makes the environment of all of it, or of some groups and roots, and ``command`` is what a person makes that with.
    ``reason`` is why it asks for no root there. ``warnings`` are what a person should know of the stack, ``notes`` of the selection.
    """

    groups: tuple[Answers, ...]
    several: bool
    mirrors: tuple[Mirror, ...]
    environment: Callable[[Sequence[str], Sequence[str]], Environment]
    command: Callable[[Sequence[str], Sequence[str]], str]
    reason: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    skipped_criteria: tuple[str, ...] = ()


class Origin(Protocol):
    """Where answers are from: the stacks and machines that it has, and what a stack was given on a machine."""

    stacks: list[NamedStack]
    machines: list[NamedMachine]

    def answers(self, stack: NamedStack, machine: NamedMachine) -> CellAnswers:
        """What a cell has."""

    def close(self) -> None:
        """Lets go of what is open."""


def each(option: str, texts: Sequence[str]) -> list[str]:
    """The words of an option that is repeated."""
    return [word for text in texts for word in (option, text)]
