"""What jobs installed when a ``resolver.lock`` was written, to tell which of today's differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from resolver.api.locks.places import Folder
from resolver.api.locks.plan import load_lock
from resolver.api.matrix.answers import Answer, Answers
from resolver.api.matrix.wanted import NamedStack
from resolver.api.resolve import fingerprint
from resolver.api.stacks import StackRequest
from resolver.arch.machine import Machine
from resolver.formats.resolver_lock import Lock, LockMachine, LockSelection

Key = tuple[str, LockMachine]


class Former:
    """The selections of a lock, by stack and machine.

    A stack is the one of the same place, whatever the lock calls it, else the one of its name. Machines are compared by their facts,
    whatever they are called, since these and the binaries are what a fingerprint is made of.
    """

    def __init__(self, lock: Lock, folder: Folder) -> None:
        self.folder = folder
        self.names = {stack.location: name for name, stack in lock.stacks.items() if not stack.imported}
        self.selections: dict[Key, dict[str, LockSelection]] = {}
        for selection in lock.selections:
            if any(_hashes(selection).values()):
                key = (selection.stack, lock.machines[selection.machine])
                self.selections.setdefault(key, {})[selection.group] = selection

    def has(self, stack: NamedStack, machine: Machine, groups: Iterable[Answers]) -> bool:
        """Was each of the groups, and no other, given the same? Groups that nothing serves do not count."""
        prints = {group: selection.fingerprint for group, selection in self._of(stack, machine).items()}
        return prints == {group.group: _fingerprint(group, machine) for group in groups if group.served}

    def has_group(self, stack: NamedStack, machine: Machine, group: Answers) -> bool:
        """Was the group given the same?"""
        former = self._of(stack, machine).get(group.group)
        return former is not None and former.fingerprint == _fingerprint(group, machine)

    def has_root(self, stack: NamedStack, machine: Machine, group: Answers, answer: Answer) -> bool:
        """Was the root given the same? A hash stands for all that is below it, so it says as much as a fingerprint."""
        former = self._of(stack, machine).get(group.group)
        return former is not None and _hashes(former).get(answer.spec) == answer.hash

    def _of(self, stack: NamedStack, machine: Machine) -> Mapping[str, LockSelection]:
        place = self.folder.stack(StackRequest(stack.asked)).location
        return self.selections.get((self.names.get(place, stack.name), LockMachine.of(machine)), {})


def _hashes(selection: LockSelection) -> Mapping[str, str]:
    """What the roots have on the machine itself, by spec."""
    return selection.hashes(selection.targets[0])


def _fingerprint(group: Answers, machine: Machine) -> str:
    return fingerprint(frozenset().union(*(answer.closure for answer in group.served)), machine)


def read_former(path: str) -> Former:
    """The lock at a path. Raises ``InputError`` when it cannot be read."""
    return Former(load_lock(Path(path)), Folder(Path(path).absolute().parent))
