"""``spack-resolver expand``."""

from __future__ import annotations

from typing import Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.documents import machine_body
from resolver.cli.options import json_option, machine_options, take_machine
from resolver.cli.output import print_document
from resolver.cli.resolve import _variables as read_variables


@click.command("expand")
@click.argument("stack")
@click.option("--env", "variables", metavar="NAME=VALUE", multiple=True, help="A variable that conditions of the stack may see.")
@click.option("--no-include", is_flag=True, help="Read the stack without the files that it includes.")
@machine_options
@json_option
@pass_context
def command(context: Context, /, stack: str, variables: tuple[str, ...], no_include: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401
    """Show the roots that a stack definition asks for on a machine, as Spack would expand it.

    \b
    Examples:
      spack-resolver expand ml-linux-x86_64-cpu --arch linux-ubuntu24.04-zen4
      spack-resolver expand ./spack.yaml --json
    """
    from resolver.api.expand import expand
    from resolver.api.stacks import StackRequest

    machine = take_machine(context, options)
    result = expand(context.settings, StackRequest(stack, read_variables(variables), include=not no_include), machine)
    if as_json:
        print_document("expand", {"stack": result.name, "machine": machine_body(machine), "groups": [_group(g) for g in result.groups]})
        return
    for group in result.groups:
        if len(result.groups) > 1:
            context.say(f"group: {group.name}")
        for root in group.roots:
            click.echo(str(root))


def _group(group: Any) -> dict[str, Any]:  # noqa: ANN401 - a group
    return {
        "name": group.name,
        "unify": {"true": True, "false": False}.get(group.unify, group.unify),
        "needs": list(group.needs),
        "specs": [str(root) for root in group.roots],
        "packages": group.packages,
    }
