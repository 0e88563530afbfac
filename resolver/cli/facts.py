"""``spack-resolver facts``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.options import json_option
from resolver.cli.output import clean, print_document, write_files

if TYPE_CHECKING:
    from resolver.api.facts import Imported


@click.group("facts")
def command() -> None:
    """Facts of package recipes, for --facts: which versions are preferred or deprecated, and which variants are default.

    \b
    Examples:
      spack-resolver facts import spack-packages -o facts.json
      spack-resolver resolve ml-linux-x86_64-cpu --machine github-ubuntu-24.04 --facts facts.json
    """


@command.command("import")
@click.argument("folder", metavar="DIR")
@click.option("-o", "--output", metavar="FILE", help="Write the document there; else it goes to stdout.")
@click.option(
    "--platform",
    type=click.Choice(["linux", "darwin", "windows", "freebsd"]),
    default="linux",
    show_default=True,
    help="Recipes that ask for the platform are read as on this one.",
)
@json_option
@pass_context
def import_command(context: Context, /, folder: str, output: str | None, platform: str, as_json: bool) -> None:
    """Make a document of facts from a checkout of a package repository.

    DIR is a checkout of spack-packages, one of Spack before 1.0, or a repository of your own with its repo.yaml. The recipes are read,
    never run. What cannot be read is counted, and listed with -v before the command; the order does without it. --json, with -o, prints
    the counts and the list as a document.

    \b
    Examples:
      spack-resolver facts import spack-packages -o facts.json
      spack-resolver -v facts import spack-packages --platform darwin -o facts-darwin.json
    """
    from resolver.api.facts import import_facts
    from resolver.formats.facts import write_facts

    if as_json and output is None:
        msg = "stdout takes one document; write the facts to a file with -o"
        raise click.BadParameter(msg, param_hint="--json")
    imported = import_facts(folder, platform)
    content = write_facts(imported.document)
    if output is not None:
        write_files({Path(output): content})
        context.say(f"wrote {output}")
    else:
        click.echo(content, nl=False)
    _report(context, imported)
    if as_json:
        unread = [{"package": u.package, "line": u.line, "what": u.what} for u in imported.unread]
        print_document("facts-import", {"folder": imported.folder, "platform": platform, **imported.counts, "unread": unread})


def _report(context: Context, imported: Imported) -> None:
    counts = ", ".join(f"{count} {what}" for what, count in imported.counts.items())
    context.say(
        f"{counts}; {len(imported.unread)} places could not be read{'' if context.verbose or not imported.unread else ' (-v lists them)'}"
    )
    if context.verbose:
        for unread in imported.unread:
            context.say(clean(str(unread)))
