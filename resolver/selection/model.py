"""The facts of a selection: what is asked, what may serve, what may not and why, and what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec

if TYPE_CHECKING:
    from resolver.selection.facts import RecipeFacts
    from resolver.selection.problem import Problem

GATES = ("name", "binary", "platform", "os", "target", "gpu", "constraints")
Unify = Literal["true", "when_possible", "false"]


class Rejection(msgspec.Struct, frozen=True):
    """A record that may not serve, with the first gate that it fails, the node that fails it, and a sentence."""

    spec: ConcreteSpec
    gate: str
    node: ConcreteSpec
    have: str
    want: str
    text: str

    @property
    def depth(self) -> int:
        """How many gates it passed."""
        return GATES.index(self.gate)


class Candidate(msgspec.Struct, frozen=True):
    """A record that may serve a root: the spec, its link/run closure (itself first), and whether that closure is known.

    The closure is empty where it was judged by what it is made of, and nobody needs its nodes.
    ``virtual`` is the root's name where that is a virtual, which the record provides.
    """

    spec: ConcreteSpec
    closure: tuple[ConcreteSpec, ...]
    complete: bool
    notes: tuple[str, ...] = ()
    virtual: str = ""


class Policy(msgspec.Struct, frozen=True):
    """Choices of the user that bear on gates and order.

    ``label`` is the stack label that records are preferred by (``labelled`` prefer), restricted to (only) or not looked at
    (ignore). ``granularity`` is Spack's ``concretizer:targets:granularity``. ``facts`` are what is known of package recipes.
    ``host_compatible`` False lets targets of the machine's family pass that do not run on it, and ``os_compatible`` are, off Linux, the
    OSes whose binaries an OS takes, as the stack's ``concretizer`` says. ``prefer`` is a key of ``ranking.PREFERENCES``. ``offered`` are
    the hashes of needed groups: they may be taken whatever ``reuse`` says, and come before their equals. ``held`` are hashes that roots
    ask for only to keep what they have: these bind the other roots as if they were asked for by name.
    """

    os_policy: Literal["spack", "strict"] = "spack"
    assume_externals: bool = False
    label: str = ""
    labelled: Literal["prefer", "only", "ignore"] = "prefer"
    granularity: str = "microarchitectures"
    reuse_include: tuple[AbstractSpec, ...] = ()
    reuse_exclude: tuple[AbstractSpec, ...] = ()
    facts: RecipeFacts | None = None
    host_compatible: bool = True
    os_compatible: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    prefer: str = ""
    offered: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()


class Row(msgspec.Struct, frozen=True):
    """The records of one root, judged: candidates, best first as far as they were ranked, and rejections, the most telling first.

    ``whole`` is False where some records were not judged, since the best could not be among them, and ``told`` where it was not asked
    why there is no candidate.
    """

    candidates: list[Candidate]
    rejections: list[Rejection]
    whole: bool = True
    told: bool = True


class Effort(msgspec.Struct, frozen=True):
    """How much is spent on a group.

    ``seconds`` limits the search where roots share a graph. Up to ``few`` answers are looked at one by one rather than given to a
    solver. Where a root has more ``records`` on average, not all of them are judged. With ``runners_up`` the second best of each root that
    stands alone is certain as well, else it is not named. Of the roots that nothing serves the first ``told`` get their reason, all
    where it is None.
    """

    seconds: float = 20.0
    few: int = 64
    records: int = 40
    runners_up: bool = True
    told: int | None = None


FOR_HASHES = Effort(runners_up=False, told=1)
"""Enough where only the hashes are asked for, and one reason why there is none."""


class RunnerUp(msgspec.Struct, frozen=True):
    """The best other record for a root while the other roots keep theirs, and the first criterion by which the answer is better.

    Where no other goes with the other roots, it is the best of those that stood alone, and unification is what decided.
    """

    spec: ConcreteSpec
    criterion: str


class RootAnswer(msgspec.Struct, frozen=True):
    """The answer for one root: the chosen candidate, or None with the rejections and a sentence.

    ``candidates`` is how many records were found to serve it; those that cannot be better than the chosen one are not all judged.
    """

    root: AbstractSpec
    chosen: Candidate | None
    candidates: int
    rejections: tuple[Rejection, ...]
    runner_up: RunnerUp | None = None
    equals: int = 1
    text: str = ""

    @property
    def nearest(self) -> Rejection | None:
        """The rejection that says most (``select.judged`` puts it first)."""
        return self.rejections[0] if self.rejections else None


class GroupAnswer(msgspec.Struct, frozen=True):
    """The answers for the roots of one group, in the order asked. ``problem`` is what was solved, where it was stated."""

    name: str
    unify: Unify
    roots: tuple[RootAnswer, ...]
    optimal: bool = True
    unified: bool = True
    problem: Problem | None = None

    @property
    def satisfied(self) -> bool:
        """Does every root have a hash?"""
        return all(answer.chosen is not None for answer in self.roots)

    @property
    def closure(self) -> dict[str, ConcreteSpec]:
        """The link/run closure of all chosen roots, by hash, sorted."""
        found = {spec.hash: spec for answer in self.roots if answer.chosen for spec in answer.chosen.closure}
        return dict(sorted(found.items()))
