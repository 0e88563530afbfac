"""The mirrors that an environment is to name, out of what the catalog knows of sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from resolver.api.settings import Settings
from resolver.catalog.store import SourceRow
from resolver.emit.environment import Mirror
from resolver.emit.mirrors import Serving, serving
from resolver.selection.pool import Statement
from resolver.spec.concrete import ConcreteSpec


class Served(Protocol):
    """What is known of who serves specs: a catalog's pool, or that of a lock."""

    @property
    def sources(self) -> Mapping[str, SourceRow]:
        """The sources by name."""

    def statement(self, spec: ConcreteSpec) -> Statement:
        """What they state of a spec."""


def chosen_mirrors(settings: Settings, pool: Served, closure: Mapping[str, ConcreteSpec]) -> Serving:
    """The fewest mirrors that serve a closure, of equal ones those that the configuration names first (``emit.mirrors.serving``)."""
    return serving(in_order(settings, offered(pool, closure), pool.sources), closure)


def offered(pool: Served, closure: Mapping[str, ConcreteSpec]) -> list[Mirror]:
    """Each source that is a mirror, with what of the closure it serves; externals are served by nobody."""
    serves: dict[str, set[str]] = {}
    for key, spec in closure.items():
        for name in () if spec.external else pool.statement(spec).served_by:
            serves.setdefault(name, set()).add(key)
    rows = pool.sources
    return [mirror_of(rows[name], keys) for name, keys in serves.items() if rows[name].url]


def mirror_of(row: SourceRow, serves: Iterable[str]) -> Mirror:
    """A source as a mirror that serves these hashes."""
    return Mirror(row.name, row.url, row.layout, row.signed, frozenset(serves), row.view, row.keys, row.release)


def in_order(settings: Settings, offers: Iterable[Mirror], rows: Mapping[str, SourceRow]) -> list[Mirror]:
    """Mirrors in the order of the configuration's sources, those that it does not name behind them, by name."""
    ordered = sorted(offers, key=lambda offer: offer.name)
    if len(ordered) < 2 or not settings.config.sources:
        return ordered
    from resolver.api.configured import UNNAMED, configured_places  # where there is something to put in order

    places = configured_places(settings, [rows[offer.name] for offer in ordered])
    return sorted(ordered, key=lambda offer: places.get(offer.name, UNNAMED))
