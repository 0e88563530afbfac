"""Why a spec or a hash is chosen on a machine, or not; alone, or under the rules of a stack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from resolver.api.selecting import Choices, make_judge, open_pool
from resolver.api.settings import Settings
from resolver.api.stacks import StackRequest, load_stack
from resolver.arch.machine import Machine
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import SourceRow, Store
from resolver.errors import InputError, did_you_mean
from resolver.selection.explain.explain import explain
from resolver.selection.explain.hashes import explain_hash
from resolver.selection.explain.model import Asked, Conflict, Explanation, HashExplanation
from resolver.selection.explain.shown import counted, joined, short
from resolver.selection.facts import skipped_criteria
from resolver.selection.gates import Judge
from resolver.selection.select import select_group
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.stacks.stack import Group

HASH = re.compile(r"/?([a-z0-9]+)")
SHORTEST = 4
LISTED = 10
STALE_DAYS = 1


class ExplainRequest(msgspec.Struct, frozen=True):
    """What to explain: a spec, or a hash or the beginning of one; under the rules of a stack's group when one is named."""

    text: str
    machine: Machine
    choices: Choices = msgspec.field(default_factory=Choices)
    stack: StackRequest | None = None
    group: str | None = None


class Explained(msgspec.Struct, frozen=True):
    """The answer: of a root or of a hash; with a stack also what the whole group makes of the root.

    ``group`` is the name of the group whose rules apply, empty without a stack. ``unified`` is what the group's selection chooses for the
    root, None where it is not asked or chooses nothing; ``left_out`` are roots that nothing serves together with it.
    """

    machine: Machine
    root: Explanation | None = None
    hash: HashExplanation | None = None
    stack: str = ""
    group: str = ""
    unified: ConcreteSpec | None = None
    conflict: Conflict | None = None
    left_out: tuple[str, ...] = ()
    skipped_criteria: tuple[str, ...] = ()

    @property
    def serves(self) -> bool:
        """Does something serve?"""
        if self.hash is not None:
            return self.hash.runs
        return self.root is not None and self.root.chosen is not None and self.conflict is None


def explain_request(settings: Settings, request: ExplainRequest) -> Explained:
    """Explain a spec or a hash. Raises ``InputError`` on what cannot be read, and on the beginning of several hashes."""
    pool = open_pool(settings, request.choices)
    stack = load_stack(request.stack, request.machine, settings, pool) if request.stack else None
    group = _group(stack.name, stack.groups, request.group) if stack else None
    judge = make_judge(
        pool,
        request.machine,
        request.choices,
        stack.name if stack else "",
        group.packages if group else None,
        group.concretizer if group else None,
        _offered(settings, request, group),
    )
    skipped = skipped_criteria(judge.policy.facts)
    found = Explained(request.machine, stack=stack.name if stack else "", group=group.name if group else "", skipped_criteria=skipped)
    spec = _by_hash(pool, request.text)
    if spec is not None:
        asked = Asked(AbstractSpec(name=spec.name), judge.machine, judge.policy, judge.rules)
        found = replace(found, hash=explain_hash(pool, asked, spec))
    else:
        found = _of_root(settings, pool, judge, request, group, found)
    pool.release()
    return found


def _offered(settings: Settings, request: ExplainRequest, group: Group | None) -> frozenset[str]:
    """The hashes that the groups that a group needs offer it."""
    if request.stack is None or group is None or not group.needs:
        return frozenset()
    from resolver.api.resolve import ResolveRequest, resolve  # few groups need others

    needed = resolve(settings, ResolveRequest(request.stack, request.machine, request.choices, group.needs))
    return frozenset(key for answer in needed.groups if answer.name in group.needs for key in answer.closure)


def _of_root(
    settings: Settings, pool: CatalogPool, judge: Judge, request: ExplainRequest, group: Group | None, found: Explained
) -> Explained:
    root, notes = _root(request.text, group)
    explanation = explain(pool, Asked(root, judge.machine, judge.policy, judge.rules))
    if not explanation.total:
        notes += _unknown(settings, pool, root, request.choices.sources)
    found = replace(found, root=replace(explanation, notes=tuple(notes)))
    if group is None or group.unify == "false" or explanation.chosen is None:
        return found
    roots = group.roots if root in group.roots else (*group.roots, root)
    answers = select_group(judge, group.name, roots, group.unify).roots
    answer = next(answer for answer in answers if answer.root == root)
    if answer.chosen is not None:
        left_out = [str(other.root) for other in answers if other.chosen is None and other.candidates]
        return replace(found, unified=answer.chosen.spec, left_out=tuple(left_out))
    from resolver.selection.explain.unify import conflict  # only roots that disagree need it

    return replace(found, conflict=conflict(judge, group.name, roots, root))


def _root(text: str, group: Group | None) -> tuple[AbstractSpec, list[str]]:
    """The root that is meant: of a bare name, the stack's own root of that name."""
    root = AbstractSpec.parse(text)
    if root.is_empty:
        msg = "no spec is given"
        raise InputError(msg, hint="name a package, as in `spack-resolver explain hdf5+mpi`, or a hash")
    if group is None or root in group.roots or root != AbstractSpec(name=root.name):
        return root, []
    own = [other for other in group.roots if other.name == root.name]
    if not own:
        return root, [f"The group {group.name} has no root {root}; it is explained as if it were one."]
    more = f" (its others of that name: {joined(list(map(str, own[1:])))})" if own[1:] else ""
    return own[0], [f"Of the roots of group {group.name} this is {own[0]}{more}."] if own[0] != root else []


def _group(stack: str, groups: Sequence[Group], name: str | None) -> Group:
    known = {group.name: group for group in groups}
    if name is not None and name not in known:
        msg = f"the stack {stack} has no group {name!r}"
        raise InputError(msg, hint=f"{did_you_mean(name, known)}its groups are {', '.join(known)}")
    if name is not None:
        return known[name]
    asking = [group for group in groups if group.roots] or list(groups)
    if len(asking) > 1:
        msg = f"the stack {stack} has several groups, whose rules may differ"
        raise InputError(msg, hint=f"choose one with --group: {', '.join(group.name for group in asking)}")
    return asking[0]


def _by_hash(pool: CatalogPool, text: str) -> ConcreteSpec | None:
    """The record whose hash is given, or of which the text is the beginning; None when the text is a spec."""
    found = HASH.fullmatch(text.strip())
    slash = text.strip().startswith("/")
    if not found or (not slash and (len(found[1]) < SHORTEST or pool.has_package(found[1]))):
        return None
    specs = pool.with_prefix(found[1])
    if len(specs) == 1:
        return specs[0]
    if specs:
        msg = f"{len(specs)} records have hashes that begin with {found[1]}"
        listed = [f"{spec.hash} {spec.name}@{spec.wire.version}" for spec in specs]
        raise InputError(msg, why=joined(listed, most=LISTED), hint="give more of the hash")
    if slash:
        msg = f"no source has a record whose hash begins with {found[1]}"
        raise InputError(msg, hint="`spack-resolver sources` lists what is synced")
    return None


def _unknown(settings: Settings, pool: CatalogPool, root: AbstractSpec, chosen: Sequence[str]) -> list[str]:
    """What to say of a package that nothing is known of: near names, other sources, what is synced and how old it is."""
    notes = []
    if root.name and (guess := did_you_mean(root.name, CatalogPool(Store(settings.catalog)).names())):
        notes.append(guess[0].upper() + guess[1:].strip())
    if chosen and root.name and (others := _elsewhere(settings, root.name)):
        notes.append(f"Only {joined(list(chosen))} was looked at; without --source, {counted(others, 'record')} of {root.name} are known.")
    return [*notes, _synced(list(pool.sources.values()), datetime.now(UTC))]


def _elsewhere(settings: Settings, name: str) -> int:
    return CatalogPool(Store(settings.catalog)).count(name)


def _synced(rows: Sequence[SourceRow], now: datetime) -> str:
    """Which sources are synced and how old they are."""
    if not rows:
        return "Nothing is synced: `spack-resolver sync SOURCE` reads build caches."
    shown = [f"{row.name} ({counted(row.records, 'record')}, {_age(row.synced_at, now)})" for row in rows]
    return f"Synced: {joined(shown, most=5)}. If it was built since, sync again; if it lies elsewhere, sync that."


def _age(text: str, now: datetime) -> str:
    try:
        then = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return f"on {text}" if text else "at a time unknown"
    days = (now - then).days
    return "today" if days < STALE_DAYS else f"{counted(days, 'day')} ago"


def in_short(found: Explained) -> str:
    """What the group's selection takes for the root, where it is not what is best for it alone, or what it leaves out; else nothing."""
    best = found.root.chosen.candidate.spec if found.root and found.root.chosen else None
    if found.left_out:
        return f"Together with it {joined(found.left_out)} of group {found.group} cannot be served: `explain` tells why of each."
    if found.unified is None or best is None or found.unified.hash == best.hash:
        return ""
    why = f"with {short(best)} they cannot all agree, or cost more"
    return f"Together with the other roots of group {found.group}, {short(found.unified)} is taken: {why}."
