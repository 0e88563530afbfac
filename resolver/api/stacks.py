"""From a name, a path or a label to a stack."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from resolver.api.settings import Settings, read_text
from resolver.arch.machine import Machine
from resolver.catalog.pool import CatalogPool
from resolver.errors import InputError, did_you_mean
from resolver.formats.yaml_tree import load_yaml
from resolver.spec.abstract import AbstractSpec
from resolver.stacks.stack import DEFAULT_GROUP, Group, Stack

MANIFEST = "spack.yaml"
LABEL = "label:"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


class StackRequest(msgspec.Struct, frozen=True):
    """Which stack, and how it is read: environment variables for conditions, and whether includes are followed."""

    stack: str
    environment: Mapping[str, str] = msgspec.field(default_factory=dict)
    include: bool = True


def load_stack(request: StackRequest, machine: Machine, settings: Settings, pool: CatalogPool | None = None) -> Stack:
    """The stack, expanded for the machine. Raises ``InputError`` with the nearest names when there is none."""
    if request.stack.startswith(LABEL):
        return _labelled(request.stack.removeprefix(LABEL), pool)
    path = find_stack(request.stack, settings)
    name = path.parent.name if path.name == MANIFEST else path.stem
    document = load_yaml(read_text(path), str(path))
    stack = Stack.read(document, str(path), machine, request.environment, include=request.include)
    return replace(stack, name=name)


def find_stack(text: str, settings: Settings) -> Path:
    """The file of a stack: a path, a directory with a ``spack.yaml``, or a name in the folders of stacks."""
    path = Path(os.path.expanduser(text))  # noqa: PTH111 - leaves the name of an unknown user as it is
    if path.is_dir() and (path / MANIFEST).is_file():
        return (path / MANIFEST).absolute()
    if path.is_file():
        return path.absolute()
    if NAME.fullmatch(text):
        for folder in settings.stack_folders:
            for candidate in (folder / text / MANIFEST, folder / f"{text}.yaml"):
                if candidate.is_file():
                    return candidate.absolute()
    known = known_stacks(settings)
    msg = f"there is no stack {text!r}"
    guess = did_you_mean(text, known)
    hint = f"{guess}known are {', '.join(known) or 'none'}; a path to a spack.yaml or label:NAME will do too"
    raise InputError(msg, hint=hint)


def known_stacks(settings: Settings) -> list[str]:
    """The names of all stacks in the folders, sorted."""
    found = {path.parent.name for folder in settings.stack_folders for path in folder.glob(f"*/{MANIFEST}")}
    found |= {path.stem for folder in settings.stack_folders for path in folder.glob("*.yaml")}
    return sorted(found)


def _labelled(label: str, pool: CatalogPool | None) -> Stack:
    """The stack of every package that records with this label exist for, each alone."""
    names = pool.labelled(label) if pool else []
    if not names:
        known = pool.labels() if pool else []
        guess = did_you_mean(label, known)
        msg = f"no record is labelled {label!r}"
        raise InputError(msg, hint=f"{guess}labels are {', '.join(known) or 'none; sync a source that has some'}")
    roots = tuple(AbstractSpec(name=name) for name in names)
    return Stack(label, (Group(DEFAULT_GROUP, roots, "false"),))
