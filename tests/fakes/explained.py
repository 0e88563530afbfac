"""Explanation scenarios: read from their files, asked, and put in a short form to compare."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from fakes.scenarios import Ask, machine, policy
from fakes.world import World, hash_of

from resolver.selection.explain.explain import Limits, explain
from resolver.selection.explain.hashes import explain_hash
from resolver.selection.explain.model import Asked, Gain, Near
from resolver.selection.explain.report import report, report_conflict, report_hash
from resolver.selection.explain.unify import conflict
from resolver.selection.rules import Rules
from resolver.spec.abstract import AbstractSpec

FOLDER = Path(__file__).parent.parent / "scenarios" / "explain"


class Request(Ask):
    """What is asked: a root, or a record by ``hash``; several roots are unified, and the first is explained."""

    roots: list[str] = msgspec.field(default_factory=list)
    hash: str = ""
    reuse_include: list[str] = msgspec.field(default_factory=list)
    limits: dict[str, int] = msgspec.field(default_factory=dict)


class Expected(msgspec.Struct, forbid_unknown_fields=True):
    """The numbers of the funnel, ids of the nearest with their gates, edits with what they gain, and sentences in their order."""

    says: list[str]
    funnel: list[int] = []
    nearest: list[str] = []
    edits: list[str] = []


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    """A scenario file."""

    explanation: str
    request: Request
    expected: Expected
    records: list[dict[str, Any]] = []


class Outcome(msgspec.Struct, frozen=True):
    """What was explained, in short, and its text."""

    lines: list[str]
    funnel: list[int] = []
    nearest: list[str] = []
    edits: list[str] = []

    @property
    def text(self) -> str:
        """The text in one line."""
        return " ".join(" ".join(self.lines).split())


def load(path: Path) -> Scenario:
    return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Scenario)


def asked(ask: Request, root: AbstractSpec) -> Asked:
    how = policy(ask, reuse_include=tuple(map(AbstractSpec.parse, ask.reuse_include)))
    return Asked(root, machine(ask), how, Rules.read(ask.packages))


def outcome(ask: Request, world: World) -> Outcome:
    """Ask what the request asks."""
    if ask.hash:
        return _of_hash(ask, world)
    roots = [AbstractSpec.parse(text) for text in ask.roots]
    setting = asked(ask, roots[0])
    if len(roots) > 1:
        return _of_group(setting, world, roots)
    found = explain(world, setting, msgspec.structs.replace(Limits(), **ask.limits))
    funnel = [step.left for step in found.funnel]
    return Outcome(report(found), funnel, nearest_of(found.nearest, world), edits_of(found.gains))


def _of_hash(ask: Request, world: World) -> Outcome:
    spec = world.specs[hash_of(ask.hash)]
    found = explain_hash(world, asked(ask, AbstractSpec(name=spec.name)), spec)
    near = [found.near] if found.near else []
    return Outcome(report_hash(found), [], nearest_of(near, world), edits_of(found.gains))


def _of_group(setting: Asked, world: World, roots: Sequence[AbstractSpec]) -> Outcome:
    found = conflict(setting.judge(world), "default", roots, roots[0])
    if found is None:
        return Outcome(["no conflict"])
    return Outcome(report_conflict(found, "default"), edits=[f"{text} => {gained}" for text, gained in found.gains])


def nearest_of(nearest: Sequence[Near], world: World) -> list[str]:
    ids = {key: row["id"] for key, row in world.rows.items()}
    return [" ".join([ids[near.spec.hash], *(miss.gate for miss in near.misses)]) for near in nearest]


def edits_of(gains: Sequence[Gain]) -> list[str]:
    return [f"{gain.text} => {gain.records}" for gain in gains]
