"""Upkeep of the catalog, as the command ``catalog`` offers it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from resolver.api.settings import Settings
from resolver.catalog import upkeep
from resolver.catalog.store import Store, require_catalog
from resolver.catalog.upkeep import Divergence, Report

__all__ = ["Divergence", "Report", "check", "export", "pack", "remove"]


def check(settings: Settings, *, hashes: bool = False) -> Report:
    """See ``resolver.catalog.upkeep.check``. Raises ``InputError`` when there is no catalog."""
    with Store(settings.catalog) as store:
        return upkeep.check(store, hashes=hashes)


def pack(settings: Settings) -> tuple[int, int]:
    """See ``resolver.catalog.upkeep.pack``. Raises ``InputError`` when there is no catalog or it cannot be written."""
    require_catalog(settings.catalog)
    with Store(settings.catalog, write=True) as store:
        return upkeep.pack(store)


def export(settings: Settings, path: Path) -> int:
    """See ``resolver.catalog.upkeep.export``."""
    with Store(settings.catalog) as store:
        return upkeep.export(store, path)


def remove(settings: Settings, names: Sequence[str]) -> None:
    """Forget sources and what they alone stated: all of them or, when one is not there, none. Raises ``InputError``."""
    require_catalog(settings.catalog)
    with Store(settings.catalog, write=True) as store:
        store.remove(names)
