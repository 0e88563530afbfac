"""What ``find``, ``resolve`` and ``matrix`` share: the policy of a selection and a judge for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from resolver.api.settings import Settings
from resolver.arch.machine import Machine
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import Store
from resolver.selection.defects import Defects
from resolver.selection.gates import Judge
from resolver.selection.model import Policy
from resolver.selection.rules import Rules
from resolver.stacks.concretizer import read_concretizer

if TYPE_CHECKING:
    from resolver.selection.facts import RecipeFacts


class Choices(msgspec.Struct, frozen=True):
    """What the user chooses besides stack and machine; the options of the same names say what they mean."""

    sources: Sequence[str] = ()
    os_policy: Literal["spack", "strict"] = "spack"
    labelled: Literal["prefer", "only", "ignore"] = "prefer"
    assume_externals: bool = False
    facts: str = ""
    prefer: Literal["", "newest", "closest-target", "fewest-packages"] = ""


def open_pool(settings: Settings, choices: Choices) -> CatalogPool:
    """The catalog's records, restricted to the chosen sources. The file stays open as long as they are in use."""
    if choices.facts:
        from resolver.api.knowing import KnowingPool  # reads a document

        return KnowingPool(Store(settings.catalog), choices.sources, choices.facts)
    return CatalogPool(Store(settings.catalog), choices.sources)


def read_facts(choices: Choices) -> RecipeFacts | None:
    """What is known of package recipes, if the user gives a document. Raises ``InputError`` naming file and place when it is damaged."""
    if not choices.facts:
        return None
    from resolver.api.facts import load_facts

    return load_facts(choices.facts)


def make_judge(
    pool: CatalogPool,
    machine: Machine,
    choices: Choices,
    label: str = "",
    packages: Mapping[str, Any] | None = None,
    concretizer: Mapping[str, Any] | None = None,
    offered: frozenset[str] = frozenset(),
    defects: Defects | None = None,
) -> Judge:
    """A judge for one group: its machine, its stack's rules, the user's choices, and the hashes that the groups it needs offer.

    ``defects`` are those of the pool, as far as they have been found.
    """
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
        facts=read_facts(choices),
        host_compatible=config.host_compatible,
        os_compatible=config.os_compatible,
        prefer=choices.prefer,
        offered=offered,
    )
    return Judge(pool, machine, policy, Rules.read(packages or {}), defects)
