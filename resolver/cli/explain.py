"""``spack-resolver explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.options import (
    choice_options,
    json_option,
    machine_options,
    say_skipped,
    stack_options,
    take_choices,
    take_machine,
    take_stack,
)
from resolver.cli.output import clean, print_document
from resolver.errors import NotSatisfiedError

if TYPE_CHECKING:
    from resolver.api.explain import Explained


@click.command("explain")
@click.argument("spec", nargs=-1, required=True, metavar="SPEC|HASH")
@click.option("--stack", metavar="STACK", help="Apply the rules of this stack, and unify with its roots; named as for `resolve`.")
@click.option("--group", metavar="NAME", help="The group of the stack, where it has several.")
@stack_options
@machine_options
@choice_options
@json_option
@pass_context
def command(
    context: Context,
    /,
    spec: tuple[str, ...],
    stack: str | None,
    group: str | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the shared options
) -> int:
    """Explain why a spec gets the hash that it gets on a machine, or none.

    Of a SPEC: how many records each gate left, the nearest misses with all that they fail, and the smallest edits of the spec, the
    machine or the stack that would gain a hit, each tried. Of a HASH, or its beginning: what it is, and why it is chosen for its
    package or passed over.

    \b
    Examples:
      spack-resolver explain py-torch --machine github-ubuntu-24.04
      spack-resolver explain 'py-torch@99:' --arch linux-ubuntu24.04-zen4 --libc glibc@2.39
      spack-resolver explain py-jax --stack ml-linux-x86_64-cpu --arch linux-rhel8-haswell --libc glibc@2.28
    """
    from resolver.api.explain import ExplainRequest, explain_request

    if group and not stack:
        msg = "a group is one of a stack: give --stack too"
        raise click.BadParameter(msg, param_hint="--group")
    request = take_stack(stack or "", options)
    machine = take_machine(context, options)
    asked = ExplainRequest(" ".join(spec), machine, take_choices(options), request if stack else None, group)
    found = explain_request(context.settings, asked)
    if as_json:
        from resolver.cli.explanations import explained_body

        print_document("explain", explained_body(found))
    else:
        context.say(f"machine: {machine}")
        _print(found)
        say_skipped(context, found.skipped_criteria)
    return 0 if found.serves else NotSatisfiedError.exit_code


def _print(found: Explained) -> None:
    from resolver.api.explain import in_short
    from resolver.selection.explain.report import report, report_conflict, report_hash, wrapped

    lines = report_hash(found.hash) if found.hash else report(found.root) if found.root else []
    if found.conflict:
        lines = [*report_conflict(found.conflict, found.group), "", "Alone:", *lines]
    elif text := in_short(found):
        lines = [*lines, "", *wrapped(text)]
    for line in lines:
        click.echo(clean(line))
