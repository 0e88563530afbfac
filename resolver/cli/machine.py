"""``spack-resolver machine``."""

from __future__ import annotations

from typing import Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.documents import machine_body
from resolver.cli.options import json_option, machine_options, take_machine
from resolver.cli.output import print_document, print_table


@click.command("machine")
@click.option(
    "--list", "listing", type=click.Choice(["targets", "oses", "machines"]), help="The names that are known, in place of this host."
)
@machine_options
@json_option
@pass_context
def command(context: Context, /, listing: str | None, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - the shared options
    """Show this machine as Spack sees it, and how each fact was found; or the names that are known.

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
    shown = {key: ", ".join(body[key]) if isinstance(body[key], list) else body[key] for key in body if key != "found_by"}
    print_table(
        ["fact", "value", "found by"], [[k, str(v or "unknown"), body["found_by"].get(k, "-")] for k, v in shown.items() if v or k in FACTS]
    )


FACTS = ("platform", "os", "target", "libc")


def _list(context: Context, listing: str, *, as_json: bool) -> None:
    from resolver.api.names import known_names

    names = known_names(listing, context.settings)
    if as_json:
        print_document("machine", {"list": listing, "names": names})
        return
    for name in names:
        click.echo(name)
