"""The nodes and sources of a lock: all that its hashes refer to, as the sources state it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from resolver.api.locks.places import Folder
from resolver.api.locks.pool import LockPool
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import SourceRow
from resolver.formats.resolver_lock import Lock, LockNode, LockSelection, LockSource
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import decode_edges, decode_facts


def gather(pool: CatalogPool, specs: Iterable[ConcreteSpec]) -> dict[str, LockNode]:
    """These specs and all that they refer to, as far as a source states it, what they were built with included.

    Nodes are verbatim, but for old ones that refer to others by something else than their hash.
    """
    found: dict[str, LockNode] = {}
    level = {spec.hash: spec for spec in specs}
    while level:
        references = {key: _references(spec) for key, spec in level.items() if pool.statement(spec).complete}
        pool.prefetch(reference for row in references.values() for reference in row)
        below = {reference: spec for row in references.values() for reference in row if (spec := pool.get(reference))}
        hashes = {reference: spec.hash for reference, spec in below.items()}
        for key, spec in level.items():
            statement = pool.statement(spec)
            found[key] = LockNode(statement.served_by, by_hash(pool.node(spec), key, hashes), statement.complete)
        level = {spec.hash: spec for spec in below.values() if spec.hash not in found and pool.statement(spec).complete}
    return found


def _references(spec: ConcreteSpec) -> list[str]:
    built = spec.wire.build_spec
    return [edge.hash for edge in spec.dependencies] + ([built.key] if built and built.key else [])


def by_hash(node: bytes, key: str, hashes: Mapping[str, str]) -> bytes:
    """A node on one line, whose edges name the hashes of others; ``hashes`` are those that its references stand for.

    Until format 3 they name build hashes or the like. Such a node is brought to format 5, as Spack does when it reads it.
    """
    line = msgspec.json.format(node, indent=-1) if b"\n" in node or b"\r" in node else node
    edges = [edge for _, edge in decode_edges(decode_facts(line).dependencies)]
    if all(edge.hash and hashes.get(edge.hash, edge.hash) == edge.hash for edge in edges):
        return line
    from resolver.emit.spack_lock import upgraded  # old nodes are few

    return upgraded(line, key, hashes)


def sources_of(rows: Mapping[str, SourceRow], nodes: Mapping[str, LockNode], folder: Folder) -> dict[str, LockSource]:
    """The sources that serve any of the nodes."""
    names = {name for node in nodes.values() for name in node.sources} & rows.keys()
    return {name: _source(rows[name], folder) for name in sorted(names)}


def _source(row: SourceRow, folder: Folder) -> LockSource:
    url = folder.url(row.url) if row.url else ""
    return LockSource(url, row.layout, row.view, row.signed, tuple(row.keys), row.release, row.stack, row.digest)


def reached(lock: Lock, selections: Iterable[LockSelection]) -> dict[str, LockNode]:
    """The nodes of a lock that selections refer to."""
    pool = LockPool(lock, Folder(Path()))
    level = {choice.hash for selection in selections for root in selection.roots for choice in root.choices if choice.hash}
    found: dict[str, LockNode] = {}
    while level:
        found |= {key: lock.nodes[key] for key in level}
        below = (pool.get(reference) for key in level if (spec := pool.get(key)) for reference in _references(spec))
        level = {spec.hash for spec in below if spec} - found.keys()
    return found
