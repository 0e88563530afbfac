"""What ``find``, ``resolve`` and ``matrix`` share: the policy of a selection and a judge for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from resolver.api.settings import Settings
from resolver.arch.machine import Machine
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import Store
from resolver.selection.gates import Judge
from resolver.selection.model import Policy
from resolver.selection.rules import Rules
from resolver.stacks.concretizer import read_concretizer


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
    config = read_concretizer(concretizer)
    include, exclude = config.reuse.of_build_caches()
    policy = Policy(
        os_policy=choices.os_policy,
        assume_externals=choices.assume_externals,
        label=label if choices.labelled == "only" or label in pool.labels() else "",
        labelled=choices.labelled,
        granularity=config.granularity,
        reuse_include=include,
        reuse_exclude=exclude,
    )
    return Judge(pool, machine, policy, Rules.read(packages or {}))
