"""``spack-resolver verify``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.mirror_options import in_bytes, jobs_option, mirror_option, part_options, progress, take_part
from resolver.cli.options import json_option
from resolver.cli.output import clean, error_document, many, print_document, print_error, print_table
from resolver.errors import SourceError, VerificationError

if TYPE_CHECKING:
    from resolver.api.verify.findings import Finding
    from resolver.api.verify.verify import Verified

MOST_ROWS = 20
"""How many findings of one kind the table has, unless -v is given; the document has all."""


@click.command("verify")
@click.argument("path", metavar="ENV|LOCK|DIR")
@part_options
@mirror_option
@click.option("--remote", is_flag=True, help="Ask mirrors that are elsewhere, too: is everything there, and of the right length?")
@click.option("--deep", is_flag=True, help="Read what these have as well, and check its checksums.")
@click.option("--key", "keys", metavar="FILE", multiple=True, help="A public key that may sign, in place of those that mirrors publish.")
@click.option("--trust", metavar="FINGERPRINT", multiple=True, help="Only signatures of this key count; may be repeated.")
@click.option("--signed/--unsigned", "signed", default=None, help="Are packages to be signed? [default: as is known of the mirror]")
@jobs_option
@json_option
@pass_context
def command(context: Context, /, as_json: bool, remote: bool, deep: bool, **options: Any) -> int:  # noqa: ANN401
    """Check that the binaries of an environment, or all of a mirror, are there, whole, signed, and those that they say they are.

    ENV is a directory with a spack.lock, or that file; LOCK is a resolver.lock, of which --machine chooses one environment; DIR a mirror,
    as `bundle` writes one. Mirrors on this machine are read whole. Signatures are checked by GnuPG. The exit code is 6 when something is
    wrong, 5 when something could not be looked at.

    \b
    Examples:
      spack-resolver verify bundle
      spack-resolver verify bundle --trust AFC07ED91076590135FCCC7DBB9298E6202EDAD0
      spack-resolver verify env --remote
      spack-resolver verify resolver.lock --machine github-ubuntu-24.04 --remote --deep --json
    """
    from resolver.api.verify.verify import VerifyRequest, verify

    request = VerifyRequest(part=take_part(options), remote=remote or deep, deep=deep, **options)
    with progress(context) as tell:
        result = verify(context.settings, request, tell)
    if as_json:
        print_document("verify", _body(result))
    else:
        _print(context, result)
    if result.findings:
        return VerificationError.exit_code
    return SourceError.exit_code if result.errors else 0


def _print(context: Context, result: Verified) -> None:
    shown = list(result.findings) if context.verbose else _first_of_each(result.findings)
    if shown:
        rows = [[one.kind, f"{one.name}/{one.hash[:7]}" if one.hash else "-", one.what, one.where] for one in shown]
        print_table(["finding", "package", "what", "where"], rows)
    kinds = Counter(one.kind for one in result.findings)
    for kind, count in kinds.items():
        remedy = next(one.remedy for one in result.findings if one.kind == kind)
        context.say(f"{kind} ({count}): {remedy}")
    for error in result.errors:
        print_error(error)
    for note in result.notes:
        context.say(clean(f"note: {note}"))
    for key, count in result.signed_by.items():
        context.say(f"{many(count, 'package')} {'is' if count == 1 else 'are'} signed by {key}")
    left = f", {result.unchecked} not found where was looked" if result.unchecked else ""
    sound = "nothing is wrong with these" if result.unchecked or result.errors else "nothing is wrong"
    wrong = many(len(result.findings), "finding") if result.findings else sound
    context.say(f"{many(result.packages, 'package')}, {many(result.files, 'file')}, {in_bytes(result.bytes)} checked{left}: {wrong}")


def _first_of_each(findings: tuple[Finding, ...]) -> list[Finding]:
    seen: Counter[str] = Counter()
    kept = []
    for one in findings:
        seen[one.kind] += 1
        if seen[one.kind] <= MOST_ROWS:
            kept.append(one)
    return kept


def _body(result: Verified) -> dict[str, Any]:
    import msgspec
    from msgspec.structs import asdict

    return {
        "findings": [{**asdict(one), "remedy": one.remedy} for one in result.findings],
        "checked": {"packages": result.packages, "files": result.files, "bytes": result.bytes, "unchecked": result.unchecked},
        "signed_by": result.signed_by,
        "notes": list(result.notes),
        "errors": [msgspec.json.decode(error_document(error)) for error in result.errors],
    }
