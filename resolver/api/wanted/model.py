"""What is wanted downloaded, whatever states it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from resolver.api.serving import built
from resolver.errors import FormatError, InputError
from resolver.sources.build_cache import CacheAddress
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import LINK_RUN

LOCKFILE, MANIFEST, MIRRORS, RESOLVER_LOCK = "spack.lock", "spack.yaml", "mirrors.yaml", "resolver.lock"


class Part(msgspec.Struct, frozen=True):
    """Of a ``resolver.lock``: the machine by name or file, some of its stacks; ``partial`` is whether some roots may lack."""

    machine: str = ""
    stacks: tuple[str, ...] = ()
    partial: bool = False


class Wanted(msgspec.Struct, frozen=True):
    """What to download, and from where.

    ``closure`` is the link/run closure by hash, sorted, externals too; ``nodes`` are JSON of all that is known of it and of what it was
    built with. ``roots`` are pairs of a spec's text and its hash. ``missing`` are sentences on link/run dependencies without a node.
    ``lockfile`` and ``manifest`` are those of an environment, None where it has none. ``where`` names the document, ``notes`` are for a
    person.
    """

    closure: Mapping[str, ConcreteSpec]
    nodes: Mapping[str, bytes]
    roots: tuple[tuple[str, str], ...]
    mirrors: tuple[CacheAddress, ...]
    missing: tuple[str, ...]
    where: str
    lockfile: bytes | None = None
    manifest: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()

    @property
    def packages(self) -> dict[str, ConcreteSpec]:
        """The specs whose binaries are wanted, by hash, sorted: no externals, and of spliced ones those that were built.

        Raises ``InputError`` when what was built is not known.
        """
        found = {one.hash: one for spec in self.closure.values() if not spec.external for one in [built(spec)]}
        return dict(sorted(found.items()))

    def complete(self) -> Wanted:
        """Itself. Raises ``InputError`` when a node of the closure is missing."""
        if self.missing:
            more = f", and {len(self.missing) - 1} more" if len(self.missing) > 1 else ""
            raise InputError(f"the closure is not complete: {self.missing[0]}{more}", where=self.where, hint="let it be written anew")
        return self


def node_of(raw: bytes) -> dict[str, Any]:
    """A node as plain values. Raises ``FormatError``, also for what a catalog reads over, as a number of thousands of digits."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError("a spec node that cannot be read", why=str(error), hint="fetch it again; it may be damaged") from None


def closure_of(roots: Iterable[ConcreteSpec]) -> dict[str, ConcreteSpec]:
    """The link/run closure of some specs, by hash, sorted."""
    found: dict[str, ConcreteSpec] = {}
    for root in roots:
        if root.hash not in found:
            found |= root.closure()
    return dict(sorted(found.items()))


def missing_in(closure: Iterable[ConcreteSpec]) -> Iterable[str]:
    """A sentence for each link/run dependency whose node is not there, and for each spliced spec without that which was built."""
    for spec in closure:
        for edge in sorted(spec.dependencies):
            if edge.deptypes & LINK_RUN and spec.graph.get(edge.hash) is None:
                yield f"{spec.name}/{spec.hash[:7]} needs {edge.name}/{edge.hash[:7]}, of which there is no node"
        reference = spec.wire.build_spec
        if reference and reference.key and spec.graph.get(reference.key) is None:
            yield f"{spec.name}/{spec.hash[:7]} was built as {reference.name}/{reference.key[:7]}, of which there is no node"
