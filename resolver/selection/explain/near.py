"""The records of a root, all judged by what they state of themselves, the nearest with all that they link to."""

from __future__ import annotations

from collections.abc import Sequence

from resolver.selection.explain.misses import Misses
from resolver.selection.explain.model import Miss, Near
from resolver.selection.explain.trial import Trials
from resolver.selection.ranking import Ranking
from resolver.spec.concrete import ConcreteSpec

Order = tuple[tuple[int, int], int, str]


class Judged:
    """``early`` has by hash what each record fails by itself, ``whole`` all that those fail that were judged in full.

    A record of ``whole`` without misses serves. Nearest first, no more than ``most`` are judged in full. Where it is known that nothing
    serves (``refused``), what keeps the others from it is looked for as far as it lies near.
    """

    def __init__(
        self, misses: Misses, trials: Trials, ranking: Ranking, specs: Sequence[ConcreteSpec], most: int, *, refused: bool
    ) -> None:
        self.misses = misses
        self.ranking = ranking
        self.early = {spec.hash: misses.early(spec) for spec in specs}
        first = sorted(self.early.values(), key=self.order)[:most]
        walked = [near.spec for near in first if trials.walk(near.spec)]
        trials.closures.prefetch(walked)
        self.whole = {spec.hash: misses.whole(spec) for spec in walked}
        if refused:
            self.early.update((near.spec.hash, near) for near in self._settled())

    def order(self, near: Near) -> Order:
        """What comes first: the fewest and lightest misses, then the newest version, then the smallest hash."""
        spec = near.spec
        return near.distance, self.ranking.versions.rank(spec.name, spec.wire.version), spec.hash

    def _settled(self) -> list[Near]:
        """The records that fail nothing by themselves and were not judged in full, with what each fails below, if it is known."""
        rest = [near.spec for key, near in self.early.items() if not near.misses and key not in self.whole]
        below = [near for key, near in self.whole.items() if not self.early[key].misses]
        if all(near.misses and near.misses[0].gate == "constraints" for near in below):
            return [Near(spec, (_not_judged(spec),)) for spec in rest]
        judge = self.misses.judge
        failed: set[str] = set()

        def fails(node: ConcreteSpec) -> bool:
            if judge.fails_below(node):
                failed.add(node.hash)
            return node.hash in failed

        sound = {spec.hash for spec in judge.closures.sound(rest, fails, set())}
        return [Near(spec, (_not_judged(spec) if spec.hash in sound else self._below(spec, failed),)) for spec in rest]

    def _below(self, spec: ConcreteSpec, failed: set[str]) -> Miss:
        """What the first of the failed nodes below a record fails."""
        seen, queue = {spec.hash}, [spec]
        for node in queue:
            if node.hash in failed and (found := self.misses.of_node(node)):
                return found[0]
            queue += [child for child in self.misses.judge.closures.children(node) if child.hash not in seen]
            seen.update(child.hash for child in queue)
        return _not_judged(spec)

    @property
    def unsure(self) -> int:
        """How many records fail nothing that is known, though they were not judged in full."""
        return sum(1 for key, near in self.early.items() if not near.misses and key not in self.whole)

    @property
    def known(self) -> list[Near]:
        """Of each record what is known that it fails."""
        return [self.whole.get(key, near) for key, near in self.early.items()]

    def nearest(self) -> list[Near]:
        """The misses of those judged in full, the nearest first."""
        return sorted((near for near in self.whole.values() if near.misses), key=self.order)


def _not_judged(spec: ConcreteSpec) -> Miss:
    """What is said of a record that does not serve, though not why: it was not judged in full."""
    return Miss("constraints", spec, "", "", "", "", 0, brief="not judged in full")
