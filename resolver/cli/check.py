"""``spack-resolver check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.options import json_option
from resolver.cli.output import clean, many, print_document, print_table

if TYPE_CHECKING:
    from resolver.api.locks.check import CheckResult

MOST_MENDS = 5


@click.command("check")
@click.argument("lock", metavar="LOCK")
@click.option("--remote", is_flag=True, help="Ask the lock's mirrors themselves for each hash, not the catalog.")
@json_option
@pass_context
def command(context: Context, /, lock: str, remote: bool, as_json: bool) -> int:
    """Say whether a lock still holds: its stacks ask for the same, every hash is served, and every node has its hash.

    It ends with 0 when all is well, with 4 when a stack asks for something else or a hash is served no more, and with 6 when a node was
    changed, so that CI can run it. Each problem comes with the command that mends it. That a source has changed is told, and no problem.

    \b
    Examples:
      spack-resolver check resolver.lock
      spack-resolver check resolver.lock --remote --json
    """
    from resolver.api.locks.check import check_lock

    result = check_lock(context.settings, Path(lock), remote=remote)
    if as_json:
        print_document("check", _body(result, lock))
    else:
        _print(context, result, lock)
    return result.exit_code


def _print(context: Context, result: CheckResult, lock: str) -> None:
    if result.problems:
        rows = [[p.kind, p.stack or "-", p.machine or "-", p.group or "-", p.text] for p in result.problems]
        print_table(["what", "stack", "machine", "group", "problem"], rows)
    for note in result.notes:
        context.say(clean(f"note: {note}"))
    mends = list(dict.fromkeys(problem.mend for problem in result.problems))
    for mend in mends if len(mends) <= MOST_MENDS else [f"{mends[-1].partition(' --upgrade')[0]} --upgrade"]:
        context.say(clean(f"to mend it: {mend}"))
    verified = f"{result.verified} of their hashes computed anew"
    looked = "its mirrors have all of them" if result.asked_mirrors else "the catalog has all of them"
    state = many(len(result.problems), "problem") if result.problems else looked
    context.say(f"{lock}: {many(result.roots, 'root')}, {many(result.packages, 'package')}, {verified}: {state}")


def _body(result: CheckResult, lock: str) -> dict[str, object]:
    return {
        "lock": lock,
        "ok": not result.problems,
        "problems": list(result.problems),
        "notes": list(result.notes),
        "roots": result.roots,
        "packages": result.packages,
        "verified": result.verified,
        "remote": result.asked_mirrors,
    }
