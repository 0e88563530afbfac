"""What a ``spack.lock`` wants, with the ``spack.yaml`` beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resolver.api.settings import read_text
from resolver.api.wanted.mirrors import environment_mirrors
from resolver.api.wanted.model import MANIFEST, Wanted, closure_of, missing_in, node_of
from resolver.errors import InputError
from resolver.formats.lockfile import read_lockfile
from resolver.formats.record import read_record
from resolver.spec.concrete import ConcreteSpec, NodeGraph


def of_environment(data: bytes, file: Path) -> Wanted:
    """What an environment wants. Raises ``FormatError`` when its lockfile is damaged, ``InputError`` when its manifest cannot be used."""
    lock = read_lockfile(data)
    nodes = {key: read_record(key, raw, in_buildcache=False).node for key, raw in lock.loaded().items()}
    graph = NodeGraph({key: node_of(node) for key, node in nodes.items()})
    starts = [_start(graph, key) for key in lock.starts]
    found = {spec.hash: nodes[key] for key in nodes if (spec := graph.get(key))}
    folder = file.absolute().parent
    manifest = _manifest(folder)
    return Wanted(
        closure := closure_of(starts),
        found,
        tuple((root.spec, _start(graph, root.hash).hash) for root in lock.roots),
        tuple(environment_mirrors(folder, manifest)),
        tuple(missing_in(closure.values())),
        str(file),
        data,
        manifest,
    )


def _start(graph: NodeGraph, key: str) -> ConcreteSpec:
    found = graph.get(key)
    if found is None:
        raise InputError(f"a root is /{key[:32]}, and no node has this hash", hint="let Spack write the lockfile again")
    return found


def _manifest(folder: Path) -> Mapping[str, Any] | None:
    path = folder / MANIFEST
    if not path.is_file():
        return None
    from resolver.formats.yaml_tree import load_yaml  # few commands read YAML

    document = load_yaml(read_text(path), str(path))
    body = document.get("spack", document.get("spack:")) if isinstance(document, Mapping) else None
    if not isinstance(body, Mapping):
        raise InputError(f"{path} is no environment", why="it has no section spack", hint="let it be written anew")
    return body
