"""What an environment is made of, whatever it is written as: roots, nodes, mirrors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from resolver.emit.durability import Durability, durability
from resolver.spec.concrete import ConcreteSpec
from resolver.versions import is_version


class Artifact(msgspec.Struct, frozen=True):
    """An emitted file: its name, relative to where it is to lie, and its bytes."""

    path: str
    content: bytes


class Root(msgspec.Struct, frozen=True):
    """A root of an environment."""

    spec: ConcreteSpec

    @property
    def pin(self) -> str:
        """``name@=version/hash``: the text that stands in ``spack.yaml`` and in ``spack.lock``, which must be the same.

        Without the version where the node's is none that can be written in a spec.
        """
        version = self.spec.wire.version
        if not is_version(version):
            return f"{self.spec.name}/{self.spec.hash}"
        sign = "" if self.spec.version.ref else "="
        return f"{self.spec.name}@{sign}{version}/{self.spec.hash}"


class Mirror(msgspec.Struct, frozen=True):
    """A mirror that serves binaries, as one entry of Spack's ``mirrors``.

    ``signed`` is None when it is not known, ``view`` the named index that lists them, if it is one. ``keys`` are the OpenPGP
    fingerprints that the mirror's key index states, which nobody has verified; ``release`` is the label of its records. ``in_v2`` are
    those that it has in layout v2 alone, where it has another layout too.
    """

    name: str
    url: str
    layout: str
    signed: bool | None
    serves: frozenset[str] = frozenset()
    view: str = ""
    keys: tuple[str, ...] = ()
    release: str = ""
    in_v2: frozenset[str] = frozenset()

    def layout_of(self, key: str) -> str:
        """The layout that the binary of a hash lies in there."""
        return "v2" if key in self.in_v2 else self.layout

    @property
    def durability(self) -> Durability:
        """How long what it has can be expected to stay, by its release and its URL."""
        return durability(self.release, self.url)


class Environment(msgspec.Struct, frozen=True):
    """A selection, ready to be written.

    ``nodes`` are node JSON by hash: the link/run closure and, unless left out, what it was built with. ``closure`` is the link/run
    part. ``unified`` is whether each package has one hash in it. ``incomplete`` are roots whose dependencies no source states.
    ``command`` made it. ``view`` is the stack's.
    """

    roots: tuple[Root, ...]
    closure: Mapping[str, ConcreteSpec]
    nodes: Mapping[str, bytes]
    mirrors: tuple[Mirror, ...]
    unified: bool
    command: str
    view: Any = None
    incomplete: tuple[str, ...] = ()

    @property
    def pins(self) -> list[Root]:
        """The roots, each hash once, in the order asked."""
        return list({root.spec.hash: root for root in self.roots}.values())
