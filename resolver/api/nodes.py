"""The node JSON that a lockfile needs, of all that a closure refers to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec

from resolver.selection.pool import Statement
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import LINK_RUN


class NodePool(Protocol):
    """Where nodes are looked up, with their JSON."""

    def get(self, key: str) -> ConcreteSpec | None:
        """The spec with this hash."""

    def prefetch(self, keys: Iterable[str]) -> None:
        """Make ready what ``get`` will be asked for."""

    def statement(self, spec: ConcreteSpec) -> Statement:
        """What is stated of a spec that came from this pool."""

    def node(self, spec: ConcreteSpec) -> bytes:
        """Its JSON, as its source states it."""


def node_json(pool: NodePool, closure: Mapping[str, ConcreteSpec], *, runtime_only: bool) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Node JSON of all that is referenced, and the build-only nodes that were cut because no source has them.

    An edge to a node that is left out is taken out of the node that has it, since Spack refuses a lockfile with a dangling one.
    """
    found: dict[str, bytes] = {}
    cut: set[str] = set()
    level = list(closure.values())
    while level:
        references = {spec.hash: _references(spec, runtime_only=runtime_only) for spec in level}
        pool.prefetch(r.hash for row in references.values() for r in row if r.wanted)
        below: dict[str, ConcreteSpec] = {}
        for spec in level:
            children = [(r, _known(pool, r.hash) if r.wanted else None) for r in references[spec.hash]]
            dropped = {r.hash for r, child in children if child is None}
            cut.update(f"{r.name}/{r.hash[:7]}" for r, child in children if child is None and r.wanted)
            raw = pool.node(spec)
            found[spec.hash] = _without_edges(raw, dropped) if dropped else raw
            below.update((child.hash, child) for _, child in children if child)
        level = [spec for key, spec in below.items() if key not in found]
    return found, tuple(sorted(cut))


def _known(pool: NodePool, key: str) -> ConcreteSpec | None:
    """The spec, if a source states its dependencies; what a page says of it is no node for a lockfile."""
    spec = pool.get(key)
    return spec if spec and pool.statement(spec).complete else None


class _Reference(msgspec.Struct, frozen=True):
    """What a node refers to, and whether it is wanted in the lockfile."""

    hash: str
    name: str
    wanted: bool


def _references(spec: ConcreteSpec, *, runtime_only: bool) -> list[_Reference]:
    """The dependencies of a node, and for a spliced one the spec that was built, whose DAG is needed to rewire it."""
    found = [_Reference(e.hash, e.name, not runtime_only or bool(e.deptypes & LINK_RUN)) for e in spec.dependencies]
    built = spec.wire.build_spec
    return [*found, _Reference(built.key, built.name, wanted=True)] if built and built.key else found


def _without_edges(raw: bytes, dropped: set[str]) -> bytes:
    """A node without some of its edges, whatever its format; without any left it has no dependencies at all."""
    node = msgspec.json.decode(raw)
    body = node if "name" in node else next(iter(node.values()))
    edges = body.get("dependencies", [])
    if isinstance(edges, dict):
        kept: Any = {name: edge for name, edge in edges.items() if _target(edge) not in dropped}
    else:
        kept = [edge for edge in edges if _target(edge) not in dropped]
    if kept:
        body["dependencies"] = kept
    else:
        body.pop("dependencies", None)
    return msgspec.json.encode(node)


def _target(edge: dict[str, Any]) -> str:
    return str(edge.get("hash") or edge.get("full_hash") or edge.get("build_hash"))
