"""The command that a workflow makes its matrix with, and what else it is made with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from resolver.api.matrix.answers import each
from resolver.api.matrix.wanted import MatrixRequest, portable
from resolver.api.resolve import choice_words
from resolver.api.settings import Settings
from resolver.emit.ci.shell import command_line
from resolver.emit.ci.texts import RESOLVER, SPACK, Plan

FOLDER = "environments"


def plan_of(settings: Settings, request: MatrixRequest, system: str, before: Sequence[str], behind: Sequence[str]) -> Plan:
    """What a workflow for ``system`` is made with.

    ``before`` are words of the command that stand before its name, ``behind`` those that make the workflow. Paths are written from the
    folder of the configuration, where the workflow runs.
    """
    words = [*matrix_words(request, settings.base), "--for", system]
    ci = settings.config.ci
    return Plan(
        made_by=command_line(["spack-resolver", *before, *words, *behind]),
        command=command_line(["spack-resolver", *before, *words, "-o", FOLDER]),
        spack=ci.spack or SPACK,
        resolver=ci.resolver or _this_program(),
        sync=not request.lock,
        folder=FOLDER,
    )


def _this_program() -> str:
    """What pip installs to have this program in this version."""
    from importlib.metadata import PackageNotFoundError, version  # only workflows say it

    try:
        return f"{RESOLVER}=={version(RESOLVER)}"
    except PackageNotFoundError:
        return RESOLVER


def matrix_words(request: MatrixRequest, base: Path) -> list[str]:
    """The words of a command that asks for the same, in the same order whatever order they were given in."""
    words = ["matrix", *_sorted(request.stacks, base)]
    words += each("--machine", _sorted(request.machines, base))
    words += ["--split", request.split] if request.split else []
    words += each("--only", sorted(set(request.only))) + each("--skip", sorted(set(request.skip)))
    words += ["--lock", portable(request.lock, base)] if request.lock else []
    words += ["--changed-since", portable(request.changed_since, base)] if request.changed_since else []
    return words + choice_words(request.choices) + request.reading.words()


def _sorted(texts: Sequence[str], base: Path) -> list[str]:
    return sorted({portable(text, base) for text in texts})


def not_portable(request: MatrixRequest, base: Path) -> list[str]:
    """Paths among the stacks, machines and locks that are not below the folder, so that a workflow would not find them."""
    texts = (*request.stacks, *request.machines, request.lock, request.changed_since)
    return sorted({text for text in texts if text and Path(portable(text, base)).is_absolute()})
