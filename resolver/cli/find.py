"""``spack-resolver find``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.documents import found_body, machine_body
from resolver.cli.options import (
    choice_options,
    json_option,
    machine_options,
    say_skipped,
    take_choices,
    take_machine,
)
from resolver.cli.output import print_document, print_table

if TYPE_CHECKING:
    from resolver.api.find import Found


DIGEST = re.compile(r"\b[0-9a-f]{40,64}\b")


@click.command("find")
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@click.option("--all", "everything", is_flag=True, help="Also the records that do not run, each with its reason.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(min=1), help="Of each spec the best N only, which is faster where there are many."
)
@machine_options
@choice_options
@json_option
@pass_context
def command(
    context: Context,
    /,
    specs: tuple[str, ...],
    everything: bool,
    limit: int | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the shared options
) -> None:
    """List the prebuilt hashes of packages that run on a machine, best first.

    \b
    Examples:
      spack-resolver find py-torch
      spack-resolver find py-torch --limit 3 --machine github-ubuntu-24.04
      spack-resolver find 'py-torch@2.9: ~cuda' --arch linux-ubuntu24.04-zen4 --libc glibc@2.39
      spack-resolver find py-numpy --machine github-ubuntu-22.04 --all
    """
    from resolver.api.find import find

    if everything and limit is not None:
        msg = "--all lists all records; leave --limit out"
        raise click.UsageError(msg)
    machine = take_machine(context, options)
    result = find(context.settings, [" ".join(specs)], machine, take_choices(options), everything=everything, limit=limit)
    if as_json:
        records = [found_body(found) for found in result.records]
        print_document(
            "find",
            {
                "machine": machine_body(machine),
                "records": records,
                "rejected": result.rejected,
                "skipped_criteria": list(result.skipped_criteria),
                "notes": list(result.notes),
            },
        )
        return
    context.say(f"machine: {machine}")
    if result.records:
        print_table(
            ("hash", "os", "target", "libc", "stacks", *(("why not",) if everything else ()), "spec"), map(_row(everything), result.records)
        )
    for note in result.notes:
        context.say(f"note: {note}")
    if context.verbose:
        say_skipped(context, result.skipped_criteria)
    run = sum(1 for found in result.records if not found.rejection)
    context.say(f"the best {run}; without --limit all are listed" if result.rejected is None else f"{run} run, {result.rejected} do not")


def _row(everything: bool) -> Callable[[Found], list[str]]:
    def row(found: Found) -> list[str]:
        body = found_body(found)
        reason = [found.rejection.text if found.rejection else ""] if everything else []
        spec = DIGEST.sub(lambda digest: digest[0][:7], body["spec"])
        return [body["hash"], body["os"], body["target"], body["libc"] or "-", ",".join(body["stacks"]) or "-", *reason, spec]

    return row
