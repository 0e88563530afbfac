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
ANY_FORMAT = 0
OLD_LEAF = -1
"""A node without dependencies but with a compiler: it looks the same in formats 2 to 4."""


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
    formats = {shape for shape in shapes.values() if shape > 0}
    oldest_fits = 4 if OLD_LEAF in shapes.values() else UPGRADED
    newest = max(formats, default=oldest_fits)
    if len(formats) <= 1 and newest in LOCK_OF_FORMAT and (newest <= oldest_fits or OLD_LEAF not in shapes.values()):
        return LOCK_OF_FORMAT[newest], dict(nodes)
    keys = _keys(nodes)
    old = {key for key, shape in shapes.items() if shape < UPGRADED and shape != ANY_FORMAT}
    converted = {key: upgraded(raw, key, keys) if key in old else raw for key, raw in nodes.items()}
    return LOCK_OF_FORMAT[max(newest, UPGRADED)], converted


def _keys(nodes: Mapping[str, bytes]) -> dict[str, str]:
    """The key of each node by every hash that others may refer to it by."""
    found: dict[str, str] = {}
    for key, raw in nodes.items():
        wire = decode_node(raw)
        for other in (wire.build_hash, wire.full_hash):
            found.setdefault(other, key)
    return {**found, **{key: key for key in nodes}}


def node_format(raw: bytes) -> int:
    """The format a node is written in, told by its keys; ``OLD_LEAF`` or ``ANY_FORMAT`` where they do not tell."""
    wire = decode_node(raw)
    if wire.provided_virtuals:
        return 6
    if wire.annotations is not None:
        return 5
    edges = wire.dependencies
    if isinstance(edges, dict) or "name" not in msgspec.json.decode(raw):
        return 1
    if any(edge.parameters for edge in edges):
        return 4
    if any(edge.hash for edge in edges):
        return 3
    if edges:
        return 2
    return OLD_LEAF if wire.compiler else ANY_FORMAT


def upgraded(raw: bytes, key: str, keys: Mapping[str, str]) -> bytes:
    """A node of an older format as format 5: the compiler becomes an annotation, deptypes and virtuals edge parameters.

    ``key`` is the hash it goes by, ``keys`` the hash that each reference stands for.
    """
    wire = decode_node(raw)
    node: dict[str, Any] = msgspec.json.decode(raw)
    if "name" not in node:
        node = {"name": wire.name, **node[wire.name]}
    found = {name: value for name, value in node.items() if name not in ("compiler", "dependencies", "hash", "full_hash", "build_hash")}
    if edges := _edges(node.get("dependencies"), keys):
        found["dependencies"] = edges
    annotations: dict[str, Any] = {"original_specfile_version": min(wire.original_format, 4)}
    if wire.compiler_text:
        annotations["compiler"] = wire.compiler_text
    found["annotations"] = annotations
    if wire.build_spec and wire.build_spec.key:
        found["build_spec"] = {"name": wire.build_spec.name, "hash": keys.get(wire.build_spec.key, wire.build_spec.key)}
    found["hash"] = key
    return msgspec.json.encode(found)


def _edges(value: object, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    items = value.items() if isinstance(value, dict) else [(e["name"], e) for e in value or ()]  # type: ignore[attr-defined]
    return [_edge(name, edge, keys) for name, edge in items]


def _edge(name: str, edge: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    parameters = edge.get("parameters") or {}
    deptypes = parameters.get("deptypes", edge.get("type", []))
    reference = str(edge.get("hash") or edge.get("full_hash") or edge.get("build_hash"))
    attributes = {"deptypes": deptypes, "virtuals": parameters.get("virtuals", []), "direct": True}
    return {"name": name, "hash": keys.get(reference, reference), "parameters": attributes}
