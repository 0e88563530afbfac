"""``spack-resolver sync``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.options import json_option
from resolver.cli.output import clean, error_document, print_document, print_error
from resolver.cli.sources import source_body

if TYPE_CHECKING:
    from resolver.api.sync import Synced, SyncResult
    from resolver.cli.progress import Progress


@click.command("sync")
@click.argument("locations", nargs=-1, metavar="SOURCE...")
@click.option("--name", metavar="NAME", help="What to call the source.")
@click.option("--label", metavar="STACK", help="The stack that the source's records belong to.")
@click.option(
    "--release",
    metavar="REF",
    help="The release that the source's records belong to, as develop or v1.1.0; of a public manifest, which to read.",
)
@click.option(
    "--stack", "stacks", multiple=True, metavar="STACK", help="Of a public manifest, the stacks to read; may be a pattern. [default: all]"
)
@click.option("--view", metavar="VIEW", default="", help="A named index of a mirror, in place of its default one.")
@click.option("--refresh", is_flag=True, help="Read the source again even if it has not changed.")
@click.option("--offline", is_flag=True, help="Open no connection; what was synced from the network stays as it is.")
@json_option
@pass_context
def command(
    context: Context,
    /,
    locations: tuple[str, ...],
    name: str | None,
    label: str | None,
    release: str | None,
    stacks: tuple[str, ...],
    view: str,
    refresh: bool,
    offline: bool,
    as_json: bool,
) -> int:
    """Read sources into the catalog: mirrors, build cache indexes, lockfiles, install databases, package pages.

    SOURCE is a file, a directory or a URL (http, https, s3, oci, oci+http); what it is is found out by its content. A directory may hold
    many sources; a mirrors.yaml of Spack names its mirrors, and cache_spack_io_index.json those of the public cache. Without SOURCE,
    those of the configuration are read. A source that has not changed is left alone; one that fails keeps the records it had.

    \b
    Examples:
      spack-resolver sync stacks
      spack-resolver sync /mnt/mirror --name site
      spack-resolver sync index.json.gz --label e4s --release develop
      spack-resolver sync https://binaries.spack.io/v1.1.0/e4s
      spack-resolver sync https://binaries.spack.io/cache_spack_io_index.json --release develop --stack 'ml-*'
      spack-resolver sync oci://ghcr.io/spack/github-actions-buildcache
      spack-resolver sync s3://bucket/prefix mirrors.yaml
    """
    from resolver.api.sync import SyncRequest, configured, sync

    settings = context.settings
    requests = [SyncRequest(location, name, label, release, refresh, stacks, view, offline) for location in locations]
    requests = requests or configured(settings, refresh=refresh, offline=offline)
    if not requests:
        msg = (
            "no source is given, and the configuration names none: give a path or URL, or list some under `sources` in spack-resolver.yaml"
        )
        raise click.UsageError(msg)
    reporter = _reporter(context)
    try:
        result = sync(settings, requests, reporter)
    finally:
        if reporter:
            reporter.close()
    if as_json:
        print_document("sync", _body(result))
    for done in result.synced:
        context.say(clean(_line(done)))
    for note in result.notes:
        context.say(clean(f"note: {note}"))
    for error in result.errors:
        if not as_json:
            print_error(error)
    return max((error.exit_code for error in result.errors), default=0)


def _line(done: Synced) -> str:
    state = "read" if done.changed else "unchanged"
    return f"{done.row.name}: {done.row.kind} {done.row.layout}".rstrip() + f", {done.row.records} records, {state}"


def _body(result: SyncResult) -> dict[str, object]:
    import msgspec

    return {
        "sources": [{**source_body(done.row), "changed": done.changed} for done in result.synced],
        "notes": list(result.notes),
        "errors": [msgspec.json.decode(error_document(error)) for error in result.errors],
    }


def _reporter(context: Context) -> Progress | None:
    """A progress bar where a person watches; else nothing."""
    if context.quiet or not sys.stderr.isatty():
        return None
    from resolver.cli.progress import Progress

    return Progress()
