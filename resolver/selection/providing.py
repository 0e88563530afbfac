"""May a record provide a virtual? Its package does, as edges or recipes show; some recipes ask for a variant or version besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolver.spec.abstract import AbstractSpec
from resolver.spec.satisfies import match_node

if TYPE_CHECKING:
    from resolver.selection.facts import RecipeFacts
    from resolver.spec.concrete import ConcreteSpec

PROVIDES_WHEN = {("zlib-ng", "zlib-api"): AbstractSpec.parse("+compat")}
"""Where recipes of Spack's packages provide a virtual under a condition only; for what facts of recipes do not tell."""


def may_provide(facts: RecipeFacts | None, spec: ConcreteSpec, virtual: str) -> bool:
    """Does the record meet the condition under which its recipe provides the virtual? Yes where no condition is known."""
    told = facts.provides(spec, virtual) if facts else None
    if told is not None:
        return told
    when = PROVIDES_WHEN.get((spec.name, virtual))
    return when is None or match_node(spec, when) is None
