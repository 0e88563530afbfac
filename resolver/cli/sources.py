"""``spack-resolver sources``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from resolver.cli.context import Context, pass_context
from resolver.cli.options import json_option
from resolver.cli.output import print_document, print_table

if TYPE_CHECKING:
    from resolver.catalog.store import SourceRow


@click.command("sources")
@json_option
@pass_context
def command(context: Context, as_json: bool) -> None:
    """List what is synced: kind, layout, records, labels, when it was read, digest.

    \b
    Examples:
      spack-resolver sources
      spack-resolver sources --json
    """
    from resolver.api.sources import list_sources

    rows = list_sources(context.settings)
    if as_json:
        print_document("sources", {"catalog": str(context.settings.catalog), "sources": [source_body(row) for row in rows]})
        return
    context.say(f"catalog: {context.settings.catalog}")
    cells = [
        [r.name, f"{r.kind} {r.layout}".strip(), str(r.records), r.stack or "-", r.release or "-", r.synced_at, r.digest[:12], r.location]
        for r in rows
    ]
    print_table(["name", "kind", "records", "stack", "release", "synced", "digest", "location"], cells)


def source_body(row: SourceRow) -> dict[str, Any]:
    """A source in a document."""
    return asdict(row)
