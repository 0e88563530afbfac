"""The main job: a stack and a machine to the hashes that serve it."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from resolver.api.mirrors import chosen_mirrors
from resolver.api.nodes import node_json
from resolver.api.selecting import Choices, make_judge, open_pool
from resolver.api.settings import Settings
from resolver.api.stacks import StackRequest, load_stack
from resolver.arch.machine import Machine
from resolver.catalog.pool import CatalogPool
from resolver.emit.environment import Environment, Mirror, Root
from resolver.emit.listings import Download
from resolver.emit.packages_yaml import host_packages
from resolver.errors import InputError, did_you_mean
from resolver.selection.facts import skipped_criteria
from resolver.selection.model import Effort, GroupAnswer, Unify
from resolver.selection.problem import one_hash_each
from resolver.selection.select import select_group
from resolver.selection.shared import Shared
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.stacks.stack import Group, Stack


class ResolveRequest(msgspec.Struct, frozen=True):
    """What to resolve. ``groups`` and ``unify`` override the stack's.

    ``roots`` are those to write, all when empty; the others are resolved with them, so that the choice is the same.
    ``nodes`` is whether the environment is to hold the node JSON that a lockfile needs, ``downloads`` whether the files to download
    are listed; ``runtime_only`` leaves out of the nodes what was only built with. ``effort`` limits the search of each group, and
    ``problems`` is whether the answers are to hold the problems that were solved.
    """

    stack: StackRequest
    machine: Machine
    choices: Choices = msgspec.field(default_factory=Choices)
    groups: Sequence[str] = ()
    unify: Unify | None = None
    roots: Sequence[str] = ()
    nodes: bool = False
    downloads: bool = False
    runtime_only: bool = False
    effort: Effort = msgspec.field(default_factory=Effort)
    problems: bool = False


class Resolution(msgspec.Struct, frozen=True):
    """The answer: the groups with their reasons, the environment of all that is served, what the host must have."""

    stack: Stack
    machine: Machine
    groups: tuple[GroupAnswer, ...]
    environment: Environment
    fingerprint: str
    host_requirements: tuple[dict[str, Any], ...]
    downloads: tuple[Download, ...]
    notes: tuple[str, ...]
    skipped_criteria: tuple[str, ...] = ()

    @property
    def satisfied(self) -> bool:
        """Does every root have a hash, and is there a root at all?"""
        return any(group.roots for group in self.groups) and all(group.satisfied for group in self.groups)


class Session:
    """Requests to one catalog, one after the other: it is opened once, and what is read for one request is there for the next."""

    def __init__(self, settings: Settings, choices: Choices) -> None:
        self._settings = settings
        self._pool = open_pool(settings, choices)
        self._shared = Shared(self._pool)

    def resolve(self, request: ResolveRequest) -> Resolution:
        """As the function of this name does; ``request.choices`` must be those of the session."""
        stack = load_stack(request.stack, request.machine, self._settings, self._pool)
        groups = _answers(self._pool, self._shared, stack, request)
        if request.roots:
            groups = _only(groups, request.roots, stack)
        return _resolution(self._settings, self._pool, stack, request, groups)

    def part(self, whole: Resolution, request: ResolveRequest) -> Resolution:
        """Some of what was resolved already, for a request that differs in no more than groups, roots and what it wants of nodes."""
        groups = [group for group in whole.groups if not request.groups or group.name in request.groups]
        kept = _only(groups, request.roots, whole.stack) if request.roots else groups
        return _resolution(self._settings, self._pool, whole.stack, request, kept)

    def close(self) -> None:
        """Lets go of the catalog's file."""
        self._pool.release()


def resolve(settings: Settings, request: ResolveRequest) -> Resolution:
    """Select a hash for every root of a stack. Raises ``InputError`` when stack or catalog cannot be used.

    A root that nothing serves is no error here; its answer has no candidate and says why.
    """
    session = Session(settings, request.choices)
    resolution = session.resolve(request)
    session.close()
    return resolution


def _chosen_groups(stack: Stack, names: Sequence[str]) -> list[Group]:
    known = {group.name: group for group in stack.groups}
    if unknown := [name for name in names if name not in known]:
        msg = f"the stack {stack.name} has no group {unknown[0]!r}"
        raise InputError(msg, hint=f"its groups are {', '.join(known)}")
    return [group for group in stack.groups if (group.name in names if names else group.roots)]


def _answers(pool: CatalogPool, shared: Shared, stack: Stack, request: ResolveRequest) -> list[GroupAnswer]:
    """The answers for the chosen groups. Groups that these need are resolved before them, since what they get is offered."""
    chosen = _chosen_groups(stack, request.groups)
    wanted = {group.name for group in chosen}
    for group in reversed(stack.groups):  # a group stands behind those it needs
        wanted |= set(group.needs) if group.name in wanted else set()
    found: dict[str, GroupAnswer] = {}
    for group in stack.groups:
        if group.name in wanted and group.roots:
            offered = frozenset(key for need in group.needs if need in found for key in found[need].closure)
            found[group.name] = _select(pool, shared, stack, group, request, offered)
    return [found[group.name] for group in chosen if group.name in found]


def _select(pool: CatalogPool, shared: Shared, stack: Stack, group: Group, request: ResolveRequest, offered: frozenset[str]) -> GroupAnswer:
    try:
        rules = (stack.name, group.packages, group.concretizer)
        judge = make_judge(pool, request.machine, request.choices, *rules, offered, shared)
        return select_group(judge, group.name, group.roots, request.unify or group.unify, request.effort, state=request.problems)
    except InputError as error:
        raise error.at(stack.place) from None


def _only(groups: Sequence[GroupAnswer], texts: Sequence[str], stack: Stack) -> list[GroupAnswer]:
    """The answers for some of the roots; a group without any of them is left out."""
    wanted = {str(AbstractSpec.parse(text)) for text in texts}
    known = {str(answer.root) for group in groups for answer in group.roots}
    if unknown := sorted(wanted - known):
        msg = f"the stack {stack.name} has no root {unknown[0]!r}"
        raise InputError(msg, hint=f"{did_you_mean(unknown[0], known)}`spack-resolver expand` lists them")
    kept = [replace(group, roots=tuple(answer for answer in group.roots if str(answer.root) in wanted)) for group in groups]
    return [group for group in kept if group.roots]


def _resolution(settings: Settings, pool: CatalogPool, stack: Stack, request: ResolveRequest, groups: list[GroupAnswer]) -> Resolution:
    roots = tuple(Root(answer.chosen.spec) for group in groups for answer in group.roots if answer.chosen)
    closure = {key: spec for group in groups for key, spec in group.closure.items()}
    closure = dict(sorted(closure.items()))
    nodes, cut = node_json(pool, closure, runtime_only=request.runtime_only) if request.nodes else ({}, ())
    serving = chosen_mirrors(settings, pool, closure)
    mirrors = serving.mirrors
    listed: list[Download] = []
    if request.downloads:
        from resolver.api.downloads import downloads  # only this list reads mirrors

        listed = downloads(closure, mirrors)
    environment = Environment(
        roots=roots,
        closure=closure,
        nodes=nodes,
        mirrors=mirrors,
        unified=one_hash_each(closure.values()),
        command=_command(request),
        view=stack.view,
        incomplete=tuple(sorted({r.spec.name for r in roots if not pool.statement(r.spec).complete})),
    )
    return Resolution(
        stack,
        request.machine,
        tuple(groups),
        environment,
        fingerprint(closure, request.machine),
        tuple(host_requirements(closure)),
        tuple(listed),
        (*stack.warnings, *_notes(groups, cut, closure, mirrors), *serving.notes),
        skipped_criteria(pool.facts),
    )


def fingerprint(hashes: Iterable[str], machine: Machine) -> str:
    """A name for a selection: it changes exactly when the binaries or the machine do."""
    text = "\n".join([machine.triple, str(machine.libc or ""), *machine.cuda_arch, *machine.amdgpu_target, *sorted(hashes)])
    return hashlib.sha256(text.encode()).hexdigest()


def host_requirements(closure: dict[str, ConcreteSpec]) -> list[dict[str, Any]]:
    """What the binaries expect of the host: the newest libc of each kind, and externals."""
    libcs: dict[tuple[str, str], ConcreteSpec] = {}
    for spec in closure.values():
        libc = spec.libc
        if libc is not None and libc.external:
            key = (libc.name, libc.external.path or "")
            if key not in libcs or libcs[key].version < libc.version:
                libcs[key] = libc
    rows = [_requirement("libc", spec) for _, spec in sorted(libcs.items())]
    return rows + [_requirement("external", spec) for spec in host_packages(closure.values())]


def _requirement(kind: str, spec: ConcreteSpec) -> dict[str, Any]:
    return {"kind": kind, "name": spec.name, "version": spec.wire.version, "path": spec.external.path if spec.external else None}


def _command(request: ResolveRequest) -> str:
    """The command that makes this again, without where it writes to."""
    words = ["spack-resolver", "resolve", request.stack.stack, *machine_words(request.machine), *choice_words(request.choices)]
    words += ["--unify", request.unify] if request.unify else []
    words += [word for name in request.groups for word in ("--group", name)]
    words += [word for root in request.roots for word in ("--root", root)]
    words += request.stack.words()
    words += ["--runtime-only"] if request.runtime_only else []
    return shlex.join(words)


def machine_words(machine: Machine) -> list[str]:
    """The options that describe a machine."""
    pairs = {"--platform": machine.platform, "--os": machine.os, "--target": machine.target, "--libc": machine.libc}
    words = [word for option, value in pairs.items() if value for word in (option, str(value))]
    words += [word for value in machine.cuda_arch for word in ("--cuda-arch", value)]
    return words + [word for value in machine.amdgpu_target for word in ("--amdgpu-target", value)]


def choice_words(choices: Choices) -> list[str]:
    """The options that say how to select, where they are not the usual ones."""
    usual = Choices()
    words = [word for name in choices.sources for word in ("--source", name)]
    words += ["--os-policy", choices.os_policy] if choices.os_policy != usual.os_policy else []
    words += ["--labelled", choices.labelled] if choices.labelled != usual.labelled else []
    words += ["--facts", choices.facts] if choices.facts else []
    words += ["--prefer", choices.prefer] if choices.prefer else []
    return words + (["--assume-externals"] if choices.assume_externals else [])


def _notes(
    groups: Sequence[GroupAnswer],
    cut: tuple[str, ...],
    closure: dict[str, ConcreteSpec],
    mirrors: tuple[Mirror, ...],
) -> tuple[str, ...]:
    notes = [note for group in groups for answer in group.roots if answer.chosen for note in answer.chosen.notes]
    notes += [f"group {group.name}: the best answer found in time, not proven to be the best" for group in groups if not group.optimal]
    for group in groups:
        for answer in group.roots:
            if answer.chosen and answer.equals > 1 and not answer.chosen.complete:
                notes.append(
                    f"{answer.root}: {answer.equals} hashes are equal in all that their sources state; the smallest was taken. Only their "
                    "dependencies tell them apart: sync the index of their build cache to choose between them.",
                )
    served = frozenset().union(*(mirror.serves for mirror in mirrors))
    if unserved := sorted(spec.name for key, spec in closure.items() if not spec.external and key not in served):
        notes.append(
            f"{len(unserved)} of {len(closure)} packages are in no mirror that is known ({', '.join(unserved[:3])}): they are from an "
            "index or page alone. Sync the mirror itself, or add it to what is written, since Spack needs one that has them.",
        )
    if cut:
        notes.append(f"{len(cut)} build-only nodes that no source has were left out: {', '.join(cut[:5])}")
    return tuple(dict.fromkeys(notes))
