"""A concrete spec: one fully configured package in the graph of its dependencies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from sys import intern
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from resolver.errors import FormatError
from resolver.spec.node import (
    BUILD,
    DEPTYPE_BITS,
    LINK_RUN,
    TEST,
    WireEdge,
    WireExternal,
    WireNode,
    convert_node,
)
from resolver.spec.parts import FLAG_NAMES
from resolver.spec.render import quoted
from resolver.spec.satisfies import match
from resolver.versions import Version, parse_version

if TYPE_CHECKING:
    from resolver.spec.abstract import AbstractSpec

Value = bool | str | tuple[str, ...]
BITS: dict[tuple[str, ...], int] = {}
"""Deptypes as bits, as far as they were met."""
NO_FLAGS: dict[str, tuple[str, ...]] = dict.fromkeys(FLAG_NAMES, ())


class Dependency(msgspec.Struct, frozen=True, order=True, gc=False):
    """An edge to a dependency: its hash and name, deptypes as bits, and the virtuals it provides to this node."""

    hash: str
    name: str
    deptypes: int
    virtuals: tuple[str, ...]


class Graph(Protocol):
    """Where the nodes of a graph are looked up by hash."""

    def get(self, key: str) -> ConcreteSpec | None:
        """The spec with this hash, or None when no source has it."""


class ConcreteSpec:
    """One node with its dependencies, which are looked up in ``graph`` when they are asked for. Missing facts are empty texts.

    ``format`` is the specfile format in which the node was first written. The node's wire form is taken over: its edges and parameters
    are moved out of it, so that each node is held once.
    """

    __slots__ = (
        "_flags",
        "_matchable",
        "_variants",
        "dependencies",
        "format",
        "graph",
        "hash",
        "name",
        "namespace",
        "os",
        "platform",
        "target",
        "wire",
    )

    def __init__(self, wire: WireNode, key: str, graph: Graph) -> None:
        self.wire = wire
        self.graph = graph
        self.hash = intern(wire.hash or key)
        self.name = intern(wire.name)
        self.namespace = wire.namespace
        self.platform = wire.arch.platform or ""
        self.os = wire.arch.platform_os or ""
        self.target = wire.target
        self.format = wire.original_format
        self.dependencies = _dependencies(wire)
        wire.dependencies = []
        self._variants: dict[str, Value] | None = None
        self._flags = NO_FLAGS
        self._matchable: list[tuple[Dependency, ConcreteSpec]] | None = None

    @staticmethod
    def from_nodes(nodes: Mapping[str, Mapping[str, Any]], hash: str) -> ConcreteSpec:  # noqa: A002 - Spack's own word
        """The spec with this hash out of ``{hash: node}``, as in a lockfile's ``concrete_specs`` or an index.

        The format of the nodes is told by their shape. Raises ``FormatError`` when the hash is not there or a node cannot
        be read.
        """
        found = NodeGraph(nodes).get(hash)
        if found is None:
            msg = f"hash {hash} is not among the {len(nodes)} nodes"
            raise FormatError(msg)
        return found

    def __repr__(self) -> str:
        """Name, version and short hash."""
        return f"<{self.name}@{self.wire.version}/{self.hash[:7]}>"

    @property
    def version(self) -> Version:
        """Its version."""
        return parse_version(self.wire.version)

    @property
    def variants(self) -> dict[str, Value]:
        """Variants by name: boolean, single value, or values (Spack ``variant.py:VariantValue.from_node_dict``)."""
        return self._read()

    @property
    def flags(self) -> dict[str, tuple[str, ...]]:
        """Compiler flags by kind."""
        self._read()
        return self._flags

    def _read(self) -> dict[str, Value]:
        """Move flags and variants out of the node's parameters. Of many nodes nobody asks for them."""
        if self._variants is None:
            parameters, self.wire.parameters = self.wire.parameters, {}
            self._flags = _taken_flags(parameters)
            self._variants = {name: _value(value) for name, value in parameters.items() if value is not None}
        return self._variants

    def has_variant(self, name: str) -> bool:
        """Has it a variant of this name? Quicker than to read them all."""
        if self._variants is not None:
            return name in self._variants
        return self.wire.parameters.get(name) is not None and name not in FLAG_NAMES

    @property
    def text(self) -> str:
        """Name, version and variants as Spack prints them, without architecture and dependencies."""
        variants = sorted(self.variants.items())
        booleans = [(n, v) for n, v in variants if isinstance(v, bool)]
        others = [(n, v) for n, v in variants if not isinstance(v, bool)]
        flags = "".join(f"{'+' if value else '~'}{name}" for name, value in booleans)
        pairs = "".join(f" {n}{':' if isinstance(v, tuple) else ''}={quoted(v if isinstance(v, str) else ','.join(v))}" for n, v in others)
        return f"{self.name}@{self.wire.version}{flags}{pairs}"

    @property
    def external(self) -> WireExternal | None:
        """Where it lies when it is an external package."""
        external = self.wire.external
        return WireExternal() if external is True else external or None

    @property
    def compiler(self) -> str:
        """The compiler, as ``name@version``: by the language edges, else by the annotation of old nodes; may be empty."""
        for language in ("c", "cxx", "fortran"):
            for edge in self.dependencies:
                if language in edge.virtuals:
                    child = self.graph.get(edge.hash)
                    return f"{edge.name}@{child.wire.version}" if child else edge.name
        return self.wire.compiler_text.replace("@=", "@")

    @property
    def libc(self) -> ConcreteSpec | None:
        """The node behind the edge that provides ``libc``, if the node has one."""
        for edge in self.dependencies:
            if "libc" in edge.virtuals:
                return self.graph.get(edge.hash)
        return None

    def children(self, deptypes: int = LINK_RUN) -> Iterator[ConcreteSpec]:
        """The direct dependencies over edges of any of these types that are in the graph, in the node's order."""
        for edge in self.dependencies:
            if edge.deptypes & deptypes and (child := self.graph.get(edge.hash)):
                yield child

    def closure(self, deptypes: int = LINK_RUN) -> dict[str, ConcreteSpec]:
        """Itself and all it reaches over edges of these types, breadth first, by hash; absent nodes are left out."""
        found = {self.hash: self}
        queue = [self]
        for node in queue:
            for child in node.children(deptypes):
                if child.hash not in found:
                    found[child.hash] = child
                    queue.append(child)
        return found

    @property
    def matchable(self) -> list[tuple[Dependency, ConcreteSpec]]:
        """The edges that ``^`` can match, with their children.

        They are the edges of the link/run closure and the node's own build edges (Spack ``Spec._satisfies``: build
        dependencies of other nodes, and edges for tests alone, are out of reach).
        """
        if self._matchable is None:
            own = [(e, c) for e in self.dependencies if e.deptypes & BUILD and (c := self.graph.get(e.hash))]
            nodes = self.closure().values()
            below = [(e, c) for node in nodes for e in node.dependencies if e.deptypes & LINK_RUN and (c := self.graph.get(e.hash))]
            self._matchable = own + below
        return self._matchable

    def find(self, name: str) -> ConcreteSpec | None:
        """The node that plays the named parent of a ``%``: direct build or test dependencies first, then link/run."""
        for edge in self.dependencies:
            if edge.deptypes & (BUILD | TEST) and (edge.name == name or name in edge.virtuals):
                return self.graph.get(edge.hash)
        for edge, child in self.matchable:
            if edge.name == name or name in edge.virtuals:
                return child
        return None

    def satisfies(self, abstract: AbstractSpec) -> bool:
        """Does it satisfy what is asked, by Spack's rules? Raises ``SpecError`` on a target range with unknown names."""
        return match(self, abstract) is None


class NodeGraph:
    """A graph over decoded JSON nodes, read when they are asked for."""

    def __init__(self, nodes: Mapping[str, Mapping[str, Any]]) -> None:
        self._nodes = nodes
        self._made: dict[str, ConcreteSpec | None] = {}
        self._aliases: dict[str, str] | None = None

    def get(self, key: str) -> ConcreteSpec | None:
        """The spec with this hash, by key or by any hash that its node states."""
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]

    def _make(self, key: str) -> ConcreteSpec | None:
        if key in self._nodes:
            return ConcreteSpec(convert_node(self._nodes[key]), key, self)
        alias = self._alias(key)
        return self.get(alias) if alias and alias != key else None

    def _alias(self, key: str) -> str | None:
        """Lockfiles 2 and 3 have keys other than the hashes that some references use."""
        if self._aliases is None:
            self._aliases = {}
            for name, node in self._nodes.items():
                wire = convert_node(node)
                for other in (wire.hash, wire.full_hash, wire.build_hash):
                    self._aliases.setdefault(other, name)
        return self._aliases.get(key)


def _dependencies(wire: WireNode) -> tuple[Dependency, ...]:
    edges = wire.dependencies
    if isinstance(edges, dict):
        return tuple([_old_dependency(name, edge) for name, edge in edges.items()])
    return tuple(
        [
            Dependency(edge.hash, intern(edge.name), BITS.get(p.deptypes) or _bits(p.deptypes), p.virtuals)
            if (p := edge.parameters)
            else _old_dependency(edge.name, edge)
            for edge in edges
        ],
    )


def _old_dependency(name: str, edge: WireEdge) -> Dependency:
    """An edge of format 3 or older, which states its types itself and may use another hash."""
    return Dependency(edge.hash or edge.full_hash or edge.build_hash, intern(name), _bits(edge.type), ())


def _bits(types: tuple[str, ...]) -> int:
    return BITS.setdefault(types, sum({DEPTYPE_BITS.get(deptype, 0) for deptype in types}))


def _taken_flags(parameters: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Compiler flags by kind, taken out of a node's parameters. Nearly all nodes have all kinds, and none set."""
    taken = {name: value for name in FLAG_NAMES if isinstance(value := parameters.pop(name, None), tuple)}
    return NO_FLAGS if taken == NO_FLAGS else taken


def _value(value: object) -> Value:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return value if isinstance(value, (bool, str, tuple)) else str(value)
