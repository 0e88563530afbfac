"""The laws of explanations, over random worlds."""

from __future__ import annotations

from typing import Any

from fakes.drawn import questions, worlds
from fakes.world import World
from hypothesis import given, settings

from resolver.selection.explain.explain import Limits, explain
from resolver.selection.explain.hashes import explain_hash
from resolver.selection.explain.misses import Misses
from resolver.selection.explain.model import Asked
from resolver.selection.explain.report import report, report_hash
from resolver.selection.explain.trial import wanted
from resolver.selection.model import Candidate, Rejection
from resolver.selection.race import records_of
from resolver.selection.ranking import Ranking
from resolver.selection.select import hopeful, select_group
from resolver.spec.abstract import AbstractSpec


def serving(world: World, asked: Asked) -> list[Candidate]:
    judge = asked.judge(world)
    return hopeful(judge, Ranking(judge), asked.root).candidates


@settings(max_examples=40, deadline=None)
@given(worlds(), questions())
def test_every_edit_that_is_offered_gains_what_it_says(records: list[dict[str, Any]], asked: Asked) -> None:
    found = explain(World(records), asked)
    assert not (found.gains and serving(World(records), asked))
    for gain in found.gains:
        candidates = serving(World(records), gain.asked)
        assert candidates[0].spec.hash == gain.best.hash
        assert gain.exact
        assert gain.records == len(candidates) > 0
        (root,) = select_group(gain.asked.judge(World(records)), "default", [gain.asked.root], "false").roots
        assert root.chosen is not None
        assert root.chosen.spec.hash == gain.best.hash


@settings(max_examples=40, deadline=None)
@given(worlds(), questions())
def test_what_a_gate_refuses_is_no_hit_and_the_funnel_counts_all(records: list[dict[str, Any]], asked: Asked) -> None:
    world = World(records)
    found = explain(world, asked)
    candidates = serving(World(records), asked)
    assert [step.left for step in found.funnel] == sorted((step.left for step in found.funnel), reverse=True)
    assert found.funnel[0].left == found.total == len(records_of(asked.judge(world), asked.root, thorough=True)[0])
    assert found.funnel[-1].left == len(candidates)
    assert (found.chosen.candidate.spec.hash if found.chosen else None) == (candidates[0].spec.hash if candidates else None)
    assert not {near.spec.hash for near in found.nearest} & {candidate.spec.hash for candidate in candidates}
    assert not [line for line in report(found) if len(line) > 80]


@settings(max_examples=40, deadline=None)
@given(worlds(), questions())
def test_a_record_misses_something_exactly_where_it_is_rejected(records: list[dict[str, Any]], asked: Asked) -> None:
    world = World(records)
    judge, want = asked.judge(world), wanted(world, asked.root)
    misses = Misses(asked.judge(world), asked, want)
    for spec in records_of(judge, asked.root, thorough=True)[0]:
        verdict, near, early = judge.judge(spec, want), misses.whole(spec), misses.early(spec)
        assert bool(near.misses) == isinstance(verdict, Rejection)
        if isinstance(verdict, Rejection):
            assert near.misses[0].gate == verdict.gate
        assert early.distance <= near.distance


@settings(max_examples=25, deadline=None)
@given(worlds(), questions())
def test_with_narrow_limits_it_says_less_but_nothing_wrong(records: list[dict[str, Any]], asked: Asked) -> None:
    narrow = explain(World(records), asked, Limits(full=1, closures=1, counted=1, tried=1))
    candidates = serving(World(records), asked)
    assert (narrow.chosen is None) == (not candidates)
    assert (narrow.funnel[-1].left == 0) == (narrow.chosen is None)
    assert narrow.funnel[-1].left - narrow.unsure <= len(candidates) <= narrow.funnel[-1].left
    for gain in narrow.gains:
        served = serving(World(records), gain.asked)
        assert served[0].spec.hash == gain.best.hash
        assert gain.records <= len(served)


@settings(max_examples=25, deadline=None)
@given(worlds(), questions())
def test_a_hash_runs_exactly_where_it_serves_its_own_package(records: list[dict[str, Any]], asked: Asked) -> None:
    world = World(records)
    for spec in world.named("app"):
        own = Asked(AbstractSpec(name="app"), asked.machine, asked.policy, asked.rules)
        found = explain_hash(world, own, spec)
        candidates = {candidate.spec.hash: candidate for candidate in serving(World(records), own)}
        assert found.runs == (spec.hash in candidates)
        assert not [line for line in report_hash(found) if len(line) > 80]
        for gain in found.gains:
            assert gain.best is spec
            assert serving(World(records), gain.asked)[0].spec.hash == spec.hash
