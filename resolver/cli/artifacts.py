"""What ``resolve`` and ``render`` write: an environment's files in a directory, and single artifacts to files or stdout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from resolver.cli.context import Context
from resolver.cli.output import write_files
from resolver.errors import InputError, NotSatisfiedError

if TYPE_CHECKING:
    from resolver.emit.environment import Artifact, Environment
    from resolver.emit.listings import Download

KINDS = ("spack.yaml", "spack.lock", "mirrors.yaml", "packages.yaml", "urls", "json", "dot")
Kind = tuple[str, Path | None]
"""What to emit, and the file that it goes to; None is stdout."""

output_option = click.option("-o", "--output", metavar="DIR", help="Write an environment (spack.yaml and spack.lock) there.")
emit_option = click.option(
    "--emit", metavar="KIND[=PATH]", multiple=True, help=f"Write one of {', '.join(KINDS)}; to stdout without PATH; may be repeated."
)


class Made(msgspec.Struct, frozen=True):
    """What was made: the environment, its files to download where they are asked for, the command's JSON document."""

    environment: Environment
    downloads: Sequence[Download]
    document: Callable[[], dict[str, Any]]


def take_kinds(emit: tuple[str, ...], *, as_json: bool) -> list[Kind]:
    """The artifacts asked for; stdout takes one document. Raises click's error on another kind."""
    kinds = [_kind(text) for text in emit]
    if [path for _, path in kinds].count(None) + as_json > 1:
        msg = "stdout takes one document; write the others to files with KIND=PATH"
        raise click.BadParameter(msg, param_hint="--emit")
    return kinds


def _kind(text: str) -> Kind:
    kind, _, path = text.partition("=")
    if kind not in KINDS:
        msg = f"{kind!r} is none of {', '.join(KINDS)}"
        raise click.BadParameter(msg, param_hint="--emit")
    return kind, Path(path) if path else None


def write_artifacts(context: Context, made: Made, output: str | None, kinds: Sequence[Kind]) -> None:
    """Make all artifacts first, then write all or none."""
    beside_lock = any(kind == "spack.lock" for kind, _ in kinds)
    emitted = [(_emit(kind, made, beside_lock=beside_lock), path) for kind, path in kinds]
    folder = Path(output) if output else None
    files = {folder / a.path: a.content for a in _folder(context, made.environment, folder)} if folder else {}
    for artifact, path in emitted:
        if path and path.absolute() in {written.absolute() for written in files}:
            msg = f"two artifacts cannot go to {path}"
            raise click.BadParameter(msg, param_hint="--emit")
        if path:
            files[path] = artifact.content
    write_files(files)
    for written in files:
        context.say(f"wrote {written}")
    for artifact, path in emitted:
        if path is None:
            click.echo(artifact.content, nl=False)


def _folder(context: Context, environment: Environment, folder: Path) -> list[Artifact]:
    """Lockfile and manifest; the manifest alone, and why, where dependencies are not known."""
    from resolver.emit.spack_lock import emit_spack_lock
    from resolver.emit.spack_yaml import emit_spack_yaml

    try:
        lock = emit_spack_lock(environment)
    except NotSatisfiedError as error:
        if (folder / "spack.lock").exists():
            msg = f"{folder} holds a spack.lock of another environment, and none can be written in its place"
            raise InputError(msg, why=str(error), hint="remove that file, or write to another directory") from None
        context.say(f"note: no spack.lock: {error}")
        return [emit_spack_yaml(environment, beside_lock=False)]
    return [lock, emit_spack_yaml(environment, beside_lock=True)]


def _emit(kind: str, made: Made, *, beside_lock: bool) -> Artifact:
    from resolver.emit.environment import Artifact
    from resolver.emit.listings import emit_dot, emit_mirrors, emit_urls
    from resolver.emit.spack_lock import emit_spack_lock
    from resolver.emit.spack_yaml import emit_spack_yaml

    environment = made.environment
    if kind == "spack.yaml":
        return emit_spack_yaml(environment, beside_lock=beside_lock)
    if kind == "packages.yaml":
        from resolver.emit.packages_yaml import emit_packages

        return emit_packages(environment)
    if kind == "urls":
        return emit_urls(list(made.downloads))
    if kind == "json":
        return Artifact("resolution.json", msgspec.json.format(msgspec.json.encode(made.document()), indent=2) + b"\n")
    return {"spack.lock": emit_spack_lock, "mirrors.yaml": emit_mirrors, "dot": emit_dot}[kind](environment)
