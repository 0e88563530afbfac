"""``spack-resolver bundle``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.mirror_options import jobs_option, mirror_option, part_options, progress, sized, take_part
from resolver.cli.options import json_option
from resolver.cli.output import clean, many, print_document

if TYPE_CHECKING:
    from resolver.api.bundle.model import BundleResult


@click.command("bundle")
@click.argument("path", metavar="ENV|LOCK")
@click.option("-o", "--output", metavar="DIR", required=True, help="The directory that becomes the mirror.")
@part_options
@mirror_option
@click.option("--from", "others", metavar="DIR", multiple=True, help="Take what this other bundle has from there; may be repeated.")
@click.option("--delta", is_flag=True, help="Write only what the bundles of --from do not have.")
@click.option("--offline", is_flag=True, help="Open no connection: what there is in --from and in mirrors on this machine must do.")
@click.option("--prune", is_flag=True, help="Take away what DIR holds of other packages.")
@click.option("--name", metavar="NAME", default="bundle", show_default=True, help="What the bundle is called as a mirror.")
@click.option("--url", metavar="URL", default="", help="Where it will lie; without, its environment finds it where it lies itself.")
@click.option("--no-env", is_flag=True, help="Write no environment beside the mirror.")
@click.option("--dry-run", is_flag=True, help="Say what would be fetched, and write nothing.")
@jobs_option
@json_option
@pass_context
def command(context: Context, /, path: str, output: str, no_env: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401
    """Fetch the binaries of an environment into a directory that is a mirror of just these.

    ENV is a directory with a spack.lock, or that file; LOCK is a resolver.lock, of which --machine chooses one environment. Checksums are
    checked as files come; what breaks off goes on where it ended, in another run too. The mirror has its index and the keys that its
    packages are signed with, and env/ in it is the environment with the bundle as its mirror. The commands that use it are printed.

    \b
    Examples:
      spack-resolver bundle env -o bundle --dry-run
      spack-resolver bundle env -o bundle
      spack-resolver bundle env -o newer --from bundle
      spack-resolver bundle resolver.lock --machine github-ubuntu-24.04 -o carried
    """
    from resolver.api.bundle.bundle import bundle
    from resolver.api.bundle.model import BundleRequest

    request = BundleRequest(path, output, take_part(options), environment=not no_env, **options)
    with progress(context) as tell:
        result = bundle(context.settings, request, tell)
    if as_json:
        print_document("bundle", _body(result))
    else:
        _say(context, result)
    for note in result.notes:
        context.say(clean(f"note: {note}"))


def _say(context: Context, result: BundleResult) -> None:
    shares = {"fetched": result.fetched, "taken from other bundles": result.taken, "there before": result.kept, "left out": result.left_out}
    for name, count in result.by_mirror.items():
        context.say(clean(f"{name}: {many(count, 'package')}"))
    for what, share in shares.items():
        if share.files:
            context.say(
                f"{what.replace('fetched', 'to fetch') if result.dry_run else what}: {sized(share.files, share.bytes, share.unknown)}"
            )
    if result.dry_run:
        return
    context.say(clean(f"wrote {result.path}: a mirror of {many(result.packages, 'package')}"))
    for line in result.commands:
        click.echo(clean(line))


def _body(result: BundleResult) -> dict[str, Any]:
    import msgspec

    body: dict[str, Any] = msgspec.to_builtins(result)
    return body
