"""Finding sources in the file system.

A file may be a page, an index, an install database, a spec file or a lockfile. A directory may be a mirror (layout v3, v2 or both), an
environment, a Spack store, hold pages or indexes, or hold directories that are any of these.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn

from msgspec.structs import replace

from resolver.errors import InputError, ResolverError, SourceError
from resolver.formats import build_cache, manifest
from resolver.formats.page import is_page
from resolver.sources.directory import DirectoryPlace
from resolver.sources.document import GENERIC_NAMES, document_source
from resolver.sources.mirror import mirror_sources
from resolver.sources.place import Report
from resolver.sources.source import Seen, Source

DEEPEST = 4
RELEASE = re.compile(r"develop(-\d{4}-\d{2}-\d{2})?|v\d+\.\d+(\.\d+)*|releases?-v\d+\.\d+")
INSIDE_MIRRORS = frozenset({"v3", "blobs", "build_cache"})
DATABASE = ".spack-db/index.json"


def local_sources(path: Path, view: str = "") -> list[Source]:
    """All sources at a path, in a fixed order.

    Raises ``SourceError`` when nothing is there, ``InputError`` when what is there is no source, ``OSError`` where it cannot be read.
    """
    if path.is_dir():
        return _distinct(list(_in_directory(path, 0, set(), view))) or _nothing(path)
    if not path.exists():
        msg = f"there is no file or directory {path}"
        raise SourceError(msg, hint="check the path")
    return _of_index(path, view) or [_file(path)]


def _nothing(path: Path) -> NoReturn:
    msg = f"nothing to sync in the directory {path}"
    why = "it holds no mirror, index, lockfile or package page"
    if (path / "spack.yaml").is_file():
        why = "it holds the definition of a stack and none of its binaries; a stack is given to resolve, it is not synced"
    raise InputError(msg, why=why, hint=f"a mirror has {manifest.INDEX_MANIFEST} or {build_cache.INDEX}")


def _of_index(path: Path, view: str) -> list[Source]:
    """The mirror whose index this file is, if it is one."""
    split = manifest.split_index_path(path.as_posix())
    if split:
        return list(_mirrors(Path(split[0] or "/"), view or split[1]))
    root = path.as_posix().removesuffix(f"/{build_cache.INDEX}")
    return list(_mirrors(Path(root or "/"), view)) if root != path.as_posix() else []


def _file(path: Path) -> Source:
    return document_source(DirectoryPlace(path.parent), path.name, str(path))


def _in_directory(path: Path, depth: int, seen: set[Path], view: str) -> Iterator[Source]:
    """Sources at a directory and below; symbolic links may lead to one place twice, which counts once."""
    real = path.resolve()
    if real in seen:
        return
    seen.add(real)
    try:
        children = sorted(path.iterdir())
        mirrors = list(_mirrors(path, view))
        found = _told_apart([*mirrors, *_plain_files(path, children)])
    except OSError as error:
        msg = f"the directory {path} cannot be read"
        failure = SourceError(msg, why=error.strerror or str(error), hint="check its permissions")
        yield _broken(path, failure)
        return
    yield from found
    passed_over = INSIDE_MIRRORS if mirrors else frozenset()
    for child in children if depth < DEEPEST else ():
        if child.is_dir() and child.name not in passed_over and not child.name.startswith("."):
            yield from _in_directory(child, depth + 1, seen, view)


def _told_apart(found: list[Source]) -> list[Source]:
    """The sources of one folder, of which several may have its name: files then have their own behind it."""
    names = Counter(source.name for source in found)
    return [s if s.layout or names[s.name] == 1 else replace(s, name=f"{s.name}-{Path(s.location).name}") for s in found]


def _distinct(found: list[Source]) -> list[Source]:
    """Sources with names that differ: those of one name are told apart by the folders above, as few as it takes."""
    above = [_above(Path(source.location)) for source in found]
    for level in range(DEEPEST + 1):
        names = Counter(source.name for source in found)
        found = [_below(s, up[level]) if names[s.name] > 1 and level < len(up) else s for s, up in zip(found, above, strict=True)]
    return found


def _above(path: Path) -> list[str]:
    """Names of the folders above, nearest first; that of a file with a generic name is its source's name already."""
    names = [folder.name for folder in path.parents]
    return names[1:] if path.name in GENERIC_NAMES else names


def _below(source: Source, folder: str) -> Source:
    return replace(source, name=f"{folder}-{source.name}" if folder else source.name)


def _mirrors(path: Path, view: str) -> Iterator[Source]:
    """The mirror at this place, if it is one."""
    if not any((path / folder).is_dir() for folder in (manifest.INDEX_FOLDER, manifest.SPEC_FOLDER, build_cache.FOLDER)):
        return
    release, stack = labels_of(path.parent.name, path.name)
    if not release and (path / "spack.yaml").is_file():
        stack = path.name
    base = Source(path.name, str(path), url=path.as_uri(), stack=stack, release=release)
    try:
        yield from mirror_sources(DirectoryPlace(path), base, view)
    except ResolverError as error:
        yield _broken(path, error)


def _broken(path: Path, error: ResolverError) -> Source:
    """A source that cannot be read: the others beside it are read all the same."""
    return Source(path.name, str(path), open=partial(_fail, error), broken=error)


def _fail(error: ResolverError, seen: Seen, report: Report) -> NoReturn:  # noqa: ARG001 - as every source is opened
    raise error


def _plain_files(path: Path, children: list[Path]) -> Iterator[Source]:
    for child in children:
        if (child.name in GENERIC_NAMES and child.is_file()) or (child.suffix == ".md" and child.is_file() and is_page(_head(child))):
            yield _file(child)
    if (path / DATABASE).is_file():
        yield _file(path / DATABASE)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError:
        return b""


def labels_of(folder: str, name: str) -> tuple[str, str]:
    """Release and stack of a mirror by the last two parts of its place: the public cache lies as ``<release>/<stack>``."""
    if RELEASE.fullmatch(name):
        return name, ""
    return (folder, name) if RELEASE.fullmatch(folder) else ("", "")
