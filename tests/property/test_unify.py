"""The law of unification: the answer is the best of all that there are, told by looking at each.

``UNIFY_EXAMPLES=2000`` in the environment looks at so many worlds instead of a few.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

from fakes.world import World
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.arch.machine import Libc, Machine
from resolver.selection.gates import Judge
from resolver.selection.model import Candidate, Effort, GroupAnswer, Policy, RunnerUp
from resolver.selection.problem import SHARED
from resolver.selection.ranking import CRITERIA, Ranking
from resolver.selection.rules import Rules
from resolver.selection.select import hopeful, select_group
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.versions import parse_version

EXAMPLES = int(os.environ.get("UNIFY_EXAMPLES", "40"))
MACHINE = Machine("linux", "ubuntu24.04", "zen4", Libc.parse("glibc@2.39"))
OSES = ("ubuntu24.04", "ubuntu22.04")
TARGETS = ("x86_64_v3", "zen4")
ROOTS = ("app", "tool", "lib", "app@2:", "zlib-ng", "zlib", "zlib-api", "gcc-runtime", "tool target=x86_64_v3", "/app0", "/zlib-ng0", "mkl")
PREFERENCES = ("", "newest", "closest-target", "fewest-packages")
PACKAGES: list[dict[str, Any]] = [
    {},
    {"lib": {"version": ["1"]}, "all": {"providers": {"zlib-api": ["zlib"], "blas": ["mkl", "openblas"]}}},
    {"app": {"variants": "~mpi", "prefer": ["@1"]}, "all": {"prefer": ["target=x86_64_v3"]}},
]
Chosen = tuple[Candidate | None, ...]


@st.composite
def worlds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some fifteen records: applications and tools over libraries, providers of two virtuals, and gcc-runtime, in versions and places."""

    def made(name: str, place: int, links: list[str], variants: str = "") -> dict[str, Any]:
        spec = f"{name}@={draw(st.integers(1, 3))}{variants} os={draw(st.sampled_from(OSES))} target={draw(st.sampled_from(TARGETS))}"
        runtime = draw(st.sampled_from([[], [], ["gcc-runtime0"], ["gcc-runtime1"]]))
        labels = draw(st.sampled_from([[], ["mine"]]))
        return {"id": f"{name}{place}", "spec": spec, "libc": "glibc@2.28", "link": sorted({*links, *runtime}), "stacks": labels}

    def some(names: list[str], most: int) -> list[str]:
        picked = st.lists(st.sampled_from(names), max_size=most, unique_by=lambda n: n.rstrip("0123456789")) if names else st.just([])
        return draw(picked)

    records = [made("gcc-runtime", n, []) | {"link": []} for n in range(2)]
    kinds = [draw(st.sampled_from(["+compat", "~compat"])) for _ in range(2)]
    records += [made("zlib-ng", n, [], kind) for n, kind in enumerate(kinds)]
    records += [made("zlib", 0, []), made("openblas", 0, []), made("mkl", 0, some(["zlib0"], 1))]
    providers = ["zlib-api=zlib0", *(f"zlib-api=zlib-ng{n}" for n, kind in enumerate(kinds) if kind == "+compat")]
    blas = ["blas=openblas0", "blas=mkl0"]

    def below(libs: list[str]) -> list[str]:
        picked = [draw(st.sampled_from(options)) for options in (providers, blas) if draw(st.integers(0, 2)) == 0]
        return picked + some(libs, 2)

    libs = [f"lib{n}" for n in range(draw(st.integers(1, 3)))]
    records += [made("lib", n, below([])) for n in range(len(libs))]
    tools = draw(st.integers(1, 3))
    records += [made("tool", n, below(libs)) for n in range(tools)]
    tops = [*libs, *(f"tool{n}" for n in range(tools))]
    return records + [made("app", n, below(tops), draw(st.sampled_from(["+mpi", "~mpi"]))) for n in range(draw(st.integers(1, 4)))]


class Everything:
    """All answers for some roots, checked and weighed in the plainest way."""

    def __init__(self, roots: list[AbstractSpec], rows: list[list[Candidate]], ranking: Ranking) -> None:
        self.roots = roots
        self.rows = rows
        self.ranking = ranking
        self.order = sorted(range(len(roots)), key=lambda place: (str(roots[place]), place))
        self.free = {c.spec.hash for root, row in zip(roots, rows, strict=True) if root.hash for c in row}

    def answers(self, open_roots: list[int]) -> Iterator[Chosen]:
        choices = [[*row, None] if place in open_roots else [None] for place, row in enumerate(self.rows)]
        return (chosen for chosen in itertools.product(*choices) if self.agrees(chosen))

    def nodes(self, chosen: Chosen) -> dict[str, ConcreteSpec]:
        return {node.hash: node for candidate in chosen if candidate for node in candidate.closure}

    def used(self, chosen: Chosen) -> set[tuple[str, str]]:
        found = {pair for key, node in self.nodes(chosen).items() if key not in self.free for pair in self.ranking.uses(node)}
        return found | {(c.virtual, c.spec.name) for c in chosen if c and c.virtual}

    def agrees(self, chosen: Chosen) -> bool:
        names = [node.name for node in self.nodes(chosen).values() if node.name not in SHARED]
        used = self.used(chosen)
        if len(names) != len(set(names)) or len(used) != len({virtual for virtual, _ in used}):
            return False
        provides = {"zlib": "zlib-api", "zlib-ng": "zlib-api", "mkl": "blas", "openblas": "blas"}
        for root, candidate in zip(self.roots, chosen, strict=True):
            if candidate is None or root.hash or "~compat" in candidate.spec.text:
                continue
            virtual = provides.get(candidate.spec.name, "")
            seen = candidate.spec.name in self.ranking.pool.providers(virtual)
            if seen and any(v == virtual and name != candidate.spec.name for v, name in used):
                return False
        return self.runtimes_agree(chosen)

    def runtimes_agree(self, chosen: Chosen) -> bool:
        roots = {c.spec.hash: c.spec for c in chosen if c and c.spec.name == "gcc-runtime"}
        others = [parse_version(n.wire.version) for n in self.nodes(chosen).values() if n.name == "gcc-runtime"]
        return len(roots) < 2 and all(parse_version(spec.wire.version) >= other for spec in roots.values() for other in others)

    def costs(self, chosen: Chosen, earlier: dict[str, set[str]]) -> tuple[int, ...]:
        rooted = {c.spec.hash: c.spec.name for c in chosen if c}
        sums = [0] * len(CRITERIA)
        for key, node in self.nodes(chosen).items():
            costs = self.ranking.node(node)
            row = list(costs.as_root if key in rooted else costs.as_other)
            row[CRITERIA.index("repeated packages")] = int(
                node.name not in SHARED and node.name in earlier and key not in earlier[node.name]
            )
            sums = [a + b for a, b in zip(sums, row, strict=True)]
        for virtual, name in self.used(chosen):
            of_root = " of the root" if name in rooted.values() else ""
            sums[CRITERIA.index(f"provider preferences{of_root}")] += self.ranking.provider_rank(virtual, name)
        return tuple(sums[CRITERIA.index(name)] for name in self.ranking.criteria if name != "hash")

    def objective(self, chosen: Chosen, earlier: dict[str, set[str]]) -> tuple[Any, ...]:
        hashes = [(c is None, c.spec.hash if c else "") for c in (chosen[place] for place in self.order)]
        return (sum(c is None for c in chosen), self.costs(chosen, earlier), hashes)

    def best(self, *, rounds: bool) -> tuple[Chosen, list[list[int]]]:
        """The picks of all rounds, and which roots each round served."""
        picks: list[Candidate | None] = [None] * len(self.roots)
        earlier: dict[str, set[str]] = {}
        served: list[list[int]] = []
        while left := [place for place, row in enumerate(self.rows) if row and picks[place] is None]:
            chosen = min(self.answers(left), key=lambda answer: self.objective(answer, earlier))
            served.append([place for place in left if chosen[place]])
            for place in served[-1]:
                picks[place] = chosen[place]
            for key, node in self.nodes(chosen).items():
                earlier.setdefault(node.name, set()).add(key)
            if not rounds or not served[-1]:
                break
        return tuple(picks), served

    def runner_up(self, picks: Chosen, place: int) -> tuple[str, str] | None:
        """In one graph: the best other record beside the other picks, and what decides; None where no other goes with them."""
        swapped = [(*picks[:place], c, *picks[place + 1 :]) for c in self.rows[place] if c is not picks[place]]
        going = [chosen for chosen in swapped if self.agrees(chosen)]
        if not going:
            return None
        other = min(going, key=lambda chosen: (self.costs(chosen, {}), chosen[place].spec.hash))  # type: ignore[union-attr] # never None
        pairs = zip(self.ranking.criteria, self.costs(picks, {}), self.costs(other, {}), strict=False)
        return other[place].spec.hash, next((name for name, a, b in pairs if a != b), "hash")  # type: ignore[union-attr] # never None


def hashes(answer: GroupAnswer) -> list[str]:
    return [root.chosen.spec.hash if root.chosen else "" for root in answer.roots]


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    worlds(),
    st.lists(st.sampled_from(ROOTS), min_size=2, max_size=4),
    st.sampled_from(PACKAGES),
    st.sampled_from(["", "mine"]),
    st.sampled_from(PREFERENCES),
)
def test_the_answer_is_the_best_of_all(
    records: list[dict[str, Any]], texts: list[str], packages: dict[str, Any], label: str, prefer: str
) -> None:
    roots = [AbstractSpec.parse(text) for text in texts]
    judge = Judge(World(records), MACHINE, Policy(label=label, prefer=prefer), Rules.read(packages))
    ranking = Ranking(judge)
    rows = [hopeful(judge, ranking, root).candidates for root in roots]
    everything = Everything(roots, rows, ranking)
    for unify in ("true", "when_possible", "false"):
        picks, served = (
            everything.best(rounds=unify == "when_possible") if unify != "false" else (tuple(r[0] if r else None for r in rows), [])
        )
        expected = [pick.spec.hash if pick else "" for pick in picks]
        for effort in (Effort(), Effort(few=0), Effort(few=0, records=0)):
            answer = select_group(judge, "g", roots, unify, effort)
            assert answer.optimal
            assert hashes(answer) == expected, (unify, effort)
            if len(served) == 1:
                for place in served[0]:
                    _check_runner_up(answer.roots[place].runner_up, everything.runner_up(picks, place), whole=effort.records > 0)


def _check_runner_up(told: RunnerUp | None, runner_up: tuple[str, str] | None, *, whole: bool) -> None:
    """Where not all records are judged, another that goes with the other roots may not be known; if one is, it is the best."""
    alone = told is None or told.criterion == "unification with the other roots"
    if runner_up is None or (alone and not whole):
        assert alone
    else:
        assert told is not None
        assert (told.spec.hash, told.criterion) == runner_up


@settings(max_examples=EXAMPLES, deadline=None)
@given(worlds(), st.lists(st.sampled_from(ROOTS), min_size=2, max_size=4, unique=True), st.randoms(use_true_random=False))
def test_neither_the_order_of_records_nor_that_of_roots_matters(records: list[dict[str, Any]], texts: list[str], random: Any) -> None:
    for unify in ("true", "when_possible"):
        first = _picks(records, texts, unify)
        shuffled, mixed = list(records), list(texts)
        random.shuffle(shuffled)
        random.shuffle(mixed)
        assert _picks(shuffled, mixed, unify) == first


def _picks(records: list[dict[str, Any]], texts: list[str], unify: str) -> dict[str, str]:
    judge = Judge(World(records), MACHINE, Policy(), Rules.read({}))
    answer = select_group(judge, "g", [AbstractSpec.parse(text) for text in texts], unify, Effort(few=0))  # type: ignore[arg-type] # likewise
    return dict(zip(texts, hashes(answer), strict=True))


@settings(max_examples=EXAMPLES, deadline=None)
@given(worlds(), st.lists(st.sampled_from(ROOTS), min_size=2, max_size=4))
def test_an_answer_that_was_not_searched_agrees_all_the_same(records: list[dict[str, Any]], texts: list[str]) -> None:
    judge = Judge(World(records), MACHINE, Policy(), Rules.read({}))
    answer = select_group(judge, "g", [AbstractSpec.parse(text) for text in texts], "true", Effort(seconds=0, few=0))
    ranking = Ranking(judge)
    everything = Everything([root.root for root in answer.roots], [[root.chosen] if root.chosen else [] for root in answer.roots], ranking)
    assert everything.agrees(tuple(root.chosen for root in answer.roots))
