"""What ``find``, ``resolve`` and ``matrix`` share: the policy of a selection and a judge for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from resolver.api.settings import Settings
from resolver.arch.machine import Machine
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import Store
from resolver.errors import InputError
from resolver.formats.shapes import listed, mapping, texts
from resolver.selection.gates import Judge
from resolver.selection.model import Policy
from resolver.selection.rules import Rules
from resolver.spec.abstract import AbstractSpec

GRANULARITIES = ("microarchitectures", "generic")


class Choices(msgspec.Struct, frozen=True):
    """What the user chooses besides stack and machine; the options of the same names say what they mean."""

    sources: Sequence[str] = ()
    os_policy: Literal["spack", "strict"] = "spack"
    labelled: Literal["prefer", "only", "ignore"] = "prefer"
    assume_externals: bool = False


def open_pool(settings: Settings, choices: Choices) -> CatalogPool:
    """The catalog's records, restricted to the chosen sources. The file stays open as long as they are in use."""
    return CatalogPool(Store(settings.catalog), choices.sources)


def make_judge(
    pool: CatalogPool,
    machine: Machine,
    choices: Choices,
    label: str = "",
    packages: Mapping[str, Any] | None = None,
    concretizer: Mapping[str, Any] | None = None,
) -> Judge:
    """A judge for one group: its machine, its stack's rules, the user's choices."""
    config = concretizer or {}
    granularity = mapping(config.get("targets"), "concretizer:targets").get("granularity", GRANULARITIES[0])
    if granularity not in GRANULARITIES:
        msg = f"{granularity!r} is no granularity of targets"
        raise InputError(msg, where="concretizer:targets:granularity", hint=f"known are {', '.join(GRANULARITIES)}")
    include, exclude = _reuse(config.get("reuse"))
    policy = Policy(
        os_policy=choices.os_policy,
        assume_externals=choices.assume_externals,
        label=label if choices.labelled == "only" or label in pool.labels() else "",
        labelled=choices.labelled,
        granularity=granularity,
        reuse_include=include,
        reuse_exclude=exclude,
    )
    return Judge(pool, machine, policy, Rules.read(packages or {}))


def _reuse(value: object) -> tuple[tuple[AbstractSpec, ...], tuple[AbstractSpec, ...]]:
    """``concretizer:reuse``: what may and may not be reused; of a list of sources the build caches' entry is ours."""
    if not isinstance(value, Mapping):
        return (), ()
    where = "concretizer:reuse"
    entries = [mapping(entry, f"{where}:from") for entry in listed(value.get("from"), f"{where}:from")]
    caches = [entry for entry in entries if entry.get("type") == "buildcache"]
    found = []
    for key in ("include", "exclude"):
        given = next((entry[key] for entry in caches if entry.get(key)), value.get(key))
        try:
            found.append(tuple(map(AbstractSpec.parse, texts(given, f"{where}:{key}"))))
        except InputError as error:
            raise error.at(f"{where}:{key}") from None
    return found[0], found[1]
