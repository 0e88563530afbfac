"""``packages.yaml``: what the binaries expect to find on the host, declared as Spack wants it declared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from resolver.emit.environment import Artifact, Environment
from resolver.emit.spack_yaml import dump, header
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.virtuals import COMPILERS, LIBCS
from resolver.versions import is_version


def emit_packages(environment: Environment) -> Artifact:
    """The externals of the closure, libc and compilers apart: with it Spack takes the binaries that need them.

    Spack takes a binary over an external only where an entry has its spec, prefix and modules (``solver/reuse.py:_is_reusable``).
    """
    packages: dict[str, dict[str, Any]] = {}
    for spec in host_packages(environment.closure.values()):
        entries = packages.setdefault(spec.name, {"externals": []})["externals"]
        entry = _entry(spec)
        if entry not in entries:
            entries.append(entry)
    return Artifact("packages.yaml", header(environment.command) + dump({"packages": packages}))


def host_packages(closure: Iterable[ConcreteSpec]) -> list[ConcreteSpec]:
    """The externals of a closure that the host must have, by name; libc and compilers are judged otherwise."""
    found = [spec for spec in closure if spec.external and spec.name not in LIBCS | COMPILERS]
    return sorted(found, key=lambda spec: (spec.name, spec.version, spec.hash))


def _entry(spec: ConcreteSpec) -> dict[str, Any]:
    version = spec.wire.version
    entry: dict[str, Any] = {"spec": f"{spec.name}@{version}" if is_version(version) else spec.name}
    external = spec.external
    if external and external.path:
        entry["prefix"] = external.path
    if external and external.module:
        entry["modules"] = external.module if isinstance(external.module, list) else [external.module]
    return entry
