"""Minimal sets of roots that cannot be unified, against brute force."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from fakes.world import World
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.arch.machine import Libc, Machine
from resolver.selection.explain.model import Asked
from resolver.selection.explain.report import report_conflict
from resolver.selection.explain.unify import conflict, minimal
from resolver.selection.model import Policy
from resolver.selection.rules import Rules
from resolver.selection.select import select_group
from resolver.spec.abstract import AbstractSpec

MACHINE = Machine("linux", "ubuntu24.04", "zen4", Libc.parse("glibc@2.39"))


@st.composite
def groups(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[str]]:
    """Up to five roots, each with one or two records, over three libraries in up to three hashes and two providers of mpi."""
    libs = [{"id": f"{name}{n}", "spec": f"{name}@={n}"} for name in ("la", "lb", "lc") for n in (1, 2, 3)]
    mpis = [{"id": "mpich1", "spec": "mpich@=4"}, {"id": "openmpi1", "spec": "openmpi@=5"}]
    names = [f"r{n}" for n in range(draw(st.integers(2, 5)))]
    rows = []
    for name in names:
        for n in range(draw(st.integers(1, 2))):
            links = draw(st.lists(st.sampled_from([lib["id"] for lib in libs]), max_size=2, unique_by=lambda key: key[:2]))
            links += draw(st.sampled_from([[], [], ["mpi=mpich1"], ["mpi=openmpi1"]]))
            rows.append({"id": f"{name}x{n}", "spec": f"{name}@={n + 1}", "link": links})
    return [*libs, *mpis, *rows], names + draw(st.sampled_from([[], [], ["mpich"], ["openmpi"]]))


def serves(records: list[dict[str, Any]], roots: tuple[AbstractSpec, ...]) -> bool:
    judge = Asked(roots[0], MACHINE, Policy(), Rules()).judge(World(records))
    return select_group(judge, "default", roots, "true").satisfied


@settings(max_examples=25, deadline=None)
@given(groups(), st.integers(0, 5))
def test_the_conflicting_set_is_minimal(world: tuple[list[dict[str, Any]], list[str]], place: int) -> None:
    records, names = world
    roots = [AbstractSpec.parse(name) for name in names]
    judge = Asked(roots[0], MACHINE, Policy(), Rules()).judge(World(records))
    found = conflict(judge, "default", roots, roots[place % len(roots)])
    smallest = [part for size in range(1, len(roots) + 1) for part in combinations(roots, size) if not serves(records, part)]
    if found is None:
        assert not smallest
        return
    parts = {frozenset(part) for part in smallest}
    minimal_parts = {part for part in parts if not any(other < part for other in parts)}
    assert frozenset(found.roots) in minimal_parts
    between = found.disagreement
    assert between is not None
    assert between.one.hash != between.other.hash
    assert between.virtual == (between.one.name != between.other.name)
    assert found.gains
    assert not [line for line in report_conflict(found, "default") if len(line) > 80]


@given(st.integers(1, 12), st.data())
def test_deletion_leaves_a_minimal_part(number: int, data: st.DataObject) -> None:
    roots = [AbstractSpec(name=f"r{n}") for n in range(number)]
    core = set(data.draw(st.lists(st.sampled_from(roots), min_size=1, unique=True)))
    assert set(minimal(roots, lambda part: not core <= set(part))) == core
