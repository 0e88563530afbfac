"""How many records each gate left, and where the binaries are that exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from resolver.selection.explain.model import Near, Place, Step
from resolver.selection.model import GATES
from resolver.selection.pool import CandidatePool
from resolver.spec.concrete import ConcreteSpec


def funnel(total: int, stopped: Iterable[tuple[str, str]]) -> tuple[Step, ...]:
    """The steps, of all records and of each that was stopped the gate and the reason."""
    lost: dict[str, Counter[str]] = {gate: Counter() for gate in GATES}
    for gate, reason in stopped:
        lost[gate][reason] += 1
    steps, left = [], total
    for gate in GATES:
        gone = lost[gate].total()
        left -= gone
        reasons = sorted(lost[gate].items(), key=lambda pair: (-pair[1], pair[0]))
        reason, alike = reasons[0] if reasons else ("", 0)
        steps.append(Step(gate, left, gone, reason, alike))
    return tuple(steps)


def first_of(near: Near) -> tuple[str, str]:
    """The gate that stops a record, the first that it fails, and the reason without its node."""
    miss = near.misses[0]
    return miss.gate, miss.brief


def places(specs: Sequence[ConcreteSpec], pool: CandidatePool) -> tuple[Place, ...]:
    """Where binaries exist, the most frequent first."""
    found = Counter((s.platform, s.os, s.target) for s in specs if pool.statement(s).in_buildcache and not s.external)
    rows = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Place(*place, number) for place, number in rows)
