"""Selection of one root run again, with edits or without: the best hash, and how many records serve."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from resolver.selection.explain.model import Asked, Edit, Gain
from resolver.selection.gates import Judge
from resolver.selection.model import Candidate, Rejection
from resolver.selection.pool import CandidatePool
from resolver.selection.race import Race, run
from resolver.selection.ranking import Ranking
from resolver.selection.shared import Shared
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.virtuals import VIRTUALS


class Answer(msgspec.Struct, frozen=True):
    """What selection gives for a root: candidates, best first (at least the best two, and all equal to the best), none when none serves."""

    candidates: tuple[Candidate, ...]
    ranking: Ranking


class Trials:
    """Runs selection over one pool; the best is always found.

    No more than ``most`` closures are walked in all, and of the records that may serve with an edit no more than ``counted`` are judged.
    """

    def __init__(self, pool: CandidatePool, most: int, counted: int) -> None:
        self.pool = pool
        self._shared = Shared(pool)
        self.closures = self._shared.closures
        self.left = most
        self.counted = counted
        self._walked: set[str] = set()

    def answer(self, asked: Asked) -> Answer:
        """The best candidates, as ``resolve`` finds them for a root that stands alone."""
        judge = self.judge(asked)
        ranking = Ranking(judge)
        race = Race(judge, ranking, asked.root)
        run(judge, [race])
        candidates = [verdict for verdict in race.verdicts if isinstance(verdict, Candidate)]
        return Answer(tuple(ranking.sorted(candidates)), ranking)

    def walk(self, spec: ConcreteSpec) -> bool:
        """May the closure be walked? Each new one counts."""
        if spec.hash not in self._walked:
            if self.left <= 0:
                return False
            self.left -= 1
            self._walked.add(spec.hash)
        return True

    def judge(self, asked: Asked) -> Judge:
        """A judge that shares the closures that were walked."""
        return asked.judge(self.pool, self._shared)

    def count(self, asked: Asked, known: Sequence[ConcreteSpec]) -> tuple[int, bool]:
        """How many of the known records serve, and whether that is exact: all that may serve were judged."""
        judge = self.judge(asked)
        want = wanted(self.pool, asked.root)
        hopeful = [spec for spec in known if not judge.fails_itself(spec, want)]
        walked = [spec for spec in hopeful[: self.counted] if self.walk(spec)]
        found = sum(1 for spec in walked if not isinstance(judge.judge(spec, want), Rejection))
        return found, len(walked) == len(hopeful)

    def gain(self, asked: Asked, edits: Sequence[Edit], known: Sequence[ConcreteSpec]) -> Gain | None:
        """What edits gain where nothing served without them; None when still nothing does."""
        edited = asked
        for edit in edits:
            edited = edit.apply(edited)
        if edited == asked:
            return None
        answer = self.answer(edited)
        if not answer.candidates:
            return None
        records, exact = self.count(edited, known)
        return Gain(tuple(edits), edited, max(records, len(answer.candidates)), answer.candidates[0].spec, exact)


def wanted(pool: CandidatePool, root: AbstractSpec) -> AbstractSpec:
    """What is asked of the records themselves: the root, or of a virtual what does not speak of its provider (``race.records_of``)."""
    if root.name is None or root.name not in VIRTUALS or pool.has_package(root.name):
        return root
    return AbstractSpec(hash=root.hash, platform=root.platform, os=root.os, target=root.target, edges=root.edges)
