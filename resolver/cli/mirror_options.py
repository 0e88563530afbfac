"""What the commands on files of mirrors share: their options, how sizes are said, progress where a person watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from resolver.cli.context import Context

if TYPE_CHECKING:
    from resolver.api.bundle.model import Tell
    from resolver.api.wanted import Part

F = TypeVar("F", bound=Callable[..., Any])
_part = (
    click.option("--machine", metavar="NAME|FILE|auto", default="", help="Of a LOCK, the machine whose environment it is."),
    click.option("--stack", "stacks", metavar="NAME", multiple=True, help="Of a LOCK, this stack only; may be repeated."),
    click.option("--partial", is_flag=True, help="Of a LOCK, what can be had even if some roots cannot."),
)
mirror_option = click.option(
    "--mirror",
    "mirrors",
    metavar="URL|FILE",
    multiple=True,
    help="A mirror, or a mirrors.yaml, in place of those named there; may be repeated.",
)
jobs_option = click.option(
    "-j", "--jobs", metavar="N", type=click.IntRange(1, 64), default=8, show_default=True, help="How many files at a time."
)
UNITS = ("bytes", "kB", "MB", "GB", "TB")


def part_options(function: F) -> F:
    """The options that choose in a lock."""
    for option in reversed(_part):
        function = option(function)
    return function


def take_part(options: dict[str, Any]) -> Part:
    """Take these options out of a command's."""
    from resolver.api.wanted import Part

    return Part(*(options.pop(name) for name in ("machine", "stacks", "partial")))


def sized(files: int, count: int, unknown: int = 0) -> str:
    """A number of files and their bytes, as a person reads them."""
    left = f", and {unknown} of unknown size" if unknown else ""
    return f"{files} file{'' if files == 1 else 's'}, {in_bytes(count)}{left}"


def in_bytes(count: float) -> str:
    """Bytes in the largest unit that leaves one or more of it."""
    unit = 0
    while count >= 1000 and unit < len(UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.1f} {UNITS[unit]}" if unit else f"{int(count)} {UNITS[0]}"


@contextmanager
def progress(context: Context) -> Iterator[Tell]:
    """Bars where a person watches; else nothing is told."""
    from resolver.api.bundle.model import tell_nobody

    if context.quiet or not sys.stderr.isatty():
        yield tell_nobody
        return
    from resolver.cli.mirror_progress import Bars

    bars = Bars()
    try:
        yield bars.tell
    finally:
        bars.close()
