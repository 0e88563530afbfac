"""The names that a machine may be described with."""

from __future__ import annotations

from resolver.api.machines import known_machines
from resolver.api.settings import Settings
from resolver.arch.machine import MACOS
from resolver.arch.target import known_targets
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import Store


def known_names(what: str, settings: Settings) -> list[str]:
    """All targets, named machines, or OS labels (those of macOS, and those that synced records have), sorted."""
    if what == "targets":
        return known_targets()
    if what == "machines":
        return sorted({*settings.config.machines, *known_machines()})
    if not settings.catalog.exists():
        return sorted(MACOS)
    return sorted({*MACOS, *CatalogPool(Store(settings.catalog)).oses()})
