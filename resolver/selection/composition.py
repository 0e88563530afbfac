"""What closures are made of, as a pool knows it before any node is read: kinds of packages, each apart from its hash, OS and target."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import Deptype, WireArch, WireEdge, WireEdgeParameters, WireExternal, WireNode

UNTOLD = frozenset({"patches", "commit", "dev_path"})
"""Parameters of nodes that kinds do not tell; nor do they tell compiler flags and namespaces."""


class Compiler(msgspec.Struct, frozen=True, array_like=True):
    """An edge to a compiler: its package and version, deptypes and virtuals."""

    name: str
    version: str
    deptypes: tuple[Deptype, ...]
    virtuals: tuple[str, ...]


class Traits(msgspec.Struct, frozen=True, array_like=True):
    """What a kind has besides name, version and variants; of externals no more than that they are.

    ``bare`` is compiled without stating a libc. ``uses`` are the virtuals that its link and run dependencies provide, each with the package
    that does, languages and libc apart; ``built_with`` the virtuals on all other edges.
    """

    external: bool
    bare: bool = False
    uses: tuple[tuple[str, str], ...] = ()
    built_with: tuple[str, ...] = ()
    compilers: tuple[Compiler, ...] = ()
    provided: tuple[str, ...] = ()


class Kind(msgspec.Struct, frozen=True, gc=False):
    """A package as records have it: ``chosen`` are its variants' values as JSON, of which ``unusual`` are not those of most records."""

    number: int
    name: str
    version: str
    chosen: str
    unusual: int
    traits: Traits

    @property
    def compiler(self) -> Compiler | None:
        """As ``ConcreteSpec.compiler``: what compiles C, else C++, else Fortran."""
        for language in ("c", "cxx", "fortran"):
            for compiler in self.traits.compilers:
                if language in compiler.virtuals:
                    return compiler
        return None


# The kinds of all nodes of a closure, its top included.
Composition = tuple[Kind, ...]


class Made(msgspec.Struct, frozen=True):
    """A composition, its kinds by package, whether one of them is bare, and the packages that are there several times."""

    kinds: Composition
    by_name: Mapping[str, Kind]
    bare: bool
    repeated: frozenset[str]

    @staticmethod
    def of(kinds: Composition) -> Made:
        """These kinds, with what is often asked of them."""
        by_name = {kind.name: kind for kind in kinds}
        repeated = frozenset(kind.name for kind in kinds if by_name[kind.name] is not kind)
        return Made(kinds, by_name, any(kind.traits.bare for kind in kinds), repeated)


_chosen = msgspec.json.Decoder(dict[str, tuple[str, ...]])


def sketched(kind: Kind, platform: str = "", os: str = "", target: str = "") -> ConcreteSpec:
    """A spec of which is known what its kind tells, for some place; of its dependencies it has compilers alone."""
    compilers = kind.traits.compilers
    edges = [WireEdge(c.name, f"{c.name}@{c.version}", parameters=WireEdgeParameters(c.deptypes, c.virtuals)) for c in compilers]
    wire = WireNode(
        name=kind.name,
        version=kind.version,
        arch=WireArch(platform, os, target),
        parameters={name: _value(values) for name, values in _chosen.decode(kind.chosen or "{}").items()},
        external=WireExternal() if kind.traits.external else None,
        provided_virtuals=list(kind.traits.provided),
        dependencies=edges,
    )
    return ConcreteSpec(wire, f"{kind.number}-{os}-{target}", _COMPILERS)


def _value(values: tuple[str, ...]) -> bool | str | tuple[str, ...]:
    if len(values) > 1:
        return values
    return values[0] == "true" if values[0] in ("true", "false") else values[0]


class _Compilers:
    """The graph of sketches: what their edges lead to."""

    def __init__(self) -> None:
        self.get = cache(self._make)

    def _make(self, key: str) -> ConcreteSpec | None:
        name, _, version = key.partition("@")
        return ConcreteSpec(WireNode(name=name, version=version), key, NOWHERE)


class _Nowhere:
    """A graph without nodes."""

    def get(self, key: str) -> ConcreteSpec | None:  # noqa: ARG002 - as graphs are asked
        """Nothing."""
        return None


NOWHERE = _Nowhere()
_COMPILERS = _Compilers()
