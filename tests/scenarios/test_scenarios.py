"""Behaviour of selection, one file a case: a world, a request, what is expected, and why."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fakes.scenarios import Ask, check_files, machine, policy
from fakes.world import World, hash_of

from resolver.emit.environment import Environment, Root
from resolver.selection.gates import Judge
from resolver.selection.model import GroupAnswer
from resolver.selection.rules import Rules
from resolver.selection.select import select_group
from resolver.spec.abstract import AbstractSpec
from resolver.spec.node import ALL_TYPES

FILES = sorted(path for path in Path(__file__).parent.glob("*/*.toml") if path.parent.name != "explain")


class Request(Ask):
    """What is asked; ``needed`` are the ids of needed groups' nodes."""

    roots: list[str] = msgspec.field(default_factory=list)
    unify: str = "true"
    needed: list[str] = msgspec.field(default_factory=list)
    host_compatible: bool = True


class Expected(msgspec.Struct, forbid_unknown_fields=True):
    """The id chosen for each root, or "" for none; the gate and text of each root's first reason; what must not be looked up."""

    chosen: list[str]
    gates: list[str] = []
    texts: list[str] = []
    decided_by: list[str] = []
    runners_up: list[str] = []
    unvisited: list[str] = []


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    """A scenario file."""

    explanation: str
    records: list[dict[str, Any]]
    request: Request
    expected: Expected


def load(path: Path) -> Scenario:
    return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Scenario)


def answer(scenario: Scenario, world: World) -> GroupAnswer:
    ask = scenario.request
    how = policy(ask, offered=frozenset(map(hash_of, ask.needed)), host_compatible=ask.host_compatible)
    judge = Judge(world, machine(ask), how, Rules.read(ask.packages))
    return select_group(judge, "default", [AbstractSpec.parse(r) for r in ask.roots], ask.unify)  # type: ignore[arg-type] # likewise


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_scenario(path: Path) -> None:
    scenario = load(path)
    world = World(scenario.records)
    got = answer(scenario, world)
    expected = scenario.expected
    assert [a.chosen.spec.hash if a.chosen else "" for a in got.roots] == [hash_of(c) if c else "" for c in expected.chosen]
    assert [a.nearest.gate if a.nearest else "" for a in got.roots][: len(expected.gates)] == expected.gates
    for found, text in zip(got.roots, expected.texts, strict=False):
        assert text in found.text
    decided = [a.runner_up.criterion if a.runner_up else "" for a in got.roots]
    assert decided[: len(expected.decided_by)] == expected.decided_by
    others = [a.runner_up.spec.hash if a.runner_up else "" for a in got.roots]
    assert others[: len(expected.runners_up)] == [hash_of(name) if name else "" for name in expected.runners_up]
    assert not world.asked & {hash_of(name) for name in expected.unvisited}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_order_of_records_does_not_matter(path: Path) -> None:
    scenario = load(path)
    first = answer(scenario, World(scenario.records))
    shuffled = list(scenario.records)
    random.Random(7).shuffle(shuffled)  # noqa: S311 - no secret
    second = answer(scenario, World(shuffled))
    assert [a.chosen.spec.hash if a.chosen else a.text for a in first.roots] == [
        a.chosen.spec.hash if a.chosen else a.text for a in second.roots
    ]
    assert list(first.closure) == list(second.closure)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_is_selected_makes_a_whole_environment(path: Path) -> None:
    scenario = load(path)
    world = World(scenario.records)
    check_files(environment(answer(scenario, world), world))


def environment(got: GroupAnswer, world: World) -> Environment:
    """What was selected, with all that it was built with as far as it is there."""
    roots = tuple(Root(root.chosen.spec) for root in got.roots if root.chosen)
    reached = {key for spec in got.closure.values() for key in spec.closure(ALL_TYPES)}
    nodes = {key: msgspec.json.encode(_without_gaps(world.nodes[key], world)) for key in sorted(reached)}
    return Environment(roots, got.closure, nodes, (), unified=got.unified, command="spack-resolver resolve s")


def _without_gaps(node: dict[str, Any], world: World) -> dict[str, Any]:
    return {**node, "dependencies": [edge for edge in node["dependencies"] if edge["hash"] in world.nodes]}


def test_there_are_scenarios() -> None:
    assert len(FILES) >= 40
