"""Selecting for a lock: a whole stack on a machine, with the hashes that some of its roots are to keep."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from resolver.api.locks.conflict import Conflict, Place, conflict_of, unserved_of
from resolver.api.locks.pool import held
from resolver.api.selecting import Choices, make_judge, open_pool
from resolver.api.settings import Settings
from resolver.api.stacks import StackRequest, load_stack
from resolver.arch.machine import Machine
from resolver.catalog.store import Store
from resolver.catalog.targets import recorded_targets
from resolver.errors import InputError
from resolver.selection.gates import Judge
from resolver.selection.model import Effort, GroupAnswer, RootAnswer
from resolver.selection.ranking import Ranking
from resolver.selection.select import hopeful, select_group
from resolver.selection.shared import Shared
from resolver.spec.abstract import AbstractSpec
from resolver.spec.virtuals import VIRTUALS
from resolver.stacks.stack import Group, Stack

Hashes = Mapping[str, Mapping[str, str]]
"""By group and root, roots as texts."""


class Kept(msgspec.Struct, frozen=True):
    """The answers, and for each root that could not keep its hash why, by group and root."""

    answers: dict[str, GroupAnswer]
    lost: dict[Place, str]


class Selector:
    """Selects from one catalog, which stays open; what was read for one selection is there for the next."""

    def __init__(self, settings: Settings, choices: Choices, effort: Effort) -> None:
        self.settings = settings
        self.choices = choices
        self.effort = effort
        self.pool = open_pool(settings, choices)
        self._shared = Shared(self.pool)
        self._targets: dict[str, list[str]] = {}

    def stack(self, request: StackRequest, machine: Machine) -> Stack:
        """The stack, expanded for the machine. Raises ``InputError``."""
        return load_stack(request, machine, self.settings, self.pool)

    def recorded_targets(self, platform: str) -> list[str]:
        """The targets that the catalog has records for."""
        if platform not in self._targets:
            with Store(self.settings.catalog) as store:
                self._targets[platform] = recorded_targets(store, platform)
        return self._targets[platform]

    def answers(self, stack: Stack, machine: Machine, hashes: Hashes, without: Collection[Place] = ()) -> dict[str, GroupAnswer]:
        """The answers for all groups with roots; groups that others need come before them, and are offered to them.

        The roots that it is ``without`` are answered with nothing, and are not in the way of others.
        """
        found: dict[str, GroupAnswer] = {}
        for group in stack.groups:
            if group.roots:
                offered = frozenset(key for need in group.needs if need in found for key in found[need].closure)
                left_out = {root for name, root in without if name == group.name}
                found[group.name] = self._select(stack, group, machine, hashes.get(group.name, {}), offered, left_out)
        return found

    def _select(
        self, stack: Stack, group: Group, machine: Machine, hashes: Mapping[str, str], offered: frozenset[str], left_out: Collection[str]
    ) -> GroupAnswer:
        wanted = tuple(root for root in group.roots if str(root) not in left_out)
        roots, packages = _held_to(wanted, hashes, together=group.unify == "true")
        try:
            judge = self.judge(stack, group, machine, packages, offered)
            judge.policy = replace(judge.policy, held=frozenset(hashes.values()))  # kept, not asked for by hash
            answer = select_group(judge, group.name, roots, group.unify, self.effort)
        except InputError as error:
            raise error.at(stack.place) from None
        found = {root: replace(one, root=root) for one, root in zip(answer.roots, wanted, strict=True)}
        return replace(answer, roots=tuple(found.get(root) or RootAnswer(root, None, 1, ()) for root in group.roots))

    def close(self) -> None:
        """Lets go of the catalog's state."""
        self.pool.release()

    def judge(
        self, stack: Stack, group: Group, machine: Machine, packages: Mapping[str, str] | None = None, offered: frozenset[str] = frozenset()
    ) -> Judge:
        """A judge of one group's records, with the packages that are held to a hash."""
        judge = make_judge(self.pool, machine, self.choices, stack.name, group.packages, group.concretizer, offered, self._shared)
        judge.pool = held(self.pool, packages or {})
        return judge

    def keep(self, stack: Stack, machine: Machine, hashes: Hashes, *, partial: bool) -> Kept:
        """The answers in which roots keep their hashes, but for those whose hash is gone or may not serve them any more.

        Where the kept hashes leave a root without any that could have had one, it raises ``NotSatisfiedError`` naming the roots; with
        ``partial`` new roots do without.
        """
        left = {group: dict(rows) for group, rows in hashes.items()}
        lost: dict[Place, str] = {}
        refused: dict[Place, str] = {}
        while True:
            answers = self.answers(stack, machine, left, refused)
            gone = dict(_unkept(answers, left))
            lost |= gone
            for group, root in gone:
                del left[group][root]
            conflict = None if gone else self._conflict(stack, machine, answers, left, refused, partial=partial)
            if conflict and not partial:
                raise conflict.error(stack, machine)
            if conflict and conflict.is_new and conflict.place not in refused:
                refused[conflict.place] = str(conflict.error(stack, machine))
            elif not gone:
                return Kept(_with_texts(answers, refused), lost)

    def _conflict(
        self,
        stack: Stack,
        machine: Machine,
        answers: dict[str, GroupAnswer],
        hashes: Hashes,
        refused: Collection[Place],
        *,
        partial: bool,
    ) -> Conflict | None:
        """A root that kept hashes are in the way of: one more would be served if none were kept.

        With ``partial`` also one that is in the way of kept hashes, though no more could be served without these.
        """
        unserved = [place for place in unserved_of(answers) if place not in refused]
        if not unserved or not any(hashes.values()):
            return None
        free = unserved_of(self.answers(stack, machine, {}, refused))
        dropped = [place for place in unserved if place[1] in hashes.get(place[0], ())]
        if len(free) < len(unserved) + len(refused):
            name, root = next((place for place in unserved if place not in free), unserved[0])
        elif partial and dropped:
            name, root = dropped[0]
        else:
            return None
        group = next(one for one in stack.groups if one.name == name)
        own = next(one for one in group.roots if str(one) == root)
        judge = self.judge(stack, group, machine)
        candidates = hopeful(judge, Ranking(judge), own).candidates
        return conflict_of(name, own, candidates, answers[name], hashes.get(name, {}))


def _with_texts(answers: dict[str, GroupAnswer], texts: Mapping[Place, str]) -> dict[str, GroupAnswer]:
    """The answers, with the reasons why some roots have none."""
    return {
        name: replace(answer, roots=tuple(replace(one, text=texts.get((name, str(one.root)), one.text)) for one in answer.roots))
        for name, answer in answers.items()
    }


def _held_to(roots: Sequence[AbstractSpec], hashes: Mapping[str, str], *, together: bool) -> tuple[list[AbstractSpec], dict[str, str]]:
    """The roots as they are asked for, and the packages that are held to a hash.

    A package that several roots may mean is held where these are given one hash ``together`` anyway; else those of its roots that keep
    theirs ask for it.
    """
    names = [root.name for root in roots]
    asked, packages = [], {}
    for root in roots:
        key = hashes.get(str(root), "")
        same = together and {hashes.get(str(other), key) for other in roots if other.name == root.name} == {key}
        plain = root.name is not None and root.name not in VIRTUALS and (same or names.count(root.name) == 1)
        if key and plain:
            packages[root.name or ""] = key
        asked.append(root if plain or not key else replace(root, hash=key))
    return asked, packages


def _unkept(answers: Mapping[str, GroupAnswer], hashes: Hashes) -> list[tuple[Place, str]]:
    """The roots that no candidate is left for while they are held to a hash, each with the reason."""
    found = []
    for name, answer in answers.items():
        for one in answer.roots:
            if hashes.get(name, {}).get(str(one.root)) and one.chosen is None and not one.candidates:
                reason = one.text if one.rejections else "no source that was synced has its hash any more"
                found.append(((name, str(one.root)), reason))
    return found
