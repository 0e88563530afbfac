"""What differs between a lock and the one before, root by root."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from resolver.formats.resolver_lock import Lock, LockSelection
from resolver.spec.node import decode_facts

Kind = Literal["added", "changed", "alternates", "removed"]
Place = tuple[str, str, str]


class Change(msgspec.Struct, frozen=True):
    """A root of a stack's group on a machine that has another hash than before, or other alternates only; ``reason`` where one is known.

    ``before`` and ``after`` are as ``hdf5@1.14.5/abcdefg``, empty where there is none.
    """

    kind: Kind
    stack: str
    group: str
    machine: str
    root: str
    before: str
    after: str
    reason: str = ""


def changes(old: Lock, new: Lock, former: Mapping[str, str], reasons: Mapping[tuple[str, str, str, str], str]) -> tuple[Change, ...]:
    """The differences, in the order of the lock. ``former`` are the old names of stacks, ``reasons`` are by stack, machine, group, root."""
    names = {before: now for now, before in former.items()}
    was = {(names.get(s.stack, s.stack), s.machine, s.group): s for s in old.selections}
    now = {(s.stack, s.machine, s.group): s for s in new.selections}
    found: list[Change] = []
    for place in sorted(was.keys() | now.keys()):
        found += _of_group(place, _Side(old, was.get(place)), _Side(new, now.get(place)), reasons)
    return tuple(found)


class _Side:
    """A selection in its lock; none of the roots where it is not there."""

    def __init__(self, lock: Lock, selection: LockSelection | None) -> None:
        self.lock = lock
        self.hashes = selection.hashes(selection.targets[0]) if selection else {}
        self.choices = {root.spec: root.choices for root in selection.roots} if selection else {}

    def shown(self, root: str) -> str:
        key = self.hashes.get(root, "")
        if not key:
            return ""
        wire = decode_facts(self.lock.nodes[key].node)
        return f"{wire.name}@{wire.version}/{key[:7]}"


def _of_group(place: Place, was: _Side, now: _Side, reasons: Mapping[tuple[str, str, str, str], str]) -> Iterator[Change]:
    stack, machine, group = place
    for root in sorted(was.hashes.keys() | now.hashes.keys()):
        if was.choices.get(root) == now.choices.get(root):
            continue
        kind = _kind(was, now, root)
        yield Change(kind, stack, group, machine, root, was.shown(root), now.shown(root), reasons.get((*place, root), ""))


def _kind(was: _Side, now: _Side, root: str) -> Kind:
    if root not in was.hashes:
        return "added"
    if root not in now.hashes:
        return "removed"
    return "changed" if was.hashes[root] != now.hashes[root] else "alternates"
