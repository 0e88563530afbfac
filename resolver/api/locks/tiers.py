"""Alternates: what a stack is given on lesser targets than a machine's, for other machines than the lock names.

A tier is the selection of the whole stack for the machine with its target lowered, so that its hashes go together. There is one only where
nothing that was selected before runs on its target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from resolver.api.locks.selector import Hashes, Selector
from resolver.api.stacks import StackRequest
from resolver.arch import target as targets
from resolver.arch.machine import Machine
from resolver.errors import InputError, NotSatisfiedError
from resolver.formats.resolver_lock import LockSelection
from resolver.selection.model import GroupAnswer
from resolver.stacks.stack import Stack

UNKNOWN = "unknown"
"""Stands for the target of a machine of which it is not known."""


class Tier(msgspec.Struct, frozen=True):
    """What a stack is given on a target: the answers by group, and why roots lost the hashes that they had."""

    target: str
    stack: Stack
    answers: dict[str, GroupAnswer]
    lost: Mapping[tuple[str, str], str] = msgspec.field(default_factory=dict)


def lesser_targets(machine: Machine, recorded: list[str]) -> list[str]:
    """The targets below a machine's for which other records than its own are allowed, nearest first.

    Of targets that allow the same records it is the most general: what is selected for it runs on the others too.
    """
    if machine.target is None:
        return []
    found: dict[frozenset[str], str] = {}
    for target in targets.candidates(machine.target):
        allowed = frozenset(targets.candidates(target)) & frozenset(recorded)
        if allowed and (allowed not in found or len(targets.candidates(target)) < len(targets.candidates(found[allowed]))):
            found[allowed] = target
    own = frozenset(targets.candidates(machine.target)) & frozenset(recorded)
    order = targets.candidates(machine.target)
    return sorted((target for allowed, target in found.items() if allowed != own), key=order.index)


def runs_on(answers: Mapping[str, GroupAnswer], target: str) -> bool:
    """Do all that were chosen run on a target?"""
    allowed = targets.candidates(target)
    return all(spec.target in allowed for answer in answers.values() for spec in answer.closure.values())


def lowered(machine: Machine, target: str) -> Machine:
    """The machine with another target."""
    return machine if target in (machine.target, UNKNOWN) else replace(machine, target=target)


def add_lesser(
    selector: Selector, request: StackRequest, machine: Machine, tiers: list[Tier], earlier: Sequence[LockSelection] = ()
) -> list[str]:
    """Put the tiers that are missing behind those that there are. Roots keep hashes of ``earlier`` tiers that may serve them.

    What comes back are sentences on targets for which the stack cannot be read.
    """
    notes = []
    order = targets.candidates(machine.target or "")
    for target in lesser_targets(machine, selector.recorded_targets(machine.platform or "")):
        nearer = [tier for tier in tiers if tier.target not in order[order.index(target) + 1 :]]
        if any(runs_on(tier.answers, target) for tier in nearer):
            continue
        try:
            tier = _tier(selector, request, lowered(machine, target), hashes_at(earlier, machine, target))
        except InputError as error:
            notes.append(f"no alternates for {target}: {error}")
            continue
        if any(one.chosen for answer in tier.answers.values() for one in answer.roots):
            tiers.append(tier)
    tiers.sort(key=lambda tier: order.index(tier.target) if tier.target in order else len(order))
    return notes


def top_tier(selector: Selector, request: StackRequest, machine: Machine, hashes: Hashes, *, partial: bool = False) -> Tier:
    """The tier of the machine itself. Unless ``partial``, raises ``NotSatisfiedError`` where kept hashes leave a root without any."""
    stack = selector.stack(request, machine)
    kept = selector.keep(stack, machine, hashes, partial=partial)
    return Tier(machine.target or UNKNOWN, stack, kept.answers, kept.lost)


def _tier(selector: Selector, request: StackRequest, machine: Machine, hashes: Hashes) -> Tier:
    """An alternate; where its kept hashes are in the way, it is selected anew."""
    try:
        return top_tier(selector, request, machine, hashes)
    except NotSatisfiedError:
        return top_tier(selector, request, machine, {})


def keep_lesser(
    selector: Selector, request: StackRequest, machine: Machine, earlier: Sequence[LockSelection], tiers: list[Tier], dropped: Hashes
) -> None:
    """Put the alternates of ``earlier`` selections behind the machine's own tier, roots with their hashes but for the ``dropped``."""
    order = targets.candidates(machine.target or "")
    known = {target for selection in earlier for target in selection.targets[1:]}
    for target in sorted(known & set(order), key=order.index):
        hashes = hashes_at(earlier, machine, target)
        left = {group: {root: key for root, key in rows.items() if root not in dropped.get(group, ())} for group, rows in hashes.items()}
        tiers.append(_tier(selector, request, lowered(machine, target), left))


def hashes_at(earlier: Sequence[LockSelection], machine: Machine, target: str) -> dict[str, dict[str, str]]:
    """The hashes that selections have on a target, or on the last of their targets before it; by group and root."""
    order = targets.candidates(machine.target or "")
    reached = set(order[: order.index(target) + 1]) if target in order else {target}
    found = {}
    for selection in earlier:
        before = [one for one in selection.targets if one in reached]
        if before:
            found[selection.group] = {root: key for root, key in selection.hashes(before[-1]).items() if key}
    return found
