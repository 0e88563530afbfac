"""Finding sources in the file system: what a path is, told by its content.

A file may be a page, an index or a lockfile. A directory may be a mirror (layout v3, v2 or both), an environment, hold pages or
indexes, or hold directories that are any of these.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn, cast
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec.structs import replace

from resolver.errors import FormatError, InputError, ResolverError, SourceError, UnsupportedError
from resolver.formats import build_cache, manifest
from resolver.formats.index import read_index
from resolver.formats.lockfile import read_lockfile
from resolver.formats.page import is_page, read_page
from resolver.sources.files import plain, read_file, sha256
from resolver.sources.mirror import is_signed, v3_index
from resolver.sources.source import Content, Source

DEEPEST = 4
GENERIC_NAMES = frozenset({"index.json", "index.json.gz", "spack.lock"})
RELEASE = re.compile(r"develop(-\d{4}-\d{2}-\d{2})?|v\d+\.\d+(\.\d+)*|releases?-v\d+\.\d+")
INSIDE_MIRRORS = frozenset({"v3", "blobs", "build_cache"})
REMOTE = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:/")


def find_sources(location: str) -> list[Source]:
    """All sources at a path or ``file:`` URL, in a fixed order.

    Raises ``SourceError`` when nothing is there, ``InputError`` when what is there is no source.
    """
    path = _path(location)
    if path.is_dir():
        found = _distinct(list(_in_directory(path, 0, set())))
        if not found:
            msg = f"nothing to sync in the directory {path}"
            why = "it holds no mirror, index, lockfile or package page"
            if (path / "spack.yaml").is_file():
                why = "it holds the definition of a stack and none of its binaries; a stack is given to resolve, it is not synced"
            raise InputError(msg, why=why, hint=f"a mirror has {manifest.INDEX_MANIFEST} or {build_cache.INDEX}")
        return found
    if not path.exists():
        msg = f"there is no file or directory {path}"
        raise SourceError(msg, hint="check the path")
    return [_file(path)]


def _path(location: str) -> Path:
    if not REMOTE.match(location):
        return Path(location).resolve()
    try:
        parts = urlsplit(location.strip())
    except ValueError as error:
        msg = "not a URL"
        raise InputError(msg, why=str(error), hint="give a path, or file:///path") from None
    if parts.scheme != "file":
        msg = f"{parts.scheme}://{parts.hostname or ''} cannot be read from here"
        raise UnsupportedError(msg, why="local sources only are read", hint="copy the mirror's index to a file and sync that")
    return Path(unquote(parts.path)).resolve()


def _in_directory(path: Path, depth: int, seen: set[Path]) -> Iterator[Source]:
    """Sources at a directory and below; symbolic links may lead to one place twice, which counts once."""
    real = path.resolve()
    if real in seen:
        return
    seen.add(real)
    mirrors = list(_mirrors(path))
    yield from [*mirrors, *_plain_files(path)]
    passed_over = INSIDE_MIRRORS if mirrors else frozenset()
    for child in _children(path) if depth < DEEPEST else ():
        if child.is_dir() and child.name not in passed_over and not child.name.startswith("."):
            yield from _in_directory(child, depth + 1, seen)


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


def _broken(kind: str, path: Path, error: ResolverError) -> Source:
    """A source that cannot be read: opening it gives the error, so that the others beside it are read all the same."""

    def fail() -> NoReturn:
        raise error

    return Source(kind, path.name, str(path), "", fail)


def _children(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except OSError as error:
        msg = f"the directory {path} cannot be read"
        raise SourceError(msg, why=error.strerror or str(error), hint="check its permissions") from None


def _mirrors(path: Path) -> Iterator[Source]:
    """The mirror at this place: each layout that it has is a source, and both count."""
    release, stack = _labels(path)
    make = partial(Source, "mirror", url=path.as_uri(), stack=stack, release=release)
    v3 = path / manifest.INDEX_MANIFEST
    if v3.is_file():
        try:
            blob = v3_index(v3)
            content = partial(_index_content, lambda: blob.read(path))
            yield make(path.name, str(path), blob.digest, content, layout="v3", signed=is_signed(path, "v3"))
        except ResolverError as error:
            yield _broken("mirror", path, error)
    v2 = path / build_cache.INDEX
    if v2.is_file():
        name = f"{path.name}-v2" if v3.is_file() else path.name
        content = partial(_index_content, lambda: read_file(v2))
        try:
            yield make(name, str(path), sha256(read_file(v2)), content, layout="v2", signed=is_signed(path, "v2"))
        except ResolverError as error:
            yield _broken("mirror", path, error)


def _plain_files(path: Path) -> Iterator[Source]:
    for child in _children(path):
        if (child.name in GENERIC_NAMES and child.is_file()) or (child.suffix == ".md" and child.is_file() and is_page(_head(child))):
            try:
                yield _file(child)
            except ResolverError as error:
                yield _broken("file", child, error)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError:
        return b""


def _labels(path: Path) -> tuple[str, str]:
    """Release and stack of a mirror, where its place says so.

    The public cache lies as ``<release>/<stack>``; and a folder that holds a stack's definition may hold its binaries' index too.
    """
    if RELEASE.fullmatch(path.name):
        return path.name, ""
    release = path.parent.name if RELEASE.fullmatch(path.parent.name) else ""
    return release, path.name if release or (path / "spack.yaml").is_file() else ""


def _file(path: Path) -> Source:
    data = read_file(path)
    stem = path.name.removesuffix(".gz").removesuffix(".json").removesuffix(".md")
    name = path.parent.name if path.name in GENERIC_NAMES else stem
    digest = sha256(data)
    try:
        kind = _kind(plain(data, str(path)), path)
    except FormatError as error:
        raise error.at(str(path)) from None
    return Source(kind, name or kind, str(path), digest, partial(READERS[kind], lambda: data, str(path)))


def _kind(data: bytes, path: Path) -> str:
    """What a file is, by its content."""
    if is_page(data):
        return "page"
    try:
        keys = set(msgspec.json.decode(data, type=dict[str, msgspec.Raw]))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = "neither a package page nor whole JSON"
        raise FormatError(msg, why=str(error), hint="fetch it again; it may have been cut short") from None
    if "database" in keys:
        return "index"
    if keys & {"_meta", "concrete_specs", "roots"}:
        return "lockfile"
    if keys == {"version", "data"}:
        hint = "sync the directory of the mirror"
        raise UnsupportedError("a manifest of a mirror, not an index", where=str(path), hint=hint)
    msg = f"JSON with the keys {', '.join(sorted(keys)[:5]) or 'none'} is no source"
    raise UnsupportedError(msg, where=str(path), hint="sources are build cache indexes, lockfiles, package pages and mirrors")


def _index_content(read: Callable[[], bytes], where: str = "") -> Content:
    index = read_index(plain(read(), where))
    return Content(index.size, index.records)


def _lockfile_content(read: Callable[[], bytes], where: str) -> Content:
    lock = read_lockfile(plain(read(), where))
    return Content(len(lock.nodes), lock.records())


def _page_content(read: Callable[[], bytes], where: str) -> Content:
    page = read_page(plain(read(), where), Path(where).name)
    return Content(page.size, page.records, page.release)


READERS = cast(
    "dict[str, Callable[[Callable[[], bytes], str], Content]]",
    {"index": _index_content, "lockfile": _lockfile_content, "page": _page_content},
)
