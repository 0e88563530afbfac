"""Rendering: JSON documents, tables, errors, files written atomically."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from errno import EISDIR
from pathlib import Path
from typing import Any

import click
import msgspec

from resolver.errors import InputError, ResolverError, SpecError

CONTROL = dict.fromkeys([*range(9), *range(11, 32), 127])


def print_document(command: str, body: Mapping[str, Any]) -> None:
    """One JSON document on stdout, with its schema's name first."""
    document = {"schema": f"spack-resolver/{command}/1", **body}
    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))


def error_document(error: ResolverError) -> bytes:
    """An error as the JSON document that ``--json`` promises."""
    keys = ("kind", "what", "why", "hint", "where")
    body = {"schema": "spack-resolver/error/1", **{key: getattr(error, key) for key in keys}, "exit_code": error.exit_code}
    return msgspec.json.format(msgspec.json.encode(body), indent=2)


def print_error(error: ResolverError) -> None:
    """An error for a person: one paragraph on stderr, with a caret under the place in a spec."""
    text = f"{error.where}: {error.what}" if error.where else error.what
    text = f"{text}: {error.why}" if error.why else text
    click.echo(f"{click.style('error:', fg='red', bold=True)} {clean(text)}", err=True)
    if isinstance(error, SpecError) and error.caret():
        click.echo("\n".join(f"    {line}" for line in clean(error.caret()).splitlines()), err=True)
    if error.hint:
        click.echo(f"{click.style('hint:', fg='cyan', bold=True)} {clean(error.hint)}", err=True)


def clean(text: str) -> str:
    """Text without control characters."""
    return text.translate(CONTROL)


def many(count: int, what: str) -> str:
    """How many there are of something: 1 root, 2 roots."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns parted by two blanks, as wide as their content, on stdout."""
    lines = [list(header), *([clean(cell).replace("\n", " ") for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.echo(click.style(text, bold=True) if number == 0 else text)


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write all files or none: each is written beside its place first. Raises ``InputError`` naming the one that cannot be."""
    ready: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            try:
                if not _takes_bytes(path):
                    ready[path] = _written_beside(path, content)
            except OSError as error:
                msg = f"{path} cannot be written"
                why = error.strerror or str(error)
                raise InputError(msg, why=why, hint="check the path, its permissions and the free space") from None
        for path, content in files.items():
            if path in ready:
                ready.pop(path).replace(path)
            else:
                path.write_bytes(content)
    finally:
        for left in ready.values():
            left.unlink(missing_ok=True)


def _takes_bytes(path: Path) -> bool:
    """Is it a device or a pipe, which takes bytes and must not be replaced by a file? Raises ``IsADirectoryError``."""
    if path.is_dir():
        raise IsADirectoryError(EISDIR, "it is a directory")
    return path.exists() and not path.is_file()


def _written_beside(path: Path, content: bytes) -> Path:
    import tempfile  # loads much, and most commands write no file

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o666 & ~_umask())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
