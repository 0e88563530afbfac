"""What a matrix is to be made of: what the command says, and for the rest the configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn

import msgspec
from msgspec.structs import replace

from resolver.api.machines import named_machine
from resolver.api.selecting import Choices
from resolver.api.settings import Settings
from resolver.api.stacks import LABEL, MANIFEST, StackRequest, find_stack
from resolver.arch.machine import Machine
from resolver.emit.ci.names import labels, machine_label
from resolver.errors import InputError
from resolver.formats.config import Split

EXAMPLE = """\
matrix:
  stacks: [ml-linux-x86_64-cpu]
  machines: [github-ubuntu-24.04, github-ubuntu-22.04]"""


class MatrixRequest(msgspec.Struct, frozen=True):
    """What a matrix is made of. Where it names no stack or machine, and says no split, the configuration does.

    ``only`` and ``skip`` are globs on ids of jobs; those of ``skip`` come on top of the configuration's. ``lock`` is the path of a
    ``resolver.lock`` to take the answers from, in place of the catalog, ``changed_since`` that of one whose jobs are left out, and
    ``folder`` where environments are written to; all are empty where there is none. ``reading`` is how stacks are read, whichever it names
    itself.
    """

    stacks: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    split: Split | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    lock: str = ""
    changed_since: str = ""
    folder: str = ""
    reading: StackRequest = msgspec.field(default_factory=StackRequest)
    choices: Choices = msgspec.field(default_factory=Choices)


class NamedStack(msgspec.Struct, frozen=True):
    """A stack: the text that it is asked for by, its own name, and its part of ids."""

    asked: str
    name: str
    label: str


class NamedMachine(msgspec.Struct, frozen=True):
    """A machine: the text that it is asked for by, what it is, and its part of ids."""

    asked: str
    machine: Machine
    label: str


def completed(request: MatrixRequest, settings: Settings) -> MatrixRequest:
    """The request with what the configuration adds, each text once, sorted. Raises ``InputError`` where no stack or no machine is named.

    A lock has stacks and machines of its own.
    """
    config = settings.config.matrix
    stacks, machines = request.stacks, request.machines
    if not request.lock:
        stacks = stacks or tuple(_from_base(text, settings) for text in config.stacks)
        machines = machines or tuple(_from_base(text, settings) for text in config.machines)
        if not stacks or not machines:
            _refuse("stack" if not stacks else "machine")
    return replace(
        request,
        stacks=_sorted(stacks),
        machines=_sorted(machines),
        split=request.split or config.split,
        only=_sorted(request.only or config.only),
        skip=_sorted((*request.skip, *config.skip)),
    )


def _sorted(texts: Iterable[str]) -> tuple[str, ...]:
    found = sorted(set(texts))
    for text in found:
        if not text.isprintable() and any("\ud800" <= letter < "\ue000" for letter in text):
            msg = f"{text!r} is not UTF-8"
            raise InputError(msg, why="a matrix is JSON, which cannot name it", hint="rename the file")
    return tuple(found)


def _refuse(what: str) -> NoReturn:
    msg = f"nothing says which {what}s the matrix is for"
    why = f"neither the command nor the section matrix of spack-resolver.yaml names a {what}"
    how = "as arguments" if what == "stack" else "with --machine"
    raise InputError(msg, why=why, hint=f"name some {how}, or write spack-resolver.yaml:\n{EXAMPLE}")


def _from_base(text: str, settings: Settings) -> str:
    """A path in the configuration begins at its folder; other texts are names."""
    path = settings.base / text
    if text.startswith(LABEL) or not (path.is_file() or (path / MANIFEST).is_file()):
        return text
    return os.path.relpath(path)


def named_stacks(request: MatrixRequest, settings: Settings) -> list[NamedStack]:
    """The stacks, each file once. Raises ``InputError`` on one that there is not."""
    places: dict[str, tuple[str, str]] = {}
    for text in request.stacks:
        place, name = _place_and_name(text, settings)
        places.setdefault(place, (text, name))
    count: dict[str, list[str]] = {}
    for text, name in places.values():
        count.setdefault(name, []).append(text)
    by_name = labels(count)
    paths = {text: portable(text, settings.base) for texts in count.values() if len(texts) > 1 for text in texts}
    alike = labels(paths.values())
    return [NamedStack(text, name, alike[paths[text]] if text in paths else by_name[name]) for text, name in places.values()]


def _place_and_name(text: str, settings: Settings) -> tuple[str, str]:
    if text.startswith(LABEL):
        return text, text.removeprefix(LABEL)
    path = find_stack(text, settings)
    return str(path), path.parent.name if path.name == MANIFEST else path.stem


def named_machines(request: MatrixRequest, settings: Settings) -> list[NamedMachine]:
    """The machines. Raises ``InputError`` on one that nobody knows."""
    return labelled({text: named_machine(text, settings) for text in request.machines})


def labelled(machines: Mapping[str, Machine]) -> list[NamedMachine]:
    """Machines, by the texts that they are asked for by. Those that ids would not tell apart have these texts in them."""
    alike: dict[str, list[str]] = {}
    for text, machine in machines.items():
        alike.setdefault(machine_label(machine), []).append(text)
    own = labels(text for texts in alike.values() if len(texts) > 1 for text in texts)
    return [NamedMachine(text, machine, _label(machine_label(machine), own.get(text, ""))) for text, machine in machines.items()]


def _label(shared: str, own: str) -> str:
    return f"{shared}.{own}" if own else shared


def portable(text: str, base: Path) -> str:
    """The path of a stack or file as it is written from a folder that it lies in; any other text as it is."""
    path = Path(text)
    if not (path.is_file() or (path / MANIFEST).is_file()):
        return text
    inner = Path(os.path.relpath(path, base))
    if inner.parts[:1] == (os.pardir,):
        return text
    return f"./{inner.as_posix()}" if inner.as_posix().startswith("-") else inner.as_posix()  # no option
