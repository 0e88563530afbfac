"""The spec node as Spack writes it, formats 1 to 6, decoded into one shape.

A node is the shared atom of indexes, lockfiles and spec files. Its format is told by its shape, since inside an index or a
lockfile it carries no number. Sources: Spack ``spec.py`` (``Spec.to_node_dict``, ``SpecfileReaderBase``), ``hash_types.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec

from resolver.errors import FormatError

BUILD, LINK, RUN, TEST = 1, 2, 4, 8
LINK_RUN = LINK | RUN
ALL_TYPES = BUILD | LINK | RUN | TEST
DEPTYPE_BITS = {"build": BUILD, "link": LINK, "run": RUN, "test": TEST}
CURRENT_FORMAT = 5
Deptype = Literal["build", "link", "run", "test"]


class WireTarget(msgspec.Struct, frozen=True):
    """A vendor's target: an object of which readers use the name."""

    name: str


class WireArch(msgspec.Struct, frozen=True):
    """Platform, OS label and target of a node."""

    platform: str | None = None
    platform_os: str | None = None
    target: str | WireTarget | None = None


class WireCompiler(msgspec.Struct, frozen=True):
    """The compiler of a node of format 4 or older."""

    name: str
    version: str = ""


class WireExternal(msgspec.Struct, frozen=True):
    """Where an external package lies."""

    path: str | None = None
    module: list[str] | str | None = None


class WireEdgeParameters(msgspec.Struct, frozen=True):
    """Edge attributes since format 4."""

    deptypes: tuple[Deptype, ...] = ()
    virtuals: tuple[str, ...] = ()


class WireEdge(msgspec.Struct, frozen=True):
    """One dependency; which of the hashes is there depends on the format."""

    name: str = ""
    hash: str = ""
    full_hash: str = ""
    build_hash: str = ""
    type: tuple[Deptype, ...] = ()
    parameters: WireEdgeParameters | None = None


class WireAnnotations(msgspec.Struct, frozen=True):
    """What a node of format 5 remembers of its past."""

    original_specfile_version: int = CURRENT_FORMAT
    compiler: str | None = None


class WireBuildSpec(msgspec.Struct, frozen=True):
    """What was really built, for a spliced node."""

    name: str = ""
    hash: str = ""
    build_hash: str = ""

    @property
    def key(self) -> str:
        """The hash that refers to it, whichever the format has."""
        return self.hash or self.build_hash


class WireNode(msgspec.Struct):
    """A node as it stands in a document; unknown keys are ignored, as Spack does."""

    name: str = ""
    version: str = ""
    arch: WireArch = WireArch()
    compiler: WireCompiler | None = None
    namespace: str | None = None
    parameters: dict[str, bool | str | tuple[str, ...] | int | float | None] = {}
    external: WireExternal | bool | None = None
    provided_virtuals: list[str] = []
    dependencies: list[WireEdge] | dict[str, WireEdge] = []
    build_spec: WireBuildSpec | None = None
    annotations: WireAnnotations | None = None
    hash: str = ""
    full_hash: str = ""
    build_hash: str = ""

    @property
    def target(self) -> str:
        """The target's name; empty when the node has none."""
        target = self.arch.target
        return target.name if isinstance(target, WireTarget) else target or ""

    @property
    def original_format(self) -> int:
        """The specfile format in which the node was first written, as far as its shape tells."""
        if self.annotations is not None:
            return self.annotations.original_specfile_version
        if isinstance(self.dependencies, dict):
            return 1
        if self.compiler is None:
            return 6 if self.provided_virtuals else CURRENT_FORMAT
        return min((_edge_format(edge) for edge in self.dependencies), default=4)

    @property
    def compiler_text(self) -> str:
        """``name@=version`` of the annotated compiler of old nodes; empty for others."""
        if self.compiler is not None:
            return f"{self.compiler.name}@={self.compiler.version}"
        return (self.annotations.compiler or "") if self.annotations else ""


def _edge_format(edge: WireEdge) -> int:
    if edge.parameters is not None:
        return 4
    return 3 if edge.hash else 2


NOTHING = msgspec.Raw(b"")


class WireFacts(msgspec.Struct, gc=False):
    """The part of a node that a catalog is ordered by. Reading it takes a third of the time of reading the whole."""

    name: str = ""
    version: str = ""
    arch: WireArch = WireArch()
    parameters: msgspec.Raw = msgspec.Raw(b"{}")
    external: WireExternal | bool | None = None
    provided_virtuals: list[str] = []
    dependencies: msgspec.Raw = msgspec.Raw(b"[]")
    compiler: msgspec.Raw = NOTHING
    build_spec: msgspec.Raw = NOTHING
    annotations: msgspec.Raw = NOTHING
    hash: str = ""

    @property
    def target(self) -> str:
        """The target's name; empty when the node has none."""
        target = self.arch.target
        return target.name if isinstance(target, WireTarget) else target or ""


_decoder = msgspec.json.Decoder(WireNode)
_wrapped = msgspec.json.Decoder(dict[str, WireNode])
_edges = msgspec.json.Decoder(list[WireEdge] | dict[str, WireEdge])
_facts = msgspec.json.Decoder(WireFacts)
_wrapped_facts = msgspec.json.Decoder(dict[str, WireFacts])
T = TypeVar("T", WireNode, WireFacts)


def decode_node(raw: bytes | memoryview | msgspec.Raw) -> WireNode:
    """Read one node from JSON bytes. Raises ``FormatError`` when it is no spec node."""
    return _decode(raw, _decoder, _wrapped)


def decode_facts(raw: bytes | memoryview | msgspec.Raw) -> WireFacts:
    """Read the part of a node that a catalog is ordered by. Raises ``FormatError`` when it is no spec node."""
    return _decode(raw, _facts, _wrapped_facts)


def _decode(raw: bytes | memoryview | msgspec.Raw, decoder: msgspec.json.Decoder[T], wrapped: msgspec.json.Decoder[dict[str, T]]) -> T:
    try:
        node = decoder.decode(raw)
        return node if node.name else _unwrap(wrapped.decode(raw))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = "a spec node that cannot be read"
        raise FormatError(msg, why=str(error)) from None


def decode_edges(raw: bytes | memoryview | msgspec.Raw) -> list[tuple[str, WireEdge]]:
    """The dependencies of a node, each with its package's name. Raises ``FormatError`` when they are none."""
    try:
        edges = _edges.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = "a spec node whose dependencies cannot be read"
        raise FormatError(msg, why=str(error)) from None
    return list(edges.items()) if isinstance(edges, dict) else [(edge.name, edge) for edge in edges]


def convert_node(node: Mapping[str, Any]) -> WireNode:
    """Read one node from decoded JSON. Raises ``FormatError`` when it is no spec node."""
    try:
        wire = msgspec.convert(node, WireNode)
        return wire if wire.name else _unwrap(msgspec.convert(node, dict[str, WireNode]))
    except (msgspec.MsgspecError, RecursionError) as error:
        msg = "a spec node that cannot be read"
        raise FormatError(msg, why=str(error)) from None


def _unwrap(wrapped: dict[str, T]) -> T:
    """Format 1 wraps a node as ``{name: {...}}``."""
    if len(wrapped) != 1:
        msg = "a spec node without a name"
        raise FormatError(msg, why=f"keys: {', '.join(sorted(wrapped)[:5])}")
    ((name, node),) = wrapped.items()
    return msgspec.structs.replace(node, name=name)
