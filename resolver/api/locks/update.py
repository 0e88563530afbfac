"""Making a lock, and bringing one up to date: what it has is kept, what is new is selected, and what changed is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from resolver.api.locks.asked import asked, plain
from resolver.api.locks.changes import Change, changes
from resolver.api.locks.imports import read_import
from resolver.api.locks.nodes import gather, reached, sources_of
from resolver.api.locks.plan import Cell, LockRequest, Plan, choices_of, make_plan
from resolver.api.locks.selector import Hashes, Selector
from resolver.api.locks.tiers import Tier, add_lesser, keep_lesser, runs_on, top_tier
from resolver.api.resolve import fingerprint
from resolver.api.settings import Settings
from resolver.api.stacks import StackRequest
from resolver.arch.machine import Machine
from resolver.errors import InputError, NotSatisfiedError, did_you_mean
from resolver.formats.resolver_lock import (
    Lock,
    LockChoice,
    LockMachine,
    LockNode,
    LockRoot,
    LockSelection,
    LockSource,
    read_lock,
    write_lock,
)
from resolver.selection.model import GroupAnswer
from resolver.spec.abstract import AbstractSpec
from resolver.stacks.stack import Group

Step = Callable[[str, int, int], None]
"""Told of each stack and machine before it is selected: a text, its number from 0, and of how many."""


class Unserved(msgspec.Struct, frozen=True):
    """A root without any hash, and why."""

    stack: str
    group: str
    machine: str
    root: str
    text: str


class LockResult(msgspec.Struct, frozen=True):
    """The lock and its bytes, what differs from before, roots without a hash, and what a person should know."""

    lock: Lock
    data: bytes
    changes: tuple[Change, ...]
    unserved: tuple[Unserved, ...]
    notes: tuple[str, ...]
    is_new: bool


def update_lock(settings: Settings, request: LockRequest, step: Step = lambda *_: None) -> LockResult:
    """The lock that a request makes of a file, which is not written. Raises ``InputError`` and ``NotSatisfiedError``.

    Without ``partial`` every root must have a hash, but for stacks that have nothing at all for one machine and something for another.
    """
    plan = make_plan(settings, request)
    making = _Making(settings, request, plan)
    making.check_upgrade()
    for number, cell in enumerate(plan.cells):
        step(f"{cell[0]} on {cell[1]}", number, len(plan.cells))
        making.take(cell)
    making.set_aside()
    lock = making.lock()
    making.close()
    if making.unserved and not request.partial:
        raise _unsatisfied(making.unserved)
    data = write_lock(lock)
    read_lock(data, str(request.path))  # what cannot be read again is not written
    found = changes(plan.old, lock, plan.former, making.reasons)
    return LockResult(lock, data, found, tuple(making.unserved), tuple(dict.fromkeys(making.notes)), not request.path.exists())


def _unsatisfied(unserved: Sequence[Unserved]) -> NotSatisfiedError:
    first = unserved[0]
    cells = list(dict.fromkeys(f"{one.stack} on {one.machine}" for one in unserved))
    shown = ", ".join(cells[:4]) + (f" and {len(cells) - 4} more" if len(cells) > 4 else "")
    msg = f"{len(unserved)} root{'' if len(unserved) == 1 else 's'} of {shown} {'has' if len(unserved) == 1 else 'have'} no hash"
    hint = "--partial locks those that have; `spack-resolver explain SPEC --stack STACK --machine M` says what would help"
    return NotSatisfiedError(msg, why=f"{first.root}: {first.text}", hint=hint)


class _Making:
    """The parts of a lock, gathered cell by cell."""

    def __init__(self, settings: Settings, request: LockRequest, plan: Plan) -> None:
        self.settings = settings
        self.request = request
        self.plan = plan
        self.selections: list[LockSelection] = []
        self.nodes: dict[str, LockNode] = {}
        self.imported: dict[str, LockNode] = {}
        self.sources: dict[str, LockSource] = {}
        self.unserved: list[Unserved] = []
        self.notes: list[str] = []
        self.reasons: dict[tuple[str, str, str, str], str] = {}
        self._selector: Selector | None = None
        self._anew = self._upgraded()

    @property
    def selector(self) -> Selector:
        """Selects; the catalog is opened when it is needed."""
        if self._selector is None:
            choices = choices_of(self.plan.choices, self.plan.folder)
            self._selector = Selector(self.settings, choices, self.request.effort)
        return self._selector

    def _upgraded(self) -> Callable[[str], bool]:
        """Is a root, by its text, to be selected anew?"""
        wanted = self.request.upgrade
        if wanted is None:
            return lambda _: False
        return lambda root: not wanted or any(_means(text, root) for text in wanted)

    def check_upgrade(self) -> None:
        """Raises ``InputError`` when a root to select anew is none of the lock's, or one whose hash is an environment's."""
        wanted = self.request.upgrade or ()
        old = self.plan.old
        imported = {root.spec for s in old.selections for root in s.roots if old.stacks[s.stack].imported}
        roots = {root.spec for s in old.selections for root in s.roots if not old.stacks[s.stack].imported}
        for text in wanted:
            if any(_means(text, root) for root in roots):
                continue
            if any(_means(text, root) for root in imported):
                msg = f"the hash of {text} is that of an environment that was imported"
                raise InputError(msg, where=str(self.request.path), hint="let Spack change it there; `lock` takes it over")
            names = {AbstractSpec.parse(root).name or "" for root in roots} | roots
            other = "; stacks stand before it" if text in old.stacks else ""
            hint = f"{did_you_mean(text, names)}--upgrade takes a root's spec or package{other}"
            raise InputError(f"there is no root {text!r} in the lock", where=str(self.request.path), hint=hint)

    def take(self, cell: Cell) -> None:
        """Select for a stack on a machine, or take its hashes over."""
        stack, machine = self.plan.stacks[cell[0]], self.plan.machines[cell[1]]
        if stack.imported:
            self._import(cell, machine)
            return
        request = self.plan.folder.request(stack, self.settings)
        earlier = [] if self.request.upgrade == () else self._earlier(cell)  # where all is anew, so are the targets of the tiers
        tiers = self._tiers(request, machine, earlier)
        top = tiers[0]
        self.notes += top.stack.warnings
        self.reasons |= {(*cell, group, root): text for (group, root), text in top.lost.items()}
        for group in top.stack.groups:
            if group.roots:
                self._put(cell, group, tiers, machine)

    def _earlier(self, cell: Cell) -> list[LockSelection]:
        name = self.plan.former.get(cell[0], "")
        return [s for s in self.plan.old.selections if (s.stack, s.machine) == (name, cell[1])]

    def _tiers(self, request: StackRequest, machine: Machine, earlier: list[LockSelection]) -> list[Tier]:
        """The machine's own tier and its alternates, with as much of the earlier ones as is to be kept."""
        hashes = {s.group: self._kept(s.hashes(s.targets[0])) for s in earlier}
        top = top_tier(self.selector, request, machine, hashes, partial=self.request.partial)
        tiers = [top]
        if not self.plan.choices.alternates:
            return tiers
        dropped = {s.group: {root.spec: "" for root in s.roots if self._anew(root.spec)} for s in earlier}
        keep_lesser(self.selector, request, machine, earlier, tiers, dropped)
        if not earlier or _is_changed(top, hashes):
            self.notes += add_lesser(self.selector, request, machine, tiers, earlier)
        return _without_needless(tiers)

    def _kept(self, hashes: Mapping[str, str]) -> dict[str, str]:
        return {root: key for root, key in hashes.items() if key and not self._anew(root)}

    def _put(self, cell: Cell, group: Group, tiers: Sequence[Tier], machine: Machine) -> None:
        answer = tiers[0].answers[group.name]
        for one in answer.roots:
            if one.chosen is None:
                self.unserved.append(Unserved(*cell[:1], group.name, cell[1], str(one.root), one.text))
        specs = [one.chosen.spec for tier in tiers if group.name in tier.answers for one in tier.answers[group.name].roots if one.chosen]
        self.nodes |= gather(self.selector.pool, (spec for spec in specs if spec.hash not in self.nodes))
        view = plain(tiers[0].stack.view)
        self.selections.append(_selection(cell, group, tiers, fingerprint(answer.closure, machine), view))
        if not answer.optimal:
            self.notes.append(f"{cell[0]} on {cell[1]}, group {group.name}: the best answer found in time, not proven to be the best")

    def set_aside(self) -> None:
        """It is no mistake that a stack has nothing at all for a machine, if it has for another, and the machine of another stack.

        So stacks for different kinds of CPUs stand beside each other in one lock.
        """
        served = {(s.stack, s.machine) for s in self.selections if any(root.hash for root in s.roots)}
        stacks, machines = ({cell[place] for cell in served} for place in (0, 1))
        empty = {(s.stack, s.machine) for s in self.selections} - served
        aside = {(stack, machine) for stack, machine in empty if stack in stacks and machine in machines}
        for stack, machine in sorted(aside):
            first = next(one for one in self.unserved if (one.stack, one.machine) == (stack, machine))
            self.notes.append(f"{stack} has nothing for {machine}: {first.root}: {first.text}")
        self.unserved = [one for one in self.unserved if (one.stack, one.machine) not in aside]

    def _import(self, cell: Cell, machine: Machine) -> None:
        stack = self.plan.stacks[cell[0]]
        path = self.plan.folder.absolute(stack.location)
        earlier = self._earlier(cell)
        if earlier and not Path(path).exists():
            self.notes.append(f"{cell[0]} was imported from {stack.location}, which is not there; it stays as it was")
            self.selections += [replace(one, stack=cell[0]) for one in earlier]
            self.imported |= reached(self.plan.old, earlier)
            return
        found = read_import(path, cell, machine)
        self.selections += found.selections
        self.imported |= found.nodes

    def lock(self) -> Lock:
        """What was gathered."""
        machines = {name: LockMachine.of(machine) for name, machine in self.plan.machines.items()}
        nodes = {**self._served(), **self.nodes}
        rows = self._selector.pool.sources if self._selector else {}
        known = sources_of(rows, nodes, self.plan.folder)
        names = sorted({name for node in nodes.values() for name in node.sources})
        sources = {name: self._as_before(name, known.get(name, self.plan.old.sources.get(name)), nodes) for name in names}
        order = sorted(self.selections, key=lambda s: (s.stack, s.machine, s.group))
        return Lock(dict(self.plan.stacks), self.plan.choices, machines, sources, tuple(order), nodes)

    def close(self) -> None:
        """Lets go of the catalog, if it was opened."""
        if self._selector:
            self._selector.close()

    def _as_before(self, name: str, source: LockSource | None, nodes: Mapping[str, LockNode]) -> LockSource:
        """The source, with the digest that it had when something new was last taken from it, so that nothing else changes the lock."""
        before = self.plan.old.sources.get(name)
        if before is None or source is None or replace(before, digest=source.digest) != source:
            return source or LockSource()
        was = {key for key, node in self.plan.old.nodes.items() if name in node.sources}
        return source if any(name in node.sources for key, node in nodes.items() if key not in was) else before

    def _served(self) -> dict[str, LockNode]:
        """What was imported, with the sources that have a binary of it: by the catalog, or where there is none as the lock had it."""
        if not self.imported:
            return {}
        if not (self._selector or self.settings.catalog.exists()):
            old = self.plan.old.nodes
            return {key: _with_sources(held, old[key].sources if key in old else ()) for key, held in self.imported.items()}
        pool = self.selector.pool
        pool.prefetch(self.imported)
        specs = {key: pool.get(key) for key in self.imported}
        return {
            key: _with_sources(held, pool.statement(spec).served_by if (spec := specs[key]) else ()) for key, held in self.imported.items()
        }


def _with_sources(held: LockNode, names: tuple[str, ...]) -> LockNode:
    return LockNode(names, held.node, held.complete)


def _means(text: str, root: str) -> bool:
    """Does a text name a root, by its spec in any spelling or by its package?"""
    spec = AbstractSpec.parse(root)
    return text == spec.name or str(AbstractSpec.parse(text)) == root


def _is_changed(top: Tier, hashes: Hashes) -> bool:
    """Is there a root with another hash than it was to keep?"""
    return any(
        one.chosen is None or hashes.get(name, {}).get(str(one.root)) != one.chosen.spec.hash
        for name, answer in top.answers.items()
        for one in answer.roots
    )


def _without_needless(tiers: Sequence[Tier]) -> list[Tier]:
    """The tiers without those on whose target an earlier one runs."""
    found: list[Tier] = []
    for tier in tiers:
        if not any(runs_on(earlier.answers, tier.target) for earlier in found):
            found.append(tier)
    return found


def _selection(cell: Cell, group: Group, tiers: Sequence[Tier], name: str, view: object) -> LockSelection:
    """A group's part of the tiers; those in which it has the same hashes as in an earlier one are left out."""
    rows: dict[str, dict[str, str]] = {}
    for tier in tiers:
        row = _hashes(tier.answers[group.name]) if group.name in tier.answers else {}
        if row not in rows.values():
            rows[tier.target] = row
    specs = sorted(rows[tiers[0].target])
    roots = tuple(LockRoot(spec, _choices({target: row.get(spec, "") for target, row in rows.items()})) for spec in specs)
    answer = tiers[0].answers[group.name]
    return LockSelection(cell[0], group.name, cell[1], group.unify, asked(group), name, answer.optimal, roots, tuple(rows), view)


def _hashes(answer: GroupAnswer) -> dict[str, str]:
    return {str(one.root): one.chosen.spec.hash if one.chosen else "" for one in answer.roots}


def _choices(hashes: Mapping[str, str]) -> tuple[LockChoice, ...]:
    """The first target's hash, and one for each target on which it is another than on the one before; none where there is no hash."""
    found: list[LockChoice] = []
    for target, key in hashes.items():
        if not found or key != found[-1].hash:
            found.append(LockChoice(target, key))
    return tuple(found) if any(choice.hash for choice in found) else ()
