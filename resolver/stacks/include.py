"""The entries of ``include``, in all their forms, and what is said when what they name is not here.

Source: Spack ``config.py`` (``IncludePath``, ``GitIncludePaths``), ``schema/include.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from resolver.errors import InputError
from resolver.formats.shapes import listed, mapping, texts
from resolver.stacks.paths import unknown_in

REFERENCES = ("commit", "tag", "branch")


class Include(msgspec.Struct, frozen=True):
    """One entry of ``include``, in any of its forms; ``where`` is the place that it is written at.

    ``paths`` are those in a clone of ``git``, or the one path or URL; ``override`` names a variable whose value stands for it.
    """

    where: str
    paths: tuple[str, ...]
    git: str = ""
    reference: str = ""
    when: str = ""
    optional: bool = False
    sha256: str = ""
    name: str = ""
    override: str = ""


def read_includes(value: object, file: str) -> Iterator[Include]:
    """The entries of an ``include`` section. Raises ``InputError`` naming the place of one that is none."""
    items = listed(value, f"{file}: include")
    places = getattr(items, "places", None)
    for number, item in enumerate(items):
        where = f"{file}:{places[number][0]}:{places[number][1]}" if places else f"{file}: include[{number}]"
        yield Include(where, (item,)) if isinstance(item, str) else _read(mapping(item, where), where)


def _read(item: Mapping[str, Any], where: str) -> Include:
    git = "git" in item
    paths = texts(item.get("paths" if git else "path"), where)
    if not paths or (git and not any(key in item for key in REFERENCES)):
        msg = "an include names a `path`, or a `git` repository with `paths` and a branch, tag or commit"
        raise InputError(msg, where=where, hint="write - path: FILE, or - FILE alone")
    return Include(
        where,
        paths,
        git=str(item["git"]) if git else "",
        reference=next((f"{key} {item[key]}" for key in REFERENCES if key in item), ""),
        when=str(item.get("when") or ""),
        optional=item.get("optional") is True,
        sha256=str(item.get("sha256") or ""),
        name=str(item.get("name") or ""),
        override=str(item.get("path_override_env_var") or ""),
    )


class Target(msgspec.Struct, frozen=True):
    """What an include means here: how it is shown, its URL or path, and the local path; None for what is remote and has no root."""

    shown: str
    url: str
    path: str | None


def unmapped(target: Target, include: Include) -> InputError:
    """What is said of a remote include that no directory stands for."""
    what = f"the include {target.shown} is not on this computer"
    if unknown := unknown_in(target.url):
        return InputError(what, why=f"${unknown[0]} is not known", where=include.where, hint=f"give it with --env {unknown[0]}=...")
    here = "DIR" if include.git else "FILE"
    hint = f"get it and say where it lies with --include-root {target.url}={here}; --no-include reads the stack without its includes"
    return InputError(what, why="nothing is fetched for a stack", where=include.where, hint=hint)


def missing(target: Target, include: Include) -> InputError:
    """What is said of a local include that is not there, with the variable that its path may lack."""
    what = f"the included file {target.path} does not exist"
    if unknown := unknown_in(target.shown):
        return InputError(what, why=f"${unknown[0]} is not known", where=include.where, hint=f"give it with --env {unknown[0]}=...")
    hint = f"if it lies elsewhere here, say so with --include-root {target.path}=PATH; --no-include reads the stack without its includes"
    return InputError(what, where=include.where, hint=hint)
