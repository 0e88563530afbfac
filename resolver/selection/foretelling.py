"""Judging and weighing records by what their closures are made of, without reading any node below them.

It says no more than what judging and weighing all nodes of a closure would; where that cannot be told, it says so. One thing it takes for
granted: that no closure has two nodes which differ in nothing but hashes (Spack has one node a package in it, runtimes apart).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec
from msgspec.structs import replace

from resolver.selection.composition import UNTOLD, Composition, Kind, sketched
from resolver.selection.gates import Judge
from resolver.selection.gpu import gpu_failure
from resolver.selection.model import Candidate
from resolver.selection.pool import Outline
from resolver.selection.ranking import Costs, Ranking, Sums
from resolver.selection.rules import Requirement
from resolver.spec.abstract import EMPTY, AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import BUILD
from resolver.spec.parts import Edge
from resolver.spec.satisfies import match_node
from resolver.spec.virtuals import COMPILERS, LANGUAGES, LIBCS, VIRTUALS
from resolver.versions.ranges import ANY


class Told(msgspec.Struct, frozen=True):
    """What a composition tells of all closures made so, for one judge: whether they pass, None where that cannot be told.

    ``weight`` is that of the alternatives by which they keep the stack's rules.
    """

    passes: bool | None
    weight: int = 0


class _Made(msgspec.Struct, frozen=True):
    """A composition, its kinds by package, whether one of them is bare, and the packages that are there several times."""

    kinds: Composition
    by_name: Mapping[str, Kind]
    bare: bool
    repeated: frozenset[str]


class Foretelling:
    """Tells of records whether they pass the gates and what they cost, as far as their compositions do."""

    def __init__(self, judge: Judge, ranking: Ranking) -> None:
        self._judge = judge
        self._ranking = ranking
        self._rules = judge.rules
        self._made: dict[int, _Made] = {}
        self._told: dict[tuple[int, tuple[str, str]], Told] = {}
        self._kept: dict[tuple[int, tuple[str, str]], Told] = {}
        self._sums: dict[int, Sums] = {}
        self._gpu: dict[int, bool] = {}

    @cached_property
    def works(self) -> bool:
        """Can anything be told? Not where rules, reuse or recipes ask for more than compositions know."""
        policy, rules = self._judge.policy, self._rules
        asks_more = policy.reuse_include or policy.reuse_exclude or policy.offered or policy.facts
        if asks_more or not LANGUAGES.isdisjoint(rules.own) or not all(map(is_told, _all(rules.for_all))):
            return False
        return not self._judge.pool.lacks_runtimes()

    def prepare(self, outlines: Iterable[Outline]) -> None:
        """Have the pool read together what is asked of these."""
        if self.works:
            self._judge.pool.compositions([outline.composition for outline in outlines if outline.composition and outline.sound])

    def candidate(self, spec: ConcreteSpec, outline: Outline, want: AbstractSpec, virtual: str) -> Candidate | bool:
        """The record as a candidate without its closure; False where it is none, True where that cannot be told.

        The record itself was found to be what is wanted but for dependencies.
        """
        if not (self.works and outline.composition):
            return True
        if not outline.sound:
            return not self._one_source  # of several sources another may have the binaries
        made = self._made_of(outline)
        told = self._tell(outline, made)
        if told.passes is None or spec.name in made.repeated or spec.name not in made.by_name:
            return True
        meets = told.passes and (not want.edges or self._meets(spec, made, want))
        if meets is None:
            return True
        if not meets or self._judge.fails_as_root(spec, replace(want, edges=())):
            return False
        self._ranking.foretell(spec, virtual, self._costs(spec, outline, made, told.weight, virtual))
        return Candidate(spec, (), complete=True, virtual=virtual)

    @cached_property
    def _one_source(self) -> bool:
        return len(self._judge.pool.source_names()) == 1

    def size(self, outline: Outline) -> int:
        """How many nodes the closure has."""
        return len(self._made_of(outline).kinds)

    def _made_of(self, outline: Outline) -> _Made:
        """What the closure is made of."""
        found = self._made.get(outline.composition)
        if found is None:
            (kinds,) = self._judge.pool.compositions([outline.composition])
            by_name = {kind.name: kind for kind in kinds}
            repeated = frozenset(kind.name for kind in kinds if by_name[kind.name] is not kind)
            found = _Made(kinds, by_name, any(kind.traits.bare for kind in kinds), repeated)
            self._made[outline.composition] = found
        return found

    def _tell(self, outline: Outline, made: _Made) -> Told:
        """The gates that a closure's kinds decide; platform, target and libcs were looked at before, and it has all binaries."""
        if outline.platform == "linux" and outline.os != self._judge.machine.os and made.bare:
            return Told(passes=False)
        key = (outline.composition, self._rules_ask_of(outline))
        if key not in self._told:
            self._told[key] = self._tell_anywhere(made, outline)
        return self._told[key]

    def _tell_anywhere(self, made: _Made, outline: Outline) -> Told:
        """What is the same for all OSes and targets of which the rules do not ask."""
        externals = [kind.name for kind in made.kinds if kind.traits.external]
        if externals:
            return Told(None if all(map(self._may_be_external, externals)) else False)
        if not all(map(self._runs_on_gpu, made.kinds)):
            return Told(passes=False)
        place, kept = self._rules_ask_of(outline), self._kept
        found = [kept.get((kind.number, place)) or self._keeps(kind, place, outline) for kind in made.kinds] if self._has_rules else []
        found += self._keep_as_providers(made, outline) if self._virtuals else []
        if any(told.passes is False for told in found):
            return Told(passes=False)
        passes = None if any(told.passes is None for told in found) else True
        return Told(passes, sum(told.weight for told in found))

    def _rules_ask_of(self, outline: Outline) -> tuple[str, str]:
        """The OS and the target, as far as rules ask of them."""
        asks_os, asks_target = self._asked
        return outline.os if asks_os else "", outline.target if asks_target else ""

    def _may_be_external(self, name: str) -> bool:
        declared = any(external.spec.name == name for external in self._rules.externals)
        return name in COMPILERS or self._judge.policy.assume_externals or declared

    def _runs_on_gpu(self, kind: Kind) -> bool:
        machine = self._judge.machine
        if not machine.cuda_arch and not machine.amdgpu_target:
            return True
        if kind.number not in self._gpu:
            self._gpu[kind.number] = gpu_failure(sketched(kind), machine) is None
        return self._gpu[kind.number]

    def _keeps(self, kind: Kind, place: tuple[str, str], outline: Outline) -> Told:
        """Does a node of this kind keep the rules on its package, and at what weight?"""
        alike = (kind.number if self._has_own_rules(kind) else 0, place)
        if alike not in self._kept:
            self._kept[alike] = self._check(kind, outline, None)
        found = self._kept[kind.number, place] = self._kept[alike]
        return found

    def _has_own_rules(self, kind: Kind) -> bool:
        """Do rules tell it from other packages? Rules on all are the same for all that have no variant of which they ask."""
        return kind.name in self._rules.own or any(text in kind.chosen for text in self._asked_of_all)

    @cached_property
    def _asked_of_all(self) -> tuple[str, ...]:
        """What stands in the choices of kinds of which rules on all packages ask more than of others; in all where versions are asked."""
        rules = _all(self._rules.for_all)
        specs = [spec for rule in rules for spec in (rule.when, *rule.alternatives)]
        if any(spec.edges or spec.name or spec.versions is not ANY for spec in specs) or any(rule.when.variants for rule in rules):
            return ("",)
        return tuple(f'"{name}":' for name in self._rules.soft_variants)

    def _keep_as_providers(self, made: _Made, outline: Outline) -> Iterable[Told]:
        """Do the providers of virtuals keep the rules on these?"""
        for kind in made.kinds:
            if not self._virtuals.isdisjoint(kind.traits.built_with):
                yield Told(passes=None)
            for virtual, provider in kind.traits.uses:
                if virtual in self._virtuals:
                    known = provider in made.by_name and provider not in made.repeated
                    yield self._check(made.by_name[provider], outline, virtual) if known else Told(passes=None)

    def _check(self, kind: Kind, outline: Outline, virtual: str | None) -> Told:
        """Hold a kind against the rules on its package, or on a virtual that it provides."""
        spec = sketched(kind, outline.platform, outline.os, outline.target)
        rules = self._rules.on_package(spec) if virtual is None else self._rules.on_virtual(virtual)
        if not all(map(is_told, rules)):
            return Told(passes=None)
        checked = [rule.check(spec) for rule in rules]
        if any(failed is not None for _, failed in checked):
            return Told(passes=False)
        return Told(passes=True, weight=sum(weight for weight, _ in checked))

    @cached_property
    def _has_rules(self) -> bool:
        return bool(any(_all(self._rules.for_all)) or any(any(_all(own)) for own in self._rules.own.values()))

    @cached_property
    def _virtuals(self) -> frozenset[str]:
        return frozenset(name for name in self._rules.own if self._rules.on_virtual(name))

    @cached_property
    def _asked(self) -> tuple[bool, bool]:
        """Whether rules ask for an OS or platform, and for a target."""
        rules = [*_all(self._rules.for_all), *(rule for own in self._rules.own.values() for rule in _all(own))]
        specs = [spec for rule in rules for spec in (rule.when, *rule.alternatives)]
        return any(spec.os or spec.platform for spec in specs), any(bool(spec.target) for spec in specs)

    def _meets(self, spec: ConcreteSpec, made: _Made, want: AbstractSpec) -> bool | None:
        """Does the closure have the dependencies that are asked for? None where that cannot be told."""
        found = [self._has(spec, made, edge) for edge in want.edges]
        if any(one is False for one in found):
            return False
        return None if any(one is None for one in found) else True

    def _has(self, spec: ConcreteSpec, made: _Made, edge: Edge) -> bool | None:
        name = edge.spec.name
        if edge.direct or edge.when or edge.virtuals or edge.spec.edges or name is None or not _is_node_told(edge.spec):
            return None
        if name in VIRTUALS:
            return self._provides(spec, made, edge.spec)
        if name == spec.name or name in LIBCS or any(virtual == name for kind in made.kinds for virtual, _ in kind.traits.uses):
            return None
        kinds = [kind for kind in made.kinds if kind.name == name]
        if any(match_node(sketched(kind, spec.platform, spec.os, spec.target), edge.spec) is None for kind in kinds):
            return True
        return None if any(name in (e.name, *e.virtuals) and e.deptypes & BUILD for e in spec.dependencies) else False

    def _provides(self, spec: ConcreteSpec, made: _Made, want: AbstractSpec) -> bool | None:
        """Is a virtual used in the closure? Of what its providers state of themselves no sketch is asked."""
        if want.name in LANGUAGES or want.name == "libc" or replace(want, name=None) != EMPTY:
            return None
        if any(virtual == want.name for kind in made.kinds for virtual, _ in kind.traits.uses):
            return True
        return None if any(want.name in (e.name, *e.virtuals) for e in spec.dependencies) or want.name in made.by_name else False

    def _costs(self, spec: ConcreteSpec, outline: Outline, made: _Made, weight: int, virtual: str) -> Costs:
        if outline.composition not in self._sums:
            self._sums[outline.composition] = self._ranking.sums(made.kinds)
        return self._ranking.of_sums(spec, made.by_name[spec.name], self._sums[outline.composition], weight, virtual)


def _all(rules: Mapping[str, tuple[Requirement, ...]]) -> list[Requirement]:
    return [rule for kind in rules.values() for rule in kind]


def is_told(rule: Requirement) -> bool:
    """Do kinds know all that a rule asks?"""
    return all(_is_node_told(spec) and all(map(_is_compiler, spec.edges)) for spec in (rule.when, *rule.alternatives))


def _is_node_told(want: AbstractSpec) -> bool:
    untold = any(variant.propagate or variant.name in UNTOLD for variant in want.variants)
    return not (want.flags or want.hash or want.namespace or untold)


def _is_compiler(edge: Edge) -> bool:
    """Is the edge one to a compiler of which no more is asked than a version?"""
    want = edge.spec
    if not edge.direct or edge.when or edge.propagate or not LANGUAGES.issuperset(edge.virtuals) or want.name not in COMPILERS:
        return False
    return replace(want, name=None, versions=ANY) == EMPTY
