"""Roots that cannot be unified: a minimal set of them that conflict, what they disagree on, and what would help.

Whether roots can be served together is asked of the selection itself. A part of roots that can be served together can be too, so what
single deletions leave is minimal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from resolver.selection.explain.model import Conflict, Disagreement
from resolver.selection.gates import Judge
from resolver.selection.model import Candidate, RootAnswer, Unify
from resolver.selection.problem import SHARED
from resolver.selection.ranking import Ranking
from resolver.selection.select import hopeful, select_group
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec

MOST_LEFT_OUT = 4
UNIFICATIONS: tuple[Unify, ...] = ("when_possible", "false")

Served = tuple[AbstractSpec, Candidate]


def conflict(judge: Judge, group: str, roots: Sequence[AbstractSpec], focus: AbstractSpec | None = None) -> Conflict | None:
    """A minimal set of roots that cannot be served together though each can alone; None when all that are servable are.

    ``focus`` is sought in it. ``gains`` are found by selecting again.
    """
    ranking = Ranking(judge)
    rows = {root: hopeful(judge, ranking, root).candidates for root in dict.fromkeys(roots)}
    servable = [root for root in rows if rows[root]]
    oracle = Oracle(judge, group)
    if oracle.serves(servable):
        return None
    last = [focus] if focus in servable else []
    found = oracle.pair(servable, focus, rows) or minimal([*(root for root in servable if root not in last), *last], oracle.serves)
    places = tuple(sorted(found, key=servable.index))
    return Conflict(places, _disagreement(oracle, places, rows, ranking), _gains(oracle, servable, places))


class Oracle:
    """Asks the selection which roots are served together; remembers the answers."""

    def __init__(self, judge: Judge, group: str) -> None:
        self.judge = judge
        self.group = group
        self._answers: dict[tuple[Unify, tuple[AbstractSpec, ...]], tuple[RootAnswer, ...]] = {}

    def answers(self, roots: Sequence[AbstractSpec], unify: Unify = "true") -> tuple[RootAnswer, ...]:
        """The selection's answers for these roots."""
        key = unify, tuple(roots)
        if key not in self._answers:
            self._answers[key] = select_group(self.judge, self.group, roots, unify).roots
        return self._answers[key]

    def served(self, roots: Sequence[AbstractSpec], unify: Unify = "true") -> set[AbstractSpec]:
        """Those of the roots that are served."""
        return {answer.root for answer in self.answers(roots, unify) if answer.chosen}

    def serves(self, roots: Sequence[AbstractSpec]) -> bool:
        """Are all of them served together?"""
        return len(self.served(roots)) == len(set(roots))

    def pair(
        self, roots: Sequence[AbstractSpec], focus: AbstractSpec | None, rows: dict[AbstractSpec, list[Candidate]]
    ) -> list[AbstractSpec] | None:
        """A root that is not served, the focus if it is one, and another that cannot be served with it; most conflicts are of two."""
        left_out = [root for root in roots if root not in self.served(roots)]
        one = focus if focus in left_out or not left_out else left_out[0]
        if one is None or not self.serves([one]):
            return None
        nodes = {node.name: node.hash for node in rows[one][0].closure if node.name not in SHARED}
        others = [root for root in roots if root != one]
        # Those whose best candidates disagree with this one's most come first.
        others.sort(key=lambda root: -sum(1 for n in rows[root][0].closure if nodes.get(n.name, n.hash) != n.hash))
        return next(([one, other] for other in others if self.serves([other]) and not self.serves([one, other])), None)


def minimal(roots: Sequence[AbstractSpec], serves: Callable[[Sequence[AbstractSpec]], bool]) -> list[AbstractSpec]:
    """A part, of which nothing can be left out, of roots that cannot be served together.

    Halves are left out first, then quarters and so on down to single roots, as long as what remains still cannot be served.
    """
    left = list(roots)
    size = max(len(left) // 2, 1)
    while True:
        start = 0
        while start < len(left):
            rest = left[:start] + left[start + size :]
            if rest and not serves(rest):
                left = rest
            else:
                start += size
        if size == 1:
            return left
        size = max(size // 2, 1)


def _disagreement(
    oracle: Oracle, places: Sequence[AbstractSpec], rows: dict[AbstractSpec, list[Candidate]], ranking: Ranking
) -> Disagreement | None:
    """What the roots disagree on: the last one's best candidate against those that serve the others together."""
    *others, last = places
    own = (last, rows[last][0])
    chosen = [(a.root, a.chosen) for a in oracle.answers(others) if a.chosen] if others else []
    pairs = [(own, one) for one in chosen] or [(own, own)]
    found = [d for one, other in pairs if (d := _of_packages(one, other))]
    found += [d for one, other in pairs if (d := _of_virtuals(one, other, ranking))]
    return found[0] if found else None


def _of_packages(one: Served, other: Served) -> Disagreement | None:
    """The lowest package that two candidates have in two hashes: nothing below it is the cause."""
    ours: dict[str, list[ConcreteSpec]] = {}
    for node in one[1].closure:
        ours.setdefault(node.name, []).append(node)
    pairs = [(a, b) for a in other[1].closure if a.name not in SHARED for b in ours.get(a.name, []) if a.hash != b.hash]
    names = {a.name for a, _ in pairs}
    lowest = [(a, b) for a, b in pairs if not ({n.name for n in a.closure().values()} - {a.name}) & names] or pairs
    if not lowest:
        return None
    a, b = min(lowest, key=lambda pair: (pair[0].name, pair[0].hash, pair[1].hash))
    return Disagreement(a.name, virtual=False, one=a, other=b, one_root=other[0], other_root=one[0])


def _of_virtuals(one: Served, other: Served, ranking: Ranking) -> Disagreement | None:
    """A virtual that two candidates have from two packages, a root that is able to provide it being one (Spack has it provide it)."""
    theirs, ours = _provided(other[1], ranking), _provided(one[1], ranking)
    for virtual in sorted({*theirs, *ours}):
        able = ranking.pool.providers(virtual)
        found = [s[1].spec for s in (other, one)]
        rows = [theirs.get(virtual) or found[:1], ours.get(virtual) or found[1:]]
        apart = [(a, b) for a in rows[0] for b in rows[1] if a.name != b.name and a.name in able and b.name in able]
        if apart:
            return Disagreement(virtual, virtual=True, one=apart[0][0], other=apart[0][1], one_root=other[0], other_root=one[0])
    return None


def _provided(candidate: Candidate, ranking: Ranking) -> dict[str, list[ConcreteSpec]]:
    """The nodes that provide each virtual that is used in a closure."""
    found: dict[str, list[ConcreteSpec]] = {}
    nodes = {node.name: node for node in candidate.closure}
    for node in candidate.closure:
        for virtual, name in sorted(ranking.uses(node)):
            if name in nodes and nodes[name] not in found.setdefault(virtual, []):
                found[virtual].append(nodes[name])
    return found


def _gains(oracle: Oracle, roots: Sequence[AbstractSpec], places: Sequence[AbstractSpec]) -> tuple[tuple[str, int], ...]:
    """What lets more roots be served, and how many: one of the conflicting roots left out (others are gained), or another unification."""
    before = oracle.served(roots)
    found: list[tuple[str, int]] = []
    for root in places[:MOST_LEFT_OUT]:
        rest = [other for other in roots if other != root]
        if rest and (gained := len(oracle.served(rest) - before)):
            found.append((f"leave out {root}", gained))
    for unify in UNIFICATIONS:
        if gained := len(oracle.served(roots, unify) - before):
            found.append((f"let repeats be: concretizer:unify: {unify}", gained))
            break
    return tuple(found)
