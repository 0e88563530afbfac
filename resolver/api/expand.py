"""The roots that a stack asks for on a machine."""

from __future__ import annotations

from resolver.api.settings import Settings
from resolver.api.stacks import LABEL, StackRequest, load_stack
from resolver.arch.machine import Machine
from resolver.stacks.stack import Stack


def expand(settings: Settings, request: StackRequest, machine: Machine) -> Stack:
    """The stack, expanded. The catalog is opened only for ``label:NAME``. Raises ``InputError``."""
    if not request.stack.startswith(LABEL):
        return load_stack(request, machine, settings)
    from resolver.api.selecting import Choices, open_pool  # a stack in a file needs no catalog

    pool = open_pool(settings, Choices())
    return load_stack(request, machine, settings, pool)
