"""``satisfies`` between abstract specs: does everything that satisfies one satisfy the other?

Source: Spack ``spec.py:Spec._satisfies`` with an abstract left side; a constraint that the left side lacks fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolver.arch import target as targets
from resolver.spec.parts import Edge, Flags, Variant

if TYPE_CHECKING:
    from resolver.spec.abstract import AbstractSpec


def includes(want: AbstractSpec, spec: AbstractSpec) -> bool:
    """Does every concrete spec that satisfies ``spec`` satisfy ``want``, as far as the texts tell?"""
    return _node_within(spec, want) and all(_edge_within(spec, edge) for edge in want.edges)


def _node_within(spec: AbstractSpec, want: AbstractSpec) -> bool:
    return (
        (want.hash is None or (spec.hash or "").startswith(want.hash))
        and want.name in (None, spec.name)
        and want.namespace in (None, spec.namespace, None if spec.namespace is None else want.namespace)
        and spec.versions <= want.versions
        and all(_variant_within(spec, variant) for variant in want.variants)
        and want.platform in (None, "*", spec.platform)
        and want.os in (None, "*", spec.os)
        and (want.target is None or (spec.target is not None and _target_within(spec.target, want.target)))
        and all(_flags_within(spec, flags) for flags in want.flags)
    )


def _variant_within(spec: AbstractSpec, want: Variant) -> bool:
    have = next((v for v in spec.variants if v.name == want.name), None)
    if have is None or (have.propagate and not want.propagate):
        return False
    if want.is_any:
        return True
    if isinstance(have.value, bool) or isinstance(want.value, bool):
        return have.value is want.value
    if want.exact:
        return have.exact and have.value == want.value
    return set(want.value) <= set(have.value)


def _target_within(have: str, want: str) -> bool:
    if want in ("*", ":"):
        return True
    both = targets.intersection(have, want)
    return both is not None and set(both.split(",")) <= {*have.split(",")} and bool(both)


def _flags_within(spec: AbstractSpec, want: Flags) -> bool:
    have = {flag for flags in spec.flags if flags.name == want.name for flag, _ in flags.flags}
    return {flag for flag, _ in want.flags} <= have


def _edge_within(spec: AbstractSpec, want: Edge) -> bool:
    below = [child for edge in spec.edges if not edge.direct for child in edge.spec.edges]
    pool = [edge for edge in spec.edges if edge.direct] if want.direct else [*spec.edges, *below]
    return any(
        _node_within(edge.spec, want.spec) and set(want.virtuals) <= {*edge.virtuals}
        for edge in pool
        if edge.when is None or edge.when == want.when
    )
