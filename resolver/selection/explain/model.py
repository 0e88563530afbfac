"""The facts of an explanation: what gates left, what records fail, what would help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from resolver.arch.machine import Machine
from resolver.selection.gates import Judge
from resolver.selection.model import Candidate, Policy
from resolver.selection.pool import CandidatePool, Statement
from resolver.selection.rules import Rules
from resolver.selection.shared import Shared
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec

Side = Literal["spec", "machine", "stack", "choice"]

WEIGHTS = {"constraints": 1, "gpu": 3, "os": 4, "target": 4, "external": 2, "binary": 8, "platform": 10}
"""How hard what fails at a gate is to cure; an external that is not declared is the light case of ``binary``."""


LAST_RESORT = 9
"""The size of an edit that is offered behind all others, whatever it gains."""


class Asked(msgspec.Struct, frozen=True):
    """All that a selection of one root depends on, as one value that edits change."""

    root: AbstractSpec
    machine: Machine
    policy: Policy
    rules: Rules

    def judge(self, pool: CandidatePool, shared: Shared | None = None) -> Judge:
        """A judge for this."""
        return Judge(pool, self.machine, self.policy, self.rules, shared)


class Edit(msgspec.Struct, frozen=True):
    """One change that may gain a hit. ``subject`` is what it changes, ``size`` how much (to be kept small).

    ``option`` is how it is written on the command line or in the stack, where it can be.
    """

    of: Side
    subject: str
    text: str
    size: int
    apply: Callable[[Asked], Asked]
    option: str = ""


class Gain(msgspec.Struct, frozen=True):
    """An edit, or several together, and what selection gives with them: how many records serve, at least, and the best.

    ``asked`` is what is asked with them; ``exact`` is False where not all records that may serve were counted.
    """

    edits: tuple[Edit, ...]
    asked: Asked
    records: int
    best: ConcreteSpec
    exact: bool = True

    @property
    def size(self) -> int:
        """How much is changed."""
        return sum(edit.size for edit in self.edits)

    @property
    def is_last_resort(self) -> bool:
        """Is it one to be offered behind all others?"""
        return any(edit.size >= LAST_RESORT for edit in self.edits)

    @property
    def text(self) -> str:
        """What to do, without a full stop."""
        return ", and ".join(edit.text for edit in self.edits)


class Miss(msgspec.Struct, frozen=True):
    """One thing that a record fails: the gate, the node, what it has and what is wanted, a sentence, and what can be done.

    ``brief`` is the reason in a few words that many records share.
    ``nodes`` is how many nodes of the closure fail it in the same way. ``cures`` are edits that each do away with it, the smallest first;
    none where nothing but another binary helps. Misses of one ``subject`` are cured together.
    """

    gate: str
    node: ConcreteSpec
    have: str
    want: str
    text: str
    advice: str
    weight: int
    subject: str = ""
    cures: tuple[Edit, ...] = ()
    brief: str = ""
    nodes: int = 1


class Near(msgspec.Struct, frozen=True):
    """A rejected record with all that it fails."""

    spec: ConcreteSpec
    misses: tuple[Miss, ...]

    @property
    def distance(self) -> tuple[int, int]:
        """Number and weight of what it fails."""
        return len(self.misses), sum(miss.weight for miss in self.misses)


class Step(msgspec.Struct, frozen=True):
    """A gate, how many records it left and stopped, and why most of those failed, with the number of these."""

    gate: str
    left: int
    lost: int = 0
    reason: str = ""
    alike: int = 0


class Place(msgspec.Struct, frozen=True):
    """Platform, OS and target that binaries exist for, and how many."""

    platform: str
    os: str
    target: str
    records: int


class Cost(msgspec.Struct, frozen=True):
    """What a candidate costs by one criterion, what the runner-up does, and what it means."""

    criterion: str
    cost: int
    other: int | None
    text: str


class Chosen(msgspec.Struct, frozen=True):
    """The hash that serves, the one after it, and what decides between them."""

    candidate: Candidate
    statement: Statement
    runner_up: ConcreteSpec | None
    criterion: str
    costs: tuple[Cost, ...]
    equals: int = 1


class Explanation(msgspec.Struct, frozen=True):
    """Why a spec has the hash that it has, or none.

    ``judged`` is how many of the ``total`` records were judged with all that they link to; the others are counted by what they state of
    themselves, and ``unsure`` of those that all gates left may fail by what they link to. ``tried`` edits were tried, ``proposed`` not.
    """

    asked: Asked
    headline: str
    total: int
    judged: int
    funnel: tuple[Step, ...]
    chosen: Chosen | None
    nearest: tuple[Near, ...] = ()
    gains: tuple[Gain, ...] = ()
    places: tuple[Place, ...] = ()
    tried: int = 0
    proposed: int = 0
    unsure: int = 0
    notes: tuple[str, ...] = ()


class HashExplanation(msgspec.Struct, frozen=True):
    """Why a record is chosen for its package on a machine, or passed over."""

    asked: Asked
    headline: str
    spec: ConcreteSpec
    statement: Statement
    packages: int
    near: Near | None
    best: Chosen | None
    criterion: str = ""
    costs: tuple[Cost, ...] = ()
    gains: tuple[Gain, ...] = ()

    @property
    def runs(self) -> bool:
        """May it serve on the machine?"""
        return self.near is None


class Disagreement(msgspec.Struct, frozen=True):
    """What keeps roots apart: a package or virtual, and two hashes for it, each with the root that brings it."""

    package: str
    virtual: bool
    one: ConcreteSpec
    other: ConcreteSpec
    one_root: AbstractSpec
    other_root: AbstractSpec


class Conflict(msgspec.Struct, frozen=True):
    """Roots that cannot be served together though all but any one of them can, what they disagree on, and what would help.

    ``gains`` pairs an instruction with the number of roots that it adds to those served.
    """

    roots: tuple[AbstractSpec, ...]
    disagreement: Disagreement | None
    gains: tuple[tuple[str, int], ...] = ()
