"""``concrete.satisfies(abstract)``, with the first constraint that fails.

Follows Spack ``spec.py:Spec._satisfies`` and the functions named below, without package recipes: what a virtual is comes from
a table of names, what provides it from the virtuals on edges. A version or variant asked of a virtual is not compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from resolver.arch import target as targets
from resolver.spec.node import ALL_TYPES, DEPTYPE_BITS
from resolver.spec.parts import Flags, Variant
from resolver.spec.virtuals import VIRTUALS
from resolver.versions import ANY, Version, VersionSet

if TYPE_CHECKING:
    from resolver.spec.abstract import AbstractSpec
    from resolver.spec.concrete import ConcreteSpec, Dependency, Value
    from resolver.spec.parts import Edge

NEW_FORMAT = 5


class Mismatch(msgspec.Struct, frozen=True):
    """Why a concrete spec does not satisfy: on which node, which constraint, what it has and what is wanted."""

    node: ConcreteSpec
    what: str
    have: str
    want: str

    def __str__(self) -> str:
        """One sentence without its full stop."""
        node = f"{self.node.name}/{self.node.hash[:7]}"
        if self.what == "dependency":
            return f"{node} has no dependency {self.want}"
        return (
            f"{node} has {self.what} {self.have}, wanted is {self.want}"
            if self.have
            else f"{node} has no {self.what}, wanted is {self.want}"
        )


def match(spec: ConcreteSpec, want: AbstractSpec) -> Mismatch | None:
    """None when ``spec`` satisfies ``want``, else the first constraint that fails, in Spack's order."""
    return match_node(spec, want) or match_edges(spec, want)


def match_node(spec: ConcreteSpec, want: AbstractSpec) -> Mismatch | None:
    """As ``match``, without dependencies."""
    if want.hash is not None and not spec.hash.startswith(want.hash):
        return Mismatch(spec, "hash", f"/{spec.hash}", f"/{want.hash}")
    if want.name is not None and want.name != spec.name:
        return None if provides(spec, want.name, want.versions) else Mismatch(spec, "name", spec.name, want.name)
    if want.namespace is not None and spec.namespace and want.namespace != spec.namespace:
        return Mismatch(spec, "namespace", spec.namespace, want.namespace)
    if want.versions is not ANY and spec.version not in want.versions:
        return Mismatch(spec, "version", spec.wire.version, f"@{want.versions}")
    if want.variants and (failed := _variants(spec, want)):
        return failed
    if (want.platform or want.os or want.target) and (failed := match_architecture(spec, want)):
        return failed
    return match_flags(spec, want.flags) if want.flags else None


def provides(spec: ConcreteSpec, virtual: str, versions: VersionSet = ANY) -> bool:
    """Does the node state itself that it provides a virtual (``provided_virtuals``, since format 6), in one of these versions?

    A virtual that is stated without a version is provided in any.
    """
    for entry in spec.wire.provided_virtuals:
        name, _, version = entry.partition("@")
        if name == virtual and (not version or VersionSet.parse(version).intersects(versions)):
            return True
    return False


def _variants(spec: ConcreteSpec, want: AbstractSpec) -> Mismatch | None:
    """Spack ``spec.py:VariantMap.satisfies``: a propagating variant is asked of every node that has it."""
    for variant in want.variants:
        if variant.propagate:
            for node in spec.closure(ALL_TYPES).values():
                if variant.name in node.variants and (failed := match_variant(node, variant)):
                    return failed
        elif failed := match_variant(spec, variant):
            return failed
    return None


def match_variant(spec: ConcreteSpec, want: Variant) -> Mismatch | None:
    """Spack ``variant.py:VariantValue.satisfies``."""
    have = spec.variants.get(want.name)
    if have is None:
        return Mismatch(spec, f"variant {want.name}", "", _wanted(want))
    return None if want.is_any or _value_fits(have, want) else Mismatch(spec, f"variant {want.name}", _shown(have), _wanted(want))


def _value_fits(have: Value, want: Variant) -> bool:
    if isinstance(want.value, bool) or isinstance(have, bool):
        return have is want.value
    values = (have,) if isinstance(have, str) else have
    if want.exact:
        return set(values) == set(want.value)
    if want.name == "patches":
        return all(any(value.startswith(prefix) for value in values) for prefix in want.value)
    return all(value in values for value in want.value)


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else value


def _wanted(variant: Variant) -> str:
    return f"{variant.name}{':' if variant.exact else ''}={_shown(variant.value)}"


def match_architecture(spec: ConcreteSpec, want: AbstractSpec) -> Mismatch | None:
    """Spack ``spec.py:ArchSpec.satisfies``; there ``os=*`` and ``platform=*`` end the comparison, so they do here."""
    for what, have, wanted in (("platform", spec.platform, want.platform), ("os", spec.os, want.os)):
        if wanted == "*" and have:
            return None
        if wanted and wanted != have:
            return Mismatch(spec, what, have, wanted)
    if want.target and not (spec.target and targets.satisfies(spec.target, want.target)):
        return Mismatch(spec, "target", spec.target, want.target)
    return None


def match_flags(spec: ConcreteSpec, wanted: tuple[Flags, ...]) -> Mismatch | None:
    """Spack ``spec.py:FlagMap.satisfies``: all flags that are asked for are there, in any order."""
    for flags in wanted:
        have = spec.flags.get(flags.name)
        if have is None or not {flag for flag, _ in flags.flags} <= set(have):
            return Mismatch(spec, flags.name, " ".join(have or ()), " ".join(flag for flag, _ in flags.flags))
    return None


def match_edges(spec: ConcreteSpec, want: AbstractSpec) -> Mismatch | None:
    """As ``match``, dependencies only: each edge that is asked for is found on its own."""
    for edge in want.edges:
        if failed := match_edge(spec, want, edge):
            return failed
        for below in () if edge.direct else edge.spec.edges:
            if failed := match_edge(spec, edge.spec, below):
                return failed
    return None


def match_edge(spec: ConcreteSpec, parent: AbstractSpec, edge: Edge) -> Mismatch | None:
    """One edge below ``parent``, which is the root that is asked for or one of its ``^`` dependencies."""
    if edge.when is not None and not _applies(spec, parent, edge.when):
        return None
    if _direct(spec, parent, edge) if edge.direct else _transitive(spec, edge):
        return None
    return _nearest(spec, parent, edge) or Mismatch(spec, "dependency", "", _edge_text(edge))


def _nearest(spec: ConcreteSpec, parent: AbstractSpec, edge: Edge) -> Mismatch | None:
    """What fails on the dependency of that name, where there is one; it says more than that none fits."""
    node = _player(spec, parent)
    if edge.spec.name is None or node is None:
        return None
    pairs = [(e, node.graph.get(e.hash)) for e in node.dependencies] if edge.direct else spec.matchable
    return next((failed for e, c in pairs if c and e.name == edge.spec.name and (failed := match_node(c, edge.spec))), None)


def _applies(spec: ConcreteSpec, parent: AbstractSpec, condition: AbstractSpec) -> bool:
    """Does the node that plays the parent meet the condition? Flags and propagation are not looked at (``intersects``)."""
    node = _player(spec, parent)
    if node is None:
        return False
    return intersects(node, condition)


def intersects(spec: ConcreteSpec, want: AbstractSpec) -> bool:
    """Could one concrete spec satisfy both? For a concrete one: ``satisfies``, but missing information is no obstacle.

    Source: Spack ``spec.py:Spec._intersects``.
    """
    if match_node(spec, _tolerant(want)) is not None:
        return False
    return match_edges(spec, want) is None


def _tolerant(want: AbstractSpec) -> AbstractSpec:
    return replace(want, flags=(), variants=tuple(v for v in want.variants if not v.propagate))


def _player(spec: ConcreteSpec, parent: AbstractSpec) -> ConcreteSpec | None:
    if parent.name is None or parent.name == spec.name:
        return spec
    return spec.find(parent.name)


def _direct(spec: ConcreteSpec, parent: AbstractSpec, edge: Edge) -> bool:
    node = _player(spec, parent)
    if node is None:
        return False
    if node.format < NEW_FORMAT or (node.external and not node.dependencies):
        return _annotation_fits(node, edge.spec)
    virtual = edge.spec.name in VIRTUALS
    wanted = {*edge.virtuals, edge.spec.name} if virtual else set(edge.virtuals)
    types = sum(DEPTYPE_BITS[t] for t in edge.deptypes)
    for found in node.dependencies:
        if edge.spec.name and not virtual and found.name != edge.spec.name:
            continue
        if (wanted and wanted.isdisjoint(found.virtuals)) or (types & ~found.deptypes):
            continue
        child = node.graph.get(found.hash)
        if child and (_provider_fits(child, edge.spec) if virtual else match(child, edge.spec) is None):
            return True
    return False


def _provider_fits(child: ConcreteSpec, want: AbstractSpec) -> bool:
    """Of what is asked of a virtual, a hash speaks of its provider, and a version of what the provider states of itself, if it does."""
    if want.hash is not None and not child.hash.startswith(want.hash):
        return False
    states = any(entry.partition("@")[0] == want.name for entry in child.wire.provided_virtuals)
    return not states or provides(child, want.name or "", want.versions)


def _annotation_fits(node: ConcreteSpec, want: AbstractSpec) -> bool:
    """Before format 5 a compiler is no dependency: every ``%`` is compared with the node's compiler annotation."""
    name, _, version = node.wire.compiler_text.partition("@=")
    if not name or (want.name and want.name != name):
        return False
    if want.variants or want.flags or want.platform or want.os or want.target or want.hash or want.namespace:
        return False
    return want.versions is ANY or (bool(version) and Version(version) in want.versions)


def _transitive(spec: ConcreteSpec, edge: Edge) -> bool:
    name = edge.spec.name
    candidates = [(e, c) for e, c in spec.matchable if name is None or e.name == name or name in e.virtuals]
    if any(not _offers(candidates, virtual) for virtual in edge.virtuals):
        return False
    return any(_plays(e, c, edge.spec) for e, c in candidates)


def _offers(candidates: list[tuple[Dependency, ConcreteSpec]], virtual: str) -> bool:
    return any(virtual in edge.virtuals or edge.name == virtual for edge, _ in candidates)


def _plays(edge: Dependency, child: ConcreteSpec, want: AbstractSpec) -> bool:
    if want.name is not None and edge.name != want.name and want.name in edge.virtuals:
        return _provider_fits(child, want)
    return match_node(child, want) is None


def _edge_text(edge: Edge) -> str:
    virtuals = f"{','.join(edge.virtuals)}=" if edge.virtuals else ""
    return f"{'%' if edge.direct else '^'}{virtuals}{edge.spec}"
