"""``spack-resolver stacks``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.documents import machine_body
from resolver.cli.options import MACHINE_OPTIONS, json_option, machine_options, stack_options, take_machine, take_stack
from resolver.cli.output import print_document, print_table

if TYPE_CHECKING:
    from resolver.api.list_stacks import ListedStack
    from resolver.arch.machine import Machine


@click.command("stacks")
@stack_options
@machine_options
@json_option
@pass_context
def command(context: Context, /, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - the shared options
    """List the stacks that are known, and how many roots each has on a machine.

    Known are those of the configuration's folders and those that ship with the program. Without a machine, the configuration's
    machines and GitHub's runners are gone through. A stack that cannot be for a machine has no roots there, and says why.

    \b
    Examples:
      spack-resolver stacks
      spack-resolver stacks --machine github-ubuntu-24.04
      spack-resolver stacks --arch linux-ubuntu22.04-neoverse_v2 --json
    """
    from resolver.api.list_stacks import list_stacks

    request = take_stack("", options)
    machines = _machines(context, options)
    found = list_stacks(context.settings, machines, request)
    if as_json:
        print_document("stacks", {"machines": [machine_body(machine) for machine in machines], "stacks": [_body(one) for one in found]})
    elif len(machines) == 1:
        print_table(["stack", "roots", "groups", "what it is"], [_row(one) for one in found])
    else:
        print_table(["stack", "roots", "groups", "machines", "what it is"], [row for one in found for row in _rows(one)])


def _machines(context: Context, options: dict[str, Any]) -> list[Machine]:
    if any(options[name] for name in MACHINE_OPTIONS):
        return [take_machine(context, options)]
    from resolver.api.machines import usual_machines

    return usual_machines(context.settings)


def _body(stack: ListedStack) -> dict[str, Any]:
    return {
        "name": stack.name,
        "about": stack.about,
        "place": stack.place,
        "groups": list(stack.groups),
        "machines": [{"machine": _name(on.machine), "asked": on.asked, "roots": on.roots, "reason": on.reason} for on in stack.machines],
    }


def _name(machine: Machine) -> str:
    return machine.name or str(machine)


def _row(stack: ListedStack) -> list[str]:
    on = stack.machines[0]
    return [stack.name, str(on.roots), str(len(stack.groups)), stack.about if on.roots else f"not for this machine: {on.reason}"]


def _rows(stack: ListedStack) -> list[list[str]]:
    """A line for each number of roots, with the machines that have it; one that says why, when all have none."""
    groups = str(len(stack.groups))
    numbers = dict.fromkeys(on.roots for on in stack.machines if on.roots)
    rows = [[stack.name, str(number), groups, _names(stack, number), stack.about] for number in numbers]
    return rows or [[stack.name, "0", groups, "none", f"{stack.about} Not for these: {_reasons(stack)}".strip()]]


def _names(stack: ListedStack, number: int) -> str:
    return ", ".join(_name(on.machine) for on in stack.machines if on.roots == number)


def _reasons(stack: ListedStack) -> str:
    return "; ".join(dict.fromkeys(on.reason for on in stack.machines))
