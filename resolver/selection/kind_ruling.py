"""What the stack's rules say of closures of which the kinds of packages are known alone: as ``ruling`` of nodes, where kinds tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec
from msgspec.structs import replace

from resolver.selection.composition import UNTOLD, Kind, Made, sketched
from resolver.selection.pool import Outline
from resolver.selection.rules import Requirement, Rules
from resolver.spec.abstract import EMPTY, AbstractSpec
from resolver.spec.parts import Edge
from resolver.spec.virtuals import COMPILERS, LANGUAGES
from resolver.versions.ranges import ANY


class Told(msgspec.Struct, frozen=True):
    """What is told of all closures of a composition: whether they pass, None where that cannot be told.

    ``weight`` is that of the alternatives by which they keep the stack's rules.
    """

    passes: bool | None
    weight: int = 0


class KindRuling:
    """The rules of one ``packages`` section, held against kinds for an OS and target, each once."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._for_all = _all(rules.for_all)
        self._virtuals = frozenset(name for name in rules.own if rules.on_virtual(name))
        self._kept: dict[tuple[int, tuple[str, str]], Told] = {}

    @cached_property
    def works(self) -> bool:
        """Do kinds tell all that the rules on all packages ask? Of rules on languages they do not know which compilers are meant."""
        return LANGUAGES.isdisjoint(self._rules.own) and all(map(is_told, self._for_all))

    def tell(self, made: Made, outline: Outline) -> Told:
        """Whether the nodes of a closure keep the rules, and at what weight."""
        if not self._rules.own and not self._for_all:
            return Told(passes=True)
        place, kept = self.asks_of(outline), self._kept
        found = [kept.get((kind.number, place)) or self._keeps(kind, place, outline) for kind in made.kinds]
        found += self._keep_as_providers(made, outline) if self._virtuals else []
        if any(told.passes is False for told in found):
            return Told(passes=False)
        return Told(None if any(told.passes is None for told in found) else True, sum(told.weight for told in found))

    def asks_of(self, outline: Outline) -> tuple[str, str]:
        """The OS and the target of a record, as far as rules ask of them."""
        asks_os, asks_target = self._asked
        return outline.os if asks_os else "", outline.target if asks_target else ""

    @cached_property
    def _asked(self) -> tuple[bool, bool]:
        specs = list(_specs([*self._for_all, *(rule for own in self._rules.own.values() for rule in _all(own))]))
        return any(spec.os or spec.platform for spec in specs), any(bool(spec.target) for spec in specs)

    def _keeps(self, kind: Kind, place: tuple[str, str], outline: Outline) -> Told:
        """Does a node of this kind keep the rules on its package, and at what weight?"""
        alike = (kind.number if self._is_special(kind) else 0, place)
        if alike not in self._kept:
            self._kept[alike] = self._check(kind, outline, None)
        found = self._kept[kind.number, place] = self._kept[alike]
        return found

    def _is_special(self, kind: Kind) -> bool:
        """Do rules tell it from other packages? Those on all are the same for all that have no variant of which they ask."""
        return self._asks_of_each or kind.name in self._rules.own or any(f'"{name}":' in kind.chosen for name in self._rules.soft_variants)

    @cached_property
    def _asks_of_each(self) -> bool:
        """Do rules on all packages ask of what each package has in its own way?"""
        conditions = any(rule.when.variants for rule in self._for_all)
        return conditions or any(spec.edges or spec.name or spec.versions is not ANY for spec in _specs(self._for_all))

    def _keep_as_providers(self, made: Made, outline: Outline) -> Iterable[Told]:
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


def _all(rules: Mapping[str, tuple[Requirement, ...]]) -> list[Requirement]:
    return [rule for kind in rules.values() for rule in kind]


def _specs(rules: Iterable[Requirement]) -> Iterable[AbstractSpec]:
    return (spec for rule in rules for spec in (rule.when, *rule.alternatives))


def is_told(rule: Requirement) -> bool:
    """Do kinds know all that a rule asks?"""
    return all(is_node_told(spec) and all(map(_is_compiler, spec.edges)) for spec in _specs([rule]))


def is_node_told(want: AbstractSpec) -> bool:
    """Do kinds know all that is asked of a node itself?"""
    untold = any(variant.propagate or variant.name in UNTOLD for variant in want.variants)
    return not (want.flags or want.hash or want.namespace or untold)


def _is_compiler(edge: Edge) -> bool:
    """Is the edge one to a compiler of which no more is asked than a version?"""
    want = edge.spec
    if not edge.direct or edge.when or edge.propagate or not LANGUAGES.issuperset(edge.virtuals) or want.name not in COMPILERS:
        return False
    return replace(want, name=None, versions=ANY) == EMPTY
