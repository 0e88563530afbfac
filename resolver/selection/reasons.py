"""Why roots have the hashes that they have: the runner-up of each, and what decided.

The runner-up is the record that would serve the root best while every other root keeps its own; what decides is the first criterion
in which the two answers differ. Where no other record goes with the other roots, it is the best that there would be without them, and
unification decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from resolver.selection.model import Candidate, RootAnswer, Row, RunnerUp
from resolver.selection.ranking import Ranking
from resolver.spec.abstract import AbstractSpec
from resolver.spec.virtuals import VIRTUALS

if TYPE_CHECKING:
    from resolver.selection.problem import Problem
    from resolver.selection.search import Round
    from resolver.selection.swaps import Swaps

UNIFICATION = "unification with the other roots"


def alone(root: AbstractSpec, row: Row, ranking: Ranking) -> RootAnswer:
    """The answer for a root by itself: the best candidate, and the next."""
    if not row.candidates:
        return RootAnswer(root, None, 0, tuple(row.rejections), text=_unserved(root, row))
    pick, *others = row.candidates
    answer = _taken(root, row, pick)
    if not others:
        return answer
    costs = ranking.solo(pick)
    equals = sum(1 for candidate in row.candidates if ranking.solo(candidate)[:-1] == costs[:-1])
    return _decided(answer, others[0], _difference(costs, ranking.solo(others[0]), ranking), equals, whole=row.whole)


def beside(
    roots: Sequence[AbstractSpec], rows: Sequence[Row], problem: Problem, rounds: Sequence[Round], ranking: Ranking
) -> Iterator[RootAnswer]:
    """The answers for roots that share graphs, one for each round."""
    from resolver.selection.swaps import Swaps  # where each root stands alone there is nothing to exchange

    of_root = {root: swaps for one in rounds for swaps in [Swaps(one.weigher, one.chosen)] for root in one.chosen}
    for place, (root, row) in enumerate(zip(roots, rows, strict=True)):
        if place in of_root:
            yield _with_others(root, row, _Place(problem, place, of_root[place]), ranking)
        else:
            yield RootAnswer(root, None, len(row.candidates), tuple(row.rejections), text=_unserved(root, row))


def taken(
    roots: Sequence[AbstractSpec], rows: Sequence[Row], problem: Problem, rounds: Sequence[Round], _: Ranking
) -> Iterator[RootAnswer]:
    """As ``beside``, without what would be next."""
    of_root = {root: problem.nodes[number].hash for one in rounds for root, number in one.chosen.items()}
    for place, (root, row) in enumerate(zip(roots, rows, strict=True)):
        if place in of_root:
            yield _taken(root, row, next(c for c in row.candidates if c.spec.hash == of_root[place]))
        else:
            yield RootAnswer(root, None, len(row.candidates), tuple(row.rejections), text=_unserved(root, row))


class _Place:
    """A root in a problem and in the answer to it."""

    def __init__(self, problem: Problem, root: int, swaps: Swaps) -> None:
        self.nodes = problem.nodes
        self.numbers = problem.roots[root].candidates
        self.pick = problem.nodes[swaps.chosen[root]].hash
        self.costs = swaps.costs
        self.next = swaps.best(root, self.numbers)


def _with_others(root: AbstractSpec, row: Row, place: _Place, ranking: Ranking) -> RootAnswer:
    by_hash = {candidate.spec.hash: candidate for candidate in row.candidates}
    answer = _taken(root, row, by_hash.pop(place.pick))
    if not by_hash:
        return answer
    if place.next is None:
        return _decided(answer, next(iter(by_hash.values())), UNIFICATION, 1, whole=row.whole)
    criterion = _difference(place.costs, place.next.costs, ranking)
    other = by_hash[place.nodes[place.next.number].hash]
    return _decided(answer, other, criterion, 1 + place.next.equals, whole=row.whole)


def _taken(root: AbstractSpec, row: Row, pick: Candidate) -> RootAnswer:
    text = "the only candidate" if row.whole and len(row.candidates) == 1 else "the best candidate"
    return RootAnswer(root, pick, len(row.candidates), tuple(row.rejections), text=text)


def _decided(answer: RootAnswer, other: Candidate, criterion: str, equals: int, *, whole: bool) -> RootAnswer:
    """The answer with its runner-up, and the sentence on what decided between them."""
    best = f"best of {answer.candidates} candidates by {criterion}" if whole else f"best by {criterion}"
    text = best if equals == 1 else f"the smallest of {equals} hashes that are equal in all else"
    return replace(answer, runner_up=RunnerUp(other.spec, criterion), equals=equals, text=text)


def _difference(chosen: Sequence[int | str], other: Sequence[int | str], ranking: Ranking) -> str:
    """The first criterion by which two answers differ; the hash where nothing else does."""
    return next((name for name, a, b in zip(ranking.criteria, chosen, other, strict=False) if a != b), ranking.criteria[-1])


def _unserved(root: AbstractSpec, row: Row) -> str:
    if row.candidates:
        return f"no candidate for {root} agrees with the other roots on one hash for each package (unify: true)"
    if not row.told:
        return ""
    if row.rejections:
        return row.rejections[0].text
    if root.name in VIRTUALS:
        return f"no source has a record that provides {root.name}, as far as edges and recipes tell"
    return f"no source has a record of {root.name or '/' + str(root.hash)}"
