"""spack-resolver: choose prebuilt Spack binaries for a machine, without Spack.

The public names are loaded when they are first used, so that ``import resolver`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resolver.api.catalog import Catalog
    from resolver.api.resolve import resolve
    from resolver.arch.machine import Machine
    from resolver.spec.abstract import AbstractSpec
    from resolver.spec.concrete import ConcreteSpec
    from resolver.stacks.stack import Stack
    from resolver.versions import Version, VersionSet

__all__ = ["AbstractSpec", "Catalog", "ConcreteSpec", "Machine", "Stack", "Version", "VersionSet", "resolve"]

_HOMES = {
    "AbstractSpec": "resolver.spec.abstract",
    "Catalog": "resolver.api.catalog",
    "ConcreteSpec": "resolver.spec.concrete",
    "Machine": "resolver.arch.machine",
    "Stack": "resolver.stacks.stack",
    "Version": "resolver.versions",
    "VersionSet": "resolver.versions",
    "resolve": "resolver.api.resolve",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the public names
    """Load a public name from the module that defines it (PEP 562)."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
