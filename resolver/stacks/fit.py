"""What of a stack's roots may run on a machine at all, by what is asked of platform and target. Records tell the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from resolver.arch.machine import Machine
from resolver.arch.target import candidates, satisfies
from resolver.errors import InputError
from resolver.spec.abstract import AbstractSpec
from resolver.stacks.stack import Group

Alternatives = tuple[AbstractSpec, ...]


def misfits(group: Group, machine: Machine) -> list[str]:
    """For each root why nothing that serves it can run on the machine; empty for a root that something may serve.

    A root's own spec counts, and what ``require`` asks of its package: that of the package, else that of ``all``. What the machine does
    not know of itself is no obstacle.
    """
    required: dict[str | None, list[Alternatives]] = {}
    found = []
    for root in group.roots:
        if root.name not in required:
            required[root.name] = list(_required(group.packages, root.name))
        found.append(next(_obstacles([(root,), *required[root.name]], machine), ""))
    return found


def _required(packages: Mapping[str, Any], name: str | None) -> Iterator[Alternatives]:
    """The rules on a package, each as what it offers to choose from; those with a condition are left out."""
    section, for_all = packages.get(name or ""), packages.get("all")
    value = _require(section) or _require(for_all)
    for item in value if isinstance(value, list) else [value]:
        offered = _offered(item)
        if offered:
            yield offered


def _require(section: object) -> object:
    return section.get("require") if isinstance(section, Mapping) else None


def _offered(item: object) -> Alternatives:
    if isinstance(item, Mapping):
        if item.get("when"):
            return ()
        texts = item.get("one_of") or item.get("any_of") or [item.get("spec")]
    else:
        texts = [item]
    try:
        return tuple(AbstractSpec.parse(text) for text in texts if isinstance(text, str))
    except (InputError, TypeError):
        return ()  # whoever resolves the stack is told


def _obstacles(rules: Sequence[Alternatives], machine: Machine) -> Iterator[str]:
    for alternatives in rules:
        found = [_obstacle(spec, machine) for spec in alternatives]
        if all(found):
            yield found[0]


def _obstacle(spec: AbstractSpec, machine: Machine) -> str:
    if spec.platform and machine.platform and spec.platform != machine.platform:
        return f"platform={spec.platform} is not {machine.platform}"
    if spec.target and machine.target and not _runs(spec.target, machine.target):
        return f"target={spec.target} does not run on {machine.target}"
    return ""


def _runs(wanted: str, target: str) -> bool:
    try:
        return any(satisfies(candidate, wanted) for candidate in candidates(target))
    except InputError:
        return True
