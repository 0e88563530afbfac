"""The grammar of the spec language: tokens to a tree of nodes. Each function's docstring is its rule.

    specs := spec*                      a name or a second hash starts a new one
    spec  := node dependency*
    node  := [name] attribute*          attributes in any order
    dependency := ("^" | "%" | "%%") [assignment] node
                | ("^[" | "%[" | "%%[") edge-attribute* "]" [assignment] node

``^`` attaches to the root; ``%`` to the node that the last ``^`` introduced, else to the root. Source: Spack
``spec_parser.py`` (``SpecParser``, ``SpecNodeParser``, ``EdgeAttributeParser``). Values are not interpreted here beyond what the
syntax needs; ``abstract`` makes specs of the tree. Specs are never read from files.
"""

from __future__ import annotations

import re

import msgspec

from resolver.errors import SpecError
from resolver.spec.parts import DEPTYPES
from resolver.spec.tokens import Kind, Token, tokenize

EDGE_KEYS = ("deptypes", "virtuals", "when")
EDGES = frozenset({Kind.START_EDGE, Kind.DEPENDENCY})
END_EDGE = frozenset({Kind.END_EDGE})
NAMES = frozenset({Kind.NAME, Kind.DOTTED_NAME})
VERSIONS = frozenset({Kind.VERSION_PAIR, Kind.GIT_VERSION, Kind.VERSION})
BOOLEANS = frozenset({Kind.BOOL, Kind.PROPAGATED_BOOL})
PAIR = frozenset({Kind.PAIR})
PAIRS = frozenset({Kind.PAIR, Kind.PROPAGATED_PAIR})
QUOTED = re.compile(r"""^(["'])(.*)\1$""", re.DOTALL)


class Attribute(msgspec.Struct):
    """``key=value`` as written: a boolean for ``+key``; ``exact`` for ``:=``; ``propagate`` for a doubled sign."""

    key: str
    value: bool | str
    exact: bool
    propagate: bool
    column: int


class Node(msgspec.Struct):
    """One node of the tree, before its attributes are interpreted."""

    name: str | None = None
    namespace: str | None = None
    version: str | None = None
    attributes: list[Attribute] = msgspec.field(default_factory=list)
    hash: str | None = None
    edges: list[EdgeNode] = msgspec.field(default_factory=list)
    column: int = 0


class EdgeNode(msgspec.Struct):
    """A dependency with its edge attributes; ``when`` is still text."""

    node: Node
    direct: bool
    propagate: bool
    deptypes: tuple[str, ...] = ()
    virtuals: tuple[str, ...] = ()
    when: str | None = None
    column: int = 0


class Parser:
    """Recursive descent over the tokens of one text; never goes back, so time is linear in the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.place = 0

    def specs(self) -> list[Node]:
        """Specs := spec*"""
        found = []
        while self.tokens[self.place].kind is not Kind.END:
            before = self.place
            found.append(self.spec())
            if self.place == before:
                raise self.error("unexpected ']'", "an edge's attributes begin with ^[ or %[")
        return found

    def spec(self) -> Node:
        """Spec := node dependency*"""
        root = current = self.node(Node(column=self.column))
        while token := self.accept(EDGES):
            edge = self.edge(token)
            (current if edge.direct else root).edges.append(edge)
            if not edge.direct:
                current = edge.node
        return root

    def edge(self, token: Token) -> EdgeNode:
        """Dependency := sigil [assignment] node | sigil "[" edge-attribute* "]" [assignment] node"""
        sigil = token.text.rstrip("[").split("=")[0]
        direct, propagate = sigil.startswith("%"), sigil.startswith("%%")
        edge = EdgeNode(Node(), direct, propagate, column=token.column)
        assignment = token.text.lstrip("^%")
        if token.kind is Kind.START_EDGE:
            assignment = self.edge_attributes(edge)
        child = Node(column=self.column)
        if assignment:
            virtuals, _, provider = assignment.strip().partition("=")
            edge.virtuals = tuple(sorted({*edge.virtuals, *virtuals.split(",")}))
            _set_name(child, provider)
        elif direct and self.tokens[self.place].kind is Kind.END:
            raise self.error("a package is missing after '%'", "name the dependency, as in %gcc")
        edge.node = self.node(child)
        return edge

    def edge_attributes(self, edge: EdgeNode) -> str:
        """edge-attribute* "]": fills the edge and returns the assignment text behind the bracket, or ''."""
        while token := self.accept(PAIR):
            key, value = token.text.split("=", 1)
            # Spack cuts every value at commas before it looks at the key, so a `when` with a list keeps its first item.
            self.set_edge_attribute(edge, token, key.removesuffix(":"), value.strip("'\" ").split(","))
        closing = self.accept(END_EDGE)
        if closing is None:
            raise self.error("unexpected text in an edge's attributes", f"only {', '.join(EDGE_KEYS)} may stand there, then ']'")
        return closing.text[1:]

    def set_edge_attribute(self, edge: EdgeNode, token: Token, key: str, values: list[str]) -> None:
        """edge-attribute := ("deptypes" | "virtuals" | "when") "=" value"""
        if key not in EDGE_KEYS:
            msg = f"{key!r} is not an attribute of an edge"
            raise self.error_at(token.column, msg, f"known are {', '.join(EDGE_KEYS)}")
        if key == "when":
            edge.when = values[0]
        elif key == "virtuals":
            edge.virtuals = tuple(sorted(set(values)))
        else:
            if wrong := [v for v in values if v not in DEPTYPES]:
                msg = f"{wrong[0]!r} is not a dependency type"
                raise self.error_at(token.column, msg, f"known are {', '.join(DEPTYPES)}")
            edge.deptypes = tuple(t for t in DEPTYPES if t in values)

    def node(self, node: Node) -> Node:
        """Node := [name] attribute*"""
        if node.name is None and (token := self.accept(NAMES)):
            _set_name(node, token.text)
        elif self.tokens[self.place].kind is Kind.FILE:
            raise self.error("specs are not read from files", "give the spec itself, or `sync` the file and ask for /hash")
        while self.attribute(node):
            pass
        return node

    def attribute(self, node: Node) -> bool:
        """attribute := version | bool | pair | hash; False when the next token is none of them."""
        token = self.tokens[self.place]
        kind = token.kind
        if kind in VERSIONS:
            if node.version is not None:
                raise self.error_at(token.column, "a spec cannot have two versions", "join them with a comma, as in @1.2,1.4:")
            node.version = token.text[1:]
        elif kind in BOOLEANS:
            node.attributes.append(_boolean(token))
        elif kind in PAIRS:
            node.attributes.append(_pair(token))
        elif kind is Kind.HASH and node.hash is None:
            node.hash = token.text[1:]
        else:
            return False
        self.place += 1
        return True

    @property
    def column(self) -> int:
        """Where the next token starts, or the end of the text."""
        return self.tokens[self.place].column

    def accept(self, kinds: frozenset[Kind]) -> Token | None:
        """Take the next token if it is of one of these kinds."""
        token = self.tokens[self.place]
        if token.kind not in kinds:
            return None
        self.place += 1
        return token

    def error(self, what: str, hint: str) -> SpecError:
        """An error at the next token."""
        return self.error_at(self.column, what, hint)

    def error_at(self, column: int, what: str, hint: str) -> SpecError:
        """An error at a column."""
        return SpecError(what, text=self.text, column=column, hint=hint)


def _set_name(node: Node, text: str) -> None:
    namespace, _, name = text.rpartition(".")
    if name != "*":
        node.name, node.namespace = name, namespace or None


def _boolean(token: Token) -> Attribute:
    propagate = token.kind is Kind.PROPAGATED_BOOL
    key = token.text[2 if propagate else 1 :].strip()
    return Attribute(key, token.text[0] == "+", exact=False, propagate=propagate, column=token.column)


def _pair(token: Token) -> Attribute:
    propagate = token.kind is Kind.PROPAGATED_PAIR
    key, value = token.text.split("==" if propagate else "=", 1)
    return Attribute(key.removesuffix(":"), unquote(value), key.endswith(":"), propagate, token.column)


def unquote(text: str) -> str:
    """A value without its quotes, escaped quotes inside made plain."""
    quoted = QUOTED.match(text)
    if not quoted:
        return text
    return quoted[2].replace("\\" + quoted[1], quoted[1])
