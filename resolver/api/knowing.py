"""The catalog's records seen together with package recipes."""

from __future__ import annotations

from collections.abc import Sequence

from resolver.api.facts import load_facts
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import Store


class KnowingPool(CatalogPool):
    """As its base, but what may provide a virtual is known from recipes too, not from edges alone."""

    def __init__(self, store: Store, sources: Sequence[str], facts: str) -> None:
        super().__init__(store, sources)
        self._book = load_facts(facts).book

    def providers(self, virtual: str) -> list[str]:
        """The packages with records that were seen to provide a virtual or whose recipes say that they may."""
        known = set(super().providers(virtual))
        return sorted(known | {name for name in self._book.providers(virtual) if name not in known and self.has_package(name)})
