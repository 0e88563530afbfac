"""``spack-resolver lock``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.options import CHOICE_OPTIONS, STACK_OPTIONS, choice_options, json_option, stack_options, take_choices, take_stack
from resolver.cli.output import clean, many, print_document, write_files

if TYPE_CHECKING:
    from resolver.api.locks.changes import Change
    from resolver.api.locks.plan import Import, LockRequest
    from resolver.api.locks.update import LockResult, Step
    from resolver.api.settings import Settings
    from resolver.arch.machine import Machine

USUAL = "resolver.lock"
MOST_UNSERVED = 10
MOST_LINES = 40
"""Changes that are told one by one, unless more is asked for."""


@click.command("lock")
@click.argument("stacks", nargs=-1, metavar="[STACK...]")
@click.option("--machine", "machines", metavar="NAME|FILE|TRIPLE|auto", multiple=True, help="A machine; may be repeated.")
@click.option("-o", "--output", metavar="FILE", default=USUAL, show_default=True, help="The lock. What is there is kept.")
@click.option(
    "--upgrade",
    is_flag=False,
    flag_value="",
    multiple=True,
    metavar="[ROOT]",
    help="Select this root anew, by its spec or package, and keep all others; without ROOT select all anew. May be repeated.",
)
@click.option(
    "--import",
    "imports",
    metavar="[MACHINE=]ENV",
    multiple=True,
    help="Take the hashes of an environment's spack.lock as they are, for a machine; may be repeated.",
)
@click.option("--alternates/--no-alternates", default=None, help="Select for lesser CPU targets too, for other machines than those named.")
@click.option("--partial", is_flag=True, help="Lock what is served even if some roots are not.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option("--time-limit", metavar="SECONDS", type=click.FloatRange(0, 86400), help="Search a group no longer; 20 s by default.")
@click.option("--print-schema", is_flag=True, help="Print the JSON schema of the file, and do nothing else.")
@stack_options
@choice_options
@json_option
@pass_context
def command(
    context: Context,
    /,
    output: str,
    dry_run: bool,
    print_schema: bool,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the shared options
) -> None:
    """Lock stacks on machines: one file that holds what each is given, to be committed.

    What the file holds already is kept: a root keeps its hash as long as that is known and may serve it, and only what is new is selected.
    Stacks, machines and options that are not given are as in the file, so that the command alone brings it up to date. The roots of a
    locked environment of Spack's can be taken over as they are.

    \b
    Examples:
      spack-resolver lock ml-linux-x86_64-cpu --machine github-ubuntu-24.04 --machine linux-ubuntu24.04-zen4-glibc@2.39
      spack-resolver lock --upgrade py-torch
      spack-resolver lock --upgrade --dry-run
      spack-resolver lock ml-linux-x86_64-cpu ml-linux-x86_64-cuda --machine github-ubuntu-24.04 -o ml.lock
      spack-resolver lock --import github-ubuntu-24.04=env -o imported.lock
    """
    if print_schema:
        _print_schema()
        return
    from resolver.api.locks.update import update_lock

    request = _request(context, Path(output), options)
    with _progress(context) as step:
        result = update_lock(context.settings, request, step)
    written = not dry_run and not (not result.is_new and request.path.read_bytes() == result.data)
    if written:
        write_files({request.path: result.data})
    if as_json:
        print_document("lock-changes", _body(result, output, written=written))
    _say(context, result, output, written=written, dry_run=dry_run)


def _print_schema() -> None:
    import msgspec

    from resolver.formats.resolver_lock import json_schema

    click.echo(msgspec.json.format(msgspec.json.encode(json_schema()), indent=2))


def _request(context: Context, path: Path, options: dict[str, Any]) -> LockRequest:
    """The request; what is not given on the command line is left to the file."""
    from resolver.api.locks.plan import LockRequest
    from resolver.selection.model import Effort

    settings = context.settings
    reading, choices = _given(STACK_OPTIONS), _given(CHOICE_OPTIONS)
    read_so, choose_so = take_stack("", options), take_choices(options)
    limit = options["time_limit"]
    machines = tuple(_machine(name, settings) for name in options["machines"])
    return LockRequest(
        path,
        options["stacks"],
        machines,
        tuple(_import(text, machines, settings) for text in options["imports"]),
        read_so if reading else None,
        choose_so if choices else None,
        options["alternates"],
        _upgrade(options["upgrade"]),
        options["partial"],
        Effort() if limit is None else Effort(limit),
    )


def _given(names: tuple[str, ...]) -> bool:
    """Is any of these options on the command line?"""
    find = click.get_current_context().get_parameter_source
    return any(find(name) is click.core.ParameterSource.COMMANDLINE for name in names)


def _upgrade(given: tuple[str, ...]) -> tuple[str, ...] | None:
    """The roots to select anew: None for none, empty for all."""
    if not given:
        return None
    return () if "" in given else given


def _machine(name: str, settings: Settings) -> Machine:
    """A machine by its name; this host goes by its architecture, since the name says nothing elsewhere."""
    from msgspec.structs import replace

    from resolver.api.machines import AUTO, named_machine

    machine = named_machine(name, settings)
    return replace(machine, name="-".join(filter(None, [machine.triple, str(machine.libc or "")]))) if name == AUTO else machine


def _import(text: str, machines: tuple[Machine, ...], settings: Settings) -> Import:
    """``MACHINE=ENV``, or ``ENV`` for the only machine that is named."""
    from resolver.api.locks.plan import Import

    name, sign, place = text.partition("=")
    if sign and not Path(text).exists():
        return Import(_machine(name, settings), place)
    if len(machines) != 1:
        msg = f"{text!r} is not MACHINE=ENV, and not one machine is named besides"
        raise click.BadParameter(msg, param_hint="--import")
    return Import(machines[0], text)


@contextmanager
def _progress(context: Context) -> Iterator[Step]:
    """A progress bar where a person watches."""
    if context.quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    bars: list[Any] = []

    def step(text: str, number: int, total: int) -> None:
        if not bars:
            bars.append(click.progressbar(length=total, label="locking", file=sys.stderr, item_show_func=lambda item: item or ""))
        bars[0].update(number - bars[0].pos, clean(text))

    try:
        yield step
    finally:
        for bar in bars:
            bar.update(bar.length - bar.pos, "")
            bar.render_finish()


def _say(context: Context, result: LockResult, output: str, *, written: bool, dry_run: bool) -> None:
    for note in result.notes:
        context.say(clean(f"note: {note}"))
    shown = result.unserved if context.verbose else result.unserved[:MOST_UNSERVED]
    for one in shown:
        context.say(clean(f"note: {one.stack} on {one.machine}: {one.root} has no hash: {one.text}"))
    if len(result.unserved) > len(shown):
        context.say(f"note: {len(result.unserved) - len(shown)} more have no hash; -v before the command shows all")
    if not result.is_new:
        _say_changes(context, result.changes)
    state = "would be written" if dry_run and (result.changes or result.is_new) else "written" if written else "is up to date"
    context.say(f"{output} {state}: {_size(result)}{_counted(result.changes)}")


def _size(result: LockResult) -> str:
    lock = result.lock
    roots = sum(len(selection.roots) for selection in lock.selections)
    cells = f"{many(len(lock.stacks), 'stack')} on {many(len(lock.machines), 'machine')}"
    return f"{cells}, {many(roots, 'root')}, {many(len(lock.nodes), 'package')}"


def _counted(found: tuple[Change, ...]) -> str:
    """How many roots changed in which way."""
    kinds = {kind: sum(1 for change in found if change.kind == kind) for kind in ("added", "changed", "removed", "alternates")}
    words = {"alternates": "with other alternates"}
    parts = [f"{count} {words.get(kind, kind)}" for kind, count in kinds.items() if count]
    return f"; {', '.join(parts)}" if parts else ""


def _say_changes(context: Context, found: tuple[Change, ...]) -> None:
    shown = found if context.verbose else found[:MOST_LINES]
    for change in shown:
        where = f"{change.stack} on {change.machine}" + (f", group {change.group}" if change.group != "default" else "")
        reason = f", since {change.reason}" if change.reason else ""
        context.say(clean(f"{change.kind:10}  {where}: {change.root}  {_from_to(change)}{reason}"))
    if len(found) > len(shown):
        context.say(f"and {len(found) - len(shown)} more; -v before the command shows all")


def _from_to(change: Change) -> str:
    if change.kind == "changed":
        return f"{change.before or 'no hash'} -> {change.after or 'no hash'}"
    return change.after or change.before


def _body(result: LockResult, output: str, *, written: bool) -> dict[str, object]:
    return {
        "path": output,
        "written": written,
        "stacks": list(result.lock.stacks),
        "machines": list(result.lock.machines),
        "roots": sum(len(selection.roots) for selection in result.lock.selections),
        "packages": len(result.lock.nodes),
        "changes": list(result.changes),
        "unserved": list(result.unserved),
        "notes": list(result.notes),
    }
