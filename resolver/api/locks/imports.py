"""Environments that Spack locked, taken over as they are: the roots of a ``spack.lock`` with their hashes, and all its nodes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from resolver.api.configuration import MOST_LOCK_BYTES, read_plain
from resolver.api.locks.asked import digest
from resolver.api.locks.nodes import by_hash
from resolver.api.locks.places import Folder
from resolver.api.locks.pool import LockPool
from resolver.api.resolve import fingerprint
from resolver.arch.machine import Machine
from resolver.errors import FormatError, InputError
from resolver.formats.lockfile import Lockfile, LockRoot, read_lockfile
from resolver.formats.record import read_record
from resolver.formats.resolver_lock import Lock, LockChoice, LockNode, LockSelection
from resolver.formats.resolver_lock import LockRoot as Root
from resolver.selection.closures import Closures
from resolver.selection.model import Unify
from resolver.selection.problem import one_hash_each
from resolver.spec.node import decode_facts


class Imported(msgspec.Struct, frozen=True):
    """The selections that an environment makes, and its nodes, of which no source is known."""

    selections: tuple[LockSelection, ...]
    nodes: dict[str, LockNode]


def read_import(path: str, cell: tuple[str, str], machine: Machine) -> Imported:
    """What an environment has for a machine, a selection for each group. Raises ``InputError`` naming the file."""
    try:
        lockfile = read_lockfile(read_plain(path, MOST_LOCK_BYTES))
        nodes, keys = _nodes(lockfile)
        groups: dict[str, list[LockRoot]] = {}
        for root in lockfile.roots:
            groups.setdefault(root.group, []).append(root)
        if not groups:
            msg = "the lockfile has no roots"
            raise FormatError(msg, hint="concretize the environment first")
        pool = LockPool(Lock(nodes=nodes), Folder(Path()))
        found = tuple(_selection(cell, name, _hashes(roots, keys), machine, pool) for name, roots in sorted(groups.items()))
    except InputError as error:
        raise error.at(path) from None
    return Imported(found, nodes)


def asked_of(hashes: dict[str, str]) -> str:
    """The digest of what an imported group asks for: its roots by their hashes."""
    return digest({"imported": hashes})


def _nodes(lockfile: Lockfile) -> tuple[dict[str, LockNode], dict[str, str]]:
    """The nodes by DAG hash, and the DAG hash of each key."""
    records = {key: read_record(key, raw, in_buildcache=False) for key, raw in lockfile.loaded().items()}
    keys = {key: _hash_of(key, raw) for key, raw in lockfile.nodes.items()}
    hashes = {**keys, **{record.hash: record.hash for record in records.values()}}
    return {record.hash: LockNode((), by_hash(record.node, record.hash, hashes)) for record in reversed(records.values())}, hashes


def _hash_of(key: str, raw: msgspec.Raw) -> str:
    return decode_facts(raw).hash or key


def _hashes(roots: list[LockRoot], keys: dict[str, str]) -> dict[str, str]:
    for root in roots:
        if root.hash not in keys:
            msg = f"the lockfile has the root {root.hash[:64]!r}, but no such node"
            raise FormatError(msg, hint="let Spack write it again")
    return {root.spec: keys[root.hash] for root in sorted(roots, key=lambda root: (root.spec, root.hash))}


def _selection(cell: tuple[str, str], group: str, hashes: dict[str, str], machine: Machine, pool: LockPool) -> LockSelection:
    closures = Closures(pool)  # type: ignore[arg-type] # as much of a pool as it needs
    specs = closures.union(spec for key in hashes.values() if (spec := pool.get(key)))
    unify: Unify = "true" if one_hash_each(specs.values()) else "when_possible"
    target = machine.target or "unknown"
    roots = tuple(Root(spec, (LockChoice(target, key),)) for spec, key in hashes.items())
    name = fingerprint(specs, machine)
    return LockSelection(cell[0], group, cell[1], unify, asked_of(hashes), name, optimal=True, roots=roots, targets=(target,))
