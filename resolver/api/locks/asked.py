"""What a group of a stack asks for on a machine, as a digest: it changes when another selection may be right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from resolver.stacks.stack import Group

OF_PACKAGES = ("require", "prefer", "conflict", "externals", "buildable", "version", "variants", "providers")
OF_CONCRETIZER = ("reuse", "targets", "os_compatible")
"""The settings that a selection looks at."""


def asked(group: Group) -> str:
    """The sha256 of the group's roots, constraints, unification and needs; independent of how they are listed."""
    body = {
        "roots": sorted({str(root) for root in group.roots}),
        "unify": group.unify,
        "needs": sorted(group.needs),
        "packages": {str(name): kept for name, section in group.packages.items() if (kept := _kept(section, OF_PACKAGES))},
        "concretizer": _kept(group.concretizer, OF_CONCRETIZER),
    }
    return digest(body)


def digest(body: object) -> str:
    """The sha256 of a value, whatever order its keys are in."""
    text = json.dumps(plain(body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _kept(section: object, keys: tuple[str, ...]) -> Any:  # noqa: ANN401 - any value of YAML
    return {key: section[key] for key in keys if section.get(key)} if isinstance(section, Mapping) else section


def plain(value: object) -> Any:  # noqa: ANN401 - any value of YAML
    """A value as JSON has it, without what YAML knows of places."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
