"""Choosing a hash for each root of a group: candidates, unification, order, reasons."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from resolver.selection.gates import Judge
from resolver.selection.model import (
    Candidate,
    GroupAnswer,
    Rejection,
    RootAnswer,
    RunnerUp,
    Unify,
)
from resolver.selection.problem import one_hash_each, solve_trivially, state_problem
from resolver.selection.race import Race, in_question, records_of, run
from resolver.selection.ranking import CRITERIA, Ranking
from resolver.spec.abstract import AbstractSpec
from resolver.spec.satisfies import match_node


class Row(msgspec.Struct, frozen=True):
    """The records of one root, judged: candidates, best first as far as they were ranked, and rejections, the most telling first.

    ``whole`` is False where some records were not judged, since the best could not be among them.
    """

    candidates: list[Candidate]
    rejections: list[Rejection]
    whole: bool = True


def judged(judge: Judge, root: AbstractSpec) -> Row:
    """All records of a root, judged and none ranked."""
    specs, want = records_of(judge, root, thorough=True)
    judge.closures.prefetch(specs)
    return _row(judge, want, [judge.judge(spec, want) for spec in specs])


def hopeful(judge: Judge, ranking: Ranking, root: AbstractSpec) -> Row:
    """All candidates of a root, ranked; rejections are given only where nothing serves, since finding their reasons takes time."""
    specs, want = in_question(judge, root)
    sound = judge.closures.sound(specs, judge.fails_below)
    row = _row(judge, want, [judge.judge(spec, want) for spec in sound])
    return replace(row, candidates=ranking.sorted(row.candidates)) if row.candidates else judged(judge, root)


def leading(judge: Judge, ranking: Ranking, roots: Sequence[AbstractSpec], wanted: int = 2) -> list[Row]:
    """For each root the best candidates, at least ``wanted`` where there are as many, and all that equal the best.

    Records are judged in the order of what they cost at least, and no more of them than may still be among these: where thousands of
    records are in question, few nodes are read and fewer closures.
    """
    races = [Race(judge, ranking, root, wanted) for root in roots]
    run(judge, races)
    return [_led(judge, ranking, root, race) for root, race in zip(roots, races, strict=True)]


def _led(judge: Judge, ranking: Ranking, root: AbstractSpec, race: Race) -> Row:
    row = _row(judge, race.want, race.verdicts)
    if not row.candidates:
        return judged(judge, root)
    return replace(row, candidates=ranking.sorted(row.candidates), whole=race.whole)


def _row(judge: Judge, want: AbstractSpec, verdicts: Sequence[Candidate | Rejection]) -> Row:
    label = judge.policy.label

    def telling(rejection: Rejection) -> tuple[bool, bool, int, str]:
        spec = rejection.spec
        unlabelled = bool(label) and label not in judge.pool.statement(spec).stacks
        return match_node(spec, want) is not None, unlabelled, -rejection.depth, spec.hash

    rejections = [v for v in verdicts if isinstance(v, Rejection)]
    return Row([v for v in verdicts if isinstance(v, Candidate)], sorted(rejections, key=telling))


def select_group(judge: Judge, name: str, roots: Sequence[AbstractSpec], unify: Unify) -> GroupAnswer:
    """The best answer for the roots of one group, under its unification."""
    ranking = Ranking(judge)
    rows = leading(judge, ranking, roots) if unify == "false" else [hopeful(judge, ranking, root) for root in roots]
    candidates = [row.candidates for row in rows]
    if unify == "false":
        picks: list[Candidate | None] = [row[0] if row else None for row in candidates]
        optimal = True
    else:
        picks, optimal = _unified(list(roots), candidates, ranking, rounds=unify == "when_possible")
    answers = [_answer(root, pick, row, ranking) for root, pick, row in zip(roots, picks, rows, strict=True)]
    answer = GroupAnswer(name, unify, tuple(answers), optimal)
    return replace(answer, unified=one_hash_each(answer.closure.values()))


def _unified(
    roots: list[AbstractSpec],
    candidates: list[list[Candidate]],
    ranking: Ranking,
    *,
    rounds: bool,
) -> tuple[list[Candidate | None], bool]:
    """One round for ``unify: true``; as Spack, for ``when_possible`` rounds over what is left until no root is gained."""
    picks: list[Candidate | None] = [None] * len(roots)
    earlier: dict[str, frozenset[str]] = {}
    optimal = True
    while left := [i for i, row in enumerate(candidates) if row and picks[i] is None]:
        chosen, proven = _solve([roots[i] for i in left], [candidates[i] for i in left], ranking, earlier)
        optimal = optimal and proven
        for place, pick in zip(left, chosen, strict=True):
            picks[place] = pick
            for node in pick.closure if pick else ():
                earlier[node.name] = earlier.get(node.name, frozenset()) | {node.hash}
        if not rounds or not any(chosen):
            break
    return picks, optimal


def _solve(
    roots: list[AbstractSpec],
    candidates: list[list[Candidate]],
    ranking: Ranking,
    earlier: dict[str, frozenset[str]],
) -> tuple[list[Candidate | None], bool]:
    problem = state_problem(roots, candidates, ranking, earlier)
    solution = solve_trivially(problem)
    if solution is None:
        from resolver.selection.solver import (
            solve,  # clingo is loaded only where there is something to search
        )

        solution = solve(problem)
    by_hash = [{c.spec.hash: c for c in row} for row in candidates]
    picks = [None if n is None else row[problem.nodes[n].hash] for n, row in zip(solution.picks, by_hash, strict=True)]
    return picks, solution.optimal


def _answer(root: AbstractSpec, pick: Candidate | None, row: Row, ranking: Ranking) -> RootAnswer:
    count = len(row.candidates)
    answer = RootAnswer(root, pick, count, tuple(row.rejections))
    if pick is None:
        return replace(answer, text=_unserved(root, row))
    others = [candidate for candidate in row.candidates if candidate is not pick]
    if not others:
        return replace(answer, text="the only candidate")
    costs = ranking.solo(pick)
    criterion = _difference(costs, ranking.solo(others[0]))
    equals = sum(1 for candidate in row.candidates if ranking.solo(candidate)[:-1] == costs[:-1])
    best = f"best of {count} candidates by {criterion}" if row.whole else f"best by {criterion}"
    text = best if equals == 1 else f"the smallest of {equals} hashes that are equal in all else"
    return replace(answer, runner_up=RunnerUp(others[0].spec, criterion), equals=equals, text=text)


def _difference(chosen: tuple[int | str, ...], other: tuple[int | str, ...]) -> str:
    """The first criterion by which two candidates, each served alone, differ; unification where the other is the better."""
    place = next(i for i, (a, b) in enumerate(zip(chosen, other, strict=True)) if a != b)
    return CRITERIA[place] if chosen < other else "unification with the other roots"


def _unserved(root: AbstractSpec, row: Row) -> str:
    if row.candidates:
        return f"no candidate for {root} agrees with the other roots on one hash for each package (unify: true)"
    if row.rejections:
        return row.rejections[0].text
    return f"no source has a record of {root.name or '/' + str(root.hash)}"
