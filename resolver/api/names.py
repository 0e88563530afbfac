"""The names that a machine may be described with."""

from __future__ import annotations

from resolver.api.machines import all_machines
from resolver.api.settings import Settings
from resolver.arch.machine import MACOS, OLDER_MACOS
from resolver.arch.target import known_targets
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import Store


def known_names(what: str, settings: Settings) -> list[str]:
    """All targets, named machines, or OS labels (those of macOS, of named machines, and of synced records), sorted."""
    machines = all_machines(settings)
    if what == "targets":
        return known_targets()
    if what == "machines":
        return list(machines)
    found = {*MACOS, *OLDER_MACOS, *(machine.os for machine in machines.values() if machine.os)}
    if settings.catalog.exists():
        found |= set(CatalogPool(Store(settings.catalog)).oses())
    return sorted(found)
