"""From a name, a path or a label to a stack."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from resolver.api.configuration import MOST_LOCK_BYTES, LocalFiles, read_plain
from resolver.api.settings import Settings, shipped_stacks
from resolver.arch.machine import Machine
from resolver.errors import FormatError, InputError, did_you_mean, without_credentials
from resolver.formats.yaml_tree import load_yaml
from resolver.spec.abstract import AbstractSpec
from resolver.stacks.expansion import Made
from resolver.stacks.paths import Surroundings
from resolver.stacks.places import Spot
from resolver.stacks.sections import decoded
from resolver.stacks.speclists import Text
from resolver.stacks.stack import DEFAULT_GROUP, Group, Stack
from resolver.stacks.tree import read_configuration, refuse

if TYPE_CHECKING:
    from resolver.catalog.pool import CatalogPool

MANIFEST = "spack.yaml"
LABEL = "label:"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


class StackRequest(msgspec.Struct, frozen=True):
    """Which stack, and how it is read.

    ``environment`` are the variables that conditions and paths may see. ``include_roots`` maps what includes name and is not at that place
    here (a URL, a path, ``$spack``) to a directory. ``spack_config`` is a directory of Spack's configuration, below the stack's own.
    """

    stack: str = ""
    environment: Mapping[str, str] = msgspec.field(default_factory=dict)
    include: bool = True
    include_roots: Mapping[str, str] = msgspec.field(default_factory=dict)
    spack_config: str = ""

    def words(self) -> list[str]:
        """The options that say how it is read."""
        words = [word for name, value in sorted(self.environment.items()) for word in ("--env", f"{name}={value}")]
        roots = sorted((without_credentials(url), folder) for url, folder in self.include_roots.items())
        words += [word for url, folder in roots for word in ("--include-root", f"{url}={folder}")]
        words += ["--spack-config", self.spack_config] if self.spack_config else []
        return words + ([] if self.include else ["--no-include"])


def load_stack(request: StackRequest, machine: Machine, settings: Settings, pool: CatalogPool | None = None) -> Stack:
    """The stack, expanded for the machine. Raises ``InputError`` with the nearest names when there is none, and with all that is wrong."""
    if request.stack.startswith(LABEL):
        return _labelled(request.stack.removeprefix(LABEL), pool)
    path = find_stack(request.stack, settings)
    name = path.parent.name if path.name == MANIFEST else path.stem
    files, place = LocalFiles(), str(path)
    notes: list[str] = []
    manifest = load_yaml(decoded(files.read(place), place), place, cut=notes)
    roots = {url: str(Path(folder).absolute()) for url, folder in request.include_roots.items()}
    around = Surroundings(machine, request.environment, roots, str(path.parent))
    lowest = str(Path(request.spack_config).absolute()) if request.spack_config else ""
    ours = any(folder in path.parents for folder in shipped_stacks())
    configuration = read_configuration(manifest, place, around, files, follow=request.include, lowest=lowest, known_good=ours, notes=notes)
    try:
        stack = Stack.read(manifest, place, machine, request.environment, configuration=configuration)
    except InputError as error:
        refuse([error], configuration.refused, place)
        raise
    return replace(stack, name=name, groups=(*stack.groups, *_locked_groups(configuration.locks, stack.groups)))


def _locked_groups(locks: Sequence[str], groups: Sequence[Group]) -> list[Group]:
    """A group for each included environment: its locked roots, each pinned to its hash, so that no two need agree."""
    taken = {group.name for group in groups}
    found = []
    for path in locks:
        name = base = f"included-{Path(path).parent.name}"
        number = 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        roots = _locked_roots(path)
        made = tuple(Made(root, Text(str(root), Spot(path, path="roots"))) for root in roots)
        found.append(Group(name, roots, "false", made=made))
    return found


def _locked_roots(path: str) -> tuple[AbstractSpec, ...]:
    """The roots of a lockfile, by name and hash. Raises ``FormatError`` when it is damaged."""
    from resolver.formats.lockfile import read_lockfile  # few stacks include an environment
    from resolver.spec.node import decode_node

    try:
        lock = read_lockfile(read_plain(path, MOST_LOCK_BYTES))
        nodes = {root.hash: decode_node(lock.nodes[root.hash]) for root in lock.roots}
    except FormatError as error:
        raise error.at(path) from None
    except KeyError as error:
        msg = f"the lockfile has the root {error.args[0]!r}, but no such node"
        raise FormatError(msg, where=path, hint="let Spack write it again") from None
    return tuple(AbstractSpec(name=node.name, hash=node.hash or key) for key, node in nodes.items())


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
