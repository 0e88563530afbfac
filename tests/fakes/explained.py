"""Explanation scenarios: read from their files, asked, and put in a short form to compare."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from fakes.world import World, hash_of

from resolver.arch.machine import Libc, Machine, parse_triple
from resolver.selection.explain.explain import Limits, explain
from resolver.selection.explain.hashes import explain_hash
from resolver.selection.explain.model import Asked, Gain, Near
from resolver.selection.explain.report import report, report_conflict, report_hash
from resolver.selection.explain.unify import conflict
from resolver.selection.model import Policy
from resolver.selection.rules import Rules
from resolver.spec.abstract import AbstractSpec

FOLDER = Path(__file__).parent.parent / "scenarios" / "explain"


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """What is asked: a root, or a record by ``hash``; several roots are unified, and the first is explained.

    ``machine`` is an architecture with a libc behind a blank, a ``?`` for what is not known.
    """

    roots: list[str] = []
    hash: str = ""
    machine: str = "linux-ubuntu24.04-zen4 glibc@2.39"
    label: str = ""
    labelled: str = "prefer"
    os_policy: str = "spack"
    assume_externals: bool = False
    granularity: str = "microarchitectures"
    cuda_arch: list[str] = []
    amdgpu_target: list[str] = []
    packages: dict[str, Any] = {}
    reuse_exclude: list[str] = []
    reuse_include: list[str] = []
    limits: dict[str, int] = {}


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


def machine(ask: Request) -> Machine:
    triple, _, libc = ask.machine.partition(" ")
    known = Machine(libc=Libc.parse(libc) if libc else None, cuda_arch=tuple(ask.cuda_arch), amdgpu_target=tuple(ask.amdgpu_target))
    if "?" in triple:
        platform, os, target = (part if part != "?" else None for part in triple.split("-"))
        return known.over(Machine(platform, os, target))
    return known.over(parse_triple(triple))


def asked(ask: Request, root: AbstractSpec) -> Asked:
    policy = Policy(
        os_policy=ask.os_policy,  # type: ignore[arg-type] # as written in the file
        assume_externals=ask.assume_externals,
        label=ask.label,
        labelled=ask.labelled,  # type: ignore[arg-type] # as written in the file
        granularity=ask.granularity,
        reuse_exclude=tuple(map(AbstractSpec.parse, ask.reuse_exclude)),
        reuse_include=tuple(map(AbstractSpec.parse, ask.reuse_include)),
    )
    return Asked(root, machine(ask), policy, Rules.read(ask.packages))


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
