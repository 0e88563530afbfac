"""An abstract spec in plain words, piece by piece, and as a tree of plain values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from resolver.spec.abstract import AbstractSpec
from resolver.spec.parts import Edge, Flags, Variant
from resolver.spec.render import quoted
from resolver.spec.virtuals import VIRTUALS
from resolver.versions import Version, VersionRange


class Piece(msgspec.Struct, frozen=True):
    """A part of a spec's text, what it means, and how deep it stands: 0 for the root's own, 1 below a dependency."""

    text: str
    meaning: str
    depth: int = 0


def describe(spec: AbstractSpec) -> list[Piece]:
    """What each piece of a spec asks for, in the order in which it is printed."""
    pieces = list(_node(spec, 0))
    for edge in sorted(spec.edges, key=lambda edge: not edge.direct):
        pieces += _edge(edge, 0)
    return pieces or [Piece("", "anything: no constraint at all")]


def _node(spec: AbstractSpec, depth: int) -> Iterator[Piece]:
    if spec.name:
        what = "a virtual package: any package that provides it" if spec.name in VIRTUALS else "the package"
        yield Piece(spec.name, f"{what} {spec.name}" if what == "the package" else what, depth)
    if spec.namespace:
        yield Piece(f"{spec.namespace}.", f"from the package repository with the namespace {spec.namespace}", depth)
    if not spec.versions.is_any:
        yield Piece(f"@{spec.versions}", " or ".join(_version(item) for item in spec.versions.items), depth)
    for flags in spec.flags:
        yield _flags(flags, depth)
    for variant in spec.variants:
        yield _variant(variant, depth)
    yield from _architecture(spec, depth)
    if spec.hash:
        yield Piece(f"/{spec.hash}", f"the hash begins with {spec.hash}", depth)


def _version(item: Version | VersionRange) -> str:
    if isinstance(item, Version):
        return (
            f"exactly version {item}"
            if item.ref is None
            else f"the git reference {item.ref}, taken as version {item.text.partition('=')[2]}"
        )
    low, high = item.low, item.high
    if low and high and low.key == high.key:
        return f"version {low} or one that begins so, as {low}.1"
    if low and high:
        return f"from version {low} up to {high}, and whatever begins with {high}"
    if low:
        return f"version {low} or newer"
    return f"up to version {high}, and whatever begins with {high}" if high else "any version"


def _flags(flags: Flags, depth: int) -> Piece:
    text = " ".join(flag for flag, _ in flags.flags)
    spread = ", and of its dependencies" if any(propagates for _, propagates in flags.flags) else ""
    return Piece(f"{flags.name}={quoted(text)}", f"built with the {flags.name} {text}{spread}, in any order and among others", depth)


def _variant(variant: Variant, depth: int) -> Piece:
    spread = ", here and in every dependency that has it" if variant.propagate else ""
    if isinstance(variant.value, bool):
        sign = ("+" if variant.value else "~") * (2 if variant.propagate else 1)
        return Piece(f"{sign}{variant.name}", f"variant {variant.name} is {'on' if variant.value else 'off'}{spread}", depth)
    values = ", ".join(variant.value)
    text = f"{variant.name}{':' if variant.exact else ''}{'==' if variant.propagate else '='}{quoted(','.join(variant.value))}"
    if variant.is_any:
        return Piece(text, f"has a variant {variant.name}, whatever its value{spread}", depth)
    kind = "has exactly the values" if variant.exact else "is, or has among its values,"
    return Piece(text, f"variant {variant.name} {kind} {values}{spread}", depth)


def _architecture(spec: AbstractSpec, depth: int) -> Iterator[Piece]:
    for key, value in (("platform", spec.platform), ("os", spec.os)):
        if value == "*":
            yield Piece(f"{key}=*", f"any {key}; Spack then looks at neither os nor target", depth)
        elif value:
            yield Piece(f"{key}={value}", f"{key} {value}", depth)
    if spec.target:
        yield Piece(f"target={spec.target}", " or ".join(map(_target, spec.target.split(","))), depth)


def _target(text: str) -> str:
    low, colon, high = text.partition(":")
    if not colon:
        return "any target" if text == "*" else f"built for the target {text} itself"
    if low and high:
        return f"a target from {low} up to {high}"
    return f"target {low} or a descendant of it" if low else f"target {high} or an ancestor of it" if high else "any target"


def _edge(edge: Edge, depth: int) -> Iterator[Piece]:
    sigil = ("%%" if edge.propagate else "%") if edge.direct else "^"
    virtuals = f"{','.join(edge.virtuals)}=" if edge.virtuals else ""
    yield Piece(f"{sigil}{virtuals}{edge.spec.name or '*'}", _edge_meaning(edge), depth)
    for piece in _node(edge.spec, depth + 1):
        if piece.text != edge.spec.name:
            yield piece
    for below in edge.spec.edges:
        yield from _edge(below, depth + 1)


def _edge_meaning(edge: Edge) -> str:
    where = "a direct dependency" if edge.direct else "a dependency at any depth (to link or run, or to build the root itself)"
    name = edge.spec.name or "any package"
    virtual = " (or any package that provides it)" if edge.spec.name in VIRTUALS else ""
    words = f"{where}: {name}{virtual}"
    if edge.virtuals:
        words += f", providing {' or '.join(edge.virtuals) if edge.direct else ' and '.join(edge.virtuals)}"
    if edge.deptypes:
        words += f", needed to {' and '.join(edge.deptypes)}" + ("" if edge.direct else " (which Spack does not check after ^)")
    if edge.when:
        words += f"; only where {edge.when} holds"
    return words + ("; preferred for dependencies too" if edge.propagate else "")


def tree(spec: AbstractSpec) -> dict[str, Any]:
    """A spec as plain values: what is not asked is left out."""
    facts = {
        "name": spec.name,
        "namespace": spec.namespace,
        "versions": None if spec.versions.is_any else str(spec.versions),
        "variants": [msgspec.structs.asdict(variant) for variant in spec.variants],
        "flags": [{"name": f.name, "flags": [flag for flag, _ in f.flags]} for f in spec.flags],
        "platform": spec.platform,
        "os": spec.os,
        "target": spec.target,
        "hash": spec.hash,
        "dependencies": [_edge_tree(edge) for edge in spec.edges],
    }
    return {key: value for key, value in facts.items() if value}


def _edge_tree(edge: Edge) -> dict[str, Any]:
    facts = {
        "direct": edge.direct,
        "deptypes": list(edge.deptypes),
        "virtuals": list(edge.virtuals),
        "when": str(edge.when) if edge.when else None,
        "propagate": edge.propagate,
        "spec": tree(edge.spec),
    }
    return {key: value for key, value in facts.items() if value or key in ("direct", "spec")}
