"""What is synced."""

from __future__ import annotations

from resolver.api.settings import Settings
from resolver.catalog.store import SourceRow, Store


def list_sources(settings: Settings) -> list[SourceRow]:
    """All sources, by name. Raises ``InputError`` when there is no catalog."""
    with Store(settings.catalog) as store:
        return store.sources()
