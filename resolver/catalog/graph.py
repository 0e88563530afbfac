"""The catalog as a graph for networkx. Imported only where a graph is asked for: networkx takes long to load."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import networkx as nx

from resolver.catalog.pool import CatalogPool
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import ALL_TYPES, DEPTYPE_BITS


def closure_graph(pool: CatalogPool, hashes: Iterable[str], deptypes: int = ALL_TYPES) -> nx.DiGraph:
    """The records below some hashes, by hash, and the sources that state them.

    Records have ``kind`` record, ``name``, ``version`` and ``in_buildcache``; edges among them ``deptypes`` and ``virtuals``. Sources
    have ``kind`` source, and an edge from each record that they state. Nodes and edges are added in sorted order.
    """
    graph = nx.DiGraph()
    specs = {key: spec for start in hashes if (root := pool.get(start)) for key, spec in root.closure(deptypes).items()}
    for key in sorted(specs):
        _add_record(graph, pool, specs[key])
    for key in sorted(specs):
        for edge in sorted(specs[key].dependencies):
            child = pool.get(edge.hash) if edge.deptypes & deptypes else None
            if child:
                types = tuple(name for name, bit in DEPTYPE_BITS.items() if edge.deptypes & bit)
                graph.add_edge(key, child.hash, deptypes=types, virtuals=edge.virtuals)
    return graph


def _add_record(graph: nx.DiGraph, pool: CatalogPool, spec: ConcreteSpec) -> None:
    statement = pool.statement(spec)
    graph.add_node(spec.hash, kind="record", name=spec.name, version=spec.wire.version, in_buildcache=statement.in_buildcache)
    for source in statement.sources:
        graph.add_node(f"source:{source}", kind="source", name=source)
        graph.add_edge(spec.hash, f"source:{source}")


def selection_graph(
    pool: CatalogPool,
    stack: str,
    chosen: Mapping[str, Sequence[tuple[str, str | None]]],
    deptypes: int = ALL_TYPES,
) -> nx.DiGraph:
    """Stack → group → root → hash → hash: a selection over its closure.

    ``chosen`` has for each group its roots, each with the hash that serves it or None. Stack, groups and roots have ``kind`` stack, group
    and root, and a ``name``.
    """
    graph = closure_graph(pool, [key for roots in chosen.values() for _, key in roots if key], deptypes)
    top = f"stack:{stack}"
    graph.add_node(top, kind="stack", name=stack)
    for group, roots in chosen.items():
        middle = f"group:{stack}:{group}"
        graph.add_node(middle, kind="group", name=group)
        graph.add_edge(top, middle)
        for text, key in roots:
            root = f"root:{stack}:{group}:{text}"
            graph.add_node(root, kind="root", name=text)
            graph.add_edge(middle, root)
            if key:
                graph.add_edge(root, key)
    return graph
