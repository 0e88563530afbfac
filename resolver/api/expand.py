"""The roots that a stack asks for on a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from resolver.api.settings import Settings
from resolver.api.stacks import LABEL, StackRequest, load_stack
from resolver.arch.machine import Machine
from resolver.errors import InputError

if TYPE_CHECKING:
    from resolver.stacks.stack import Stack

Tags = tuple[str, ...]


def expand(settings: Settings, request: StackRequest, machine: Machine) -> Stack:
    """The stack, expanded. The catalog is opened only for ``label:NAME``. Raises ``InputError``."""
    if not request.stack.startswith(LABEL):
        return load_stack(request, machine, settings)
    from resolver.api.selecting import Choices, open_pool  # a stack in a file needs no catalog

    pool = open_pool(settings, Choices())
    return load_stack(request, machine, settings, pool)


def tags_of_runners(stack: Stack, machine: Machine) -> tuple[Mapping[str, list[Tags]], list[str]]:
    """For each group, by name, the tags of the runner for each of its roots, as the ``ci`` section says; and what keeps it from being read.

    Without such a section, or one that cannot be read, there are none: no other part of a stack depends on it.
    """
    if not stack.ci.get("pipeline-gen"):
        return {}, []
    from resolver.stacks.ci import Runners  # few stacks have the section

    try:
        runners = Runners(stack.ci, machine)
        return {group.name: [runners.tags(root) for root in group.roots] for group in stack.groups}, []
    except InputError as error:
        return {}, [f"the tags of runners are not known: {error}"]
