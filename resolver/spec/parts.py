"""The pieces an abstract spec is made of, as immutable values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from resolver.spec.abstract import AbstractSpec

FLAG_NAMES = ("cflags", "cppflags", "cxxflags", "fflags", "ldflags", "ldlibs")
DEPTYPES = ("build", "link", "run", "test")
STAR = ("*",)


class Variant(msgspec.Struct, frozen=True):
    """A constraint on one variant: ``+x``, ``x=a,b`` (at least these), ``x:=a,b`` (exactly these) or ``x=*`` (any).

    ``value`` is a boolean or a sorted tuple of texts; ``propagate`` is ``++x`` or ``x==v``.
    """

    name: str
    value: bool | tuple[str, ...]
    exact: bool = False
    propagate: bool = False

    @property
    def is_any(self) -> bool:
        """Does it only ask that the variant exists?"""
        return self.value == STAR


class Flags(msgspec.Struct, frozen=True):
    """Compiler flags of one kind, in order, each with whether it propagates to dependencies."""

    name: str
    flags: tuple[tuple[str, bool], ...]


class Edge(msgspec.Struct, frozen=True):
    """A dependency that is asked for: ``^spec``, or ``%spec`` when ``direct``.

    ``deptypes`` and ``virtuals`` are sorted; ``when`` makes it conditional; ``propagate`` is ``%%``.
    """

    spec: AbstractSpec
    direct: bool
    deptypes: tuple[str, ...] = ()
    virtuals: tuple[str, ...] = ()
    when: AbstractSpec | None = None
    propagate: bool = False
