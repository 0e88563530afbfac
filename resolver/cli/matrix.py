"""``spack-resolver matrix``."""

from __future__ import annotations

import shlex
from typing import Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.options import choice_options, json_option, stack_options, take_choices, take_stack
from resolver.cli.output import print_document
from resolver.errors import NotSatisfiedError


@click.command("matrix")
@click.argument("stacks", nargs=-1, required=True, metavar="STACK...")
@click.option("--machine", "machines", metavar="NAME|FILE|TRIPLE", multiple=True, required=True, help="A machine; may be repeated.")
@click.option("--for", "system", type=click.Choice(["github", "gitlab", "json"]), default="json", show_default=True, help="The CI system.")
@click.option(
    "--split", type=click.Choice(["stack", "root"]), default="stack", show_default=True, help="A job for each stack, or each root."
)
@stack_options
@choice_options
@json_option
@pass_context
def command(
    context: Context,
    /,
    stacks: tuple[str, ...],
    machines: tuple[str, ...],
    system: str,
    split: str,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the shared options
) -> int:
    """Make a CI matrix: a job for each stack on each machine that has binaries for it.

    github prints an {"include": [...]} document on one line, for fromJSON; gitlab a child pipeline.

    \b
    Examples:
      spack-resolver matrix ml-linux-x86_64-cpu --machine github-ubuntu-24.04 --for github
      spack-resolver matrix ml-linux-x86_64-cpu ml-linux-x86_64-cuda --machine github-ubuntu-24.04 --for gitlab
      spack-resolver matrix ml-linux-aarch64-cpu --machine github-ubuntu-24.04-arm --split root --json
    """
    from resolver.api.machines import named_machine
    from resolver.api.matrix import matrix
    from resolver.emit.matrix import emit_github, emit_gitlab

    settings = context.settings
    named = [(name, named_machine(name, settings)) for name in machines]
    reading = take_stack("", options)
    result = matrix(settings, stacks, named, take_choices(options), split, reading)  # type: ignore[arg-type] # one of the option's choices
    if as_json or system == "json":
        print_document("matrix", {"include": [job.row() for job in result.jobs], "empty": list(result.empty)})
    elif system == "github":
        click.echo(emit_github(result.jobs).content, nl=False)
    else:
        words = [word for name in machines for word in ("--machine", name)]
        made_by = shlex.join(["spack-resolver", "matrix", *stacks, *words, *reading.words(), "--for", system, "--split", split])
        click.echo(emit_gitlab(result.jobs, made_by).content, nl=False)
    for text in (*result.warnings, *result.empty):
        context.say(f"note: {text}")
    return 0 if result.jobs else NotSatisfiedError.exit_code
