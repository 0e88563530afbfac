"""``spack-resolver matrix``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resolver.cli.context import Context, pass_context
from resolver.cli.options import choice_options, json_option, say_skipped, stack_options, take_choices, take_stack
from resolver.cli.output import clean, print_document, write_files
from resolver.errors import NotSatisfiedError

if TYPE_CHECKING:
    from resolver.api.matrix.build import MatrixResult
    from resolver.api.matrix.wanted import MatrixRequest
    from resolver.api.settings import Settings
    from resolver.emit.ci.jobs import Job
    from resolver.emit.environment import Artifact, Environment

STDOUT = "-"
MANY_CELLS = 24
FEW_NOTES = 10


@click.command("matrix")
@click.argument("stacks", nargs=-1, metavar="[STACK...]")
@click.option("--machine", "machines", metavar="NAME|FILE|TRIPLE", multiple=True, help="A machine; may be repeated.")
@click.option(
    "--for",
    "system",
    type=click.Choice(["github", "gitlab", "json", "jsonl"]),
    default="json",
    show_default=True,
    help="The CI system; json is one document with all that is known, jsonl one job a line.",
)
@click.option(
    "--split", type=click.Choice(["stack", "group", "root"]), help="What each job is for. [default: the configuration's, or stack]"
)
@click.option("--only", metavar="GLOB", multiple=True, help="Jobs whose id matches, and no others; may be repeated.")
@click.option("--skip", metavar="GLOB", multiple=True, help="No jobs whose id matches; may be repeated.")
@click.option("--lock", metavar="LOCK", help="Take the binaries that this resolver.lock has, without catalog and network.")
@click.option("--changed-since", metavar="LOCK", help="Jobs whose binaries are not those of this resolver.lock, and no others.")
@click.option("-o", "--output", metavar="DIR", help="Write the environment of each job to DIR/ID.")
@click.option(
    "--workflow",
    is_flag=False,
    flag_value=STDOUT,
    metavar="[PATH]",
    help="Write a complete workflow for github or gitlab that makes the matrix and runs its jobs; to stdout without PATH.",
)
@stack_options
@choice_options
@json_option
@pass_context
def command(
    context: Context,
    /,
    stacks: tuple[str, ...],
    machines: tuple[str, ...],
    system: str,
    split: Any,  # noqa: ANN401 - one of the option's choices
    only: tuple[str, ...],
    skip: tuple[str, ...],
    lock: str | None,
    changed_since: str | None,
    output: str | None,
    workflow: str | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the shared options
) -> int:
    """Make a CI matrix: a job for each stack on each machine that has binaries for it.

    Stacks and machines are the arguments', else those of the section matrix of spack-resolver.yaml, or with --lock the lock's. github
    prints an {"include": [...]} document on one line, for fromJSON, and further lines where there are more than 256 jobs; gitlab prints
    a child pipeline.

    \b
    Examples:
      spack-resolver matrix ml-linux-x86_64-cpu --machine github-ubuntu-24.04 --for github
      spack-resolver matrix ml-linux-x86_64-cpu ml-linux-x86_64-cuda --machine github-ubuntu-24.04 --for gitlab
      spack-resolver matrix ml-linux-aarch64-cpu --machine github-ubuntu-24.04-arm --split root --only '*@py-torch*' --for jsonl
      spack-resolver matrix ml-linux-x86_64-cpu --machine github-ubuntu-24.04 --for github --workflow .github/workflows/spack.yml
    """
    from resolver.api.matrix.build import matrix
    from resolver.api.matrix.wanted import MatrixRequest

    _check(system, workflow, as_json=as_json)
    settings = context.settings
    reading, choices = take_stack("", options), take_choices(options)
    folder = Path(output).as_posix() if output else ""
    request = MatrixRequest(stacks, machines, split, only, skip, lock or "", changed_since or "", folder, reading, choices)
    notes: list[str] = []
    with _watched(context) as watch:
        result = matrix(settings, request, _writer(output, notes) if output else None, watch)
    _say(context, result, notes)
    text = _emitted(context, settings, request, result, system, workflow)
    if workflow not in (None, STDOUT):
        write_files({Path(workflow or ""): text.content})
        context.say(f"wrote {workflow}")
    if as_json or (system == "json" and not workflow):
        print_document("matrix", _body(result))
    elif workflow in (None, STDOUT):
        click.echo(text.content, nl=False)
    return 0 if result.jobs or result.unchanged else NotSatisfiedError.exit_code


def _check(system: str, workflow: str | None, *, as_json: bool) -> None:
    """Refuse options that do not go together."""
    if workflow is None:
        return
    if system not in ("github", "gitlab"):
        msg = "a workflow is for a CI system; say --for github or --for gitlab"
        raise click.BadParameter(msg, param_hint="--workflow")
    if workflow != STDOUT and not workflow.endswith((".yml", ".yaml")):
        msg = f"{workflow!r} is no name of a workflow, which ends in .yml; where a stack stands behind the option, write --workflow=-"
        raise click.BadParameter(msg, param_hint="--workflow")
    if workflow == STDOUT and as_json:
        msg = "stdout takes one document; write the workflow to a file with --workflow PATH"
        raise click.BadParameter(msg, param_hint="--workflow")


def _writer(output: str, notes: list[str]) -> Callable[[Job, Environment], None]:
    """What writes the environment of each job, and keeps what is to be said of it."""
    from resolver.api.matrix.environments import environment_files

    def write(job: Job, environment: Environment) -> None:
        files, note = environment_files(environment, Path(output) / job.id)
        notes.extend([note] if note else [])
        write_files(files)

    return write


@contextmanager
def _watched(context: Context) -> Iterator[Callable[[int], None] | None]:
    """A progress bar where a person watches and there is much to do."""
    if context.quiet or not sys.stderr.isatty():
        yield None
        return
    bars: list[Any] = []

    def watch(total: int) -> None:
        if not bars:
            bars.append(click.progressbar(length=total, label="cells", file=sys.stderr, hidden=total < MANY_CELLS))
        bars[0].update(1)

    try:
        yield watch
    finally:
        for bar in bars:
            bar.render_finish()


def _say(context: Context, result: MatrixResult, notes: list[str]) -> None:
    lacking = [row.text for row in result.cells if row.text]
    told = result.notes if context.verbose else result.notes[:FEW_NOTES]
    for text in (*result.warnings, *lacking, *told, *notes):
        context.say(_line(f"note: {text}"))
    if len(told) < len(result.notes):
        context.say(f"note: {len(result.notes) - len(told)} more notes on what was selected; -v before the command says all")
    if result.unchanged:
        count = len(result.unchanged)
        context.say(f"{count} {'job is' if count == 1 else 'jobs are'} left out, since the lock has the same binaries")
    if context.verbose:
        say_skipped(context, result.skipped_criteria)


def _line(text: str) -> str:
    """One line, whatever names hold: a runner takes lines of its own form for commands."""
    return " ".join(clean(text).split("\n"))


def _emitted(
    context: Context, settings: Settings, request: MatrixRequest, result: MatrixResult, system: str, workflow: str | None
) -> Artifact:
    """What goes to stdout, or to the workflow's file."""
    from resolver.emit.ci.github import chunks, emit_github, emit_lines

    if workflow is None and system != "gitlab":
        return emit_github(result.jobs) if system == "github" else emit_lines(result.jobs)
    from resolver.api.matrix.planning import not_portable, plan_of
    from resolver.api.matrix.wanted import portable

    before = ["--config", portable(context.config, settings.base)] if context.config else []
    behind = ["-o", request.folder] if request.folder else []
    behind += ["--workflow", *([] if workflow == STDOUT or Path(workflow).is_absolute() else [workflow])] if workflow else []
    plan = plan_of(settings, request, system, before, behind)
    if workflow is None:
        from resolver.emit.ci.gitlab import emit_gitlab

        return emit_gitlab(result.jobs, plan)
    for path in not_portable(request, settings.base):
        context.say(_line(f"note: {path} is not below {settings.base}: the workflow will not find it"))
    if plan.sync and not settings.config.sources:
        context.say("note: spack-resolver.yaml names no sources, so that the workflow has no binaries to choose from: name some there")
    if system == "github":
        from resolver.emit.ci.workflow import emit_workflow

        return emit_workflow(plan, sum(1 for _ in chunks(result.jobs)))
    from resolver.emit.ci.parent import emit_parent

    return emit_parent(plan)


def _body(result: MatrixResult) -> dict[str, object]:
    return {
        "include": [job.row() for job in result.jobs],
        "empty": [row.text for row in result.cells if not row.served],
        "cells": result.cells,
        "unchanged": result.unchanged,
        "warnings": result.warnings,
        "notes": result.notes,
        "skipped_criteria": result.skipped_criteria,
    }
