"""``spack-resolver spec``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.options import json_option
from resolver.cli.output import clean, print_document, print_table
from resolver.errors import NotSatisfiedError

if TYPE_CHECKING:
    from resolver.api.spec import Comparison


@click.command("spec")
@click.argument("text")
@click.option("--against", metavar="HASH|LOCK", help="A synced hash, or a lockfile: what of it matches, and why the rest does not.")
@json_option
@pass_context
def command(context: Context, text: str, against: str | None, as_json: bool) -> int:
    """Read a spec: print it canonically, say piece by piece what it asks, and hold it against concrete specs.

    TEXT may hold several specs. With --against the exit code is 4 when nothing matches.

    \b
    Examples:
      spack-resolver spec 'hdf5@1.14:+mpi ^mpich %gcc@12:'
      spack-resolver spec 'py-torch~cuda' --json
      spack-resolver spec 'py-torch+cuda ^openmpi' --against env/spack.lock
    """
    from resolver.api.spec import compare
    from resolver.spec.abstract import AbstractSpec
    from resolver.spec.describe import describe, tree

    specs = AbstractSpec.parse_all(text) or [AbstractSpec()]
    found = [compare(context.settings, spec, against) if against else [] for spec in specs]
    if as_json:
        rows = [
            {"spec": str(s), "tree": tree(s), "meaning": [[p.text, p.meaning] for p in describe(s)], "against": list(map(_body, c))}
            for s, c in zip(specs, found, strict=True)
        ]
        print_document("spec", {"specs": rows})
    for spec, comparisons in zip(specs, found, strict=True) if not as_json else ():
        click.echo(click.style(clean(str(spec)), bold=True))
        for piece in describe(spec):
            click.echo(clean(f"  {'  ' * piece.depth}{piece.text:<{20 - 2 * piece.depth}}  {piece.meaning}"))
        if comparisons:
            print_table(("hash", "package", "matches", "recomputed hash"), map(_row, comparisons))
    matched = not against or any(c.mismatch is None for row in found for c in row)
    return 0 if matched else NotSatisfiedError.exit_code


def _body(comparison: Comparison) -> dict[str, Any]:
    failed = comparison.mismatch
    reason = None
    if failed:
        node = f"{failed.node.name}/{failed.node.hash}"
        reason = {"node": node, "what": failed.what, "have": failed.have, "want": failed.want, "text": str(failed)}
    spec = comparison.spec
    return {"hash": spec.hash, "name": spec.name, "matches": failed is None, "reason": reason, "hash_verdict": comparison.hash_verdict}


def _row(comparison: Comparison) -> list[str]:
    spec, failed = comparison.spec, comparison.mismatch
    return [spec.hash, f"{spec.name}@{spec.wire.version}", f"no: {failed}" if failed else "yes", comparison.hash_verdict]
