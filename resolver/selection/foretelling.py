"""Judging and weighing records by what their closures are made of, without reading any node below them.

It says no more than what judging and weighing all nodes of a closure would; where that cannot be told, it says so. One thing it takes for
granted: that no closure has two nodes which differ in nothing but hashes (Spack has one node a package in it, runtimes apart).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Literal

from msgspec.structs import replace

from resolver.selection.composition import Kind, Made, sketched
from resolver.selection.gates import Judge
from resolver.selection.gpu import gpu_failure
from resolver.selection.kind_ruling import KindRuling, Told, is_node_told
from resolver.selection.model import Candidate
from resolver.selection.pool import Outline
from resolver.selection.ranking import Costs, Ranking, Sums
from resolver.spec.abstract import EMPTY, AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import BUILD
from resolver.spec.parts import Edge
from resolver.spec.satisfies import match_node
from resolver.spec.virtuals import COMPILERS, LANGUAGES, LIBCS, VIRTUALS

NoCandidate = Literal["fails", "untold"]
"""The record fails, or what its closure is made of does not tell."""


class Foretelling:
    """Tells of records whether they pass the gates and what they cost, as far as their compositions do."""

    def __init__(self, judge: Judge, ranking: Ranking) -> None:
        self._judge = judge
        self._ranking = ranking
        self._ruling = KindRuling(judge.rules)
        self._made: dict[int, Made] = {}
        self._told: dict[tuple[int, str, str], Told] = {}
        self._sums: dict[int, Sums] = {}
        self._gpu: dict[int, bool] = {}

    @cached_property
    def works(self) -> bool:
        """Can anything be told? Not where rules, reuse or recipes ask for more than compositions know."""
        policy = self._judge.policy
        if policy.reuse_include or policy.reuse_exclude or policy.offered or policy.facts or not self._ruling.works:
            return False
        return not self._judge.pool.lacks_runtimes()

    def prepare(self, outlines: Iterable[Outline]) -> None:
        """Have the pool read together what is asked of these."""
        if self.works:
            self._judge.pool.compositions([outline.composition for outline in outlines if outline.composition and outline.sound])

    def candidate(self, spec: ConcreteSpec, outline: Outline, want: AbstractSpec, virtual: str) -> Candidate | NoCandidate:
        """The record as a candidate without its closure, or why there is none.

        The record itself was found to be what is wanted but for dependencies.
        """
        if not (self.works and outline.composition):
            return "untold"
        if not outline.sound:
            return "fails" if self._one_source else "untold"  # of several sources another may have the binaries
        made = self._made_of(outline)
        told = self._tell(outline, made)
        if told.passes is None or spec.name in made.repeated or spec.name not in made.by_name:
            return "untold"
        meets = told.passes and (not want.edges or self._meets(spec, made, want))
        if meets is None:
            return "untold"
        if not meets or self._judge.fails_as_root(spec, replace(want, edges=())):
            return "fails"
        self._ranking.foretell(spec, virtual, self._costs(spec, outline, made, told.weight, virtual))
        return Candidate(spec, (), complete=True, virtual=virtual)

    @cached_property
    def _one_source(self) -> bool:
        return len(self._judge.pool.source_names()) == 1

    def size(self, outline: Outline) -> int:
        """How many nodes the closure has."""
        return len(self._made_of(outline).kinds)

    def _made_of(self, outline: Outline) -> Made:
        """What the closure is made of."""
        found = self._made.get(outline.composition)
        if found is None:
            (kinds,) = self._judge.pool.compositions([outline.composition])
            found = self._made[outline.composition] = Made.of(kinds)
        return found

    def _tell(self, outline: Outline, made: Made) -> Told:
        """The gates that a closure's kinds decide; platform, target and libcs were looked at before, and it has all binaries."""
        if outline.platform == "linux" and outline.os != self._judge.machine.os and made.bare:
            return Told(passes=False)
        key = (outline.composition, *self._ruling.asks_of(outline))
        if key not in self._told:
            self._told[key] = self._tell_anywhere(made, outline)
        return self._told[key]

    def _tell_anywhere(self, made: Made, outline: Outline) -> Told:
        """What is the same for all OSes and targets of which the rules do not ask."""
        externals = [kind.name for kind in made.kinds if kind.traits.external]
        if externals:
            return Told(None if all(map(self._may_be_external, externals)) else False)
        if not all(map(self._runs_on_gpu, made.kinds)):
            return Told(passes=False)
        return self._ruling.tell(made, outline)

    def _may_be_external(self, name: str) -> bool:
        declared = any(external.spec.name == name for external in self._judge.rules.externals)
        return name in COMPILERS or self._judge.policy.assume_externals or declared

    def _runs_on_gpu(self, kind: Kind) -> bool:
        machine = self._judge.machine
        if not machine.cuda_arch and not machine.amdgpu_target:
            return True
        if kind.number not in self._gpu:
            self._gpu[kind.number] = gpu_failure(sketched(kind), machine) is None
        return self._gpu[kind.number]

    def _meets(self, spec: ConcreteSpec, made: Made, want: AbstractSpec) -> bool | None:
        """Does the closure have the dependencies that are asked for? None where that cannot be told."""
        found = [self._has(spec, made, edge) for edge in want.edges]
        if any(one is False for one in found):
            return False
        return None if any(one is None for one in found) else True

    def _has(self, spec: ConcreteSpec, made: Made, edge: Edge) -> bool | None:
        name = edge.spec.name
        if edge.direct or edge.when or edge.virtuals or edge.spec.edges or name is None or not is_node_told(edge.spec):
            return None
        if name in VIRTUALS:
            return self._provides(spec, made, edge.spec)
        if name == spec.name or name in LIBCS or any(virtual == name for kind in made.kinds for virtual, _ in kind.traits.uses):
            return None
        kinds = [kind for kind in made.kinds if kind.name == name]
        if any(match_node(sketched(kind, spec.platform, spec.os, spec.target), edge.spec) is None for kind in kinds):
            return True
        return None if any(name in (e.name, *e.virtuals) and e.deptypes & BUILD for e in spec.dependencies) else False

    def _provides(self, spec: ConcreteSpec, made: Made, want: AbstractSpec) -> bool | None:
        """Is a virtual used in the closure? Of what its providers state of themselves no sketch is asked."""
        if want.name in LANGUAGES or want.name == "libc" or replace(want, name=None) != EMPTY:
            return None
        if any(virtual == want.name for kind in made.kinds for virtual, _ in kind.traits.uses):
            return True
        return None if any(want.name in (e.name, *e.virtuals) for e in spec.dependencies) or want.name in made.by_name else False

    def _costs(self, spec: ConcreteSpec, outline: Outline, made: Made, weight: int, virtual: str) -> Costs:
        if outline.composition not in self._sums:
            self._sums[outline.composition] = self._ranking.sums(made.kinds)
        return self._ranking.of_sums(spec, made.by_name[spec.name], self._sums[outline.composition], weight, virtual)
