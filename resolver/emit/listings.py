"""Smaller artifacts: the mirror list, the download list, a picture of the graph."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from resolver.emit.environment import Artifact, Environment
from resolver.emit.spack_yaml import header, mirrors_yaml
from resolver.spec.node import LINK_RUN


class Download(msgspec.Struct, frozen=True):
    """One file to download: what it is, of which hash, and its size in bytes and sha256 when they are known."""

    kind: str
    hash: str
    url: str
    size: int | None = None
    sha256: str | None = None


def emit_mirrors(environment: Environment) -> Artifact:
    """A ``mirrors.yaml`` with the mirrors that serve the closure."""
    return Artifact("mirrors.yaml", header(environment.command, environment.mirrors) + mirrors_yaml(environment.mirrors))


def emit_urls(downloads: list[Download]) -> Artifact:
    """One line a file, columns parted by tabs: kind, hash, size, sha256, url; ``-`` for what is not known."""
    rows = (f"{d.kind}\t{d.hash}\t{d.size if d.size is not None else '-'}\t{d.sha256 or '-'}\t{d.url}\n" for d in downloads)
    return Artifact("urls.tsv", "".join(rows).encode())


def emit_dot(environment: Environment) -> Artifact:
    """The link/run closure as a Graphviz graph, roots filled."""
    return Artifact("graph.dot", "".join(_dot(environment)).encode())


def _dot(environment: Environment) -> Iterator[str]:
    roots = {root.spec.hash for root in environment.roots}
    yield "digraph selection {\n  rankdir=LR;\n  node [shape=box];\n"
    for key, spec in environment.closure.items():
        style = ", style=filled" if key in roots else ""
        yield f"  {_quoted(key)} [label={_quoted(f'{spec.name}@{spec.wire.version}/{key[:7]}')}{style}];\n"
    for key, spec in environment.closure.items():
        for edge in sorted(spec.dependencies):
            if edge.deptypes & LINK_RUN and edge.hash in environment.closure:
                yield f"  {_quoted(key)} -> {_quoted(edge.hash)};\n"
    yield "}\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
