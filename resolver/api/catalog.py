"""The catalog for Python users: open it, sync into it, ask it, see it as a graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from resolver.api.find import FindResult, find
from resolver.api.resolve import Resolution, ResolveRequest, resolve
from resolver.api.selecting import Choices
from resolver.api.settings import Settings, catalog_path
from resolver.api.sources import list_sources
from resolver.api.sync import Reporter, SyncRequest, SyncResult, sync
from resolver.arch.machine import Machine
from resolver.catalog.store import SourceRow, Store

if TYPE_CHECKING:
    import networkx as nx


class Catalog:
    """All records of all synced sources, in one file.

    >>> catalog = Catalog("catalog.sqlite")                         # doctest: +SKIP
    >>> catalog.sync(["stacks"])                                    # doctest: +SKIP
    >>> catalog.find(["py-torch"], machine).records[0].spec.hash    # doctest: +SKIP
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.settings = Settings(catalog_path(None if path is None else str(path)))

    def sync(self, locations: Iterable[str], reporter: Reporter | None = None) -> SyncResult:
        """Read sources; see ``resolver.api.sync.sync``."""
        return sync(self.settings, [SyncRequest(location) for location in locations], reporter)

    def sources(self) -> list[SourceRow]:
        """What is synced, by name."""
        return list_sources(self.settings)

    def find(self, specs: Sequence[str], machine: Machine, choices: Choices | None = None) -> FindResult:
        """Prebuilt hashes that run on a machine, best first; see ``resolver.api.find.find``."""
        return find(self.settings, specs, machine, choices or Choices())

    def resolve(self, request: ResolveRequest) -> Resolution:
        """A hash for every root of a stack; see ``resolver.api.resolve.resolve``."""
        return resolve(self.settings, request)

    def selection_graph(self, resolution: Resolution) -> nx.DiGraph:
        """A resolution as a graph: stack, groups, roots, the hashes that serve them, and all below those."""
        from resolver.catalog.graph import selection_graph
        from resolver.catalog.pool import CatalogPool

        chosen = {
            group.name: [(str(answer.root), answer.chosen.spec.hash if answer.chosen else None) for answer in group.roots]
            for group in resolution.groups
        }
        return selection_graph(CatalogPool(Store(self.settings.catalog)), resolution.stack.name, chosen)

    def graph(self, hashes: Iterable[str]) -> nx.DiGraph:
        """The whole DAG below these hashes, edges with deptypes and virtuals, records joined to their sources."""
        from resolver.catalog.graph import closure_graph
        from resolver.catalog.pool import CatalogPool

        return closure_graph(CatalogPool(Store(self.settings.catalog)), hashes)
