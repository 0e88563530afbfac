"""Answers to a problem, checked and weighed without a solver: sets of nodes are integers, a bit for each node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import msgspec

from resolver.selection.problem import PROVIDERS, ROOT_PROVIDERS, SHARED, Problem

Costs = tuple[int, ...]


class Settled(msgspec.Struct, frozen=True):
    """The nodes, and the pairs of virtual and provider, that are in every best answer, as sets of bits."""

    nodes: int = 0
    pairs: int = 0


NOTHING = Settled()


def bits(mask: int) -> Iterator[int]:
    """The numbers in a set, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def several(mask: int) -> bool:
    """Has the set more than one member?"""
    return bool(mask & (mask - 1))


class Weigher:
    """Says of picks whether they go together and what they cost."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.nodes = problem.nodes
        self.pairs = sorted({pair for node in self.nodes for pair in node.uses} | self._virtual_roots())
        self._pair_bit = {pair: 1 << place for place, pair in enumerate(self.pairs)}
        self._ranks = {(virtual, package): rank for virtual, package, rank in problem.providers}
        self.masks: list[int] = [0] * len(self.nodes)
        self.uses: list[int] = [0] * len(self.nodes)
        self._close()

    def _virtual_roots(self) -> set[tuple[str, str]]:
        return {(root.virtual, self.nodes[n].package) for root in self.problem.roots if root.virtual for n in root.candidates}

    def _close(self) -> None:
        """Each node's closure and what is used in it, children first."""
        for start in {number for root in self.problem.roots for number in root.candidates}:
            stack = [start]
            while stack:
                number = stack[-1]
                if self.masks[number] & (1 << number):
                    stack.pop()
                    continue
                waiting = [c for c in self.nodes[number].children if not self.masks[c]]
                if waiting and not self.masks[number]:
                    self.masks[number] = -1 << len(self.nodes)  # marks it as begun, so that a cycle is cut where it closes
                    stack += waiting
                else:
                    self._finish(number)
                    stack.pop()

    def _finish(self, number: int) -> None:
        node, beyond = self.nodes[number], -1 << len(self.nodes)
        mask, uses = 1 << number, sum(self._pair_bit[pair] for pair in set(node.uses))
        for child in node.children:
            mask |= self.masks[child] & ~beyond
            uses |= self.uses[child]
        self.masks[number], self.uses[number] = mask, uses

    @cached_property
    def packages(self) -> dict[str, int]:
        """By package its nodes, for packages that may have one hash only."""
        found: dict[str, int] = {}
        for number, node in enumerate(self.nodes):
            if node.package not in SHARED:
                found[node.package] = found.get(node.package, 0) | 1 << number
        return found

    @cached_property
    def rivals(self) -> dict[str, int]:
        """Those of ``packages`` that have several nodes."""
        return {name: mask for name, mask in self.packages.items() if several(mask)}

    @cached_property
    def disputed(self) -> int:
        """The nodes of all ``rivals``."""
        return sum(self.rivals.values())

    @cached_property
    def by_virtual(self) -> dict[str, int]:
        """The pairs of each virtual."""
        found: dict[str, int] = {}
        for pair, bit in self._pair_bit.items():
            found[pair[0]] = found.get(pair[0], 0) | bit
        return found

    @cached_property
    def clash_of(self) -> dict[int, int]:
        """By root node the nodes that may not stand beside it."""
        found: dict[int, int] = {}
        for root, other in self.problem.clashes:
            found[root] = found.get(root, 0) | 1 << other
        return found

    def union(self, numbers: Iterable[int]) -> int:
        """The nodes of several closures."""
        found = 0
        for number in numbers:
            found |= self.masks[number]
        return found

    def used(self, chosen: Mapping[int, int]) -> int:
        """The pairs of virtual and provider in an answer, given as candidate by root."""
        found = 0
        for root, number in chosen.items():
            found |= self.uses[number]
            if virtual := self.problem.roots[root].virtual:
                found |= self._pair_bit[virtual, self.nodes[number].package]
        return found

    def agrees(self, chosen: Mapping[int, int]) -> bool:
        """Do these picks go together: one hash a package, one provider a virtual, which a root that can provide it has to be?"""
        present, used = self.union(chosen.values()), self.used(chosen)
        if self._has_two_of_a_package(present & self.disputed):
            return False
        if several(used) and any(several(used & mask) for mask in self.by_virtual.values()):
            return False
        return self._roots_agree(chosen, present, used)

    def _has_two_of_a_package(self, disputed: int) -> bool:
        return len({self.nodes[number].package for number in bits(disputed)}) < disputed.bit_count()

    def _roots_agree(self, chosen: Mapping[int, int], present: int, used: int) -> bool:
        shared: dict[str, int] = {}
        for root, number in chosen.items():
            node = self.nodes[number]
            if node.package in SHARED and shared.setdefault(node.package, number) != number:
                return False
            if self.clash_of and self.clash_of.get(number, 0) & present:
                return False
            for virtual in node.provides if not self.problem.roots[root].by_hash else ():
                if used & self.by_virtual.get(virtual, 0) & ~self._pair_bit.get((virtual, node.package), 0):
                    return False
        return True

    def costs(self, chosen: Mapping[int, int], settled: Settled = NOTHING) -> Costs:
        """What the picks cost together, by the problem's criteria, beside what is there in any case."""
        rooted = set(chosen.values())
        present = self.union(rooted) | settled.nodes
        rows = [self.nodes[n].root_costs if n in rooted else self.nodes[n].other_costs for n in bits(present)]
        sums = [sum(column) for column in zip(*rows, strict=True)] if rows else [0] * len(self.problem.criteria)
        return self.with_providers(sums, self.used(chosen) | settled.pairs, {self.nodes[n].package for n in rooted})

    def with_providers(self, sums: list[int], used: int, rooted: set[str]) -> Costs:
        """Costs with those of the used pairs of virtual and provider added; ``rooted`` are the packages that serve roots."""
        for place in bits(used):
            pair = self.pairs[place]
            sums[self._places[pair[1] in rooted]] += self._ranks.get(pair, 0)
        return tuple(sums)

    @cached_property
    def _places(self) -> tuple[int, int]:
        return self.problem.criteria.index(PROVIDERS), self.problem.criteria.index(ROOT_PROVIDERS)

    def objective(self, chosen: Mapping[int, int], among: Iterable[int], settled: Settled = NOTHING) -> tuple[int, ...]:
        """All that is compared of answers for the roots ``among``, in order: roots left out, costs, and the hashes, root by root."""
        roots = set(among)
        tail = (chosen.get(root, len(self.nodes)) for root in self.problem.root_order if root in roots)
        return (len(roots) - len(chosen), *self.costs(chosen, settled), *tail)
