"""Choosing a hash for each root of a group: candidates, unification, order, reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec.structs import replace

from resolver.selection.foretelling import Foretelling
from resolver.selection.gates import Judge
from resolver.selection.model import Effort, GroupAnswer, Row, Unify
from resolver.selection.problem import Problem, one_hash_each
from resolver.selection.race import Race, in_question, run, run_ahead, virtual_of
from resolver.selection.ranking import Ranking
from resolver.selection.reasons import alone, beside, taken
from resolver.selection.refusals import refused, row_of
from resolver.spec.abstract import AbstractSpec

Walked = Literal["best", "none", "all"]


def hopeful(judge: Judge, ranking: Ranking, root: AbstractSpec) -> Row:
    """All candidates of a root, ranked."""
    specs, want = in_question(judge, root)
    sound = judge.sound(specs)
    row = row_of(judge, want, [judge.judge(spec, want) for spec in sound])
    virtual = virtual_of(root, want)
    found = [replace(candidate, virtual=virtual) for candidate in row.candidates] if virtual else row.candidates
    return replace(row, candidates=ranking.sorted(found))


def leading(judge: Judge, ranking: Ranking, roots: Sequence[AbstractSpec], wanted: int | None = 2, *, walked: Walked = "best") -> list[Row]:
    """For each root the best candidates, at least ``wanted`` where there are as many, and all that equal the best; all where it is None.

    Records are judged in the order of what they cost at least, and no more of them than may still be among these: where thousands of
    records are in question, few nodes are read, and fewer closures. Whose closures are ``walked`` in any case, so that their nodes are
    known, are the best of each root, none, or all candidates.
    """
    races = [Race(judge, ranking, root, wanted) for root in roots]
    if walked == "all":
        run(judge, races)
    else:
        run_ahead(judge, races, Foretelling(judge, ranking), walked=walked == "best")
    rows = [(race, row_of(judge, race.want, race.verdicts)) for race in races]
    return [replace(row, candidates=ranking.sorted(row.candidates), whole=race.whole) for race, row in rows]


def _reasoned(judge: Judge, roots: Sequence[AbstractSpec], rows: Sequence[Row], told: int | None) -> list[Row]:
    """The rows, with the most telling rejection of roots without candidates: of all, or of the first few."""
    empty = [place for place, row in enumerate(rows) if not row.candidates][:told]
    found = [row if row.candidates else Row([], [], told=False) for row in rows]
    for place in empty:
        found[place] = refused(judge, roots[place])
    return found


def select_group(
    judge: Judge,
    name: str,
    roots: Sequence[AbstractSpec],
    unify: Unify,
    effort: Effort | None = None,
    *,
    state: bool = False,
) -> GroupAnswer:
    """The best answer for the roots of one group, under its unification.

    ``effort`` limits the search, ``state`` is whether the problem is to be in the answer.
    """
    ranking = Ranking(judge)
    if unify == "false":
        answer = _each_alone(judge, ranking, name, roots, effort or Effort(), state=state)
    else:
        answer = _together(judge, ranking, name, roots, unify, effort or Effort())
    return replace(answer, unified=one_hash_each(answer.closure.values()))


def _each_alone(judge: Judge, ranking: Ranking, name: str, roots: Sequence[AbstractSpec], effort: Effort, *, state: bool) -> GroupAnswer:
    wanted = 2 if effort.runners_up else 1
    rows = _reasoned(judge, roots, leading(judge, ranking, roots, wanted, walked="all" if state else "best"), effort.told)
    if not effort.runners_up:
        rows = [replace(row, candidates=row.candidates[:1]) for row in rows]
    answers = tuple(alone(root, row, ranking) for root, row in zip(roots, rows, strict=True))
    return GroupAnswer(name, "false", answers, problem=_stated(roots, rows, ranking) if state else None)


def _stated(roots: Sequence[AbstractSpec], rows: Sequence[Row], ranking: Ranking) -> Problem:
    from resolver.selection.stating import state_problem  # what stands alone is no problem, unless it is asked for

    return state_problem(roots, [row.candidates for row in rows], ranking)


def _together(
    judge: Judge,
    ranking: Ranking,
    name: str,
    roots: Sequence[AbstractSpec],
    unify: Unify,
    effort: Effort,
) -> GroupAnswer:
    from resolver.selection.contest import contest, of_rows  # only roots that share a graph need it

    if len(roots) > 1 and sum(_count(judge, root) for root in roots) > effort.records * len(roots):
        found = contest(judge, ranking, roots, unify, effort)
        rows = [Row(row, [], whole) for row, whole in zip(found.candidates, found.whole, strict=True)]
    else:
        rows = [hopeful(judge, ranking, root) for root in roots]
        found = of_rows(roots, [row.candidates for row in rows], ranking, unify, effort)
    rows = _reasoned(judge, roots, rows, effort.told)
    tell = beside if effort.runners_up else taken
    answers = tuple(tell(roots, rows, found.problem, found.rounds, ranking))
    return GroupAnswer(name, unify, answers, all(one.optimal for one in found.rounds), problem=found.problem)


def _count(judge: Judge, root: AbstractSpec) -> int:
    return judge.pool.count(root.name) if root.name else 1
