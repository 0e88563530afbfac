"""``spack-resolver catalog``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.options import json_option
from resolver.cli.output import clean, print_document, print_table

if TYPE_CHECKING:
    from resolver.api.upkeep import Report

SHOWN = 20


@click.group("catalog")
def command() -> None:
    """Look after the catalog: check it, make it small, copy it, take sources out of it.

    \b
    Examples:
      spack-resolver catalog check --hashes
      spack-resolver catalog vacuum
      spack-resolver catalog remove ml-linux-x86_64-cuda
      spack-resolver catalog export copy.sqlite
    """


@command.command("check")
@click.option("--hashes", is_flag=True, help="Recompute every DAG hash too.")
@json_option
@pass_context
def check_command(context: Context, hashes: bool, as_json: bool) -> int:
    """Read everything once: what is damaged, and of which hashes sources state different nodes or archives.

    Exit code 6 says that something is damaged or a recomputed hash differs. That sources differ is no damage: archives of one hash may
    have been built twice.
    """
    from msgspec.structs import asdict

    from resolver.api.upkeep import check

    report = check(context.settings, hashes=hashes)
    if as_json:
        print_document("catalog-check", {**asdict(report), "divergent": [asdict(row) for row in report.divergent]})
    else:
        _show(report)
    return 6 if report.damage or report.different else 0


def _show(report: Report) -> None:
    if report.divergent:
        print_table(["hash", "package", "differs", "sources"], [[d.hash, d.name, d.what, ", ".join(d.sources)] for d in report.divergent])
    for found in (report.damage, [f"{one}: its hash is not that of its node" for one in report.different]):
        for text in found[:SHOWN]:
            click.echo(clean(text))
        if len(found) > SHOWN:
            click.echo(f"and {len(found) - SHOWN} more; --json lists all")
    counted = "".join(f", {number} hashes {verdict}" for verdict, number in report.verdicts.items())
    click.echo(f"{report.records} records, {len(report.damage)} damaged, {len(report.divergent)} divergent{counted}")


@command.command("vacuum")
@json_option
@pass_context
def vacuum_command(context: Context, as_json: bool) -> None:
    """Give back the space that removed records took."""
    from resolver.api.upkeep import pack

    before, after = pack(context.settings)
    if as_json:
        print_document("catalog-vacuum", {"before": before, "after": after})
    context.say(f"{before} bytes before, {after} after")


@command.command("export")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@json_option
@pass_context
def export_command(context: Context, path: Path, as_json: bool) -> None:
    """Copy the catalog into one file that is read also where nothing can be written, as on a shared file system."""
    from resolver.api.upkeep import export

    size = export(context.settings, path)
    if as_json:
        print_document("catalog-export", {"path": str(path), "bytes": size})
    context.say(f"wrote {path}, {size} bytes; use it with --catalog {path}")


@command.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="SOURCE...")
@json_option
@pass_context
def remove_command(context: Context, names: tuple[str, ...], as_json: bool) -> None:
    """Forget sources, by their names in `spack-resolver sources`, with all that they alone stated."""
    from resolver.api.upkeep import remove

    remove(context.settings, names)
    if as_json:
        print_document("catalog-remove", {"removed": list(names)})
    context.say(f"removed {', '.join(names)}")
