"""The stacks that are known, and how many roots each has on which machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from resolver.api.settings import Settings, read_text
from resolver.api.stacks import StackRequest, find_stack, known_stacks, load_stack
from resolver.arch.machine import Machine
from resolver.errors import InputError
from resolver.formats.yaml_tree import load_yaml
from resolver.stacks.condition import holds
from resolver.stacks.fit import misfits
from resolver.stacks.stack import Stack

HEAD_BYTES = 4096


class RootsOn(msgspec.Struct, frozen=True):
    """A stack on a machine: how many roots it asks for there, how many of these something can serve, and why none when it is none."""

    machine: Machine
    asked: int = 0
    roots: int = 0
    reason: str = ""


class ListedStack(msgspec.Struct, frozen=True):
    """A stack as it is listed. ``about`` is the first line of comment of its file, ``groups`` those with roots on any of the machines."""

    name: str
    about: str
    place: str
    groups: tuple[str, ...]
    machines: tuple[RootsOn, ...]


def list_stacks(settings: Settings, machines: Sequence[Machine], request: StackRequest | None = None) -> list[ListedStack]:
    """The stacks of the configuration's folders and those that ship with the program, by name.

    ``request`` says how they are read. A stack that cannot be read says why, in place of its roots.
    """
    how = request or StackRequest()
    return [_listed(name, find_stack(name, settings), settings, machines, how) for name in known_stacks(settings)]


def _listed(name: str, path: Path, settings: Settings, machines: Sequence[Machine], how: StackRequest) -> ListedStack:
    reader = _Reader(replace(how, stack=str(path)), path, settings)
    found: list[RootsOn] = []
    groups: dict[str, bool] = {}
    for machine in machines:
        try:
            stack = reader.stack(machine)
        except InputError as error:
            found.append(RootsOn(machine, reason=str(error)))
            continue
        found.append(_roots_on(stack, machine))
        groups |= {group.name: groups.get(group.name, False) or bool(group.roots) for group in stack.groups}
    named = tuple(group for group, has_roots in groups.items() if has_roots) or tuple(groups)[:1]
    return ListedStack(name, _about(path), str(path), named, tuple(found))


class _Reader:
    """Reads a stack for machines; for those between which its conditions do not tell, once."""

    def __init__(self, request: StackRequest, path: Path, settings: Settings) -> None:
        self.request = request
        self.settings = settings
        self.conditions = None if request.spack_config else _conditions(path)
        self.known: dict[tuple[bool, ...], Stack] = {}

    def stack(self, machine: Machine) -> Stack:
        """The stack, expanded for the machine or one like it. Raises ``InputError``."""
        if self.conditions is None:
            return load_stack(self.request, machine, self.settings)
        outcome = tuple(holds(text, machine, self.request.environment) for text in self.conditions)
        if outcome not in self.known:
            self.known[outcome] = load_stack(self.request, machine, self.settings)
        return self.known[outcome]


def _conditions(path: Path) -> list[str] | None:
    """All that the roots of a stack depend on a machine by; None when that is not known from the file alone."""
    try:
        document = load_yaml(read_text(path), str(path))
    except InputError:
        return None
    body = document.get("spack") if isinstance(document, Mapping) else None
    if not isinstance(body, Mapping) or any(str(key).startswith("include") for key in body):
        return None
    definitions = body.get("definitions") or []
    return [str(entry["when"]) for entry in definitions if isinstance(entry, Mapping) and entry.get("when") is not None]


def _roots_on(stack: Stack, machine: Machine) -> RootsOn:
    reasons = [reason for group in stack.groups for reason in misfits(group, machine)]
    asked, served = len(reasons), reasons.count("")
    if served:
        return RootsOn(machine, asked, served)
    if asked:
        return RootsOn(machine, asked, 0, Counter(reasons).most_common(1)[0][0])
    conditions = dict.fromkeys(left.condition for left in stack.left_out)
    false = " and ".join(f"`{condition}`" for condition in conditions)
    return RootsOn(machine, reason=f"{false} is false" if false else "it asks for nothing")


def _about(path: Path) -> str:
    """The first line of comment before anything else."""
    with path.open("rb") as file:
        lines = file.read(HEAD_BYTES).decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    for line in lines:
        text = line.strip()
        if text and not text.startswith("#"):
            break
        about = text.strip("# ")
        if about and not about.startswith("-*-"):
            return about
    return ""
