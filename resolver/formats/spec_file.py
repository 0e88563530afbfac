"""The spec file of one binary: its node and those of its whole DAG, in formats 1 to 6, JSON or (until 0.16) YAML, signed or not.

Sources: Spack ``spec.py:Spec.from_dict``, ``url_buildcache.py:get_valid_spec_file``, ``docs/file_formats/specfile.rst``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from resolver.errors import FormatError, UnsupportedError
from resolver.formats.clearsign import unsigned
from resolver.formats.record import Record, check_hash, read_record
from resolver.formats.yaml_tree import load_yaml

NEWEST = 6
LAYOUTS = ("0", "1", "2", "3")
DIGEST = re.compile(r"[0-9a-f]{64}")
VERSIONS = {
    1: "Spack 0.12 to 0.16: a list of nodes wrapped by name",
    2: "Spack 0.17: dependencies by build hash",
    3: "Spack 0.18 to 0.20: dependencies by DAG hash",
    4: "Spack 0.21 to 0.23: deptypes and virtuals on edges",
    5: "Spack 1.0 to 1.2: compilers are dependencies",
    6: "Spack 1.3: nodes state the virtuals they provide",
}
"""Versions that are read, and what each changed."""


class _Checksum(msgspec.Struct):
    algorithm: str = msgspec.field(name="hash_algorithm", default="")
    hash: str = ""


class _File(msgspec.Struct):
    spec: msgspec.Raw
    checksum: _Checksum | None = msgspec.field(name="binary_cache_checksum", default=None)
    layout: int | str = msgspec.field(name="buildcache_layout_version", default=0)
    archive_size: int = 0


class _Meta(msgspec.Struct):
    version: int = NEWEST


class _Dag(msgspec.Struct):
    nodes: list[msgspec.Raw]
    meta: _Meta = msgspec.field(name="_meta", default_factory=_Meta)


class _Identity(msgspec.Struct):
    hash: str = ""
    build_hash: str = ""


T = TypeVar("T")
# Made on import, see manifest.py.
_files = msgspec.json.Decoder(_File)
_lists = msgspec.json.Decoder(list[msgspec.Raw])
_dags = msgspec.json.Decoder(_Dag)
_identities = msgspec.json.Decoder(_Identity)
_wrapped = msgspec.json.Decoder(dict[str, _Identity])


class SpecFile(msgspec.Struct, frozen=True):
    """An opened spec file: its format, its nodes with the root first, and what it says of the archive (sha256, bytes)."""

    version: int
    nodes: tuple[msgspec.Raw, ...]
    archive: str
    size: int

    def records(self, *, in_buildcache: bool) -> Iterator[Record]:
        """Its nodes as records; only the root is what a binary is of."""
        for place, raw in enumerate(self.nodes):
            record = read_record(_key(raw), raw, in_buildcache=in_buildcache and place == 0)
            yield replace(record, archive=self.archive, size=self.size) if place == 0 else record


def read_spec_file(data: bytes, where: str = "") -> SpecFile:
    """Open a spec file. Raises ``FormatError`` when it is none or cut short, ``UnsupportedError`` when it is too new."""
    body = unsigned(data)
    if not body.lstrip().startswith(b"{"):
        body = _json_of_yaml(body, where)
    file = _decode(body, _files)
    raw = bytes(file.spec)
    if raw.lstrip().startswith(b"["):
        version, nodes = 1, _decode(raw, _lists)
    else:
        dag = _decode(raw, _dags)
        version, nodes = dag.meta.version, dag.nodes
    if version > NEWEST:
        msg = f"spec file of version {version}, known are {', '.join(map(str, VERSIONS))}"
        raise UnsupportedError(msg, hint="use a newer spack-resolver")
    if str(file.layout) not in LAYOUTS:
        msg = f"spec file of build cache layout {str(file.layout)[:20]!r}, known are {', '.join(LAYOUTS)}"
        raise UnsupportedError(msg, hint="use a newer spack-resolver")
    if not nodes:
        msg = "a spec file without nodes"
        raise FormatError(msg, hint="fetch it again")
    return SpecFile(version, tuple(nodes), _archive(file.checksum), max(0, file.archive_size))


def _archive(checksum: _Checksum | None) -> str:
    """The archive's sha256, empty when it is known by no such digest."""
    if checksum is None or checksum.algorithm != "sha256":
        return ""
    if not DIGEST.fullmatch(checksum.hash):
        msg = f"a spec file that states the checksum {checksum.hash[:80]!r}"
        raise FormatError(msg, why="a sha256 has 64 hexadecimal digits", hint="fetch it again; it may be damaged")
    return checksum.hash


def _decode(data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = "not a spec file that can be read"
        raise FormatError(msg, why=str(error), hint="fetch it again; it may have been cut short") from None


def _json_of_yaml(data: bytes, where: str) -> bytes:
    try:
        return msgspec.json.encode(load_yaml(data.decode("utf-8-sig"), where))
    except (UnicodeDecodeError, TypeError, ValueError) as error:
        msg = "not a spec file that can be read"
        raise FormatError(msg, why=str(error), where=where) from None


def _key(raw: msgspec.Raw) -> str:
    """What edges of the same file refer to the node by: format 2 has build hashes."""
    try:
        found = _identities.decode(raw)
        if not (found.hash or found.build_hash):
            wrapped = _wrapped.decode(raw)
            found = next(iter(wrapped.values()), found)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    key = found.build_hash or found.hash
    return check_hash(key) if key else ""
