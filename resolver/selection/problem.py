"""Unification as a problem: which candidate for each root, so that the closures agree on one hash a package.

A plain value of numbers and texts, that can be written out and solved again.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from resolver.selection.model import Candidate
from resolver.selection.ranking import CRITERIA, Ranking
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import LINK_RUN
from resolver.spec.virtuals import LANGUAGES

# Spack lets several of these stand in one graph: they are not imposed on a reused spec's children (solver/asp.py:_spec_clauses).
SHARED = frozenset({"gcc-runtime", "glibc", "musl"})


class Node(msgspec.Struct, frozen=True):
    """A node that may be in the answer: its package, its link/run children by number, the virtuals it uses by provider."""

    hash: str
    package: str
    children: tuple[int, ...]
    uses: tuple[tuple[str, str], ...]
    provides: tuple[str, ...]
    root_costs: tuple[int, ...]
    other_costs: tuple[int, ...]


class Problem(msgspec.Struct, frozen=True):
    """The roots, each with the numbers of its candidates, and the nodes they reach.

    ``by_hash`` are the roots asked for by hash, which Spack exempts from providing virtuals for the others. Costs are by
    ``selection.ranking.CRITERIA``, in that order, to be kept small; the last is the candidate's place by hash. ``providers`` are the ranks
    of providers of virtuals, which each cost once where any node uses it.
    """

    roots: tuple[tuple[int, ...], ...]
    by_hash: frozenset[int]
    nodes: tuple[Node, ...]
    providers: tuple[tuple[str, str, int], ...] = ()


class Solution(msgspec.Struct, frozen=True):
    """For each root the number of the chosen node, or None; whether that is proven to be the best."""

    picks: tuple[int | None, ...]
    optimal: bool


def state_problem(
    roots: list[AbstractSpec],
    candidates: list[list[Candidate]],
    ranking: Ranking,
    earlier: dict[str, frozenset[str]],
) -> Problem:
    """The problem of serving these roots together; ``earlier`` are the hashes by package that earlier rounds chose."""
    specs = {node.hash: node for row in candidates for candidate in row for node in candidate.closure}
    order = sorted(specs)
    numbers = {dag_hash: number for number, dag_hash in enumerate(order)}
    places = {c.spec.hash: place for row in candidates for place, c in enumerate(sorted(row, key=lambda c: c.spec.hash))}
    virtuals = _provided_by(roots, candidates, ranking)
    nodes = []
    for dag_hash in order:
        spec = specs[dag_hash]
        edges = [e for e in spec.dependencies if e.deptypes & LINK_RUN and "libc" not in e.virtuals]
        costs = ranking.node(spec)
        repeated = int(spec.name in earlier and dag_hash not in earlier[spec.name])
        nodes.append(
            Node(
                dag_hash,
                spec.name,
                tuple(sorted({numbers[child.hash] for e in edges if (child := ranking.pool.get(e.hash)) and child.hash in numbers})),
                tuple(sorted(ranking.uses(spec))),
                virtuals.get(spec.name, ()),
                _with(costs.as_root, repeated, places.get(dag_hash, 0)),
                _with(costs.as_other, repeated, 0),
            ),
        )
    rows = tuple(tuple(sorted(numbers[c.spec.hash] for c in row)) for row in candidates)
    used = sorted({pair for node in nodes for pair in node.uses})
    ranks = tuple((virtual, package, ranking.provider_rank(virtual, package)) for virtual, package in used)
    return Problem(rows, frozenset(i for i, root in enumerate(roots) if root.hash), tuple(nodes), ranks)


def _with(costs: tuple[int, ...], repeated: int, place: int) -> tuple[int, ...]:
    at = CRITERIA.index("repeated packages")
    return (*costs[:at], repeated, *costs[at + 1 : -1], place)


def _provided_by(
    roots: list[AbstractSpec],
    candidates: list[list[Candidate]],
    ranking: Ranking,
) -> dict[str, tuple[str, ...]]:
    """The used virtuals that the packages of roots are able to provide, as far as edges show."""
    used = {
        virtual
        for row in candidates
        for candidate in row
        for node in candidate.closure
        for edge in node.dependencies
        if edge.deptypes & LINK_RUN
        for virtual in edge.virtuals
        if virtual not in LANGUAGES and virtual != "libc"
    }
    names = {c.spec.name for root, row in zip(roots, candidates, strict=True) if not root.hash for c in row}
    found: dict[str, list[str]] = {}
    for virtual in sorted(used):
        for name in ranking.pool.providers(virtual):
            if name in names:
                found.setdefault(name, []).append(virtual)
    return {name: tuple(virtuals) for name, virtuals in found.items()}


def solve_trivially(problem: Problem) -> Solution | None:
    """The answer where no root has a choice and all agree; None where a search is needed."""
    if any(len(row) > 1 for row in problem.roots):
        return None
    picks = tuple(row[0] if row else None for row in problem.roots)
    chosen = _reached(problem, [pick for pick in picks if pick is not None])
    return Solution(picks, optimal=True) if _agree(problem, picks, chosen) else None


def _reached(problem: Problem, start: list[int]) -> list[int]:
    found = dict.fromkeys(start)
    queue = list(found)
    for number in queue:
        for child in problem.nodes[number].children:
            if child not in found:
                found[child] = None
                queue.append(child)
    return queue


def _agree(problem: Problem, picks: tuple[int | None, ...], chosen: list[int]) -> bool:
    packages: dict[str, int] = {}
    providers: dict[str, str] = {}
    for number in chosen:
        node = problem.nodes[number]
        if node.package not in SHARED and packages.setdefault(node.package, number) != number:
            return False
        if any(providers.setdefault(virtual, package) != package for virtual, package in node.uses):
            return False
    rooted = [problem.nodes[pick] for i, pick in enumerate(picks) if pick is not None and i not in problem.by_hash]
    return all(providers.get(virtual, node.package) == node.package for node in rooted for virtual in node.provides)


def one_hash_each(specs: Iterable[ConcreteSpec]) -> bool:
    """Has every package one hash, but for those that may stand beside each other?"""
    names = [spec.name for spec in specs if spec.name not in SHARED]
    return len(names) == len(set(names))
