"""What is asked: an abstract spec, made from its syntax tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import replace

from resolver.errors import SpecError
from resolver.spec.constrain import conflict, constrain_node, merged_edges
from resolver.spec.inclusion import includes
from resolver.spec.parser import Attribute, EdgeNode, Node, Parser
from resolver.spec.parts import FLAG_NAMES, STAR, Edge, Flags, Variant
from resolver.spec.render import render
from resolver.spec.virtuals import LEGACY_COMPILERS
from resolver.versions import ANY, VersionSet

DEEPEST_WHEN = 8
Toolchains = Mapping[str, str | Sequence[Mapping[str, str]]]
ARCHITECTURE_KEYS = {"platform": "platform", "os": "os", "operating_system": "os", "target": "target"}
# Spack's reserved names (variant.py:RESERVED_NAMES) cannot be propagated.
RESERVED = frozenset({*ARCHITECTURE_KEYS, "arch", "architecture", "branch", "commit", "dev_path", "namespace", "patches", "tag"})


class AbstractSpec(msgspec.Struct, frozen=True):
    """What is asked of one package and its dependencies; None and empty mean no constraint.

    ``target`` is a text as Spack has it: a name, a range ``low:high``, or several parted by commas. ``hash`` is a prefix.
    Variants and flags are sorted by name, and edges by that of their package, as `parse` and `constrained` make them.
    """

    name: str | None = None
    namespace: str | None = None
    versions: VersionSet = ANY
    variants: tuple[Variant, ...] = ()
    flags: tuple[Flags, ...] = ()
    platform: str | None = None
    os: str | None = None
    target: str | None = None
    hash: str | None = None
    edges: tuple[Edge, ...] = ()

    @staticmethod
    def parse(text: str, toolchains: Toolchains | None = None) -> AbstractSpec:
        """Read one spec. Raises ``SpecError`` when the text is no spec, or more than one.

        ``toolchains`` are the names that stand for several ``%`` edges: each a spec text, or a list of ``{"spec": ..., "when": ...}``.
        """
        return _Builder(text, toolchains).one() if toolchains else _parse_one(text)

    @staticmethod
    def parse_all(text: str, toolchains: Toolchains | None = None) -> list[AbstractSpec]:
        """Read a text that may hold several specs. Raises ``SpecError``."""
        return _Builder(text, toolchains).all()

    def __str__(self) -> str:
        """Canonical text, as Spack prints it."""
        return render(self)

    @property
    def is_empty(self) -> bool:
        """Does it ask nothing at all?"""
        return self == EMPTY

    def satisfies(self, other: AbstractSpec) -> bool:
        """Does every concrete spec that satisfies this one satisfy the other, as far as the texts tell?

        Source: Spack ``spec.py:Spec._satisfies`` with an abstract left side; what this one does not say fails.
        """
        return includes(other, self)

    def intersects(self, other: AbstractSpec) -> bool:
        """May one concrete spec satisfy both? Source: Spack ``spec.py:Spec._intersects``."""
        try:
            self.constrained(other)
        except SpecError:
            return False
        return True

    def constrained(self, other: AbstractSpec) -> AbstractSpec:
        """What satisfies both. Raises ``SpecError`` naming the conflict when nothing can.

        Source: Spack ``spec.py:Spec.constrain``.
        """
        node = constrain_node(self, other)
        return replace(node, edges=merged_edges((*node.edges, *other.edges)))


EMPTY = AbstractSpec()


@lru_cache(maxsize=1 << 13)
def _parse_one(text: str) -> AbstractSpec:
    return _Builder(text, None).one()


class _Builder:
    """Makes specs of the syntax tree of one text."""

    def __init__(self, text: str, toolchains: Toolchains | None, depth: int = 0) -> None:
        self.text = text
        self.toolchains = toolchains or {}
        self.depth = depth

    def all(self) -> list[AbstractSpec]:
        return [self.spec(node) for node in Parser(self.text).specs()]

    def one(self) -> AbstractSpec:
        nodes = Parser(self.text).specs()
        if len(nodes) > 1:
            msg = "one spec was expected, but a second begins here"
            raise SpecError(msg, text=self.text, column=nodes[1].column, hint="write dependencies with ^ or %")
        return self.spec(nodes[0]) if nodes else EMPTY

    def spec(self, node: Node) -> AbstractSpec:
        fields: dict[str, Any] = {"name": node.name, "namespace": node.namespace, "hash": node.hash}
        if node.version is not None:
            fields["versions"] = self.versions(node)
        if node.attributes:
            self.attributes(node, fields)
        if node.edges:
            edges = [edge for written in node.edges for edge in self.edges(written)]
            fields["edges"] = self.merged(edges, node.edges[-1].column)
        return AbstractSpec(**fields)

    def merged(self, edges: list[Edge], column: int) -> tuple[Edge, ...]:
        try:
            return merged_edges(tuple(edges), deep=False)
        except SpecError as error:
            raise SpecError(error.what, text=self.text, column=column, hint=error.hint) from None

    def attributes(self, node: Node, fields: dict[str, Any]) -> None:
        variants: dict[str, Variant] = {}
        flags: dict[str, list[tuple[str, bool]]] = {}
        for attribute in node.attributes:
            try:
                _apply(attribute, fields, variants, flags)
            except SpecError as error:
                raise SpecError(error.what, text=self.text, column=attribute.column, hint=error.hint) from None
        fields["variants"] = tuple(variants[name] for name in sorted(variants))
        fields["flags"] = tuple(Flags(name, tuple(flags[name])) for name in FLAG_NAMES if name in flags)

    def versions(self, node: Node) -> VersionSet:
        text = node.version or ""
        try:
            return VersionSet.parse(text)
        except SpecError as error:
            column = self.text.find(text, node.column)
            raise SpecError(error.what, text=self.text, column=column, hint=error.hint) from None

    def edges(self, written: EdgeNode) -> list[Edge]:
        """The edge that was written, or those of the toolchain that it names (Spack ``SpecParser._apply_toolchain``)."""
        if self.toolchains and written.direct and not written.virtuals and not written.deptypes and written.when is None:
            entries = self.toolchains.get(written.node.name or "")
            if entries is not None:
                return self.toolchain(written, entries)
        return [self.edge(written)]

    def toolchain(self, written: EdgeNode, entries: str | Sequence[Mapping[str, str]]) -> list[Edge]:
        name, node = written.node.name, written.node
        if node.version or node.attributes or node.hash:
            raise self.wrong(written, f"the toolchain {name} takes no constraints", "write them in the toolchain itself")
        found = []
        given: Sequence[Any] = [{"spec": entries}] if isinstance(entries, str) else entries
        for entry in given:
            if not isinstance(entry, Mapping) or not isinstance(entry.get("spec"), str):
                raise self.wrong(written, f"the toolchain {name} has an entry without a spec", 'write {"spec": "%gcc", "when": "%c"}')
            condition = self.condition(entry.get("when"), written.column)
            inner = _Builder(entry["spec"], None, self.depth + 1).one()
            if inner != replace(EMPTY, edges=inner.edges) or not all(edge.direct for edge in inner.edges):
                raise self.wrong(written, f"the toolchain {name} asks for more than direct dependencies", "only % may stand in a toolchain")
            for edge in inner.edges:
                when = edge.when.constrained(condition) if edge.when and condition else edge.when or condition
                found.append(replace(edge, when=when, propagate=edge.propagate or written.propagate))
        return found

    def wrong(self, written: EdgeNode, what: str, hint: str) -> SpecError:
        return SpecError(what, text=self.text, column=written.column, hint=hint)

    def edge(self, written: EdgeNode) -> Edge:
        spec = self.spec(written.node)
        if written.direct and spec.name in LEGACY_COMPILERS:
            spec = replace(spec, name=LEGACY_COMPILERS[spec.name])
        condition = self.condition(written.when, written.column)
        return Edge(spec, written.direct, written.deptypes, written.virtuals, condition, written.propagate)

    def condition(self, text: str | None, column: int) -> AbstractSpec | None:
        if not text:
            return None
        if self.depth >= DEEPEST_WHEN:
            msg = "conditions are nested too deeply"
            raise SpecError(msg, text=self.text, column=column)
        condition = _Builder(text, None, self.depth + 1).one()
        return None if condition == EMPTY else condition


def _apply(
    attribute: Attribute,
    fields: dict[str, Any],
    variants: dict[str, Variant],
    flags: dict[str, list[tuple[str, bool]]],
) -> None:
    """Put one attribute where its key says (Spack ``spec.py:Spec._add_flag``)."""
    key, value = attribute.key, attribute.value
    if attribute.propagate and key in RESERVED:
        msg = f"{key!r} cannot be propagated"
        raise SpecError(msg, hint=f"write {key}=")
    if key in FLAG_NAMES:
        if not isinstance(value, str):
            msg = f"{key!r} takes flags, not a boolean"
            raise SpecError(msg, hint=f"write {key}='-O2'")
        flags.setdefault(key, []).extend((flag, attribute.propagate) for flag in split_flags(value))
    elif key in ("arch", "architecture", *ARCHITECTURE_KEYS):
        _set_architecture(fields, key, value)
    elif key == "namespace":
        if not isinstance(value, str):
            msg = "'namespace' takes a value, not a boolean"
            raise SpecError(msg, hint="write namespace=NAME")
        fields["namespace"] = value
    elif key in variants:
        msg = f"variant {key!r} is given twice"
        raise SpecError(msg, hint=f"join the values with a comma, as in {key}=a,b")
    else:
        variants[key] = _variant(attribute)


def _set_architecture(fields: dict[str, Any], key: str, value: bool | str) -> None:  # noqa: FBT001 - a value of the language
    if isinstance(value, bool) and key not in ("platform", "os", "operating_system"):
        msg = f"{key!r} takes a value, not a boolean"
        raise SpecError(msg, hint=f"write {key}=NAME")
    text = str(value)
    if key in ARCHITECTURE_KEYS:
        parts = {ARCHITECTURE_KEYS[key]: text}
    elif text.count("-") == 2:
        parts = dict(zip(("platform", "os", "target"), text.split("-"), strict=True))
    else:
        parts = {"platform": "", "os": "", "target": text}
    for part, name in parts.items():
        if fields.get(part) is not None:
            raise conflict(part, fields[part], name or "unset")
        if name and name != "None":
            fields[part] = name


def _variant(attribute: Attribute) -> Variant:
    value = attribute.value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        value = value.lower() == "true"
    if isinstance(value, bool):
        return Variant(attribute.key, value, exact=False, propagate=attribute.propagate)
    values = tuple(sorted(set(value.split(","))))
    if "*" in values and values != STAR:
        msg = f"'*' must stand alone in {attribute.key}={value}"
        raise SpecError(msg, hint="* means any value")
    return Variant(attribute.key, values, attribute.exact and values != STAR, attribute.propagate)


def split_flags(text: str) -> list[str]:
    """Flags of one text; a word that does not begin with '-' belongs to the flag before it (``-rpath /x``).

    Source: Spack ``compilers/flags.py:tokenize_flags``.
    """
    flags: list[str] = []
    for word in text.split():
        if flags and not word.startswith("-"):
            flags[-1] = f"{flags[-1]} {word}"
        else:
            flags.append(word)
    return flags
