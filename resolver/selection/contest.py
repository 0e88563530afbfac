"""The candidates of roots that share a graph: all of them where they are few, else as many as the best answer may need.

An answer costs at least what the chosen records cost by themselves. So with an answer at hand that serves every root, a record whose
own costs, beside the least of every other root, exceed those of the whole answer need not be read. Lexicographic order allows for this
sum, criterion by criterion. Races (``selection.race``) find the first candidates, and what is left of them is held against this bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from resolver.selection.entrant import Entrant, Keeps, everything, nothing
from resolver.selection.gates import Judge
from resolver.selection.model import Candidate, Effort, Unify
from resolver.selection.problem import SHARED, Problem
from resolver.selection.race import run
from resolver.selection.ranking import Costs, Ranking
from resolver.selection.search import Round, rounds
from resolver.selection.stating import state_problem
from resolver.selection.swaps import Swaps
from resolver.selection.weigher import Weigher
from resolver.spec.abstract import AbstractSpec

STEPS = (4, 16, 64, 1 << 30)
"""So many of the best candidates of each root are tried, one number after the other until all roots are served."""

HOMES = 24
"""So many places are looked at for a first answer."""


class Contest(msgspec.Struct, frozen=True):
    """What was found: by root the candidates, best first, and whether all records were judged; the problem of these; its rounds."""

    candidates: list[list[Candidate]]
    whole: list[bool]
    problem: Problem
    rounds: list[Round]


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
        """The best answer out of all that was judged."""
        return self._of([race.candidates for race in self.races])

    def _of(self, rows: list[list[Candidate]]) -> Contest:
        problem = state_problem(self.roots, rows, self.ranking)
        return Contest(rows, self._wholes(), problem, rounds(problem, self.unify, self.effort))

    def _wholes(self) -> list[bool]:
        return [race.whole and race.allowed is None for race in self.races]

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
            found = self._of([[c for c in race.candidates if race.place(race.of(c.spec)) == home] for race in self.races])
            if all(found.candidates) and _serves_all(found) and (best is None or _costs(found) < _costs(best)):
                best = found
        return best

    def first(self) -> Contest:
        """The first answer that serves all roots that can be served at all; else the one with all records."""
        found = self.of_best(STEPS[0])
        for wanted in STEPS[1:]:
            if _serves_all(found) or all(race.whole for race in self.races):
                break
            home = self.at_home() if wanted == STEPS[1] else None
            found = home or self.of_best(wanted)
        return found

    def of_best(self, wanted: int) -> Contest:
        """The answer out of so many of the best candidates of each root, and of all that were judged before."""
        for race in self.races:
            race.raise_to(wanted)
        run(self.judge, self.races)
        return self.found()

    def take(self, keeps: Sequence[Keeps]) -> bool:
        """Judge the records that are kept; was there a candidate among them?"""
        keys = [race.keys(keep) for race, keep in zip(self.races, keeps, strict=True)]
        self.judge.pool.prefetch(key for row in keys for key in row)
        for race, row in zip(self.races, keys, strict=True):
            race.read(row)
        ready = [(race, spec) for race, keep in zip(self.races, keeps, strict=True) for spec in race.specs(keep)]
        sound = {spec.hash for spec in self.judge.sound([spec for _, spec in ready])}
        before = sum(len(race.candidates) for race in self.races)
        for race, spec in ready:
            if spec.hash in sound:
                race.decide(spec)
        return sum(len(race.candidates) for race in self.races) > before

    def within(self, found: Contest) -> tuple[list[Keeps], Costs]:
        """For each root which records may be in a better answer than the one that was found, and what every answer costs at least."""
        most = _costs(found)
        leasts = [race.least() for race in self.races]
        named: dict[str, Costs] = {}
        for root, least in zip(self.roots, leasts, strict=True):
            if least is not None and self._is_plain(root):
                named[root.name or ""] = max(least, named.get(root.name or "", least))
        none = tuple(0 for _ in most)
        total = _plus(none, *named.values())
        rest = [_minus(total, named[root.name or ""]) if self._is_plain(root) and root.name in named else None for root in self.roots]
        return [_bound(base, most) if base is not None else everything for base in rest], total

    def sweep(self, found: Contest) -> Contest:
        """The best answer, given one that serves all roots: all records are judged that may be in a better one.

        Roots with large closures come first: where all that may serve such a root link to one of a few hashes of another root's
        package, only these may serve that one, which raises what every answer costs at least, and so leaves out more of what follows.
        """
        for place in sorted(range(len(self.races)), key=lambda place: (-_size(found.candidates[place]), place)):
            keeps, least = self.within(found)
            self.take([keeps[place] if other == place else nothing for other in range(len(self.races))])
            self._learn(self.races[place])
            if self.within(found)[1] > least:
                found = self._better(found)
        return self._better(found)

    def _better(self, found: Contest) -> Contest:
        """The best answer out of what was judged and may be in a better one."""
        keeps, _ = self.within(found)
        rows = [
            [c for c in race.candidates if keep(race.of(c.spec)) and (race.allowed is None or c.spec.hash in race.allowed)]
            for race, keep in zip(self.races, keeps, strict=True)
        ]
        better = self._of(rows)
        if _serves_all(better):
            return better
        return replace(found, rounds=[replace(found.rounds[0], optimal=False)])

    def told(self, found: Contest) -> Contest:
        """The same answer among all that was judged."""
        rows = [race.candidates for race in self.races]
        problem = state_problem(self.roots, rows, self.ranking)
        numbers = {node.hash: number for number, node in enumerate(problem.nodes)}
        (best,) = found.rounds
        chosen = {root: numbers[found.problem.nodes[number].hash] for root, number in best.chosen.items()}
        return Contest(rows, self._wholes(), problem, [Round(Weigher(problem), chosen, best.optimal)])

    def _learn(self, race: Entrant) -> None:
        """Restrict the other roots to the hashes that a root allows of their packages, once all that may serve it was judged."""
        closures = [{node.name: node.hash for node in candidate.closure} for candidate in race.candidates]
        for root, other in zip(self.roots, self.races, strict=True):
            name = root.name or ""
            if other is not race and name not in SHARED and closures and all(name in closure for closure in closures):
                other.restrict({closure[name] for closure in closures})

    def _is_plain(self, root: AbstractSpec) -> bool:
        """Does what the root's records cost at least count in every answer? Not of a virtual, nor of a hash, whose providers are free."""
        return root.name is not None and root.hash is None and self.judge.pool.has_package(root.name)

    def beside(self, found: Contest) -> list[Keeps]:
        """For each root which records may be next best while the others stay."""
        (best,) = found.rounds
        swaps = Swaps(best.weigher, best.chosen)
        return [self._next_best(swaps, found.problem, root) for root in range(len(self.roots))]

    def _next_best(self, swaps: Swaps, problem: Problem, root: int) -> Keeps:
        swap = swaps.best(root, problem.roots[root].candidates) if root in swaps.chosen else None
        if swap is None:
            return nothing
        _, base = swaps.without(root)
        return _bound(tuple(base), swap.costs)


def _size(row: list[Candidate]) -> int:
    return max((len(candidate.closure) for candidate in row), default=0)


def _serves_all(found: Contest) -> bool:
    if len(found.rounds) != 1 or not found.rounds[0].optimal:
        return False
    return all(root in found.rounds[0].chosen for root, row in enumerate(found.candidates) if row)


def _costs(found: Contest) -> Costs:
    """What an answer of one round costs."""
    (best,) = found.rounds
    return best.weigher.costs(best.chosen)


def _is_whole(races: Iterable[Entrant]) -> bool:
    return all(race.whole for race in races)


def _at(race: Entrant, home: tuple[int, ...]) -> Keeps:
    return lambda own: race.place(own)[: len(home)] == home


def _bound(base: Costs, most: Costs) -> Keeps:
    return lambda own: _plus(base, own) <= most


def _plus(*rows: Costs) -> Costs:
    return tuple(sum(column) for column in zip(*rows, strict=True))


def _minus(a: Costs, b: Costs) -> Costs:
    return tuple(x - y for x, y in zip(a, b, strict=True))


def contest(judge: Judge, ranking: Ranking, roots: Sequence[AbstractSpec], unify: Unify, effort: Effort) -> Contest:
    """The best answer for roots with many records, found without judging all of them, with what is next best for each."""
    hall = _Hall(judge, ranking, roots, unify, effort)
    found = hall.first()
    if _serves_all(found) and not _is_whole(hall.races):
        found = hall.told(hall.sweep(found))
        while effort.runners_up and not _is_whole(hall.races) and hall.take(hall.beside(found)):
            found = hall.told(found)
    return found


def of_rows(roots: Sequence[AbstractSpec], rows: Iterable[list[Candidate]], ranking: Ranking, unify: Unify, effort: Effort) -> Contest:
    """The best answer where all candidates are at hand."""
    candidates = list(rows)
    problem = state_problem(roots, candidates, ranking)
    return Contest(candidates, [True] * len(candidates), problem, rounds(problem, unify, effort))
