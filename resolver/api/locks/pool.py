"""Records as a lock has them, and records with some of a group's roots held to their hashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from resolver.api.locks.places import Folder
from resolver.catalog.store import SourceRow
from resolver.formats.resolver_lock import Lock, LockSource
from resolver.selection.pool import Statement
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import decode_facts, decode_node

if TYPE_CHECKING:
    from resolver.selection.pool import CandidatePool, Outline


class LockPool:
    """The nodes of a lock, decoded when they are wanted: as much of a ``CandidatePool`` as judging needs.

    ``sources`` are the lock's, with addresses of this computer.
    """

    def __init__(self, lock: Lock, folder: Folder) -> None:
        self._nodes = lock.nodes
        self._specs: dict[str, ConcreteSpec | None] = {}
        self._names: set[str] | None = None
        self.sources = {name: _row(name, source, folder) for name, source in sorted(lock.sources.items())}

    def get(self, key: str) -> ConcreteSpec | None:
        """The spec with this hash."""
        if key not in self._specs:
            held = self._nodes.get(key)
            self._specs[key] = ConcreteSpec(decode_node(held.node), key, self) if held else None
        return self._specs[key]

    def prefetch(self, keys: Iterable[str]) -> None:
        """Nothing has to be made ready."""

    def statement(self, spec: ConcreteSpec) -> Statement:
        """What the lock says of a spec that came from it."""
        held = self._nodes[spec.hash]
        rows = [self.sources[name] for name in held.sources]
        stacks = tuple(sorted({row.stack for row in rows if row.stack}))
        releases = tuple(sorted({row.release for row in rows if row.release}))
        return Statement(bool(held.sources), held.sources, held.sources, stacks, releases, held.complete)

    def unusual(self, spec: ConcreteSpec) -> int:  # noqa: ARG002 - as a pool takes it
        """A lock does not know what other records have."""
        return 0

    def node(self, spec: ConcreteSpec) -> bytes:
        """The JSON of a spec that came from this pool."""
        return self._nodes[spec.hash].node

    def has_package(self, name: str) -> bool:
        """Is there any record of this name?"""
        if self._names is None:
            self._names = {decode_facts(held.node).name for held in self._nodes.values()}
        return name in self._names


def _row(name: str, source: LockSource, folder: Folder) -> SourceRow:
    url = folder.full_url(source.url) if source.url else ""
    return SourceRow(
        name=name,
        kind="mirror" if url else "index",
        layout=source.layout,
        view=source.view,
        location=url,
        url=url,
        signed=source.signed,
        stack=source.stack,
        release=source.release,
        digest=source.digest,
        tag="",
        records=0,
        synced_at="",
        keys=source.keys,
    )


class HeldPool:
    """A pool in which the only record of some packages that may serve a root is a given one; as dependencies all are there.

    So a root keeps its hash, though its text does not ask for it: a root that asks for a hash counts otherwise in unification.
    """

    def __init__(self, pool: CandidatePool, held: Mapping[str, str]) -> None:
        self._pool = pool
        self._held = held

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what the other pool has
        return getattr(self._pool, name)

    def named(self, name: str, *rest: Any) -> list[ConcreteSpec]:  # noqa: ANN401 - as the other pool takes it
        """The records of a package that may serve a root."""
        return [spec for spec in self._pool.named(name, *rest) if self._held.get(name, spec.hash) == spec.hash]

    def outlines(self, name: str, *rest: Any) -> list[Outline]:  # noqa: ANN401 - as the other pool takes it
        """The outlines of those."""
        return [outline for outline in self._pool.outlines(name, *rest) if self._held.get(name, outline.hash) == outline.hash]

    def count(self, name: str) -> int:
        """How many they are."""
        return 1 if name in self._held else self._pool.count(name)


def held(pool: CandidatePool, hashes: Mapping[str, str]) -> CandidatePool:
    """A pool with the records of some packages held to a hash each."""
    return cast("CandidatePool", HeldPool(pool, hashes)) if hashes else pool
