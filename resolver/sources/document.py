"""A single document as a source: page, index, install database, lockfile or spec file, told by its content."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath

import msgspec

from resolver.errors import FormatError, ResolverError, SourceError, UnsupportedError
from resolver.formats.clearsign import is_signed
from resolver.formats.index import read_index
from resolver.formats.lockfile import read_lockfile
from resolver.formats.page import is_page, read_page
from resolver.formats.spec_file import read_spec_file
from resolver.sources.files import plain
from resolver.sources.place import MOST_BYTES, Place, Report
from resolver.sources.source import Content, Opened, Seen, Source

GENERIC_NAMES = frozenset({"index.json", "index.json.gz", "spack.lock", "specs.md"})
"""File names that say nothing: the folder's name is taken in their place."""
FOLDERS_OF_GENERIC_NAMES = frozenset({"build_cache", ".spack-db"})
ENDINGS = (".gz", ".sig", ".json", ".md", ".lock", ".yaml", ".spec")
HEAD = 256


def document_source(place: Place, path: str, location: str, *, remote: bool = False) -> Source:
    """The document at a path of a place."""
    return Source(document_name(location), location, partial(_open, place, path, location), remote=remote)


def document_name(location: str) -> str:
    """What to call it: its file's name without endings, or its folder's where that says nothing."""
    parts = PurePosixPath(location.partition("://")[2] or location).parts
    name = parts[-1] if parts else ""
    if name in GENERIC_NAMES and len(parts) > 1:
        folders = [part for part in parts[:-1] if part not in FOLDERS_OF_GENERIC_NAMES]
        return folders[-1].strip("/") if folders else name
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name or "source"


def _open(place: Place, path: str, location: str, seen: Seen, report: Report) -> Opened:
    fetched = place.read(path, most=MOST_BYTES, tag=seen.tag, report=report)
    if fetched is None:
        msg = f"there is no {location}"
        raise SourceError(msg, hint="check the address")
    if fetched.unchanged or fetched.sha256 == seen.digest:
        return Opened("", seen.digest, fetched.tag, unchanged=True)
    try:
        data = plain(fetched.data)
        kind = kind_of(data)
        return Opened(kind, fetched.sha256, fetched.tag, read=partial(_read, kind, data, location))
    except ResolverError as error:
        raise error.at(location) from None


def _read(kind: str, data: bytes, location: str) -> Content:
    try:
        return READERS[kind](data, location)
    except ResolverError as error:
        raise error.at(location) from None


def kind_of(data: bytes) -> str:
    """What a document is, by its content. Raises ``FormatError`` or ``UnsupportedError`` when it is no source."""
    if is_signed(data):
        return "spec"
    if is_page(data):
        return "page"
    if b"".join(data[:HEAD].split()).startswith(b'{"database":'):
        return _kind_of_database(data)
    return _kind_of_json(data) if data.lstrip()[:1] in (b"{", b"[", b"") else _kind_of_yaml(data)


def _kind_of_database(data: bytes) -> str:
    """An install database says of each record whether it is installed; an index does not."""
    return "database" if INSTALLED.search(data, 0, DEEP) else "index"


def _kind_of_json(data: bytes) -> str:
    try:
        keys = set(msgspec.json.decode(data, type=dict[str, msgspec.Raw]))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _neither(str(error)) from None
    for kind, own in KEYS.items():
        if keys & own:
            return _kind_of_database(data) if kind == "index" else kind
    if keys == {"version", "data"}:
        raise UnsupportedError("a manifest of a mirror, not an index", hint="sync the mirror itself")
    msg = f"JSON with the keys {', '.join(sorted(keys)[:5])[:200] or 'none'} is no source"
    raise UnsupportedError(msg, hint=KNOWN)


def _kind_of_yaml(data: bytes) -> str:
    key = YAML_KEY.search(data)
    if key is None:
        raise _neither("")
    if key[1] == b"spec":
        return "spec"
    if key[1] == b"spack":
        raise UnsupportedError("the definition of a stack, which holds no binaries", hint="give it to resolve; it is not synced")
    hint = "sync it as a file of this computer that ends in .yaml and holds nothing else"
    raise UnsupportedError("a list of mirrors", hint=hint)


def _neither(why: str) -> FormatError:
    msg = "neither a package page nor whole JSON"
    return FormatError(msg, why=why, hint=f"{KNOWN}; it may have been cut short")


KNOWN = "sources are build cache indexes, lockfiles, spec files, install databases, package pages and mirrors"
KEYS = {"index": {"database"}, "lockfile": {"_meta", "concrete_specs", "roots"}, "spec": {"spec"}}
YAML_KEY = re.compile(rb"^(spec|spack|mirrors):[ \t\r]*$", re.MULTILINE)
INSTALLED = re.compile(rb'"installed"\s*:')
DEEP = 1 << 20


def _index(data: bytes, location: str) -> Content:  # noqa: ARG001 - readers are called alike
    index = read_index(data)
    return Content(index.size, index.records)


def _lockfile(data: bytes, location: str) -> Content:  # noqa: ARG001 - readers are called alike
    records = list(read_lockfile(data).records())
    return Content(len(records), iter(records))


def _page(data: bytes, location: str) -> Content:
    page = read_page(data, PurePosixPath(location).name)
    return Content(page.size, page.records, page.release)


def _spec(data: bytes, location: str) -> Content:
    file = read_spec_file(data, location)
    return Content(len(file.nodes), file.records(in_buildcache=bool(file.archive)))


READERS: dict[str, Callable[[bytes, str], Content]] = {
    "index": _index,
    "database": _index,
    "lockfile": _lockfile,
    "page": _page,
    "spec": _spec,
}
