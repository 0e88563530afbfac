"""What the directives of a recipe say, collected in the order in which Spack would run them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from resolver.errors import SpecError
from resolver.formats.facts import PackageFacts, ProvidedFact, VariantFact
from resolver.formats.recipe.values import Attributes, CannotTellError, Choices, shown, texts
from resolver.spec.abstract import AbstractSpec
from resolver.versions.version import is_version

FREE = object()
"""Values of a variant that a function judges: any may be given."""


class Collected(msgspec.Struct, frozen=True):
    """The facts of a class with those of its bases. Of two definitions of a variant under the same condition the later counts."""

    versions: dict[str, tuple[bool, bool]] = {}
    variants: dict[tuple[str, str], VariantFact] = {}
    provides: dict[ProvidedFact, None] = {}

    def take(self, other: Collected) -> None:
        """Add another's facts; those that are there already keep their place."""
        self.versions.update(other.versions)
        self.variants.update(other.variants)
        self.provides.update(other.provides)

    def package(self) -> PackageFacts:
        """The facts as a document has them."""
        return PackageFacts(
            versions=list(self.versions),
            preferred=[version for version, (preferred, _) in self.versions.items() if preferred],
            deprecated=[version for version, (_, deprecated) in self.versions.items() if deprecated],
            variants=list(self.variants.values()),
            provides=list(self.provides),
        )

    def version(self, text: str, *, preferred: bool, deprecated: bool) -> None:
        """``version(...)``. Raises ``CannotTellError`` when it is none."""
        if not is_version(text):
            raise CannotTellError
        self.versions[text] = preferred, deprecated

    def variant(self, name: str, default: Any, values: Any, *, multi: bool, when: str) -> None:  # noqa: ANN401
        """``variant(...)``. Raises ``CannotTellError`` when the default is not known."""
        several = multi or isinstance(values, Choices)
        if default is None and isinstance(values, Choices):
            default = values.default
        listed = None if values is None or values is FREE else [_lower(v) for v in texts(values)]
        if not several and _lower(default) in ("true", "false") and (listed is None or set(listed) <= {"true", "false"}):
            fact = VariantFact(name, _lower(default) == "true", None, when)
        elif default is None:
            raise CannotTellError
        elif several:
            items = texts(default) if isinstance(default, (list, tuple)) else shown(default).split(",")
            fact = VariantFact(name, [item.strip() for item in items], listed, when)
        else:
            fact = VariantFact(name, shown(default), listed, when)
        self.variants.pop((name, when), None)
        self.variants[name, when] = fact

    def provide(self, text: str, when: str) -> None:
        """``provides(...)``. Raises ``CannotTellError`` when it is no virtual."""
        spec = parsed(text)
        if spec.name is None:
            raise CannotTellError
        self.provides[ProvidedFact(str(AbstractSpec(name=spec.name, versions=spec.versions)), when)] = None


class ReadClass(Attributes, frozen=True):
    """A class whose body was read: its attributes, and the facts of its directives with those of its bases."""

    facts: Collected


def _lower(value: Any) -> str:  # noqa: ANN401
    text = shown(value)
    return text.lower() if text in ("True", "False") else text


@lru_cache(maxsize=1 << 12)
def parsed(text: str) -> AbstractSpec:
    """A spec. Raises ``CannotTellError`` when the text is none."""
    try:
        return AbstractSpec.parse(text)
    except SpecError:
        raise CannotTellError from None


@lru_cache(maxsize=1 << 12)
def joined(conditions: tuple[str, ...]) -> str | None:
    """One condition of those around a directive and its own; None when they contradict each other.

    Raises ``CannotTellError`` when one is no spec.
    """
    whole = AbstractSpec()
    for text in conditions:
        condition = parsed(text)
        try:
            whole = whole.constrained(condition)
        except SpecError:
            return None
    return str(whole)


def arguments_of(parameters: tuple[str, ...], given: list[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by the names of its parameters."""
    return {**dict(zip(parameters, given, strict=False)), **named}
