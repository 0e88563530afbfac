"""``spack-resolver expand``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.documents import machine_body
from resolver.cli.options import json_option, machine_options, stack_options, take_machine, take_stack
from resolver.cli.output import clean, print_document

if TYPE_CHECKING:
    from resolver.api.expand import Tags
    from resolver.stacks.stack import Group, Stack
    from resolver.stacks.trace import Exclusion, Origin


@click.command("expand")
@click.argument("stack")
@click.option("--explain", is_flag=True, help="Say where each root is written, and what is left out by which exclusion or condition.")
@stack_options
@machine_options
@json_option
@pass_context
def command(context: Context, /, stack: str, explain: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401
    """Show the roots that a stack definition asks for on a machine, as Spack would expand it.

    \b
    Examples:
      spack-resolver expand ml-linux-x86_64-cpu --arch linux-ubuntu24.04-zen4
      spack-resolver expand e4s --explain --machine github-ubuntu-24.04
      spack-resolver expand tutorial --env CI=1 --json
    """
    from resolver.api.expand import expand, tags_of_runners

    machine = take_machine(context, options)
    result = expand(context.settings, take_stack(stack, options), machine)
    tags, unread = tags_of_runners(result, machine) if as_json or explain else ({}, [])
    warnings = [*result.warnings, *unread]
    if as_json:
        about = {"stack": result.name, "machine": machine_body(machine)}
        print_document("expand", {**about, **_body(result, tags, explain=explain), "warnings": warnings})
        return
    for warning in warnings:
        context.say(f"warning: {clean(warning)}")
    if explain:
        click.echo("".join(f"{clean(line)}\n" for line in _explained(result, tags)), nl=False)
        return
    for group in result.groups:
        if len(result.groups) > 1:
            context.say(f"group: {group.name}")
        click.echo("".join(f"{clean(str(root))}\n" for root in group.roots), nl=False)


def _body(stack: Stack, tags: Mapping[str, Sequence[Tags]], *, explain: bool) -> dict[str, Any]:
    left_out = [{"definition": left.definition, "when": left.condition, "where": left.where} for left in stack.left_out]
    groups = [{**_group(group), "tags": tags.get(group.name), **(_explanation(group) if explain else {})} for group in stack.groups]
    return {"groups": groups, "left_out": left_out, "not_included": list(stack.not_included)}


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "unify": {"true": True, "false": False}.get(group.unify, group.unify),
        "needs": list(group.needs),
        "explicit": group.explicit,
        "specs": [str(root) for root in group.roots],
        "packages": group.packages,
    }


def _explanation(group: Group) -> dict[str, Any]:
    from resolver.stacks.trace import emptied, exclusions, origins

    return {"origins": list(origins(group)), "excluded": list(exclusions(group)), "empty": list(emptied(group))}


def _explained(stack: Stack, tags: Mapping[str, Sequence[Tags]]) -> Iterator[str]:
    """Group by group, then what is not for the machine: includes and definitions."""
    for group in stack.groups:
        if len(stack.groups) > 1:
            needs = f"   needs: {', '.join(group.needs)}" if group.needs else ""
            yield f"group: {group.name}   unify: {group.unify}{needs}{'' if group.explicit else '   explicit: false'}"
        yield from _roots(group, stack.place, tags.get(group.name, ()))
    for each in stack.not_included:
        why = "which is optional and not there" if each.when is None else f"since this is false: {each.when}"
        yield f"left out: the include {each.include} at {_short(each.where, stack.place)}, {why}"
    for left in stack.left_out:
        yield f"left out: {left.definition} at {_short(left.where, stack.place)}, since this is false: {left.condition}"


def _roots(group: Group, manifest: str, tags: Sequence[Tags]) -> Iterator[str]:
    """Each root with the lines that it was made of, then what is not asked for."""
    from resolver.stacks.trace import emptied, exclusions, origins

    found = origins(group)
    for index, root in enumerate(group.roots):
        yield str(root)
        yield from _lines(found[index], manifest) if found else ()
        yield from [f"    runner: {', '.join(tags[index])}"] if tags and tags[index] else ()
    yield from (_exclusion(each, manifest) for each in exclusions(group))
    yield from (f"nothing: the matrix at {_short(each.matrix, manifest)}, since its row {each.row} is empty" for each in emptied(group))


def _lines(origin: Origin, manifest: str, row: str = "") -> Iterator[str]:
    """Where a root or a part of one is written; a matrix row by row, those of a matrix within it as 2.1."""
    what = f"row {row}: {origin.text or 'nothing'}" if row else "a matrix" if origin.rows else origin.text
    through = "".join(f", by {step.reference} at {_short(step.where, manifest)}" for step in origin.through)
    yield f"    {_short(origin.where, manifest)}  {what}{through}"
    for number, part in enumerate(origin.rows, 1):
        yield from _lines(part, manifest, f"{row}.{number}" if row else str(number))


def _exclusion(each: Exclusion, manifest: str) -> str:
    where = _short(each.matrix, manifest)
    return f"excluded: {each.spec} of the matrix at {where}, by {each.by} at {_short(each.where, manifest)}"


def _short(where: str, manifest: str) -> str:
    """A place without the folder of the manifest."""
    return where.removeprefix(os.path.join(os.path.dirname(manifest), ""))  # noqa: PTH118, PTH120 - a text, not a file
