"""``spack-resolver machine``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.documents import machine_body
from resolver.cli.options import json_option, machine_options, take_machine
from resolver.cli.output import print_document, print_table

if TYPE_CHECKING:
    from resolver.formats.config import MachineConfig


@click.command("machine")
@click.option(
    "--list", "listing", type=click.Choice(["targets", "oses", "machines"]), help="The names that are known, in place of this host."
)
@machine_options
@json_option
@pass_context
def command(context: Context, /, listing: str | None, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - the shared options
    """Show this machine as Spack sees it, and how each fact was found; or the names that are known.

    What cannot be found is unknown, and says why. What --json prints describes the machine elsewhere, as --machine FILE.

    \b
    Examples:
      spack-resolver machine
      spack-resolver machine --machine github-ubuntu-24.04 --json
      spack-resolver machine --list targets
    """
    if listing:
        _list(context, listing, as_json=as_json)
        return
    machine = take_machine(context, options)
    body = machine_body(machine)
    if as_json:
        print_document("machine", body)
        return
    print_table(["fact", "value", "found by"], [row for fact in SHOWN if (row := _row(fact, body))])


FACTS = ("platform", "os", "target")
SHOWN = ("name", *FACTS, "libc", "cuda_arch", "amdgpu_target")


def _row(fact: str, body: dict[str, Any]) -> list[str]:
    """The line of a fact, with the reason where it is unknown; empty for one that the machine need not have and has not."""
    value, unknown = body[fact], body["unknown"].get(fact)
    how = body["found_by"].get(fact)
    if not value and not unknown and not how and fact not in FACTS:
        return []
    shown = ", ".join(value) if isinstance(value, list) else value
    return [fact, shown or ("none" if how else "unknown"), how or unknown or "-"]


def _list(context: Context, listing: str, *, as_json: bool) -> None:
    from resolver.api.machines import all_machines
    from resolver.api.names import known_names

    names = known_names(listing, context.settings)
    if as_json:
        print_document("machine", {"list": listing, "names": names})
    elif listing == "machines":
        rows = [_listed(name, machine) for name, machine in all_machines(context.settings).items()]
        print_table(["name", "platform", "os", "target", "libc", "gpu", "what it is"], rows)
    else:
        for name in names:
            click.echo(name)


def _listed(name: str, machine: MachineConfig) -> list[str]:
    facts = (machine.platform, machine.os, machine.target, machine.libc)
    gpus = ", ".join(map(str, (*machine.cuda_arch, *machine.amdgpu_target)))
    return [name, *(fact or "-" for fact in facts), gpus or "-", machine.about]
