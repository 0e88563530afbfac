"""Choosing a hash for each root of a group: candidates, unification, order, reasons."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from resolver.errors import InputError
from resolver.selection.gates import Judge
from resolver.selection.model import (
    Candidate,
    GroupAnswer,
    Rejection,
    RootAnswer,
    RunnerUp,
    Unify,
)
from resolver.selection.pool import CandidatePool
from resolver.selection.problem import one_hash_each, solve_trivially, state_problem
from resolver.selection.ranking import CRITERIA, Ranking
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.satisfies import match_node
from resolver.spec.virtuals import VIRTUALS


def records_of(pool: CandidatePool, root: AbstractSpec) -> tuple[list[ConcreteSpec], AbstractSpec]:
    """The records that a root may mean by name or hash (gate ``name``), and what remains to be asked of them.

    A virtual root means the packages that were seen to provide it; versions and variants of a virtual are not compared.
    Raises ``InputError`` when the root names no package and no hash.
    """
    if root.name is None:
        if root.hash is None:
            msg = f"the spec {str(root)!r} names no package"
            raise InputError(msg, hint="begin it with a package's name, or ask for a /hash")
        return pool.with_prefix(root.hash), root
    if root.name in VIRTUALS and not pool.has_package(root.name):
        found = [spec for name in pool.providers(root.name) for spec in pool.named(name)]
        return found, AbstractSpec(hash=root.hash, platform=root.platform, os=root.os, target=root.target, edges=root.edges)
    return pool.named(root.name), root


def judged(judge: Judge, root: AbstractSpec, *, thorough: bool = True) -> tuple[list[Candidate], list[Rejection]]:
    """All records of a root, judged; rejections with the one that says most first: what was asked for, labelled as asked, past most gates.

    Unless ``thorough``, records that fail by themselves are passed over without a reason where others serve the root: finding the first
    gate that they fail takes their whole closure.
    """
    specs, want = records_of(judge.pool, root)
    hopeful = specs if thorough else [spec for spec in specs if not judge.fails_itself(spec, want)]
    verdicts = [judge.judge(spec, want) for spec in hopeful]
    candidates = [v for v in verdicts if isinstance(v, Candidate)]
    if not candidates and len(hopeful) < len(specs):
        return judged(judge, root)
    rejections = [v for v in verdicts if isinstance(v, Rejection)]
    label = judge.policy.label

    def telling(rejection: Rejection) -> tuple[bool, bool, int, str]:
        spec = rejection.spec
        unlabelled = bool(label) and label not in judge.pool.statement(spec).stacks
        return match_node(spec, want) is not None, unlabelled, -rejection.depth, spec.hash

    return candidates, sorted(rejections, key=telling)


def select_group(judge: Judge, name: str, roots: Sequence[AbstractSpec], unify: Unify) -> GroupAnswer:
    """The best answer for the roots of one group, under its unification."""
    ranking = Ranking(judge)
    rows = [judged(judge, root, thorough=False) for root in roots]
    candidates = [ranking.sorted(found) for found, _ in rows]
    if unify == "false":
        picks: list[Candidate | None] = [row[0] if row else None for row in candidates]
        optimal = True
    else:
        picks, optimal = _unified(list(roots), candidates, ranking, rounds=unify == "when_possible")
    answers = [
        _answer(root, pick, row, rejections, ranking)
        for root, pick, row, (_, rejections) in zip(roots, picks, candidates, rows, strict=True)
    ]
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


def _answer(
    root: AbstractSpec,
    pick: Candidate | None,
    row: list[Candidate],
    rejections: list[Rejection],
    ranking: Ranking,
) -> RootAnswer:
    answer = RootAnswer(root, pick, len(row), tuple(rejections))
    if pick is None:
        return replace(answer, text=_unserved(root, row, rejections))
    others = [candidate for candidate in row if candidate is not pick]
    if not others:
        return replace(answer, text="the only candidate")
    costs = ranking.solo(pick)
    criterion = _difference(costs, ranking.solo(others[0]))
    equals = sum(1 for candidate in row if ranking.solo(candidate)[:-1] == costs[:-1])
    text = f"best of {len(row)} candidates by {criterion}" if equals == 1 else f"the smallest of {equals} hashes that are equal in all else"
    return replace(answer, runner_up=RunnerUp(others[0].spec, criterion), equals=equals, text=text)


def _difference(chosen: tuple[int | str, ...], other: tuple[int | str, ...]) -> str:
    """The first criterion by which two candidates, each served alone, differ; unification where the other is the better."""
    place = next(i for i, (a, b) in enumerate(zip(chosen, other, strict=True)) if a != b)
    return CRITERIA[place] if chosen < other else "unification with the other roots"


def _unserved(root: AbstractSpec, row: list[Candidate], rejections: list[Rejection]) -> str:
    if row:
        return f"no candidate for {root} agrees with the other roots on one hash for each package (unify: true)"
    if rejections:
        return rejections[0].text
    return f"no source has a record of {root.name or '/' + str(root.hash)}"
