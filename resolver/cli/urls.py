"""``spack-resolver urls``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.mirror_options import jobs_option, mirror_option, part_options, progress, sized, take_part
from resolver.cli.options import json_option
from resolver.cli.output import clean, print_document

if TYPE_CHECKING:
    from resolver.api.urls import Urls

FORMATS = ("text", "json", "aria2", "wget")


@click.command("urls")
@click.argument("path", metavar="ENV|LOCK")
@part_options
@mirror_option
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="text: kind, hash, size, sha256, url; aria2, wget: what `aria2c -i` and `wget -i` take.",
)
@click.option("--with-keys/--without-keys", "keys", default=True, show_default=True, help="The keys of mirrors that sign, too.")
@click.option("--offline", is_flag=True, help="Open no connection: only what can be told without asking mirrors that are elsewhere.")
@jobs_option
@json_option
@pass_context
def command(context: Context, /, form: str, as_json: bool, **options: Any) -> None:  # noqa: ANN401
    """List what has to be downloaded for an environment: manifests and archives of what it links to and runs, with sizes and checksums.

    ENV is a directory with a spack.lock, or that file; LOCK is a resolver.lock, of which --machine chooses one environment. The total goes
    to stderr.

    \b
    Examples:
      spack-resolver urls env
      spack-resolver urls env --format aria2
      spack-resolver urls resolver.lock --machine github-ubuntu-24.04 --json
    """
    from resolver.api.urls import UrlsRequest, urls

    with progress(context) as tell:
        found = urls(context.settings, UrlsRequest(part=take_part(options), **options), tell)
    if as_json or form == "json":
        print_document("urls", _body(found))
    else:
        _print(context, found, form)
    for note in found.notes:
        context.say(clean(f"note: {note}"))
    context.say(f"{sized(len(found.files), found.bytes, found.unknown)}, for {found.packages} packages")


def _print(context: Context, found: Urls, form: str) -> None:
    from resolver.emit.fetch_lists import aria2_list, on_the_web, text_list, wget_list

    if form == "text":
        click.echo(text_list(found.files), nl=False)
        return
    rows = [row for row in found.files if on_the_web(row)]
    click.echo({"aria2": aria2_list, "wget": wget_list}[form](rows), nl=False)
    if left := len(found.files) - len(rows):
        context.say(f"note: {left} files are not at http or https and are not listed; `spack-resolver bundle` fetches them too")


def _body(found: Urls) -> dict[str, Any]:
    from resolver.emit.fetch_lists import rows_body

    total = {"packages": found.packages, "bytes": found.bytes, "unknown": found.unknown}
    return {"files": rows_body(found.files), **total, "notes": list(found.notes)}
