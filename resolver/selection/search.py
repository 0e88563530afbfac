"""The best answer to a problem: in one graph, in rounds, or each root alone; clingo only where roots compete."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from resolver.selection.model import Effort, Unify
from resolver.selection.problem import REPEATED, SHARED, Node, Problem, Rows, Solution
from resolver.selection.reduce import reduced, supported
from resolver.selection.swaps import Swaps
from resolver.selection.weigher import Settled, Weigher, bits


class Round(msgspec.Struct, frozen=True):
    """What one graph serves: candidates by root, and the weigher of the problem as it stood for this round."""

    weigher: Weigher
    chosen: dict[int, int]
    optimal: bool


def solve(problem: Problem, unify: Unify, effort: Effort | None = None) -> Solution:
    """The best answer. Of a search that the time limit ends it is the best found so far, and ``optimal`` is False."""
    return joined(problem, rounds(problem, unify, effort))


def joined(problem: Problem, found: Iterable[Round]) -> Solution:
    """The picks of all rounds."""
    known = list(found)
    chosen = {root: number for one in known for root, number in one.chosen.items()}
    picks = tuple(chosen.get(root) for root in range(len(problem.roots)))
    return Solution(picks, all(one.optimal for one in known), tuple(tuple(sorted(one.chosen)) for one in known))


def rounds(problem: Problem, unify: Unify, effort: Effort | None = None) -> list[Round]:
    """One round for ``unify: true``; for ``when_possible``, as Spack, rounds over what is left; each root alone for ``false``."""
    rows = {root: asked.candidates for root, asked in enumerate(problem.roots) if asked.candidates}
    if unify == "false":
        weigher = Weigher(problem)
        return [Round(weigher, {root: _alone(weigher, root, row)}, optimal=True) for root, row in rows.items()]
    effort = effort or Effort()
    clock = _Clock(effort.seconds)
    found: list[Round] = []
    present = 0
    while rows:
        weigher = Weigher(later(problem, present) if present else problem)
        one = _round(weigher, rows, effort, clock)
        found.append(one)
        rows = {root: row for root, row in rows.items() if root not in one.chosen}
        present |= weigher.union(one.chosen.values())
        if unify == "true" or not one.chosen:
            break
    return found


def _alone(weigher: Weigher, root: int, row: Iterable[int], settled: Settled | None = None) -> int:
    return min(row, key=lambda number: (weigher.costs({root: number}, settled or Settled()), number))


def later(problem: Problem, present: int) -> Problem:
    """The problem of a later round: a package costs as a repeated one by every hash but those that earlier rounds brought."""
    taken = {problem.nodes[number].package for number in bits(present)} - SHARED
    at = problem.criteria.index(REPEATED)
    again = {n for n, node in enumerate(problem.nodes) if node.package in taken and not present >> n & 1}
    return replace(problem, nodes=tuple(_repeated(node, at) if n in again else node for n, node in enumerate(problem.nodes)))


def _repeated(node: Node, at: int) -> Node:
    return replace(node, root_costs=_with(node.root_costs, at), other_costs=_with(node.other_costs, at))


def _with(costs: tuple[int, ...], at: int) -> tuple[int, ...]:
    return (*costs[:at], 1, *costs[at + 1 :])


class _Clock:
    """What is left of a time limit."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self._end - time.monotonic())


def _round(weigher: Weigher, rows: Rows, effort: Effort, clock: _Clock) -> Round:
    chosen: dict[int, int] = {}
    optimal = True
    for part, settled in reduced(weigher, rows):
        picks, proven = _all_served(weigher, part, settled, effort.few, clock) or _part(weigher, part, settled, effort.few, clock)
        chosen.update(picks)
        optimal = optimal and proven
    return Round(weigher, dict(sorted(chosen.items())), optimal)


def _all_served(weigher: Weigher, rows: Rows, settled: Settled, few: int, clock: _Clock) -> tuple[dict[int, int], bool] | None:
    """The best answer that serves all of these roots, if it is found; where there is one, it is the best of all.

    Nothing less has to be looked for then, and much of what is there cannot be in it.
    """
    if math.prod(len(row) + 1 for row in rows.values()) <= few or (left := supported(weigher, rows)) is None or left == rows:
        return None
    chosen: dict[int, int] = {}
    for part, settled_there in reduced(weigher, left):
        both = Settled(settled.nodes | settled_there.nodes, settled.pairs | settled_there.pairs)
        picks, proven = _part(weigher, part, both, few, clock)
        if not proven or len(picks) < len(part):
            return None
        chosen.update(picks)
    return (chosen, True) if len(chosen) == len(rows) else None


def _part(weigher: Weigher, rows: Rows, settled: Settled, few: int, clock: _Clock) -> tuple[dict[int, int], bool]:
    """The best answer for roots that may compete."""
    if len(rows) == 1:
        ((root, row),) = rows.items()
        return {root: _alone(weigher, root, row, settled)}, True
    firsts = {root: row[0] for root, row in rows.items()}
    if all(len(row) == 1 for row in rows.values()) and weigher.agrees(firsts):
        return firsts, True
    if math.prod(len(row) + 1 for row in rows.values()) <= few:
        return _one_by_one(weigher, rows, settled), True
    return _searched(weigher, rows, settled, clock.left)


def _one_by_one(weigher: Weigher, rows: Rows, settled: Settled) -> dict[int, int]:
    answers = (
        {root: number for root, number in zip(rows, numbers, strict=True) if number is not None}
        for numbers in itertools.product(*((*row, None) for row in rows.values()))
    )
    return min(filter(weigher.agrees, answers), key=lambda chosen: weigher.objective(chosen, rows, settled))


def _searched(weigher: Weigher, rows: Rows, settled: Settled, seconds: float) -> tuple[dict[int, int], bool]:
    """By clingo; where it ends without proof, the better of what it found and of a simple guess, each made better pick by pick."""
    found = None
    if seconds > 0:
        from resolver.selection.solver import solve as solve_part  # clingo is loaded only where there is something to search

        found = solve_part(weigher, rows, settled, seconds)
        if found.optimal and found.chosen is not None:
            return found.chosen, True
    starts = [guess(weigher, rows)] + ([found.chosen] if found and found.chosen is not None else [])
    better = [improved(weigher, rows, chosen) for chosen in starts]
    return min(better, key=lambda chosen: weigher.objective(chosen, rows, settled)), False


def guess(weigher: Weigher, rows: Rows) -> dict[int, int]:
    """An answer without search: root by root the best candidate that goes with those before."""
    chosen: dict[int, int] = {}
    for root in (root for root in weigher.problem.root_order if root in rows):
        for number in sorted(rows[root], key=lambda n: (weigher.costs({root: n}), n)):
            if weigher.agrees({**chosen, root: number}):
                chosen[root] = number
                break
    return chosen


def improved(weigher: Weigher, rows: Rows, chosen: dict[int, int], passes: int = 2) -> dict[int, int]:
    """An answer after single picks were exchanged, or added, where that makes it better."""
    for _ in range(passes):
        before = dict(chosen)
        for root, row in rows.items():
            swap = Swaps(weigher, chosen).best(root, row)
            if swap and (root not in chosen or (swap.costs, swap.number) < (weigher.costs(chosen), chosen[root])):
                chosen = {**chosen, root: swap.number}
        if chosen == before:
            break
    return chosen
