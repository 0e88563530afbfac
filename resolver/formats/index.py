"""The build cache index (``index.json``, or the index blob of layout v3): a database of spec nodes.

Source: Spack ``database.py``, ``schema/buildcache_spec.py``. Nodes stay bytes until one is wanted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import count
from threading import Lock

import msgspec

from resolver.errors import FormatError, UnsupportedError
from resolver.formats.record import Record, read_record

VERSIONS = {
    "5": "Spack 0.13 to 0.16: nodes wrapped by name, dependencies keyed by name",
    "6": "Spack 0.17 to 0.20: bare nodes, dependencies in a list",
    "7": "Spack 0.21 to 0.23: deptypes and virtuals on edges",
    "8": "Spack 1.0 to 1.2: compilers are dependencies",
    "9": "Spack 1.3: nodes state the virtuals they provide",
}
"""Database versions that are read, and what each changed."""


_made = count()
_one_at_a_time = Lock()


class _Install(msgspec.Struct):
    spec: msgspec.Raw
    in_buildcache: bool = False

    def __post_init__(self) -> None:
        """Counts it: of entries with the same key the last one alone is in the mapping."""
        next(_made)


LONGEST_VERSION = 40


class _Database(msgspec.Struct):
    version: str | int
    installs: dict[str, _Install] = {}


class _Index(msgspec.Struct):
    database: _Database


class Index(msgspec.Struct, frozen=True):
    """An opened index: its database version, how many records it states, and the records, decoded one at a time."""

    version: str
    size: int
    records: Iterator[Record]


_decoder = msgspec.json.Decoder(_Index)


def read_index(data: bytes) -> Index:
    """Open an index. Raises ``FormatError`` when it is no index, is cut short, or is of an unknown version."""
    database = _decode(data).database
    version = str(database.version)[:LONGEST_VERSION]
    if version not in VERSIONS:
        msg = f"build cache index of database version {version}, known are {', '.join(VERSIONS)}"
        newer = version.isascii() and version.isdigit() and int(version) > max(map(int, VERSIONS))
        raise UnsupportedError(msg, hint="use a newer spack-resolver" if newer else "rebuild the index with a newer Spack")
    return Index(version, len(database.installs), _records(database.installs))


def _records(installs: dict[str, _Install]) -> Iterator[Record]:
    for key, install in installs.items():
        yield read_record(key, install.spec, in_buildcache=install.in_buildcache)


def _decode(data: bytes) -> _Index:
    try:
        with _one_at_a_time:
            before = next(_made)
            index = _decoder.decode(data)
            made = next(_made) - before - 1
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = "not a build cache index that can be read"
        raise FormatError(msg, why=str(error), hint="fetch it again; it may have been cut short") from None
    if made != len(index.database.installs):
        _check_keys(data)
    return index


def _check_keys(data: bytes) -> None:
    """Raises ``FormatError`` when a key is there twice in the document or among its records. Slow, so it is done on suspicion only."""

    def check(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            twice = next(key for key, number in Counter(key for key, _ in pairs).items() if number > 1)
            msg = f"the key {twice[:LONGEST_VERSION]!r} is there twice in one mapping"
            raise FormatError(msg, hint="let Spack write the index anew")
        return found

    json.loads(data, object_pairs_hook=check)
