"""The records of one root in a contest: a race of which others than the best can be taken, and some left out."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify

from msgspec.structs import replace

from resolver.selection.gates import Judge
from resolver.selection.model import Candidate
from resolver.selection.pool import Outline, Reach
from resolver.selection.race import Entry, Race
from resolver.selection.ranking import Costs, Ranking
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec

Keeps = Callable[[Costs], bool]
"""Says by what a record costs by itself whether it is wanted."""


class Entrant(Race):
    """A race of which records can be taken that are not among the best. ``allowed`` are all that may be taken, if not all may."""

    allowed: set[str] | None = None

    def __init__(self, judge: Judge, ranking: Ranking, root: AbstractSpec, wanted: int) -> None:
        self._costs: dict[tuple[str, type], Costs] = {}
        super().__init__(judge, ranking, root, wanted)

    def own(self, entry: Entry) -> Costs:
        """What a record costs by itself, at least; nothing of what it links to."""
        _, text, what = entry
        key = (text, type(what))
        if key not in self._costs:
            self._costs[key] = self._own(text, what)
        return self._costs[key]

    def _own(self, text: str, what: Outline | ConcreteSpec | None) -> Costs:
        if what is None:
            return self.ranking.least_of_version(self.want.name or "", text)
        if isinstance(what, Outline):
            return self.ranking.least_of(self.want.name or "", replace(what, reach=None))
        return self.ranking.least(what, Reach(oses=(what.os,)))

    def of(self, spec: ConcreteSpec) -> Costs:
        """As ``own``, of a record whose node was read."""
        return self.own(((), spec.hash, spec))

    def least(self) -> Costs | None:
        """The least that any record costs by itself; None where there is none."""
        judged = (self.of(c.spec) for c in self.candidates if self.allowed is None or c.spec.hash in self.allowed)
        return min([*judged, *map(self.own, self._heap)], default=None)

    def restrict(self, hashes: set[str]) -> None:
        """Leave out all records but these, since the other roots allow no others."""
        self._take_apart(everything)
        self.allowed = hashes if self.allowed is None else self.allowed & hashes
        self._heap = [entry for entry in self._heap if entry[1] in self.allowed]
        heapify(self._heap)

    def raise_to(self, wanted: int) -> None:
        """Ask for more of the best."""
        self.wanted = wanted
        self._best = sorted(self.ranking.solo(v) for v in self.verdicts if isinstance(v, Candidate))[:wanted]

    def place(self, own: Costs) -> tuple[int, int]:
        """The OS and the target of a record with such costs, as places in their orders."""
        at = self.ranking.criteria.index
        return own[at("OS label")], own[at("target distance")] + own[at("target distance of runtimes")]

    def places(self) -> dict[tuple[int, int], Costs]:
        """Those of all records, each with the least that a record of it costs by itself; versions are taken apart."""
        self._take_apart(everything)
        found: dict[tuple[int, int], Costs] = {}
        for own in map(self.own, self._heap):
            place = self.place(own)
            found[place] = min(own, found.get(place, own))
        return found

    def keys(self, keeps: Keeps) -> list[str]:
        """The hashes of kept records whose nodes are to be read, taken out; versions that are kept are taken apart."""
        self._take_apart(keeps)
        return [entry[1] for entry in self._taken(keeps, Outline)]

    def _take_apart(self, keeps: Keeps) -> None:
        while kept := self._out(lambda entry: entry[2] is None and keeps(self.own(entry))):
            left = self._heap
            for entry in kept:
                self._heap = [entry]
                self._expand()
                left += self._heap
            self._heap = left
            heapify(self._heap)

    def specs(self, keeps: Keeps) -> list[ConcreteSpec]:
        """Kept records whose nodes were read, taken out."""
        return [entry[2] for entry in self._taken(keeps, ConcreteSpec) if isinstance(entry[2], ConcreteSpec)]

    def _taken(self, keeps: Keeps, kind: type) -> list[Entry]:
        return self._out(lambda entry: isinstance(entry[2], kind) and keeps(self.own(entry)))

    def _out(self, chosen: Callable[[Entry], bool]) -> list[Entry]:
        """Take entries out."""
        found: list[Entry] = []
        left: list[Entry] = []
        for entry in self._heap:
            (found if chosen(entry) else left).append(entry)
        self._heap = left
        heapify(self._heap)
        return found

    @property
    def candidates(self) -> list[Candidate]:
        """The candidates found so far, best first."""
        return self.ranking.sorted([verdict for verdict in self.verdicts if isinstance(verdict, Candidate)])


def everything(_: Costs) -> bool:
    """Wants all."""
    return True


def nothing(_: Costs) -> bool:
    """Wants none."""
    return False
