"""``spack-resolver resolve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resolver.cli.artifacts import Made, emit_option, output_option, take_kinds, write_artifacts
from resolver.cli.context import Context, pass_context
from resolver.cli.documents import resolution_body
from resolver.cli.options import (
    choice_options,
    json_option,
    machine_options,
    say_skipped,
    stack_options,
    take_choices,
    take_machine,
    take_stack,
)
from resolver.cli.output import clean, print_document, print_table, write_files
from resolver.errors import NotSatisfiedError

if TYPE_CHECKING:
    from resolver.api.resolve import Resolution


@click.command("resolve")
@click.argument("stack", required=False)
@click.option("--group", metavar="NAME", multiple=True, help="Resolve this group of the stack only; may be repeated.")
@click.option("--root", "roots", metavar="SPEC", multiple=True, help="Write this root only, resolved with all others; may be repeated.")
@click.option("--unify", type=click.Choice(["true", "when_possible", "false"]), help="In place of what the stack says.")
@click.option("--partial", is_flag=True, help="Write what is served even if some roots are not.")
@click.option("--runtime-only", is_flag=True, help="Leave out of the lockfile what packages were only built with.")
@output_option
@emit_option
@click.option("--time-limit", metavar="SECONDS", type=click.FloatRange(0, 86400), help="Search a group no longer; 20 s by default.")
@click.option("--dump-problem", metavar="FILE", help="Write what is solved, as JSON, also where roots are not served.")
@click.option("--replay", metavar="FILE", help="Solve what --dump-problem wrote, in place of a stack, and print the picks.")
@stack_options
@machine_options
@choice_options
@json_option
@pass_context
def command(
    context: Context,
    /,
    stack: str | None,
    group: tuple[str, ...],
    roots: tuple[str, ...],
    unify: str | None,
    partial: bool,
    runtime_only: bool,
    output: str | None,
    emit: tuple[str, ...],
    time_limit: float | None,
    dump_problem: str | None,
    replay: str | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the shared options
) -> int:
    """Select a prebuilt hash for every root of a stack.

    STACK is the name of a stack, a spack.yaml, a directory that holds one, or label:NAME for all packages that records with that
    stack's label exist for.

    \b
    Examples:
      spack-resolver resolve ml-linux-x86_64-cpu --arch linux-ubuntu24.04-zen4 --libc glibc@2.39
      spack-resolver resolve ml-linux-x86_64-cpu --machine github-ubuntu-24.04 -o env
      spack-resolver resolve ml-linux-x86_64-cpu --machine github-ubuntu-24.04 --emit mirrors.yaml --emit urls=urls.tsv
    """
    from resolver.selection.model import Effort

    effort = Effort() if time_limit is None else Effort(time_limit)
    if replay:
        from resolver.cli import replay as replaying  # an uncommon way

        if stack or output or emit or dump_problem:
            msg = "--replay solves what a file states; a stack, --output, --emit and --dump-problem have no place beside it"
            raise click.UsageError(msg)
        return replaying.run(context, replay, effort, as_json=as_json)
    if stack is None:
        raise click.MissingParameter(param_hint="'STACK'", param_type="argument")
    from resolver.api.resolve import ResolveRequest, resolve

    kinds = take_kinds(emit, as_json=as_json)
    machine = take_machine(context, options)
    request = ResolveRequest(
        take_stack(stack, options),
        machine,
        take_choices(options),
        group,
        unify,  # type: ignore[arg-type] # one of the option's choices
        roots,
        nodes=bool(output) or any(kind == "spack.lock" for kind, _ in kinds),
        downloads=any(kind == "urls" for kind, _ in kinds),
        runtime_only=runtime_only,
        effort=effort,
        problems=bool(dump_problem),
    )
    resolution = resolve(context.settings, request)
    _say_notes(context, resolution)
    if dump_problem:
        from resolver.selection.dump import encode_problems

        write_files({Path(dump_problem): encode_problems(resolution.groups)})
        context.say(f"wrote {dump_problem}")
    if (resolution.satisfied or partial) and (output or kinds):
        if not resolution.environment.roots:
            raise _unsatisfied(resolution)
        write_artifacts(context, _made(resolution), output, kinds)
    elif output or kinds:
        raise _unsatisfied(resolution)
    if as_json:
        print_document("resolve", resolution_body(resolution))
    elif not any(path is None for _, path in kinds):
        _print(context, resolution)
    served = bool(resolution.environment.roots)
    return 0 if resolution.satisfied or (partial and served) else NotSatisfiedError.exit_code


def _made(resolution: Resolution) -> Made:
    return Made(resolution.environment, resolution.downloads, lambda: {"schema": "spack-resolver/resolve/1", **resolution_body(resolution)})


def _unsatisfied(resolution: Resolution) -> NotSatisfiedError:
    left = [answer for group in resolution.groups for answer in group.roots if answer.chosen is None]
    total = sum(len(group.roots) for group in resolution.groups)
    if not left:
        msg = f"the stack {resolution.stack.name} asks for no root on {resolution.machine}"
        return NotSatisfiedError(msg, hint="`spack-resolver expand` shows what it asks for; a `when` may leave nothing on this machine")
    msg = f"{len(left)} of {total} roots of {resolution.stack.name} have no hash on {resolution.machine}"
    hint = "--partial writes those that have; `spack-resolver find SPEC --all` gives the reason for each record"
    return NotSatisfiedError(msg, why=f"{left[0].root}: {left[0].text}", hint=hint)


def _say_notes(context: Context, resolution: Resolution) -> None:
    for note in resolution.notes:
        context.say(f"note: {note}")
    if context.verbose:
        say_skipped(context, resolution.skipped_criteria)


def _print(context: Context, resolution: Resolution) -> None:
    context.say(f"stack: {resolution.stack.name}   machine: {resolution.machine}")
    for group in resolution.groups:
        if len(resolution.groups) > 1:
            context.say(f"group: {group.name}")
        rows = [[str(a.root), a.chosen.spec.hash if a.chosen else "-", _version(a), a.text] for a in group.roots]
        print_table(["root", "hash", "version", "why"], rows)
    served = sum(1 for g in resolution.groups for a in g.roots if a.chosen)
    total = sum(len(g.roots) for g in resolution.groups)
    context.say(
        f"{served} of {total} roots served, {len(resolution.environment.closure)} packages, fingerprint {resolution.fingerprint[:12]}"
    )
    for need in resolution.host_requirements:
        newer = " or newer" if need["kind"] == "libc" else ""
        context.say(clean(f"the host must have {need['name']} {need['version']}{newer} at {need['path']}"))
    if any(need["kind"] == "external" for need in resolution.host_requirements):
        context.say("--emit packages.yaml declares these packages to Spack")


def _version(answer: Any) -> str:  # noqa: ANN401 - a root's answer
    return answer.chosen.spec.wire.version if answer.chosen else "-"
