"""The problem of some roots' candidates, stated as numbers."""

from __future__ import annotations

from collections.abc import Sequence

from resolver.selection.closures import GCC_RUNTIME, is_closure_edge
from resolver.selection.model import Candidate
from resolver.selection.problem import Asked, Node, Problem
from resolver.selection.providing import may_provide
from resolver.selection.ranking import Ranking
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.virtuals import LANGUAGES
from resolver.versions import parse_version


def state_problem(roots: Sequence[AbstractSpec], candidates: Sequence[Sequence[Candidate]], ranking: Ranking) -> Problem:
    """The problem of serving these roots."""
    specs = {node.hash: node for row in candidates for candidate in row for node in candidate.closure}
    order = sorted(specs)
    numbers = {dag_hash: number for number, dag_hash in enumerate(order)}
    given = [bool(root.hash) and root.hash not in ranking.judge.policy.held for root in roots]
    virtuals = _provided_by(candidates, given, ranking)
    by_hash = {c.spec.hash for row, by in zip(candidates, given, strict=True) if by for c in row}
    nodes = tuple(_node(specs[key], numbers, virtuals, ranking, bound=key not in by_hash) for key in order)
    asked = tuple(
        Asked(str(root), tuple(sorted(numbers[c.spec.hash] for c in row)), by, row[0].virtual if row else "")
        for root, row, by in zip(roots, candidates, given, strict=True)
    )
    used = {pair for node in nodes for pair in node.uses}
    used |= {(root.virtual, nodes[n].package) for root in asked if root.virtual for n in root.candidates}
    ranks = tuple((virtual, package, ranking.provider_rank(virtual, package)) for virtual, package in sorted(used))
    return Problem(ranking.criteria[:-1], asked, nodes, ranks, _clashes(asked, [specs[key] for key in order]))


def _node(spec: ConcreteSpec, numbers: dict[str, int], virtuals: dict[str, list[str]], ranking: Ranking, *, bound: bool) -> Node:
    """A node; unless ``bound``, nobody has to share the providers that it uses itself: Spack exempts a root that is given by its hash."""
    costs = ranking.node(spec)
    edges = spec.dependencies if not spec.external else ()
    return Node(
        spec.hash,
        spec.name,
        tuple(sorted({numbers[edge.hash] for edge in edges if is_closure_edge(edge) and edge.hash in numbers})),
        tuple(sorted(ranking.uses(spec))) if bound else (),
        tuple(v for v in virtuals.get(spec.name, ()) if may_provide(ranking.facts, spec, v)),
        ranking.arranged(costs.as_root)[: len(costs.as_root) - 1],
        ranking.arranged(costs.as_other)[: len(costs.as_other) - 1],
    )


def _provided_by(candidates: Sequence[Sequence[Candidate]], given: Sequence[bool], ranking: Ranking) -> dict[str, list[str]]:
    """The used virtuals that the packages of roots are able to provide, as far as edges show."""
    closures = {node.hash: node for row in candidates for candidate in row for node in candidate.closure}
    used = {virtual for node in closures.values() for virtual, _ in ranking.uses(node)}
    used |= {candidate.virtual for row in candidates for candidate in row if candidate.virtual}
    names = {c.spec.name for row, by in zip(candidates, given, strict=True) if not by for c in row}
    found: dict[str, list[str]] = {}
    for virtual in sorted(used - LANGUAGES - {"libc"}):
        for name in ranking.pool.providers(virtual):
            if name in names:
                found.setdefault(name, []).append(virtual)
    return found


def _clashes(asked: Sequence[Asked], specs: Sequence[ConcreteSpec]) -> tuple[tuple[int, int], ...]:
    """A gcc-runtime that is a root serves all others, so none of them may have been built with a newer one.

    Source: Spack ``solver/asp.py:_spec_clauses``, where a reused spec needs gcc-runtime at least in its recorded version.
    """
    runtimes = {number: parse_version(spec.wire.version) for number, spec in enumerate(specs) if spec.name == GCC_RUNTIME}
    rooted = sorted({number for root in asked for number in root.candidates if number in runtimes})
    return tuple((root, other) for root in rooted for other, version in runtimes.items() if version > runtimes[root])
