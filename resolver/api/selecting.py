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
from resolver.selection.shared import Shared
from resolver.stacks.concretizer import read_concretizer


class Choices(msgspec.Struct, frozen=True):
    """What the user chooses besides stack and machine; the options of the same names say what they mean."""

    sources: Sequence[str] = ()
    os_policy: Literal["spack", "strict"] = "spack"
    labelled: Literal["prefer", "only", "ignore"] = "prefer"
    assume_externals: bool = False
    facts: str = ""
    prefer: Literal["", "newest", "closest-target", "fewest-packages"] = ""


def open_pool(settings: Settings, choices: Choices) -> CatalogPool:
    """The catalog's records, restricted to the chosen sources. The file stays open as long as they are in use.

    Raises ``InputError``, also naming file and place of damage in a document of facts.
    """
    if choices.facts:
        from resolver.api.facts import load_facts
        from resolver.api.knowing import KnowingPool

        return KnowingPool(Store(settings.catalog), choices.sources, load_facts(choices.facts))
    return CatalogPool(Store(settings.catalog), choices.sources)


def make_judge(
    pool: CatalogPool,
    machine: Machine,
    choices: Choices,
    label: str = "",
    packages: Mapping[str, Any] | None = None,
    concretizer: Mapping[str, Any] | None = None,
    offered: frozenset[str] = frozenset(),
    shared: Shared | None = None,
) -> Judge:
    """A judge for one group: its machine, its stack's rules, the user's choices, and the hashes that the groups it needs offer.

    ``shared`` is what other judges of the pool have found.
    """
    shared = shared or Shared(pool)
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
        facts=pool.facts,
        host_compatible=config.host_compatible,
        os_compatible=config.os_compatible,
        prefer=choices.prefer,
        offered=offered,
    )
    return Judge(pool, machine, policy, shared.rules(packages or {}), shared)
