"""``spack.lock``: roots and nodes, nodes as their source states them, so that their hashes can be recomputed.

Nodes of one format are written verbatim in the lowest lockfile version that holds it. Mixed formats are brought to format 5 as Spack
does when it reads old ones (``spec.py:SpecfileReaderBase``), under their old hashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from resolver.emit.environment import Artifact, Environment
from resolver.errors import NotSatisfiedError
from resolver.formats.lockfile import LockRoot, write_lockfile
from resolver.spec.node import decode_node

LOCK_OF_FORMAT = {3: 4, 4: 5, 5: 6, 6: 8}
UPGRADED = 5


def emit_spack_lock(environment: Environment) -> Artifact:
    """The lockfile of the environment. Raises ``NotSatisfiedError`` when the dependencies of a root are not known."""
    if environment.incomplete:
        names = ", ".join(environment.incomplete[:5])
        msg = f"a spack.lock cannot be written, since no source states the dependencies of {names}"
        why = "package pages name hashes only, and Spack needs every node of the graph"
        raise NotSatisfiedError(msg, why=why, hint="sync the index of the build cache that has them, or emit spack.yaml alone")
    version, nodes = uniform(environment.nodes)
    roots = [LockRoot(hash=root.spec.hash, spec=root.pin) for root in environment.pins]
    return Artifact("spack.lock", write_lockfile(version, roots, nodes))


def uniform(nodes: Mapping[str, bytes]) -> tuple[int, dict[str, bytes]]:
    """Nodes that one lockfile can hold, and its version."""
    shapes = {key: node_format(raw) for key, raw in nodes.items()}
    formats = {shape for shape in shapes.values() if shape}
    newest = max(formats, default=UPGRADED)
    if len(formats) <= 1 and newest in LOCK_OF_FORMAT:
        return LOCK_OF_FORMAT[newest], dict(nodes)
    converted = {key: raw if shapes[key] >= UPGRADED else upgraded(raw) for key, raw in nodes.items()}
    return LOCK_OF_FORMAT[max(newest, UPGRADED)], converted


def node_format(raw: bytes) -> int:
    """The format a node is written in, told by its keys; 0 when it fits any."""
    wire = decode_node(raw)
    if wire.provided_virtuals:
        return 6
    if wire.annotations is not None:
        return 5
    edges = wire.dependencies
    if isinstance(edges, dict):
        return 1
    if any(edge.parameters for edge in edges):
        return 4
    if any(edge.hash for edge in edges):
        return 3
    if edges:
        return 2
    return 4 if wire.compiler else 0


def upgraded(raw: bytes) -> bytes:
    """A node of an older format as format 5: the compiler becomes an annotation, deptypes and virtuals edge parameters."""
    wire = decode_node(raw)
    node: dict[str, Any] = msgspec.json.decode(raw)
    if "name" not in node:
        node = {"name": wire.name, **node[wire.name]}
    found = {key: value for key, value in node.items() if key not in ("compiler", "dependencies", "hash", "full_hash", "build_hash")}
    if edges := _edges(node.get("dependencies")):
        found["dependencies"] = edges
    annotations: dict[str, Any] = {"original_specfile_version": min(wire.original_format, 4)}
    if wire.compiler_text:
        annotations["compiler"] = wire.compiler_text
    found["annotations"] = annotations
    found["hash"] = wire.hash
    return msgspec.json.encode(found)


def _edges(value: object) -> list[dict[str, Any]]:
    items = value.items() if isinstance(value, dict) else [(e["name"], e) for e in value or ()]  # type: ignore[attr-defined]
    return [_edge(name, edge) for name, edge in items]


def _edge(name: str, edge: Mapping[str, Any]) -> dict[str, Any]:
    parameters = edge.get("parameters") or {}
    deptypes = parameters.get("deptypes", edge.get("type", []))
    key = edge.get("hash") or edge.get("full_hash") or edge.get("build_hash")
    return {"name": name, "hash": key, "parameters": {"deptypes": deptypes, "virtuals": parameters.get("virtuals", []), "direct": True}}
