"""``satisfies`` between abstract specs: does everything that satisfies one satisfy the other, as far as the texts tell?

Source: Spack ``spec.py:Spec._satisfies`` with an abstract left side, ``ArchSpec.satisfies``, ``variant.py:VariantValue.satisfies``. What
the left side does not say fails; of targets Spack asks only that the two have some in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolver.arch import target as targets
from resolver.spec.parts import Edge, Flags, Variant
from resolver.spec.virtuals import VIRTUALS

if TYPE_CHECKING:
    from resolver.spec.abstract import AbstractSpec


def includes(want: AbstractSpec, spec: AbstractSpec) -> bool:
    """Does every concrete spec that satisfies ``spec`` satisfy ``want``?"""
    if not _node_within(spec, want):
        return False
    below = [(edge.spec, child) for edge in want.edges if not edge.direct for child in edge.spec.edges]
    return all(_edge_within(spec, parent, edge) for parent, edge in [*((want, edge) for edge in want.edges), *below])


def _node_within(spec: AbstractSpec, want: AbstractSpec) -> bool:
    return (
        (want.hash is None or (spec.hash or "").startswith(want.hash))
        and want.name in (None, spec.name)
        and (want.namespace is None or spec.namespace in (None, want.namespace))
        and spec.versions <= want.versions
        and all(_variant_within(spec, variant) for variant in want.variants)
        and _architecture_within(spec, want)
        and all(_flags_within(spec, flags) for flags in want.flags)
    )


def _variant_within(spec: AbstractSpec, want: Variant) -> bool:
    have = next((v for v in spec.variants if v.name == want.name), None)
    if have is None or (want.propagate and not have.propagate):
        return False
    if want.is_any:
        return True
    if isinstance(have.value, bool) or isinstance(want.value, bool):
        return have.value is want.value
    if want.exact:
        return have.exact and have.value == want.value
    if want.name == "patches":
        return all(any(value.startswith(prefix) for value in have.value) for prefix in want.value)
    return set(want.value) <= set(have.value)


def _architecture_within(spec: AbstractSpec, want: AbstractSpec) -> bool:
    for have, wanted in ((spec.platform, want.platform), (spec.os, want.os)):
        if wanted == "*" and have:
            return True
        if wanted and have != wanted:
            return False
    return want.target is None or (spec.target is not None and targets.intersection(spec.target, want.target) is not None)


def _flags_within(spec: AbstractSpec, want: Flags) -> bool:
    have = {flag for flags in spec.flags if flags.name == want.name for flag, _ in flags.flags}
    return {flag for flag, _ in want.flags} <= have


def _edge_within(spec: AbstractSpec, parent: AbstractSpec, want: Edge) -> bool:
    """One edge below ``parent``, which is the root that is asked for or one of its ``^`` dependencies."""
    node = _player(spec, parent)
    if want.when is not None and node is not None and not node.intersects(want.when):
        return True
    virtual = want.spec.name in VIRTUALS
    virtuals = {*want.virtuals, want.spec.name} if virtual else set(want.virtuals)
    if want.direct:
        edges = [edge for edge in (node.edges if node else ()) if _may_be(edge, want, virtual=virtual)]
        return any(virtual or includes(want.spec, e.spec) for e in edges if not virtuals or virtuals & set(e.virtuals))
    edges = [*spec.edges, *(below for edge in spec.edges for below in edge.spec.edges)]
    offered = {name for edge in edges for name in (*edge.virtuals, edge.spec.name)}
    return virtuals <= offered and any(_plays(edge, want) for edge in edges)


def _player(spec: AbstractSpec, parent: AbstractSpec) -> AbstractSpec | None:
    if parent.name in (None, spec.name):
        return spec
    return next((edge.spec for edge in spec.edges if parent.name == edge.spec.name or parent.name in edge.virtuals), None)


def _may_be(edge: Edge, want: Edge, *, virtual: bool) -> bool:
    """Has the edge the name, the types and no more conditions than are asked for?"""
    if want.spec.name and not virtual and edge.spec.name != want.spec.name:
        return False
    if not set(want.deptypes) <= set(edge.deptypes):
        return False
    return edge.when is None or (want.when is not None and want.when.satisfies(edge.when))


def _plays(edge: Edge, want: Edge) -> bool:
    return want.spec.name in edge.virtuals or _node_within(edge.spec, want.spec)
