"""Unification as a problem: which candidate for each root, so that the closures agree on one hash a package and the answer costs least.

A plain value of numbers and texts, that can be written out and solved again (``selection.dump``). ``selection.search`` solves it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from resolver.spec.concrete import ConcreteSpec

# Spack lets several of these stand in one graph: they are not imposed on a reused spec's children (solver/asp.py:_spec_clauses).
SHARED = frozenset({"gcc-runtime", "glibc", "musl"})

REPEATED = "repeated packages"
ROOT_PROVIDERS = "provider preferences of the root"
PROVIDERS = "provider preferences"


class Node(msgspec.Struct, frozen=True):
    """A node that may be in the answer: its package, its link/run children by number, and what it uses and may provide of virtuals.

    ``uses`` are pairs of a virtual and the package that provides it below the node. ``root_costs`` count where the node serves a root,
    ``other_costs`` where it is there for others only; both are by the problem's criteria.
    """

    hash: str
    package: str
    children: tuple[int, ...] = ()
    uses: tuple[tuple[str, str], ...] = ()
    provides: tuple[str, ...] = ()
    root_costs: tuple[int, ...] = ()
    other_costs: tuple[int, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """A root: its text, the numbers of its candidates, ascending; whether it is asked for by hash; its name where that is a virtual.

    Spack exempts roots asked for by hash from providing virtuals for the others, and the others from the providers that they use.
    """

    spec: str
    candidates: tuple[int, ...]
    by_hash: bool = False
    virtual: str = ""


class Problem(msgspec.Struct, frozen=True):
    """The roots with their candidates, and the nodes that these reach, ordered by hash: of equal answers the smaller numbers win.

    ``criteria`` are in the order in which they are compared. ``providers`` are the ranks of providers of virtuals, which each cost once
    where any node uses it. ``clashes`` are pairs of nodes of which the second may not be in an answer where the first serves a root.
    """

    criteria: tuple[str, ...]
    roots: tuple[Asked, ...]
    nodes: tuple[Node, ...]
    providers: tuple[tuple[str, str, int], ...] = ()
    clashes: tuple[tuple[int, int], ...] = ()

    @property
    def root_order(self) -> list[int]:
        """The roots in the order of their texts, in which equal answers are told apart by hash; independent of how they are listed."""
        return sorted(range(len(self.roots)), key=lambda root: (self.roots[root].spec, root))


class Solution(msgspec.Struct, frozen=True):
    """For each root the number of the chosen node, or None; whether that is proven to be the best; the roots of each round."""

    picks: tuple[int | None, ...]
    optimal: bool = True
    rounds: tuple[tuple[int, ...], ...] = ()


Rows = dict[int, tuple[int, ...]]
"""Candidates by root, where a part of the roots or of the candidates is looked at."""


def one_hash_each(specs: Iterable[ConcreteSpec]) -> bool:
    """Has every package one hash, but for those that may stand beside each other?"""
    names = [spec.name for spec in specs if spec.name not in SHARED]
    return len(names) == len(set(names))
