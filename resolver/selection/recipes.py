"""Recipes out of a facts document, each made ready when it is first asked for."""

from __future__ import annotations

from collections.abc import Sequence

from resolver.formats.facts import FactsDocument, PackageFacts, VariantFact, read_condition
from resolver.selection.facts import Definition, Recipe
from resolver.spec.abstract import EMPTY, AbstractSpec


class RecipeBook:
    """The recipes of a document; ``where`` is its name for errors. Implements selection's ``Cookbook``."""

    def __init__(self, document: FactsDocument, where: str) -> None:
        self._packages = document.packages
        self._where = where
        self._made: dict[str, Recipe | None] = {}
        self._virtuals: dict[str, list[str]] | None = None
        self.has_versions = any(p.versions or p.preferred or p.deprecated for p in self._packages.values())
        self.has_variants = any(p.variants for p in self._packages.values())

    def __len__(self) -> int:
        """How many packages it has."""
        return len(self._packages)

    def get(self, name: str) -> Recipe | None:
        """The recipe of a package, if it has one. Raises ``FormatError`` on a condition that cannot be read."""
        if name not in self._made:
            package = self._packages.get(name)
            self._made[name] = _recipe(package, f"{self._where}: packages: {name}") if package else None
        return self._made[name]

    def providers(self, virtual: str) -> Sequence[str]:
        """The packages whose recipes say that they may provide a virtual, sorted."""
        if self._virtuals is None:
            self._virtuals = {}
            for name, package in sorted(self._packages.items()):
                for provided in dict.fromkeys(fact.virtual.partition("@")[0] for fact in package.provides):
                    self._virtuals.setdefault(provided, []).append(name)
        return self._virtuals.get(virtual, ())


def _recipe(package: PackageFacts, where: str) -> Recipe:
    variants: dict[str, tuple[Definition, ...]] = {}
    for place, fact in enumerate(package.variants):
        variants[fact.name] = (*variants.get(fact.name, ()), _definition(fact, f"{where}: variants[{place}]"))
    return Recipe(
        versions=frozenset((*package.versions, *package.preferred, *package.deprecated)),
        preferred=frozenset(package.preferred),
        deprecated=frozenset(package.deprecated),
        variants=variants,
        provides=_provides(package, where),
    )


def _provides(package: PackageFacts, where: str) -> dict[str, tuple[AbstractSpec, ...]]:
    found: dict[str, tuple[AbstractSpec, ...]] = {}
    for place, fact in enumerate(package.provides):
        name = fact.virtual.partition("@")[0]
        found[name] = (*found.get(name, ()), _condition(fact.when, f"{where}: provides[{place}]"))
    return found


def _condition(text: str, where: str) -> AbstractSpec:
    return read_condition(text, where) if text else EMPTY


def _definition(fact: VariantFact, where: str) -> Definition:
    """A definition, with the place of each value: the defaults first, the others as they stand (Spack ``asp.py:define_variant``)."""
    multi = isinstance(fact.default, list)
    if isinstance(fact.default, bool):
        default, values = [str(fact.default).lower()], ["true", "false"]
    else:
        default, values = (list(fact.default) if isinstance(fact.default, list) else [fact.default]), fact.values or []
    ordered = dict.fromkeys([*default, *values])
    return Definition(_condition(fact.when, where), frozenset(default), {value: place for place, value in enumerate(ordered, 1)}, multi)
