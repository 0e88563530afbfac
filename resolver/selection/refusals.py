"""Of a root that nothing serves: which of its records comes nearest, and why it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, nsmallest

from resolver.selection.gates import Judge
from resolver.selection.model import Candidate, Rejection, Row
from resolver.selection.pool import Outline
from resolver.selection.race import is_meant, packages_of, records_of, rules_out
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.satisfies import match_node

READ_AT_ONCE = 16

# The order of rejections: first of records that are what was asked for, then of the stack's, then those that passed the most gates.
Telling = tuple[bool, bool, int, str]


def judged(judge: Judge, root: AbstractSpec) -> Row:
    """All records of a root, judged and none ranked."""
    specs, want = records_of(judge, root, thorough=True)
    judge.closures.prefetch(specs)
    return row_of(judge, want, [judge.judge(spec, want) for spec in specs])


def row_of(judge: Judge, want: AbstractSpec, verdicts: Sequence[Candidate | Rejection]) -> Row:
    """Candidates and rejections apart, the most telling of these first."""
    rejections = [v for v in verdicts if isinstance(v, Rejection)]
    rejections.sort(key=lambda found: _telling(judge, want, found.spec, found.depth))
    return Row([v for v in verdicts if isinstance(v, Candidate)], rejections)


def refused(judge: Judge, root: AbstractSpec) -> Row:
    """The most telling rejection alone; no more nodes and closures are read than it takes to be certain of it."""
    heap, want = _entries(judge, root)
    heapify(heap)
    best: tuple[Telling, Rejection] | None = None
    while heap and (best is None or heap[0][0] < best[0]):
        spec = heap[0][1]
        if spec is None:
            _read(judge, root, want, heap)
            continue
        heappop(heap)
        verdict = judge.judge(spec, want)
        if isinstance(verdict, Candidate):
            return judged(judge, root)
        telling = _telling(judge, want, spec, verdict.depth)
        best = min(best, (telling, verdict), key=lambda pair: pair[0]) if best else (telling, verdict)
    return Row([], [best[1]] if best else [])


# What a record tells at best, and the record once it was read.
Entry = tuple[Telling, ConcreteSpec | None]


def _entries(judge: Judge, root: AbstractSpec) -> tuple[list[Entry], AbstractSpec]:
    if root.name is None:
        specs, want = records_of(judge, root, thorough=True)
        return [(_telling(judge, want, spec, judge.passes_at_most(spec)), spec) for spec in specs], want
    names, want = packages_of(judge, root)
    return [(_promise(judge, want, outline), None) for name in names for outline in judge.pool.outlines(name)], want


def _read(judge: Judge, root: AbstractSpec, want: AbstractSpec, heap: list[Entry]) -> None:
    """Read the first of the records, and put them where what they state puts them."""
    first = [entry for entry in nsmallest(READ_AT_ONCE, heap) if entry[1] is None]
    judge.pool.prefetch(least[-1] for least, _ in first)
    for entry in first:
        heap.remove(entry)
        if (spec := judge.pool.get(entry[0][-1])) and is_meant(judge, root, want, spec):
            heap.append((_telling(judge, want, spec, judge.passes_at_most(spec)), spec))
    heapify(heap)


def _promise(judge: Judge, want: AbstractSpec, outline: Outline) -> Telling:
    """What a record tells at best, as far as its outline says."""
    return rules_out(outline, want), _unlabelled(judge, outline.statement.stacks), -judge.passes_at_most(outline), outline.hash


def _telling(judge: Judge, want: AbstractSpec, spec: ConcreteSpec, depth: int) -> Telling:
    stacks = judge.pool.statement(spec).stacks
    return match_node(spec, want) is not None, _unlabelled(judge, stacks), -depth, spec.hash


def _unlabelled(judge: Judge, stacks: tuple[str, ...]) -> bool:
    label = judge.policy.label
    return bool(label) and label not in stacks
