"""What a lock is to hold: the stacks, machines and choices of a command, and what it does not say as the file has it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import msgspec
from msgspec.structs import replace

from resolver.api.configuration import read_plain
from resolver.api.locks.places import Folder, stack_name
from resolver.api.selecting import Choices
from resolver.api.settings import Settings
from resolver.api.stacks import LABEL, StackRequest, find_stack
from resolver.arch.machine import Machine
from resolver.errors import InputError
from resolver.formats.resolver_lock import MOST_BYTES, Lock, LockChoices, LockMachine, LockStack, read_lock
from resolver.selection.model import Effort

LOCKFILE = "spack.lock"
Cell = tuple[str, str]
"""A stack and a machine, by the names that they have in the lock."""


class Import(msgspec.Struct, frozen=True):
    """An environment whose hashes are taken as they are: a ``spack.lock`` or a directory that holds one, and the machine they are for."""

    machine: Machine
    place: str


class LockRequest(msgspec.Struct, frozen=True):
    """What to lock, and in which file. Empty and None is: as the file has it.

    ``reading`` says how stacks are read, whichever it names itself. ``upgrade`` are the roots to select anew, by spec or package, all where
    it is empty and none where it is None. ``alternates`` is whether lesser targets are looked at. ``partial`` allows roots without a hash.
    """

    path: Path
    stacks: Sequence[str] = ()
    machines: Sequence[Machine] = ()
    imports: Sequence[Import] = ()
    reading: StackRequest | None = None
    choices: Choices | None = None
    alternates: bool | None = None
    upgrade: Sequence[str] | None = None
    partial: bool = False
    effort: Effort = msgspec.field(default_factory=Effort)


class Plan(msgspec.Struct, frozen=True):
    """A request and what the file said before, put together. ``former`` are the file's names of those stacks that it has too."""

    folder: Folder
    old: Lock
    stacks: Mapping[str, LockStack]
    machines: Mapping[str, Machine]
    choices: LockChoices
    cells: tuple[Cell, ...]
    former: Mapping[str, str]


def load_lock(path: Path) -> Lock:
    """The lock in a file. Raises ``InputError`` when there is none, or none that can be read."""
    return read_lock(read_plain(str(path), MOST_BYTES), str(path))


def make_plan(settings: Settings, request: LockRequest) -> Plan:
    """What is to be in the lock. Raises ``InputError`` when there is no stack or no machine, or two go by one name."""
    folder = Folder(request.path.absolute().parent)
    old = load_lock(request.path) if request.path.exists() else Lock()
    stacks = _stacks(settings, request, folder, old)
    machines = _machines(request, old)
    places = {_place(stack): name for name, stack in old.stacks.items()}
    former = {name: places[_place(stack)] for name, stack in stacks.items() if _place(stack) in places}
    cells = tuple(sorted(_cells(stacks, _common(request, old, machines))))
    if not stacks or not cells:
        what = "machine" if stacks else "stack"
        msg = f"there is no {what} to lock"
        raise InputError(msg, where=str(request.path), hint="name both: spack-resolver lock STACK... --machine M... -o FILE")
    used = {machine for _, machine in cells}
    kept = {name: machine for name, machine in machines.items() if name in used}
    return Plan(folder, old, stacks, kept, _choices(request, folder, old), cells, former)


def _place(stack: LockStack) -> tuple[str, str]:
    """What tells stacks apart, however they are called and read."""
    return stack.location, stack.imported


def _stacks(settings: Settings, request: LockRequest, folder: Folder, old: Lock) -> dict[str, LockStack]:
    if not request.stacks and not request.imports:
        if request.reading is None:
            return old.stacks
        return {name: _read_so(stack, request.reading, folder) for name, stack in old.stacks.items()}
    known = {stack.location: stack for stack in old.stacks.values() if not stack.imported}
    rows: dict[str, list[LockStack]] = {}
    for text in dict.fromkeys(request.stacks):
        if not text.startswith(LABEL):
            find_stack(text, settings)
        stack = folder.stack(replace(request.reading or StackRequest(), stack=text))
        rows.setdefault(stack_name(StackRequest(text)), []).append(stack if request.reading else known.get(stack.location, stack))
    for each in request.imports:
        path = lockfile_of(each.place)
        stack = LockStack(folder.relative(path), imported=each.machine.name or each.machine.triple)
        rows.setdefault(_name_of(path), []).append(stack)
    return _numbered(rows)


def lockfile_of(place: str) -> Path:
    """The ``spack.lock`` of an environment. Raises ``InputError`` when there is none."""
    path = Path(os.path.expanduser(place))  # noqa: PTH111 - leaves the name of an unknown user as it is
    found = path / LOCKFILE if path.is_dir() else path
    if not found.is_file():
        msg = f"there is no lockfile {found}"
        raise InputError(msg, hint="name a spack.lock, or a directory that holds one")
    return found


def _name_of(path: Path) -> str:
    """The name that an imported environment goes by: its folder's, or its file's where that has another name than usual."""
    return (path.absolute().parent.name if path.name == LOCKFILE else path.stem) or "environment"


def _read_so(stack: LockStack, reading: StackRequest, folder: Folder) -> LockStack:
    return stack if stack.imported else replace(folder.stack(replace(reading, stack=LABEL)), location=stack.location)


def _numbered(rows: Mapping[str, list[LockStack]]) -> dict[str, LockStack]:
    """Stacks by name; of those with one name the first, by their places, keeps it and the others have a number."""
    found: dict[str, LockStack] = {}
    for name in sorted(rows):
        unique = {_place(stack): stack for stack in rows[name]}
        free = (f"{name}-{number}" for number in count(2) if f"{name}-{number}" not in rows)
        for place in sorted(unique):
            found[next(free) if name in found else name] = unique[place]
    return found


def _machines(request: LockRequest, old: Lock) -> dict[str, Machine]:
    found: dict[str, Machine] = {}
    given = [*request.machines, *(each.machine for each in request.imports)]
    for machine in given:
        name = machine.name or machine.triple
        if name in found and LockMachine.of(found[name]) != LockMachine.of(machine):
            msg = f"two machines go by the name {name}"
            raise InputError(msg, why=f"{found[name]} and {machine}", hint="give one another name in the configuration, or rename its file")
        found[name] = machine
    if not request.machines:
        found = {**{name: machine.machine(name) for name, machine in old.machines.items()}, **found}
    return dict(sorted(found.items()))


def _common(request: LockRequest, old: Lock, machines: Mapping[str, Machine]) -> list[str]:
    """The machines that all stacks are for: those that are not there for an import alone."""
    if request.machines:
        return sorted({machine.name or machine.triple for machine in request.machines})
    imported = {stack.imported for stack in old.stacks.values() if stack.imported}
    others = {s.machine for s in old.selections if not old.stacks[s.stack].imported}
    return sorted(name for name in machines if name in old.machines and (name not in imported or name in others))


def _cells(stacks: Mapping[str, LockStack], machines: Sequence[str]) -> Iterator[Cell]:
    for name, stack in stacks.items():
        yield from ((name, machine) for machine in ([stack.imported] if stack.imported else machines))


def _choices(request: LockRequest, folder: Folder, old: Lock) -> LockChoices:
    alternates = old.choices.alternates if request.alternates is None else request.alternates
    given = request.choices
    if given is None:
        return replace(old.choices, alternates=alternates)
    facts = folder.relative(given.facts) if given.facts else ""
    sources = tuple(sorted(set(given.sources)))
    return LockChoices(sources, given.os_policy, given.labelled, given.assume_externals, facts, given.prefer, alternates)


def choices_of(choices: LockChoices, folder: Folder) -> Choices:
    """How to select, as a lock says it."""
    facts = folder.absolute(choices.facts) if choices.facts else ""
    return Choices(choices.sources, choices.os_policy, choices.labelled, choices.assume_externals, facts, choices.prefer)
