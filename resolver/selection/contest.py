"""The candidates of roots that share a graph: all of them where they are few, else as many as the best answer may need.

An answer costs at least what the chosen records cost by themselves. So with an answer at hand that serves every root, a record whose
own costs, beside the least of every other root, exceed those of the whole answer need not be read. Lexicographic order allows for this
sum, criterion by criterion. Races (``selection.race``) find the first candidates, and what is left of them is held against this bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heapify

import msgspec
from msgspec.structs import replace

from resolver.selection.gates import Judge
from resolver.selection.model import Candidate, Effort, Unify
from resolver.selection.pool import Outline, Reach
from resolver.selection.problem import Problem
from resolver.selection.race import Entry, Race, run
from resolver.selection.ranking import Costs, Ranking
from resolver.selection.search import Round, rounds
from resolver.selection.stating import state_problem
from resolver.selection.swaps import Swaps
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec

STEPS = (4, 16, 64, 1 << 30)
"""So many of the best candidates of each root are tried, one number after the other until all roots are served."""

HOMES = 2
"""So many places are looked at for a first answer."""

Keeps = Callable[[Costs], bool]


class Contest(msgspec.Struct, frozen=True):
    """What was found: by root the candidates, best first, and whether all records were judged; the problem of these; its rounds."""

    candidates: list[list[Candidate]]
    whole: list[bool]
    problem: Problem
    rounds: list[Round]


class Entrant(Race):
    """A race of which records can be taken that are not among the best."""

    def own(self, entry: Entry) -> Costs:
        """What a record costs by itself, at least; nothing of what it links to."""
        _, text, what = entry
        if what is None:
            return self.ranking.least_of_version(self.want.name or "", text)
        if isinstance(what, Outline):
            return self.ranking.least_of(self.want.name or "", replace(what, reach=None))
        return self.of(what)

    def of(self, spec: ConcreteSpec) -> Costs:
        """As ``own``, of a record whose node was read."""
        return self.ranking.least(spec, Reach(oses=(spec.os,)))

    def least(self) -> Costs:
        """The least that any record costs by itself."""
        judged = (self.of(verdict.spec) for verdict in self.verdicts if isinstance(verdict, Candidate))
        return min([*judged, *map(self.own, self._heap)])

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
        self._take_apart(_everything)
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
        while kept := [entry for entry in self._heap if entry[2] is None and keeps(self.own(entry))]:
            left = [entry for entry in self._heap if entry not in kept]
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
        found = [entry for entry in self._heap if isinstance(entry[2], kind) and keeps(self.own(entry))]
        if found:
            self._heap = [entry for entry in self._heap if entry not in found]
            heapify(self._heap)
        return found

    @property
    def candidates(self) -> list[Candidate]:
        """The candidates found so far, best first."""
        return self.ranking.sorted([verdict for verdict in self.verdicts if isinstance(verdict, Candidate)])


class _Hall:
    """The races of all roots, and the best answer to what they found so far."""

    def __init__(self, judge: Judge, ranking: Ranking, roots: Sequence[AbstractSpec], unify: Unify, effort: Effort) -> None:
        self.judge = judge
        self.ranking = ranking
        self.roots = roots
        self.unify: Unify = unify
        self.effort = effort
        self.races = [Entrant(judge, ranking, root, STEPS[0]) for root in roots]

    def found(self) -> Contest:
        rows = [race.candidates for race in self.races]
        problem = state_problem(self.roots, rows, self.ranking)
        return Contest(rows, [race.whole for race in self.races], problem, rounds(problem, self.unify, self.effort))

    def at_home(self) -> Contest | None:
        """An answer that serves all roots, out of records for one OS and target each time: what was built at one place agrees best.

        Places are looked at in the order of what their answers cost at least, until none may have a better one.
        """
        everywhere = [places for race in self.races if (places := race.places())]
        common = set.intersection(*(set(places) for places in everywhere)) if everywhere else set()
        homes = sorted((_plus(*(places[home] for places in everywhere)), home) for home in common)
        best: Contest | None = None
        for least, home in homes[:HOMES]:
            if best is not None and least > _costs(best):
                break
            self.take([_at(race, home) for race in self.races])
            found = self.found()
            if _serves_all(found):
                best = found
        return best

    def first(self) -> Contest:
        """The first answer that serves all roots that can be served at all; else the one with all records."""
        found = self.at_home()
        if found is not None:
            return found
        for wanted in STEPS:
            for race in self.races:
                race.raise_to(wanted)
            run(self.judge, self.races)
            found = self.found()
            if _serves_all(found) or all(race.whole for race in self.races):
                break
        return found or self.found()

    def take(self, keeps: Sequence[Keeps]) -> bool:
        """Judge the records that are kept; was there a candidate among them?"""
        keys = [race.keys(keep) for race, keep in zip(self.races, keeps, strict=True)]
        self.judge.pool.prefetch(key for row in keys for key in row)
        for race, row in zip(self.races, keys, strict=True):
            race.read(row)
        ready = [(race, spec) for race, keep in zip(self.races, keeps, strict=True) for spec in race.specs(keep)]
        sound = {spec.hash for spec in self.judge.closures.sound([spec for _, spec in ready], self.judge.fails_below)}
        before = sum(len(race.candidates) for race in self.races)
        for race, spec in ready:
            if spec.hash in sound:
                race.decide(spec)
        return sum(len(race.candidates) for race in self.races) > before

    def within(self, found: Contest) -> list[Keeps]:
        """For each root which records may be in a better answer than the one that was found."""
        most = _costs(found)
        leasts = [race.least() if race.verdicts and race.candidates else None for race in self.races]
        named: dict[str, Costs] = {}
        for root, least in zip(self.roots, leasts, strict=True):
            if least is not None and self._is_plain(root):
                named[root.name or ""] = max(least, named.get(root.name or "", least))
        none = tuple(0 for _ in most)
        total = _plus(none, *named.values())
        rest = [_minus(total, named[root.name or ""]) if self._is_plain(root) and root.name in named else None for root in self.roots]
        return [_bound(base, most) if base is not None else _everything for base in rest]

    def _is_plain(self, root: AbstractSpec) -> bool:
        return root.name is not None and self.judge.pool.has_package(root.name)

    def beside(self, found: Contest) -> list[Keeps]:
        """For each root which records may be next best while the others stay."""
        (best,) = found.rounds
        swaps = Swaps(best.weigher, best.chosen)
        return [self._next_best(swaps, found.problem, root) for root in range(len(self.roots))]

    def _next_best(self, swaps: Swaps, problem: Problem, root: int) -> Keeps:
        swap = swaps.best(root, problem.roots[root].candidates) if root in swaps.chosen else None
        if swap is None:
            return _nothing
        _, base = swaps.without(root)
        return _bound(tuple(base), swap.costs)


def _serves_all(found: Contest) -> bool:
    if len(found.rounds) != 1 or not found.rounds[0].optimal:
        return False
    return all(root in found.rounds[0].chosen for root, row in enumerate(found.candidates) if row)


def _costs(found: Contest) -> Costs:
    """What an answer of one round costs."""
    (best,) = found.rounds
    return best.weigher.costs(best.chosen)


def _at(race: Entrant, home: tuple[int, ...]) -> Keeps:
    return lambda own: race.place(own)[: len(home)] == home


def _bound(base: Costs, most: Costs) -> Keeps:
    return lambda own: _plus(base, own) <= most


def _everything(_: Costs) -> bool:
    return True


def _nothing(_: Costs) -> bool:
    return False


def _plus(*rows: Costs) -> Costs:
    return tuple(sum(column) for column in zip(*rows, strict=True))


def _minus(a: Costs, b: Costs) -> Costs:
    return tuple(x - y for x, y in zip(a, b, strict=True))


def contest(judge: Judge, ranking: Ranking, roots: Sequence[AbstractSpec], unify: Unify, effort: Effort) -> Contest:
    """The best answer for roots with many records, found without judging all of them, with what is next best for each."""
    hall = _Hall(judge, ranking, roots, unify, effort)
    found = hall.first()
    for bounds in (hall.within, hall.beside):  # a better answer first, then what is next best beside the best
        while _serves_all(found) and not all(race.whole for race in hall.races) and hall.take(bounds(found)):
            found = hall.found()
    return found


def of_rows(roots: Sequence[AbstractSpec], rows: Iterable[list[Candidate]], ranking: Ranking, unify: Unify, effort: Effort) -> Contest:
    """The best answer where all candidates are at hand."""
    candidates = list(rows)
    problem = state_problem(roots, candidates, ranking)
    return Contest(candidates, [True] * len(candidates), problem, rounds(problem, unify, effort))
