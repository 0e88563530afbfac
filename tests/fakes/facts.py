"""Facts of recipes for the random worlds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from resolver.formats.facts import FactsDocument, PackageFacts
from resolver.selection.facts import RecipeFacts
from resolver.selection.recipes import RecipeBook

APP: dict[str, Any] = {
    "versions": ["1", "2", "3", "4", "main"],
    "preferred": ["2"],
    "deprecated": ["3"],
    "variants": [
        {"name": "mpi", "default": True},
        {"name": "mpi", "default": False, "when": "@2: ^lib@2"},
        {"name": "never", "default": ["a", "b"], "when": "^openblas"},
    ],
}
RECIPES: list[dict[str, dict[str, Any]]] = [
    {},
    {"app": APP, "lib": {"deprecated": ["2"]}, "mkl": {"preferred": ["1"]}},
    {"app": {**APP, "variants": APP["variants"][:1]}},
    {"lib": {"deprecated": ["2", "3"]}},
]


def facts_of(recipes: Mapping[str, Mapping[str, Any]]) -> RecipeFacts | None:
    """Facts of these recipes; None of none."""
    packages = {name: msgspec.convert(recipe, PackageFacts) for name, recipe in recipes.items()}
    return RecipeFacts(RecipeBook(FactsDocument(packages), "facts")) if packages else None
