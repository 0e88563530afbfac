"""What a ``resolver.lock`` wants on one of its machines, or on any other."""

from __future__ import annotations

from pathlib import Path

from resolver.api.locks.chosen import Chosen, chosen
from resolver.api.machines import named_machine
from resolver.api.settings import Settings
from resolver.api.wanted.model import Part, Wanted, missing_in
from resolver.arch.machine import Machine
from resolver.emit.spack_lock import emit_spack_lock
from resolver.emit.spack_yaml import emit_spack_yaml
from resolver.formats.resolver_lock import Lock, read_lock
from resolver.formats.yaml_tree import load_yaml
from resolver.sources.build_cache import CacheAddress


def of_lock(data: bytes, file: Path, settings: Settings, part: Part) -> Wanted:
    """What the machine gets. Raises ``FormatError`` on damage, ``InputError`` for a machine or stack that the lock does not have.

    ``NotSatisfiedError`` is raised where a root gets nothing, unless a part of them is enough, and where dependencies are not known.
    """
    lock = read_lock(data, str(file))
    machine = _machine(lock, part.machine, settings)
    found = chosen(lock, machine, settings, folder=file.absolute().parent, stacks=part.stacks)
    if not (part.partial and found.roots):
        found.whole()
    lockfile = emit_spack_lock(found.environment).content  # refuses roots whose dependencies are not known
    return Wanted(
        found.closure,
        found.nodes,
        found.roots,
        tuple(CacheAddress(m.name, m.url, m.layout, m.view, m.signed, m.keys) for m in found.mirrors),
        tuple(missing_in(found.closure.values())),
        str(file),
        lockfile,
        _manifest(found),
        found.notes,
    )


def _machine(lock: Lock, name: str, settings: Settings) -> str | Machine | None:
    """A name of the lock's, else a machine as other commands know it."""
    if not name or name in lock.machines:
        return name or None
    return named_machine(name, settings)


def _manifest(found: Chosen) -> dict[str, object]:
    """The manifest that ``render`` writes, as a mapping."""
    content = emit_spack_yaml(found.environment, beside_lock=True).content
    body: dict[str, object] = load_yaml(content.decode())["spack"]
    return body
