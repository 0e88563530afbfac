"""Where selection gets its records from. The catalog implements it; tests use a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from resolver.selection.composition import Composition
from resolver.spec.concrete import ConcreteSpec


class Statement(msgspec.Struct, frozen=True):
    """What the sources together state of one hash.

    ``served_by`` are the sources that have a binary of it. ``complete`` is False when no source states its dependencies.
    """

    in_buildcache: bool = False
    sources: tuple[str, ...] = ()
    served_by: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    complete: bool = True

    def joined(self, other: Statement) -> Statement:
        """What both say, sorted; completeness stays this one's."""
        return Statement(
            self.in_buildcache or other.in_buildcache,
            tuple(sorted({*self.sources, *other.sources})),
            tuple(sorted({*self.served_by, *other.served_by})),
            tuple(sorted({*self.stacks, *other.stacks})),
            tuple(sorted({*self.releases, *other.releases})),
            self.complete,
        )


class Reach(msgspec.Struct, frozen=True):
    """What is known of a record's link/run closure, itself included, before any of its nodes is read.

    ``packages`` is the number of package names in it; ``providers`` are pairs of a virtual and the package that provides it there;
    ``libcs`` are those that its nodes need, as name, version and prefix.
    """

    packages: int = 1
    providers: tuple[tuple[str, str], ...] = ()
    oses: tuple[str, ...] = ()
    libcs: tuple[tuple[str, str, str | None], ...] = ()


class Outline(msgspec.Struct, frozen=True):
    """What is known of a record before its node is read: enough to tell which records are worth reading first.

    ``reach`` is None where a source does not state all of its closure. ``unusual`` is as of ``CandidatePool.unusual``, or less.
    ``composition`` is the number of what its closure is made of, 0 where that is not known or not all is for one platform, OS and target;
    ``sound`` is whether one source is known to have binaries of all of it, externals and gcc's runtime apart.
    """

    hash: str
    version: str
    platform: str
    os: str
    target: str
    statement: Statement
    reach: Reach | None = None
    unusual: int = 0
    composition: int = 0
    sound: bool = False

    def joined(self, other: Outline) -> Outline:
        """What both say of one hash, where different sources state it, or different nodes of it; a node without dependencies says less."""
        if other.statement.complete and not self.statement.complete:
            return other.joined(self)
        same = self.composition == other.composition or not other.statement.complete
        return Outline(
            *(self.hash, self.version, self.platform, self.os, self.target),
            self.statement.joined(other.statement),
            self.reach or other.reach,
            min(self.unusual, other.unusual),
            self.composition if same else 0,
            self.sound or other.sound,
        )


class CandidatePool(Protocol):
    """Questions that selection asks. Lists are in an order that does not depend on how the records came in."""

    def get(self, key: str) -> ConcreteSpec | None:
        """The spec with this hash."""

    def prefetch(self, keys: Iterable[str]) -> None:
        """Make ready what ``get`` will be asked for; worth nothing but time."""

    def named(self, name: str, platform: str | None = None, targets: Sequence[str] = ()) -> list[ConcreteSpec]:
        """The records of a package: all of them, or those for a platform and any of some targets."""

    def outlines(self, name: str, version: str | None = None, platform: str = "", targets: Sequence[str] = ()) -> list[Outline]:
        """The outlines of a package's records: all of them, or those of one version for a platform and any of some targets."""

    def count(self, name: str) -> int:
        """How many records a package has."""

    def with_prefix(self, prefix: str) -> list[ConcreteSpec]:
        """All records whose hash begins so."""

    def statement(self, spec: ConcreteSpec) -> Statement:
        """What is stated of a spec that came from this pool."""

    def unusual(self, spec: ConcreteSpec) -> int:
        """How many variants of a spec that came from this pool have another value than most records of its package; 0 of externals."""

    def versions(self, name: str) -> list[str]:
        """All versions of a package in Spack's order, the newest first."""

    def oses(self) -> list[str]:
        """All OS labels."""

    def providers(self, virtual: str) -> list[str]:
        """The packages that were seen to provide a virtual."""

    def has_package(self, name: str) -> bool:
        """Is there any record of this name?"""

    def compositions(self, numbers: Sequence[int]) -> list[Composition]:
        """What closures are made of, by the numbers that outlines have."""

    def lacks_runtimes(self) -> bool:
        """Is there a node that has a compiler and not the package of its runtime?"""

    def source_names(self) -> list[str]:
        """The sources that records are taken from, in order."""
