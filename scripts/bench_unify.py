"""Time to the proven best answer for many roots that share a graph: ``scripts/bench unify [--roots N] [--candidates N] [--worlds N]``.

A world is what a build cache gathers over time: again and again the whole stack is built, libraries now and then in a new version, roots
more often; what links to something new gets a new hash; some builds fail. So the newest hashes of two roots rarely agree, and one has to
choose among mixtures of times. Times are of the processor, in seconds.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator

from resolver.selection.model import Effort
from resolver.selection.problem import Asked, Node, Problem
from resolver.selection.ranking import CRITERIA
from resolver.selection.search import rounds
from resolver.selection.swaps import Swaps

LIBRARIES = 60
BUDGET = 2.0
WORLDS = {"quiet": 0.02, "usual": 0.06, "busy": 0.15, "wild": 0.3}
"""By name how likely a library changes from one time to the next. The last is beyond what caches show, and not held to the budget."""


class Gathered:
    """The records of a cache, time after time; a record is a package, its version, when it was built if it is a root, and its children."""

    def __init__(self, roots: int, candidates: int, change: float, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.change = change
        self.links = dict(self._links(roots))
        self.versions = dict.fromkeys(self.links, 0)
        self.records: dict[tuple[str, int, int, tuple[int, ...]], int] = {}
        self.rows: dict[str, list[int]] = {name: [] for name in self.links if name.startswith("root")}
        times = candidates + candidates // 3
        built = {name: set(self.random.sample(range(times), candidates)) for name in self.rows}
        for now in range(times):
            self._build(now, built)

    def _links(self, roots: int) -> Iterator[tuple[str, list[str]]]:
        for n in range(LIBRARIES):
            yield f"lib{n}", [f"lib{d}" for d in self.random.sample(range(n), min(n, self.random.randint(0, 3)))]
        for n in range(roots):
            other = [f"root{self.random.randrange(n)}"] if n and self.random.random() < 0.15 else []
            yield f"root{n}", [f"lib{d}" for d in self.random.sample(range(LIBRARIES), self.random.randint(2, 6))] + other

    def _build(self, now: int, built: dict[str, set[int]]) -> None:
        current: dict[str, int] = {}
        for name, below in self.links.items():
            is_root = name in self.rows
            self.versions[name] += self.random.random() < (0.15 if is_root else self.change)
            record = (name, self.versions[name], now if is_root else 0, tuple(sorted(current[child] for child in below)))
            current[name] = self.records.setdefault(record, len(self.records))
            if is_root and now in built[name]:
                self.rows[name].append(current[name])

    def problem(self) -> Problem:
        """The problem of one hash each for all roots."""
        nodes = tuple(self._node(number, *record) for record, number in self.records.items())
        return Problem(CRITERIA[:-1], tuple(Asked(name, tuple(row)) for name, row in self.rows.items()), nodes)

    def _node(self, number: int, name: str, version: int, _: int, children: tuple[int, ...]) -> Node:
        both = {"OS label": self.random.choice([0, 0, 0, 2]), "target distance": self.random.choice([0, 0, 1, 3]), "fewest packages": 1}
        both["newer compiler"] = self.random.choice([0, 1])
        badness = self.versions[name] - version
        as_root, as_other = {**both, "version of the root": badness}, {**both, "version of other packages": badness}
        costs = (tuple(row.get(criterion, 0) for criterion in CRITERIA[:-1]) for row in (as_root, as_other))
        return Node(f"{number:08}", name, children, (), (), *costs)


def measure(world: str, seed: int, roots: int, candidates: int) -> tuple[list[str], bool]:
    """A line of the table, and whether the answer was proven within the budget."""
    problem = Gathered(roots, candidates, WORLDS[world], seed).problem()
    start = time.process_time()
    (found,) = rounds(problem, "true", Effort(seconds=60))
    solved = time.process_time() - start
    swaps = Swaps(found.weigher, found.chosen)
    for root in found.chosen:
        swaps.best(root, problem.roots[root].candidates)
    told = time.process_time() - start - solved
    cells = [world, str(seed), str(len(problem.nodes)), f"{len(found.chosen)}/{roots}", str(found.optimal), f"{solved:.2f}", f"{told:.2f}"]
    return cells, world == "wild" or (found.optimal and solved <= BUDGET)


def main() -> None:
    """Print the table. Exits with 1 where an answer was not proven within the budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--roots", type=int, default=150)
    parser.add_argument("--candidates", type=int, default=20)
    parser.add_argument("--worlds", type=int, default=3, help="so many of each kind")
    options = parser.parse_args()
    import clingo  # noqa: F401 - so that loading it is not measured

    row = "{:8}{:>6}{:>8}{:>10}{:>8}{:>11}{:>14}"
    print(row.format("world", "seed", "nodes", "served", "proven", "search, s", "runners-up, s"))
    good = True
    for world in WORLDS:
        for seed in range(options.worlds):
            cells, within = measure(world, seed, options.roots, options.candidates)
            good = good and within
            print(row.format(*cells), flush=True)
    raise SystemExit(not good)


if __name__ == "__main__":
    main()
