"""One pick exchanged for another while all others stay: whether it goes, what it costs, and what is next best.

Only what changes is weighed, since a problem may have thousands of candidates and each answer hundreds of nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from resolver.selection.weigher import Costs, Weigher, bits


class Swap(msgspec.Struct, frozen=True):
    """The best other candidate of a root beside the other picks, what the answer costs with it, and how many cost the same as ours."""

    number: int
    costs: Costs
    equals: int


class Swaps:
    """An answer, ready to have single picks exchanged."""

    def __init__(self, weigher: Weigher, chosen: Mapping[int, int]) -> None:
        self.weigher = weigher
        self.chosen = dict(chosen)
        self._served = Counter(self.chosen.values())
        self._sums = self._sum(weigher.union(self._served), set(self._served))
        self._others = self._all_but_one()
        self.costs = weigher.costs(self.chosen)

    def _all_but_one(self) -> dict[int, int]:
        """For each root the nodes that the others' picks bring."""
        roots = list(self.chosen)
        before, after = [0], [0]
        for root in roots:
            before.append(before[-1] | self.weigher.masks[self.chosen[root]])
        for root in reversed(roots):
            after.append(after[-1] | self.weigher.masks[self.chosen[root]])
        return {root: before[place] | after[len(roots) - 1 - place] for place, root in enumerate(roots)}

    def _sum(self, present: int, rooted: set[int]) -> list[int]:
        nodes = self.weigher.nodes
        rows = [nodes[n].root_costs if n in rooted else nodes[n].other_costs for n in bits(present)]
        return [sum(column) for column in zip(*rows, strict=True)] if rows else [0] * len(self.weigher.problem.criteria)

    def best(self, root: int, candidates: Iterable[int]) -> Swap | None:
        """The best answer that serves this root by another candidate and every other root as it is; None when none goes."""
        beside = _Beside(self.weigher, self, root)
        pick = self.chosen.get(root)
        found = sorted((beside.costs(number), number) for number in candidates if number != pick and beside.agrees(number))
        return Swap(found[0][1], found[0][0], sum(1 for costs, _ in found if costs == self.costs)) if found else None

    def without(self, root: int) -> tuple[int, list[int]]:
        """The nodes that all other picks bring, and what they cost, providers left out."""
        nodes, pick = self.weigher.nodes, self.chosen.get(root)
        if pick is None:
            return self.weigher.union(self._served), self._sums
        others = self._others[root]
        gone = self._sum(self.weigher.masks[pick] & ~others, set(self._served))
        left = [a - b for a, b in zip(self._sums, gone, strict=True)]
        if others >> pick & 1 and self._served[pick] == 1:
            left = [a - b + c for a, b, c in zip(left, nodes[pick].root_costs, nodes[pick].other_costs, strict=True)]
        return others, left


class _Beside:
    """The picks of all roots but one, ready to have candidates of that one put beside them."""

    def __init__(self, weigher: Weigher, swaps: Swaps, root: int) -> None:
        self.weigher = weigher
        self.root = root
        self.others = {other: number for other, number in swaps.chosen.items() if other != root}
        self.rooted = set(self.others.values())
        self.packages = {weigher.nodes[number].package for number in self.rooted}
        self.present, self.sums = swaps.without(root)

    def costs(self, number: int) -> Costs:
        """What the answer costs with this candidate."""
        nodes = self.weigher.nodes
        added = [nodes[n].other_costs for n in bits(self.weigher.masks[number] & ~self.present)]
        sums = [sum(column) for column in zip(self.sums, *added, strict=True)]
        own = nodes[number]
        if number not in self.rooted:
            sums = [a - b + c for a, b, c in zip(sums, own.other_costs, own.root_costs, strict=True)]
        return self.weigher.with_providers(sums, self.weigher.used({**self.others, self.root: number}), {*self.packages, own.package})

    def agrees(self, number: int) -> bool:
        """Does this candidate go with the others?"""
        added = self.weigher.masks[number] & ~self.present & self.weigher.disputed
        if added and any(self.present & mask and added & mask for mask in self.weigher.rivals.values()):
            return False
        return self.weigher.agrees({**self.others, self.root: number})
