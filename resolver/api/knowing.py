"""The catalog's records seen together with package recipes."""

from __future__ import annotations

from collections.abc import Sequence

from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import Store
from resolver.selection.facts import RecipeFacts


class KnowingPool(CatalogPool):
    """As its base, but what may provide a virtual is known from recipes too, not from edges alone."""

    def __init__(self, store: Store, sources: Sequence[str], facts: RecipeFacts) -> None:
        super().__init__(store, sources)
        self.facts = self._known = facts

    def providers(self, virtual: str) -> list[str]:
        """The packages with records that were seen to provide a virtual or whose recipes say that they may."""
        known = set(super().providers(virtual))
        return sorted(known | {name for name in self._known.book.providers(virtual) if name not in known and self.has_package(name)})
