"""What package recipes add to the order: preferred and deprecated versions, default variants.

Recipes are optional. Without them the criteria that need them are skipped, and ``skipped_criteria`` names those.
Source of the rules: Spack ``solver/asp.py`` (``pkg_version_rules``, ``define_variant``), ``solver/concretize.lp`` ("Variant semantics").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from resolver.spec.abstract import EMPTY, AbstractSpec
from resolver.spec.node import BUILD, LINK_RUN
from resolver.spec.satisfies import match, match_node
from resolver.spec.virtuals import COMPILERS

if TYPE_CHECKING:
    from resolver.selection.rules import Requirement, Rules
    from resolver.spec.concrete import ConcreteSpec, Dependency, Value
    from resolver.spec.parts import Edge, Variant

UNLISTED = 100
"""Penalty of a value that the recipe does not list (Spack ``concretize.lp:possible_variant_penalty``)."""
VERSION_CRITERIA = ("deprecated versions", "versions that recipes prefer")
VARIANT_CRITERIA = ("default variants of the root", "default variants of other packages")


class Definition(msgspec.Struct, frozen=True):
    """A variant as a recipe defines it: where it applies, its defaults, and the place of each value, the defaults first, from 1."""

    when: AbstractSpec
    default: frozenset[str]
    places: Mapping[str, int]
    multi: bool


class Recipe(msgspec.Struct, frozen=True):
    """What is known of one package's recipe. Of several definitions of a variant that apply the last counts.

    ``provides`` are the conditions under which it provides a virtual, any of which is enough.
    """

    versions: frozenset[str] = frozenset()
    preferred: frozenset[str] = frozenset()
    deprecated: frozenset[str] = frozenset()
    variants: Mapping[str, tuple[Definition, ...]] = msgspec.field(default_factory=dict)
    provides: Mapping[str, tuple[AbstractSpec, ...]] = msgspec.field(default_factory=dict)


class Cookbook(Protocol):
    """Where recipes are looked up by package."""

    def __len__(self) -> int:
        """How many packages it has."""

    def get(self, name: str) -> Recipe | None:
        """The recipe of a package, if it has one."""

    def providers(self, virtual: str) -> Sequence[str]:
        """The packages whose recipes say that they may provide a virtual, sorted."""

    @property
    def has_versions(self) -> bool:
        """Does any recipe speak of versions?"""

    @property
    def has_variants(self) -> bool:
        """Does any recipe speak of variants?"""


def skipped_criteria(facts: RecipeFacts | None) -> tuple[str, ...]:
    """The criteria of Spack's order that could not be looked at, since no recipe is known that tells."""
    versions = () if facts and facts.book.has_versions else VERSION_CRITERIA
    variants = () if facts and facts.book.has_variants else VARIANT_CRITERIA
    return (*versions, *variants)


class RecipeFacts:
    """Questions that the order asks of recipes."""

    def __init__(self, book: Cookbook) -> None:
        self.book = book

    def versions(self, name: str) -> frozenset[str]:
        """The versions that a recipe lists; none where it is not known."""
        recipe = self.book.get(name)
        return recipe.versions if recipe else frozenset()

    def preferred(self, name: str) -> frozenset[str]:
        """The versions marked ``preferred``."""
        recipe = self.book.get(name)
        return recipe.preferred if recipe else frozenset()

    def is_deprecated(self, name: str, version: str) -> bool:
        """Is the version marked ``deprecated``?"""
        recipe = self.book.get(name)
        return recipe is not None and version in recipe.deprecated

    def provides(self, spec: ConcreteSpec, virtual: str) -> bool | None:
        """Does a condition hold under which the recipe provides a virtual? None where no recipe speaks of that virtual."""
        recipe = self.book.get(spec.name)
        conditions = recipe.provides.get(virtual) if recipe else None
        return None if conditions is None else any(when is EMPTY or _holds(spec, when) for when in conditions)

    def has_variants(self, name: str) -> bool:
        """Are variants of this package known?"""
        recipe = self.book.get(name)
        return recipe is not None and bool(recipe.variants)

    def variant_costs(self, spec: ConcreteSpec, wanted: Iterable[Variant], rules: Rules, *, deep: bool = True) -> tuple[int, int]:
        """The penalties of all values that are no default, and how many defaults of multi-valued variants are not used.

        ``wanted`` are defaults of the stack, which replace the recipe's. A value that the stack's rules ask for costs nothing. Unless
        ``deep``, no dependency is looked at, and both are lower bounds.
        """
        recipe = self.book.get(spec.name)
        if recipe is None:
            return 0, 0
        ours = {variant.name: _wanted(variant) for variant in wanted}
        missed: list[tuple[str, str, int]] = []
        unused: list[tuple[str, str]] = []
        for name, definitions in recipe.variants.items():
            definition = _applying(spec, definitions, deep=deep)
            if definition is None:
                continue
            default, have = ours.get(name, definition.default), _texts(spec.variants.get(name))
            missed += [(name, value, definition.places.get(value, UNLISTED)) for value in have if value not in default]
            unused += [(name, value) for value in default if value not in have] if definition.multi else []
        fixed = _fixed(spec, rules, deep=deep) if missed or unused else frozenset()
        penalty = sum(cost for name, value, cost in missed if (name, value) not in fixed)
        return penalty, sum(1 for pair in unused if pair not in fixed)


def _applying(spec: ConcreteSpec, definitions: Sequence[Definition], *, deep: bool) -> Definition | None:
    """The definition that counts for a node: the last whose condition holds; None too where that cannot be told without dependencies."""
    if not deep and any(definition.when.edges for definition in definitions):
        return None
    return next((d for d in reversed(definitions) if d.when is EMPTY or _holds(spec, d.when)), None)


def _holds(spec: ConcreteSpec, when: AbstractSpec) -> bool:
    """As Spack's solver sees a reused spec: of what it was only built with, there is nothing but the compiler."""
    return match_node(spec, when) is None and all(_edge_holds(spec, edge) for edge in when.edges)


def _edge_holds(spec: ConcreteSpec, edge: Edge) -> bool:
    name = edge.spec.name
    types = BUILD | LINK_RUN if edge.direct and name in COMPILERS else LINK_RUN
    parents = [spec] if edge.direct else spec.closure().values()
    pairs = ((e, parent.graph.get(e.hash)) for parent in parents for e in parent.dependencies if e.deptypes & types)
    return any(child is not None and _plays(found, child, edge) for found, child in pairs)


def _plays(found: Dependency, child: ConcreteSpec, edge: Edge) -> bool:
    if not set(edge.virtuals) <= set(found.virtuals):
        return False
    if edge.spec.name in found.virtuals:
        return True
    return match_node(child, edge.spec) is None


def _fixed(spec: ConcreteSpec, rules: Rules, *, deep: bool) -> frozenset[tuple[str, str]]:
    """The values that the stack's rules ask for and the node has; Spack does not count these as deviations (``variant_set``)."""
    found = (a for rule in rules.on_package(spec) if _asks(spec, rule, deep=deep) for a in rule.alternatives if a.variants)
    held = (a for a in found if (match(spec, a) if deep else match_node(spec, a)) is None)
    return frozenset((variant.name, value) for a in held for variant in a.variants for value in _wanted(variant))


def _asks(spec: ConcreteSpec, rule: Requirement, *, deep: bool) -> bool:
    return rule.when is EMPTY or (match(spec, rule.when) if deep else match_node(spec, rule.when)) is None


def _wanted(variant: Variant) -> frozenset[str]:
    return frozenset(_texts(variant.value))


def _texts(value: Value | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, bool):
        return (str(value).lower(),)
    return (value,) if isinstance(value, str) else value
