"""Merging abstract specs: what satisfies both, or the conflict by name.

Works on any frozen struct with an abstract spec's fields, so that ``abstract`` can use it to build one.
Source: Spack ``spec.py:Spec.constrain``, ``Spec._add_dependency``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from resolver.arch import target as targets
from resolver.errors import SpecError
from resolver.spec.parts import STAR, Edge, Flags, Variant

if TYPE_CHECKING:
    from resolver.spec.abstract import AbstractSpec


def conflict(what: str, one: object, other: object) -> SpecError:
    """The error for two constraints that nothing satisfies."""
    return SpecError(f"{what} cannot be both {one} and {other}", hint="drop one of the two constraints")


def merged_edges(edges: tuple[Edge, ...], *, deep: bool = True) -> tuple[Edge, ...]:
    """Edges with those to the same package made one. Raises ``SpecError`` when they contradict each other.

    Unless ``deep``, what the later of two such edges says of its own dependencies is dropped, as Spack's parser does.
    """
    found: list[Edge] = []
    places: dict[object, int] = {}
    for edge in edges:
        # Spack keeps apart edges of other types or conditions, and merges `^a` with `%a`. Anonymous ones are each their own.
        key: object = (edge.spec.name, edge.deptypes, edge.when) if edge.spec.name else edge if deep else len(found)
        place = places.setdefault(key, len(found))
        if place == len(found):
            found.append(edge)
        else:
            found[place] = _merge_edge(found[place], edge, deep=deep)
    # In the order in which Spack prints those of one kind, anonymous ones first: as they are written must not make specs differ.
    return tuple(sorted(found, key=lambda edge: edge.spec.name or ""))


def _merge_edge(a: Edge, b: Edge, *, deep: bool) -> Edge:
    spec = constrain_node(a.spec, b.spec)
    if deep:
        spec = replace(spec, edges=merged_edges((*a.spec.edges, *b.spec.edges)))
    virtuals = tuple(sorted({*a.virtuals, *b.virtuals}))
    return replace(a, spec=spec, virtuals=virtuals)


def constrain_node(a: AbstractSpec, b: AbstractSpec) -> AbstractSpec:
    """The node that satisfies both nodes, with the edges of ``a``. Raises ``SpecError`` naming the conflict."""
    versions = a.versions & b.versions
    if not versions:
        raise conflict("version", f"@{a.versions}", f"@{b.versions}")
    return replace(
        a,
        name=_same("package", a.name, b.name),
        namespace=_same("namespace", a.namespace, b.namespace),
        versions=versions,
        variants=_variants(a.variants, b.variants),
        flags=_flags(a.flags, b.flags),
        platform=_same("platform", a.platform, b.platform),
        os=_same("os", a.os, b.os),
        target=_target(a.target, b.target),
        hash=_prefix(a.hash, b.hash),
    )


def _same(what: str, a: str | None, b: str | None) -> str | None:
    if a and b and a != b and "*" not in (a, b):
        raise conflict(what, a, b)
    return b if a is None or (a == "*" and b) else a


def _target(a: str | None, b: str | None) -> str | None:
    if not a or not b or a == b:
        return a or b
    both = targets.intersection(a, b)
    if both is None:
        raise conflict("target", a, b)
    return both


def _prefix(a: str | None, b: str | None) -> str | None:
    if a and b and not (a.startswith(b) or b.startswith(a)):
        raise conflict("hash", f"/{a}", f"/{b}")
    return max(a or "", b or "", key=len) or None


def _variants(a: tuple[Variant, ...], b: tuple[Variant, ...]) -> tuple[Variant, ...]:
    merged = {v.name: v for v in a}
    for variant in b:
        old = merged.get(variant.name)
        merged[variant.name] = variant if old is None else merge_variant(old, variant)
    return tuple(merged[name] for name in sorted(merged))


def merge_variant(a: Variant, b: Variant) -> Variant:
    """The constraint that asks for both. Raises ``SpecError`` when their values exclude each other."""
    propagate = a.propagate and b.propagate
    if a.is_any or b.is_any:
        return replace(b if a.is_any else a, propagate=propagate)
    if not isinstance(a.value, tuple) or not isinstance(b.value, tuple):
        if a.value != b.value:
            raise conflict(f"variant {a.name}", _value(a), _value(b))
        return replace(a, propagate=propagate)
    values = tuple(sorted({*a.value, *b.value} - set(STAR)))
    if (a.exact and values != a.value) or (b.exact and values != b.value):
        raise conflict(f"variant {a.name}", _value(a), _value(b))
    return Variant(a.name, values, a.exact or b.exact, propagate)


def _value(variant: Variant) -> str:
    if isinstance(variant.value, bool):
        return f"{'+' if variant.value else '~'}{variant.name}"
    return ",".join(variant.value)


def _flags(a: tuple[Flags, ...], b: tuple[Flags, ...]) -> tuple[Flags, ...]:
    merged = {f.name: list(f.flags) for f in a}
    for flags in b:
        merged[flags.name] = list(dict.fromkeys([*merged.get(flags.name, []), *flags.flags]))
    return tuple(Flags(name, tuple(merged[name])) for name in sorted(merged))
