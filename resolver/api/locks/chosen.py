"""What a machine gets out of a lock, without network and catalog: the selection made for it, or the best that it can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec.structs import replace

from resolver.api.locks.places import Folder
from resolver.api.locks.pool import LockPool
from resolver.api.mirrors import chosen_mirrors
from resolver.api.nodes import node_json
from resolver.api.resolve import fingerprint, host_requirements
from resolver.api.settings import Settings
from resolver.arch import target as targets
from resolver.arch.machine import Machine
from resolver.emit.environment import Environment, Mirror, Root
from resolver.errors import InputError, NotSatisfiedError, did_you_mean
from resolver.formats.resolver_lock import Lock, LockMachine, LockSelection
from resolver.selection.closures import Closures
from resolver.selection.gates import Judge
from resolver.selection.model import Candidate, Policy, Rejection
from resolver.selection.problem import one_hash_each
from resolver.selection.rules import Rules
from resolver.spec.abstract import EMPTY
from resolver.spec.concrete import ConcreteSpec

if TYPE_CHECKING:
    from resolver.catalog.pool import CatalogPool

NO_HASH = "it had no hash when the lock was written"


class ChosenRoot(msgspec.Struct, frozen=True):
    """A root with what it gets: the spec, or None with the gate that it fails, if it is one, and a sentence.

    ``target`` is the one whose selection it is from.
    """

    root: str
    target: str
    spec: ConcreteSpec | None
    gate: str = ""
    text: str = ""


class ChosenGroup(msgspec.Struct, frozen=True):
    """A group of a stack with what its roots get; ``machine`` is the lock's machine whose selection it is from."""

    stack: str
    group: str
    machine: str
    roots: tuple[ChosenRoot, ...]


class Chosen(msgspec.Struct, frozen=True):
    """What a machine gets: group by group, and as one environment.

    ``exact`` is whether the lock was written for this very machine. ``host_requirements`` and ``notes`` are as those of a resolution.
    """

    machine: Machine
    groups: tuple[ChosenGroup, ...]
    environment: Environment
    fingerprint: str
    exact: bool
    host_requirements: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    @property
    def roots(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a root's spec and its hash, of those that have one."""
        return tuple((one.root, one.spec.hash) for group in self.groups for one in group.roots if one.spec)

    @property
    def closure(self) -> Mapping[str, ConcreteSpec]:
        """The link/run closure of all roots, by hash, sorted."""
        return self.environment.closure

    @property
    def nodes(self) -> Mapping[str, bytes]:
        """Node JSON by hash: the closure and what it was built with."""
        return self.environment.nodes

    @property
    def mirrors(self) -> tuple[Mirror, ...]:
        """The fewest mirrors that serve the closure."""
        return self.environment.mirrors

    @property
    def left(self) -> list[tuple[ChosenGroup, ChosenRoot]]:
        """The roots that get nothing."""
        return [(group, one) for group in self.groups for one in group.roots if one.spec is None]

    def whole(self) -> Chosen:
        """Itself. Raises ``NotSatisfiedError`` with the first reason where a root gets nothing."""
        if not self.left:
            return self
        group, one = self.left[0]
        total = sum(len(group.roots) for group in self.groups)
        what = "none" if len(self.left) == total else f"{total - len(self.left)} of {total} roots"
        msg = f"{what} of the lock can be had on {self.machine.name or self.machine}"
        where = f"stack {group.stack}, group {group.group}"
        why = f"{where}: {one.root}: {one.text}"
        hint = "--partial takes those that can; `spack-resolver lock` with this machine selects for it"
        raise NotSatisfiedError(msg, why=why, hint=hint)


def chosen(
    lock: Lock,
    machine: str | Machine | None,
    settings: Settings,
    *,
    folder: Path,
    stacks: Sequence[str] = (),
    groups: Sequence[str] = (),
    runtime_only: bool = False,
    command: str = "spack-resolver render",
) -> Chosen:
    """What a machine gets out of a lock that lies in ``folder``.

    The machine is one of the lock, by name, or any other; None where the lock has one alone. For one that the lock does not name, each
    stack is taken from the machine of the lock that is most like it, by the gates: of a group whose roots share a graph the first tier
    that runs, else for each root the first hash that does. Raises ``InputError`` on names that the lock does not have.
    """
    pool = LockPool(lock, Folder(folder))
    where, exact = _machine(lock, machine)
    picked = _Picking(lock, pool, where)
    wanted = _wanted(lock, stacks, groups)
    found = [one for name in wanted for one in picked.stack([s for s in lock.selections if s.stack == name], groups, exact)]
    kept = found if stacks else _with_something(found)
    result = _chosen(lock, pool, settings, where, kept, exact=bool(exact), runtime_only=runtime_only, command=command)
    without = sorted(set(wanted) - {group.stack for group in kept})
    return replace(result, notes=(*(f"the lock has nothing of {name} for {where.name or where}" for name in without), *result.notes))


def _with_something(groups: list[ChosenGroup]) -> list[ChosenGroup]:
    """The groups of stacks that have something for the machine; all where none has."""
    served = {group.stack for group in groups if any(one.spec for one in group.roots)}
    return [group for group in groups if group.stack in served] if served else groups


def _machine(lock: Lock, machine: str | Machine | None) -> tuple[Machine, str]:
    """The machine, and its name in the lock; empty where that has no such machine."""
    if isinstance(machine, Machine):
        facts = LockMachine.of(machine)
        same = sorted((name != machine.name, name) for name, one in lock.machines.items() if one == facts)
        return machine, same[0][1] if same else ""
    name = machine if machine is not None or len(lock.machines) != 1 else next(iter(lock.machines))
    if name not in lock.machines:
        known = ", ".join(lock.machines) or "none"
        msg = f"the lock has no machine {name!r}" if name is not None else "the lock has several machines"
        raise InputError(msg, hint=f"{did_you_mean(name or '', lock.machines)}its machines are {known}; choose one with --machine")
    return lock.machines[name].machine(name), name


def _wanted(lock: Lock, stacks: Sequence[str], groups: Sequence[str]) -> list[str]:
    """The names of the stacks that are wanted. Raises ``InputError`` when one, or a group, is not there."""
    for name in stacks:
        if name not in lock.stacks:
            msg = f"the lock has no stack {name!r}"
            raise InputError(msg, hint=f"{did_you_mean(name, lock.stacks)}its stacks are {', '.join(lock.stacks)}")
    found = [name for name in lock.stacks if not stacks or name in stacks]
    known = {s.group for s in lock.selections if s.stack in found}
    for name in groups:
        if name not in known:
            msg = f"the lock has no group {name!r} in {', '.join(found)}"
            raise InputError(msg, hint=f"{did_you_mean(name, known)}groups are {', '.join(sorted(known)) or 'none'}")
    return found


class _Picking:
    """Picks hashes for a machine, by the gates as far as nodes tell."""

    def __init__(self, lock: Lock, pool: LockPool, machine: Machine) -> None:
        self.lock = lock
        self.pool = pool
        self.machine = machine
        # Externals passed when the lock was written; what they are is listed as what the host must have.
        policy = Policy(os_policy=lock.choices.os_policy, assume_externals=True)
        self.judge = Judge(cast("Any", pool), machine, policy, Rules())
        self.verdicts: dict[str, Candidate | Rejection] = {}
        self.order = targets.candidates(machine.target or "")

    def stack(self, selections: Sequence[LockSelection], groups: Sequence[str], exact: str) -> list[ChosenGroup]:
        """The groups of a stack: as the lock has them for this machine, else from the machine that serves best here."""
        rows: dict[str, list[LockSelection]] = {}
        for one in selections:
            if not groups or one.group in groups:
                rows.setdefault(one.machine, []).append(one)
        if exact:
            return [self._as_locked(one) for one in rows.get(exact, ())]
        tried = [(machine, [self._group(one) for one in row]) for machine, row in rows.items()]
        alike = [pair for pair in tried if self.lock.machines[pair[0]].platform == (self.machine.platform or "")] or tried
        return min(alike, key=self._rank)[1] if alike else []

    def _rank(self, tried: tuple[str, list[ChosenGroup]]) -> tuple[object, ...]:
        """Fewest roots without a hash; then a machine with the same GPUs and OS; then most roots, on the nearest targets."""
        machine, ours = self.lock.machines[tried[0]], LockMachine.of(self.machine)
        roots = [one for group in tried[1] for one in group.roots]
        served = [one.spec for one in roots if one.spec]
        gpus = (machine.cuda_arch, machine.amdgpu_target) != (ours.cuda_arch, ours.amdgpu_target)
        distance = sum(self.order.index(spec.target) for spec in served)
        return len(roots) - len(served), gpus, machine.os != ours.os, -len(served), distance, tried[0]

    def _as_locked(self, selection: LockSelection) -> ChosenGroup:
        target = selection.targets[0]
        rows = selection.hashes(target).items()
        roots = tuple(ChosenRoot(root, target, self.pool.get(key) if key else None, text="" if key else NO_HASH) for root, key in rows)
        return ChosenGroup(selection.stack, selection.group, selection.machine, roots)

    def _group(self, selection: LockSelection) -> ChosenGroup:
        tiers = [[self._root(root, target, key) for root, key in selection.hashes(target).items()] for target in selection.targets]
        columns = list(zip(*tiers, strict=True))
        if selection.unify == "false":
            roots = [next((one for one in column if one.spec), _telling(column)) for column in columns]
        else:
            best = min(tiers, key=lambda tier: sum(one.spec is None for one in tier), default=[])
            roots = [one if one.spec else _telling(column) for one, column in zip(best, columns, strict=True)]
        return ChosenGroup(selection.stack, selection.group, selection.machine, tuple(roots))

    def _root(self, root: str, target: str, key: str) -> ChosenRoot:
        spec = self.pool.get(key) if key else None
        if spec is None:
            return ChosenRoot(root, target, None, text=NO_HASH)
        if key not in self.verdicts:
            self.verdicts[key] = self.judge.judge(spec, EMPTY)
        verdict = self.verdicts[key]
        if isinstance(verdict, Rejection):
            return ChosenRoot(root, target, None, verdict.gate, verdict.text)
        return ChosenRoot(root, target, spec)


def _telling(column: Sequence[ChosenRoot]) -> ChosenRoot:
    """Of a root in all tiers, of which none will do, the reason that says most: why the last, which asks for least, will not."""
    failed = [one for one in column if one.spec is None]
    return next((one for one in reversed(failed) if one.gate), failed[-1]) if failed else column[-1]


def _chosen(
    lock: Lock,
    pool: LockPool,
    settings: Settings,
    machine: Machine,
    groups: Sequence[ChosenGroup],
    *,
    exact: bool,
    runtime_only: bool,
    command: str,
) -> Chosen:
    specs = [one.spec for group in groups for one in group.roots if one.spec]
    closure = Closures(cast("Any", pool)).union(specs)
    nodes, cut = node_json(pool, closure, runtime_only=runtime_only)
    serving = chosen_mirrors(settings, cast("CatalogPool", pool), closure)
    environment = Environment(
        roots=tuple(map(Root, specs)),
        closure=closure,
        nodes=nodes,
        mirrors=serving.mirrors,
        unified=one_hash_each(closure.values()),
        command=command,
        view=_view(lock, groups),
        incomplete=tuple(sorted({spec.name for spec in specs if not pool.statement(spec).complete})),
    )
    notes = (*_notes(groups, closure, serving.mirrors, cut, exact=exact), *serving.notes)
    return Chosen(machine, tuple(groups), environment, fingerprint(closure, machine), exact, tuple(host_requirements(closure)), notes)


def _view(lock: Lock, groups: Sequence[ChosenGroup]) -> Any:  # noqa: ANN401 - any value of YAML
    """The view of the stacks, if they agree on one."""
    cells = {(group.stack, group.machine) for group in groups}
    views = [s.view for s in lock.selections if (s.stack, s.machine) in cells]
    return views[0] if views and all(view == views[0] for view in views) else None


def _notes(
    groups: Sequence[ChosenGroup],
    closure: Mapping[str, ConcreteSpec],
    mirrors: Sequence[Mirror],
    cut: Sequence[str],
    *,
    exact: bool,
) -> list[str]:
    notes = []
    if not exact:
        found = dict.fromkeys((group.stack, group.machine) for group in groups)
        notes += [f"{stack}: chosen out of what the lock has for {machine}" for stack, machine in found]
    served = frozenset().union(*(mirror.serves for mirror in mirrors))
    if unserved := sorted(spec.name for key, spec in closure.items() if not spec.external and key not in served):
        shown = ", ".join(unserved[:3])
        notes.append(f"{len(unserved)} of {len(closure)} packages are in no mirror that the lock names ({shown}): add one that has them")
    if cut:
        notes.append(f"{len(cut)} build-only nodes that no source has were left out: {', '.join(cut[:5])}")
    return notes
