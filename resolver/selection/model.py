"""The facts of a selection: what is asked, what may serve, what may not and why, and what was chosen."""

from __future__ import annotations

from typing import Literal

import msgspec

from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec

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
    """A record that may serve a root: the spec, its link/run closure (itself first), and whether that closure is known."""

    spec: ConcreteSpec
    closure: tuple[ConcreteSpec, ...]
    complete: bool
    notes: tuple[str, ...] = ()


class Policy(msgspec.Struct, frozen=True):
    """Choices of the user that bear on gates and order.

    ``label`` is the stack label that records are preferred by (``labelled`` prefer), restricted to (only) or not looked at
    (ignore). ``granularity`` is Spack's ``concretizer:targets:granularity``.
    """

    os_policy: Literal["spack", "strict"] = "spack"
    assume_externals: bool = False
    label: str = ""
    labelled: Literal["prefer", "only", "ignore"] = "prefer"
    granularity: str = "microarchitectures"
    reuse_include: tuple[AbstractSpec, ...] = ()
    reuse_exclude: tuple[AbstractSpec, ...] = ()


class RunnerUp(msgspec.Struct, frozen=True):
    """The best candidate that was not taken, and the first criterion by which the chosen one is better."""

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
    """The answers for the roots of one group, in the order asked."""

    name: str
    unify: Unify
    roots: tuple[RootAnswer, ...]
    optimal: bool = True
    unified: bool = True

    @property
    def satisfied(self) -> bool:
        """Does every root have a hash?"""
        return all(answer.chosen is not None for answer in self.roots)

    @property
    def closure(self) -> dict[str, ConcreteSpec]:
        """The link/run closure of all chosen roots, by hash, sorted."""
        found = {spec.hash: spec for answer in self.roots if answer.chosen for spec in answer.chosen.closure}
        return dict(sorted(found.items()))
