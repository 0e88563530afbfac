"""The lockfile of an environment (``spack.lock``), read in versions 1 to 8 and written in the lowest that fits.

Sources: Spack ``environment/environment.py`` (``_to_lockfile_dict``, ``_read_lockfile_dict``), ``docs/file_formats/lockfile.rst``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from resolver.errors import FormatError, UnsupportedError
from resolver.formats.record import Record, read_record
from resolver.spec.node import decode_node

VERSIONS = {
    1: "Spack 0.12: nodes wrapped by name, keyed by the old DAG hash",
    2: "Spack 0.13 to 0.16: keyed by build hash",
    3: "Spack 0.17: dependencies in a list, by build hash",
    4: "Spack 0.18 to 0.20: keyed by the DAG hash",
    5: "Spack 0.21 to 0.23: deptypes and virtuals on edges; included environments",
    6: "Spack 1.0 and 1.1: compilers are dependencies",
    7: "Spack 1.2: roots may belong to groups",
    8: "Spack 1.3: nodes state the virtuals they provide",
}
"""Lockfile versions that are read, and what each changed."""

DEEPEST_INCLUDE = 16
T = TypeVar("T")


class LockRoot(msgspec.Struct, frozen=True):
    """A root: the abstract spec as text and the hash that serves it."""

    hash: str
    spec: str
    group: str = "default"


class _Meta(msgspec.Struct):
    version: int = msgspec.field(name="lockfile-version")


class _Part(msgspec.Struct):
    roots: list[LockRoot] = []
    concrete_specs: dict[str, msgspec.Raw] = {}
    include_concrete: dict[str, msgspec.Raw] = {}


class _Lock(_Part):
    meta: _Meta = msgspec.field(name="_meta", default_factory=lambda: _missing_meta())  # noqa: PLW0108 - defined below


def _missing_meta() -> _Meta:
    msg = "lockfile without `_meta`"
    raise FormatError(msg, why="it does not say which version it is", hint="let Spack write it again")


class Lockfile(msgspec.Struct, frozen=True):
    """An opened lockfile; ``nodes`` are bytes by key, those of included environments too. ``starts`` are the keys of all their roots."""

    version: int
    roots: tuple[LockRoot, ...]
    nodes: dict[str, msgspec.Raw]
    starts: tuple[str, ...] = ()

    def loaded(self) -> dict[str, msgspec.Raw]:
        """The nodes that Spack takes of it (``environment/environment.py:Environment._read_lockfile_dict``): what its roots lead to.

        Of several nodes with one DAG hash, as versions 2 and 3 have them, it is the first that is reached. A lockfile without roots is
        taken whole. Raises ``FormatError`` naming a node that cannot be read.
        """
        graph = {key: _outline(key, raw) for key, raw in self.nodes.items()}
        keys = {**{node.hash: key for key, node in graph.items()}, **{key: key for key in graph}}
        starts = [keys[start] for start in self.starts if start in keys]
        first = _first_reached(starts, graph)
        kept = set(_first_reached([first[graph[key].hash] for key in starts], graph).values())
        return {key: raw for key, raw in self.nodes.items() if key in kept or not starts}

    def records(self) -> Iterator[Record]:
        """The nodes that Spack takes, as records. A lockfile does not say that a binary exists, so none is in a build cache by it."""
        for key, raw in self.loaded().items():
            yield read_record(key, raw, in_buildcache=False)


class _Outline(msgspec.Struct, frozen=True):
    """The DAG hash of a node, and all hashes that its edges name: which of them are keys depends on the version.

    The spec that a spliced one was built as counts too.
    """

    hash: str
    children: tuple[str, ...]


def _outline(key: str, raw: msgspec.Raw) -> _Outline:
    try:
        node = decode_node(raw)
    except FormatError as error:
        raise error.at(f"record {key[:64]}") from None
    edges = node.dependencies.values() if isinstance(node.dependencies, dict) else node.dependencies
    children = [found for edge in edges for found in (edge.hash, edge.build_hash, edge.full_hash)]
    children += [node.build_spec.key] if node.build_spec else []
    return _Outline(node.hash or key, tuple(filter(None, children)))


def _first_reached(starts: Sequence[str], graph: Mapping[str, _Outline]) -> dict[str, str]:
    """Of each DAG hash that is reached the first key, parents before their dependencies."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    stack = list(reversed(starts))
    while stack:
        key = stack.pop()
        if key in graph and key not in seen:
            seen.add(key)
            found.setdefault(graph[key].hash, key)
            stack.extend(reversed(graph[key].children))
    return found


_decoder = msgspec.json.Decoder(_Lock)
_part_decoder = msgspec.json.Decoder(_Part)


def read_lockfile(data: bytes) -> Lockfile:
    """Open a lockfile. Raises ``FormatError`` when it is none, is cut short, or is of an unknown version."""
    lock = _decode(_decoder, data)
    version = lock.meta.version
    if version not in VERSIONS:
        msg = f"lockfile of version {version}, known are {min(VERSIONS)} to {max(VERSIONS)}"
        raise UnsupportedError(msg, hint="use a newer spack-resolver, or write the lockfile with an older Spack")
    nodes: dict[str, msgspec.Raw] = {}
    starts: dict[str, None] = {}
    _gather(lock, nodes, starts, 0)
    return Lockfile(version, tuple(lock.roots), nodes, tuple(starts))


def _decode(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = "not a lockfile that can be read"
        raise FormatError(msg, why=str(error), hint="it may have been cut short; let Spack write it again") from None


def _gather(part: _Part, nodes: dict[str, msgspec.Raw], starts: dict[str, None], depth: int) -> None:
    if depth > DEEPEST_INCLUDE:
        msg = f"environments included more than {DEEPEST_INCLUDE} deep"
        raise FormatError(msg)
    for key, raw in part.concrete_specs.items():
        nodes.setdefault(key, raw)
    starts.update(dict.fromkeys(root.hash for root in part.roots))
    for included in part.include_concrete.values():
        _gather(_decode(_part_decoder, included), nodes, starts, depth + 1)


def write_lockfile(version: int, roots: Sequence[LockRoot], nodes: Mapping[str, bytes]) -> bytes:
    """A lockfile with these roots and nodes, nodes verbatim and sorted by hash, one a line.

    Groups are written from version 7 on, as Spack does.
    """
    specfile = {6: 5, 7: 5, 8: 6}.get(version, version - 1)
    meta = {"file-type": "spack-lockfile", "lockfile-version": version, "specfile-version": specfile}
    rows = [_root(root, version) for root in roots]
    body = ",\n".join(f'"{key}":{nodes[key].decode()}' for key in sorted(nodes))
    head = msgspec.json.encode(meta).decode()
    listed = ",\n".join(msgspec.json.encode(row).decode() for row in rows)
    return f'{{"_meta":{head},\n"roots":[\n{listed}\n],\n"concrete_specs":{{\n{body}\n}}}}\n'.encode()


def _root(root: LockRoot, version: int) -> dict[str, str]:
    row = {"hash": root.hash, "spec": root.spec}
    return {**row, "group": root.group} if version >= 7 else row
