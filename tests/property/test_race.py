"""The laws of judging the best records first: it finds what judging all of them finds."""

from __future__ import annotations

from typing import Any

from fakes.facts import RECIPES, facts_of
from fakes.world import World
from fakes.worlds import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from resolver.arch.machine import Libc, Machine
from resolver.selection.gates import Judge
from resolver.selection.model import Candidate, Policy, Rejection, Row
from resolver.selection.ranking import Ranking
from resolver.selection.refusals import judged, refused
from resolver.selection.rules import Rules
from resolver.selection.select import hopeful, leading
from resolver.spec.abstract import AbstractSpec

MACHINE = Machine("linux", "ubuntu24.04", "zen4", Libc.parse("glibc@2.39"))
MACHINES = (
    MACHINE,
    replace(MACHINE, target="x86_64"),
    replace(MACHINE, libc=Libc.parse("glibc@2.17")),
    replace(MACHINE, platform="darwin"),
)
ROOTS = ("app", "app@2:", "app target=x86_64_v3", "app os=rhel8", "app+mpi", "app ^lib@2", "app ^lib@9", "blas")
PACKAGES: list[dict[str, Any]] = [
    {},
    {"all": {"require": ["target=x86_64_v3"]}},
    {"lib": {"require": "@1:2", "version": ["1"]}, "all": {"prefer": ["target=zen4"]}},
    {"app": {"variants": "~mpi", "require": [{"one_of": ["@2", "@1"]}]}, "all": {"providers": {"blas": ["mkl", "openblas"]}}},
]


def tells(row: Row, ranking: Ranking) -> list[object]:
    """What is said of a root by its candidates: the best two, and those equal to the best."""
    found: list[Candidate] = row.candidates
    equals = [c for c in found if ranking.solo(c)[:-1] == ranking.solo(found[0])[:-1]] if found else []
    return [[c.spec.hash for c in found[:2]], sorted(c.spec.hash for c in equals)]


@settings(max_examples=150, deadline=None)
@given(
    worlds(),
    st.sampled_from(PACKAGES),
    st.sampled_from(["", "mine"]),
    st.lists(st.sampled_from(ROOTS), min_size=1, max_size=3),
    st.sampled_from(RECIPES),
)
def test_the_first_are_those_of_all(
    records: list[dict[str, Any]], packages: dict[str, Any], label: str, roots: list[str], recipes: dict[str, Any]
) -> None:
    wanted = [AbstractSpec.parse(root) for root in roots]
    policy = Policy(label=label, facts=facts_of(recipes))
    ahead, whole = (Ranking(Judge(World(records), MACHINE, policy, Rules.read(packages))) for _ in range(2))
    first = leading(ahead.judge, ahead, wanted)
    for root, row in zip(wanted, first, strict=True):
        assert tells(row, ahead) == tells(hopeful(whole.judge, whole, root), whole)


@settings(max_examples=200, deadline=None)
@given(worlds(), st.sampled_from(PACKAGES), st.sampled_from(["", "mine"]), st.sampled_from(ROOTS), st.sampled_from(MACHINES))
def test_the_most_telling_refusal_is_that_of_all(
    records: list[dict[str, Any]], packages: dict[str, Any], label: str, text: str, machine: Machine
) -> None:
    root = AbstractSpec.parse(text)
    quick, whole = (Judge(World(records), machine, Policy(label=label), Rules.read(packages)) for _ in range(2))
    every = judged(whole, root)
    if not every.candidates:
        assert [shown(r) for r in refused(quick, root).rejections] == [shown(r) for r in every.rejections[:1]]


def shown(rejection: Rejection) -> tuple[str, ...]:
    return rejection.spec.hash, rejection.gate, rejection.node.hash, rejection.text


@settings(max_examples=80, deadline=None)
@given(worlds(), st.sampled_from(PACKAGES), st.sampled_from(RECIPES))
def test_nothing_costs_less_than_its_least(records: list[dict[str, Any]], packages: dict[str, Any], recipes: dict[str, Any]) -> None:
    ranking = Ranking(Judge(World(records), MACHINE, Policy(label="mine", facts=facts_of(recipes)), Rules.read(packages)))
    for candidate in hopeful(ranking.judge, ranking, AbstractSpec.parse("app")).candidates:
        spec = candidate.spec
        (outline,) = [o for o in ranking.pool.outlines("app", spec.wire.version, "linux", [spec.target]) if o.hash == spec.hash]
        bounds = (
            ranking.least_of_version("app", spec.wire.version),
            ranking.least_of("app", outline),
            ranking.least(spec),
            ranking.least(spec, outline.reach),
        )
        for bound in bounds:
            assert tuple(bound) <= ranking.solo(candidate)[:-1]
