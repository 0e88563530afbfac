"""``spack-resolver sync``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.options import json_option
from resolver.cli.output import error_document, print_document, print_error
from resolver.cli.sources import source_body

if TYPE_CHECKING:
    from resolver.api.sync import Reporter, SyncResult


@click.command("sync")
@click.argument("locations", nargs=-1, metavar="SOURCE...")
@click.option("--name", metavar="NAME", help="What to call the source.")
@click.option("--label", metavar="STACK", help="The stack that the source's records belong to.")
@click.option("--release", metavar="REF", help="The release that the source's records belong to, as develop or v1.1.0.")
@click.option("--refresh", is_flag=True, help="Read the source again even if it has not changed.")
@json_option
@pass_context
def command(
    context: Context,
    /,
    locations: tuple[str, ...],
    name: str | None,
    label: str | None,
    release: str | None,
    refresh: bool,
    as_json: bool,
) -> int:
    """Read sources into the catalog: mirrors, build cache indexes, lockfiles, package pages.

    SOURCE is a file or a directory; what it is is found out by its content. A directory may hold many sources. Without SOURCE, those
    of the configuration are read. A source that has not changed is left alone; one that fails keeps the records it had.

    \b
    Examples:
      spack-resolver sync stacks
      spack-resolver sync /mnt/mirror --name site
      spack-resolver sync index.json.gz --label e4s --release develop
    """
    from resolver.api.sync import SyncRequest, configured, sync

    settings = context.settings
    requests = [SyncRequest(location, name, label, release, refresh) for location in locations] or configured(settings)
    if not requests:
        msg = "no source is given, and the configuration names none"
        raise click.UsageError(msg)
    result = sync(settings, requests, _reporter(context))
    if as_json:
        print_document("sync", _body(result))
    for done in result.synced:
        state = "read" if done.changed else "unchanged"
        context.say(f"{done.row.name}: {done.row.kind} {done.row.layout}".rstrip() + f", {done.row.records} records, {state}")
    for error in result.errors:
        if not as_json:
            print_error(error)
    return max((error.exit_code for error in result.errors), default=0)


def _body(result: SyncResult) -> dict[str, object]:
    import msgspec

    return {
        "sources": [{**source_body(done.row), "changed": done.changed} for done in result.synced],
        "errors": [msgspec.json.decode(error_document(error)) for error in result.errors],
    }


def _reporter(context: Context) -> Reporter | None:
    """A progress bar where a person watches; else nothing."""
    if context.quiet or not sys.stderr.isatty():
        return None
    from resolver.cli.progress import Progress

    return Progress()
