"""Telling what a path is, and reading what it wants."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from resolver.api.settings import Settings
from resolver.api.wanted.environment import of_environment
from resolver.api.wanted.mirrors import given_mirrors
from resolver.api.wanted.model import LOCKFILE, RESOLVER_LOCK, Part, Wanted
from resolver.errors import InputError, ResolverError
from resolver.sources.directory import DirectoryPlace
from resolver.sources.place import MOST_BYTES

MIRROR_FOLDERS = ("v3/manifests", "blobs/sha256", "build_cache")
ALL = Part()


def load_wanted(path: str, settings: Settings, part: Part = ALL, mirrors: Sequence[str] = (), *, needs_mirrors: bool = True) -> Wanted:
    """What a path wants: a folder with a ``spack.lock``, that file itself, or a ``resolver.lock``, of which it is a part.

    ``mirrors`` are URLs, paths or lists of mirrors that stand in place of those which the environment or lock names. Raises
    ``InputError`` for what is none of these or names no mirror, ``FormatError`` on damage.
    """
    file = _document(Path(os.path.expanduser(path)))  # noqa: PTH111 - leaves the name of an unknown user as it is
    data = _read(file)
    try:
        wanted = _of(data, file, settings, part)
    except ResolverError as error:
        raise error.at(str(file)) from None
    if mirrors:
        wanted = msgspec.structs.replace(wanted, mirrors=tuple(given_mirrors(mirrors)))
    if needs_mirrors and not wanted.mirrors:
        msg = f"{wanted.where} names no mirror to take binaries from"
        raise InputError(msg, hint="name one with --mirror URL, or a mirrors.yaml with --mirror FILE")
    return wanted


def _of(data: bytes, file: Path, settings: Settings, part: Part) -> Wanted:
    if _is_resolver_lock(data):
        from resolver.api.wanted.locked import of_lock  # loads what judges records

        return of_lock(data, file, settings, part)
    if part != ALL:
        hint = "leave --machine, --stack and --partial out; they choose in a resolver.lock"
        raise InputError("an environment is for one machine already", hint=hint)
    return of_environment(data, file)


def is_mirror(path: Path) -> bool:
    """Is it a directory that is a mirror itself?"""
    return any((path / folder).is_dir() for folder in MIRROR_FOLDERS)


def _document(path: Path) -> Path:
    found = [path / name for name in (LOCKFILE, RESOLVER_LOCK) if (path / name).is_file()] if path.is_dir() else [path]
    if not found:
        msg = f"{path} is no environment and no lock"
        why = "it is a mirror itself" if is_mirror(path) else f"it holds neither {LOCKFILE} nor {RESOLVER_LOCK}"
        raise InputError(msg, why=why, hint=f"`spack-resolver resolve STACK -o {path.name}` writes an environment")
    return found[0]


def _read(file: Path) -> bytes:
    fetched = DirectoryPlace(file.absolute().parent).read(file.name, most=MOST_BYTES)
    if fetched is None:
        raise InputError(f"there is no {file}", hint="give the folder of an environment, its spack.lock, or a resolver.lock")
    return fetched.data


class _Head(msgspec.Struct):
    schema: str = ""


def _is_resolver_lock(data: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(data, type=_Head).schema)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
