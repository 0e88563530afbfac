"""Canonical text of an abstract spec, as Spack prints it (``spec.py:Spec.DEFAULT_FORMAT``, ``spec_parser.py:quote_if_needed``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from resolver.spec.virtuals import COMPILER_TO_LEGACY

if TYPE_CHECKING:
    from resolver.spec.abstract import AbstractSpec
    from resolver.spec.parts import Edge, Flags, Variant

PLAIN = re.compile(r"[A-Za-z0-9,/_.\-\[\]]+")


def quoted(value: str) -> str:
    """A value as it must stand in a spec: bare, in single quotes, or in double quotes when it holds a single one."""
    if PLAIN.fullmatch(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    import json  # few values have quotes in them

    return json.dumps(value)


def render(spec: AbstractSpec) -> str:
    """The whole spec: the node, its direct dependencies, then ``^`` dependencies with theirs."""
    parts = [render_node(spec), *(_edge(e) for e in spec.edges if e.direct)]
    for edge in spec.edges:
        if not edge.direct:
            parts += [_edge(edge), *map(_edge, edge.spec.edges)]
    return " ".join(part for part in parts if part).strip()


def render_node(spec: AbstractSpec, name: str | None = None) -> str:
    """The node alone, without dependencies; ``name`` replaces the package's name."""
    text = name or spec.name or ""
    if not spec.versions.is_any:
        text += f"@{spec.versions}"
    flags = "".join(map(_flags, spec.flags))
    text += f"{flags} " if flags else ""
    text += "".join(_boolean(v) for v in spec.variants if isinstance(v.value, bool))
    pairs = [_pair(v) for v in spec.variants if not isinstance(v.value, bool)]
    if not spec.name and spec.namespace:
        pairs.append(f" namespace={spec.namespace}")
    pairs += [f" {key}={value}" for key, value in _architecture(spec) if value]
    text = f"{text}{''.join(pairs)}"
    return (f"{text}/{spec.hash}" if spec.hash else text.rstrip()).lstrip()


def _architecture(spec: AbstractSpec) -> list[tuple[str, str | None]]:
    return [("platform", spec.platform), ("os", spec.os), ("target", spec.target)]


def _boolean(variant: Variant) -> str:
    sign = "+" if variant.value else "~"
    return f"{sign * (2 if variant.propagate else 1)}{variant.name}"


def _pair(variant: Variant) -> str:
    values = variant.value if isinstance(variant.value, tuple) else ()
    sign = f"{':' if variant.exact else ''}{'==' if variant.propagate else '='}"
    text = ",".join(values)
    return f" {variant.name}{sign}{quoted(text)}"


def _flags(flags: Flags) -> str:
    text = ""
    for sign, propagate in (("=", False), ("==", True)):
        if chosen := [flag for flag, propagates in flags.flags if propagates is propagate]:
            text += f" {flags.name}{sign}{quoted(' '.join(chosen))}"
    return text


def _edge(edge: Edge) -> str:
    sigil = ("%%" if edge.propagate else "%") if edge.direct else "^"
    attributes = [f"deptypes={','.join(edge.deptypes)}"] if edge.deptypes else []
    attributes += [f"when='{edge.when}'"] if edge.when else []
    virtuals = ",".join(edge.virtuals)
    name = edge.spec.name
    if edge.direct and name:
        name = COMPILER_TO_LEGACY.get(name, name)
    node = render_node(edge.spec, name)
    if virtuals:
        node = f"{virtuals}={node}"
    if not edge.spec.name and _needs_star(node, edge.spec.hash):
        node = f"*{node}"
    bracket = f"[{' '.join(attributes)}] " if attributes else ""
    return f"{sigil}{bracket}{node}"


def _needs_star(node: str, prefix: str | None) -> bool:
    """Would an anonymous dependency's text be read as a name or an assignment after the sigil?"""
    return not node.startswith("@") and (prefix is not None or not node.startswith(("+", "~")))
