"""Roots that cannot be served beside the hashes that others keep: who is in whose way, and what to do about it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from resolver.arch.machine import Machine
from resolver.errors import NotSatisfiedError
from resolver.selection.model import Candidate, GroupAnswer, RootAnswer
from resolver.selection.problem import SHARED
from resolver.spec.abstract import AbstractSpec
from resolver.stacks.stack import Stack

Place = tuple[str, str]
"""A group and the text of one of its roots."""
SHOWN = 3


class Conflict(msgspec.Struct, frozen=True):
    """A root that does not go with what others keep; ``is_new`` is whether it keeps no hash itself."""

    place: Place
    kept: tuple[str, ...]
    why: str
    is_new: bool

    def error(self, stack: Stack, machine: Machine) -> NotSatisfiedError:
        """What to say of it, and the way out."""
        group, root = self.place
        msg = f"{root} does not go with the hashes that are kept: {', '.join(self.kept[:SHOWN])}"
        where = f"stack {stack.name}, group {group}, machine {machine.name or machine}"
        options = " ".join(f"--upgrade {shlex.quote(name)}" for name in self.kept[:SHOWN])
        hint = f"{options} selects these anew too; --upgrade alone selects all anew" if options else "--upgrade selects all anew"
        return NotSatisfiedError(msg, why=self.why, where=where, hint=hint)


def unserved_of(answers: Mapping[str, GroupAnswer]) -> list[Place]:
    """The roots without a hash."""
    return [(name, str(one.root)) for name, answer in answers.items() for one in answer.roots if one.chosen is None]


def conflict_of(
    group: str, root: AbstractSpec, candidates: Sequence[Candidate], answer: GroupAnswer, hashes: Mapping[str, str]
) -> Conflict:
    """Who is in the way of a root that was given nothing, judged by the candidate that disagrees with the fewest others.

    Where the root itself is one that keeps its hash, it is in the way of a new one.
    """
    own = hashes.get(str(root), "")
    found = min((_disagreements(root, c, answer.roots) for c in candidates if own in ("", c.spec.hash)), key=len, default=[])
    others = list(dict.fromkeys(other for other, _ in found if own or other in hashes))
    new = [other for other in others if other not in hashes]
    why = "; ".join(text for _, text in found[:2])
    if own and new:
        return Conflict((group, new[0]), (str(root),), why, is_new=True)
    return Conflict((group, str(root)), tuple(others), why, is_new=not own)


def _disagreements(root: AbstractSpec, candidate: Candidate, answers: Iterable[RootAnswer]) -> list[tuple[str, str]]:
    """The roots that were given another hash of a package than a candidate has, each with a sentence."""
    own = {node.name: node for node in candidate.closure if node.name not in SHARED}
    found = []
    for one in answers:
        for node in one.chosen.closure if one.chosen else ():
            if node.name in own and own[node.name].hash != node.hash:
                mine = own[node.name]
                text = f"with {root} it is {mine.name}/{mine.hash[:7]}, with {one.root} {node.name}/{node.hash[:7]}"
                found.append((str(one.root), text))
                break
    return found
