"""What every reader of cache entries yields: a record, which is a concrete spec as one source states it."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from resolver.errors import FormatError
from resolver.spec.node import WireFacts, decode_facts

HASH_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
LONGEST_HASH = 64
LONGEST_TEXT = 1000
"""Characters of a version, an OS, a target or a virtual; those of Spack have some twenty."""
LARGEST_NODE = 1 << 24
"""Bytes of a node; those of Spack have some two thousand, and a hundred thousand with many patches and dependencies."""
SPACED = re.compile(rb'\{\s|\{"[^"]*"(?:\s|:\s)')
PACKAGE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")


class Record(msgspec.Struct, frozen=True):
    """A concrete spec as one source states it.

    ``node`` is the spec node as compact JSON, byte for byte as stated but for white space. ``complete`` is False when the
    source does not state dependencies (a page). ``alias`` is another hash that edges of the same document refer to it by.
    ``stacks`` and ``release`` are labels that the source itself gives to this record. ``archive`` is the sha256 of the binary's archive
    and ``size`` its bytes, where the source says so.
    """

    hash: str
    wire: WireFacts
    node: bytes
    in_buildcache: bool
    complete: bool = True
    alias: str = ""
    stacks: tuple[str, ...] = ()
    release: str = ""
    archive: str = ""
    size: int = 0


def read_record(key: str, raw: msgspec.Raw, *, in_buildcache: bool) -> Record:
    """A record from a document's key and node. Raises ``FormatError`` naming the key."""
    check_hash(key)
    node = bytes(raw)
    try:
        wire = _bounded(node)
        _check_facts(wire)
        if wire.hash in ("", key):
            return Record(key, wire, compact(node), in_buildcache)
        return Record(check_hash(wire.hash), wire, compact(node), in_buildcache, alias=key)
    except FormatError as error:
        raise error.at(f"record {key}") from None


def _bounded(node: bytes) -> WireFacts:
    if len(node) > LARGEST_NODE:
        msg = f"a spec node of {len(node) >> 20} MiB"
        raise FormatError(msg, why=f"more than {LARGEST_NODE >> 20} MiB are not read")
    return decode_facts(node)


def _check_facts(wire: WireFacts) -> None:
    """What is read of a node is usable, and what is not is at least of its kind."""
    _check_name(wire.name)
    if bytes(wire.parameters)[:1] != b"{" or bytes(wire.dependencies)[:1] not in (b"[", b"{"):
        msg = "the parameters of a spec node are no mapping, or its dependencies neither a list nor a mapping"
        raise FormatError(msg)
    arch = wire.arch
    _check_text(wire.version)
    _check_texts(arch.platform, arch.platform_os, wire.target)
    for text in wire.provided_virtuals:
        _check_text(text)


# The same few thousand texts stand in hundreds of thousands of nodes.
@lru_cache(1 << 16)
def _check_name(name: str) -> None:
    if not PACKAGE_NAME.fullmatch(name):
        msg = f"{name[:LONGEST_HASH]!r} is not the name of a package"
        raise FormatError(msg)


@lru_cache(1 << 12)
def _check_texts(*texts: str | None) -> None:
    for text in texts:
        _check_text(text)


@lru_cache(1 << 16)
def _check_text(text: str | None) -> None:
    if text and (len(text) > LONGEST_TEXT or not text.isprintable()):
        msg = f"{text[:LONGEST_HASH]!r} is no version, platform, OS, target or virtual"
        raise FormatError(msg, why=f"it is longer than {LONGEST_TEXT} characters, or some of them cannot be printed")


def check_hash(text: str) -> str:
    """The text itself. Raises ``FormatError`` when it cannot be a DAG hash, so that it is safe in paths and messages."""
    if not text or len(text) > LONGEST_HASH or not HASH_CHARACTERS.issuperset(text):
        msg = f"{text[:LONGEST_HASH]!r} is not a DAG hash"
        raise FormatError(msg, why="a hash has 32 characters, a-z and 2-7")
    return text


def compact(raw: bytes) -> bytes:
    """JSON without white space, keys in the order written. Raises ``FormatError`` on bytes that are no UTF-8.

    Whoever writes white space writes it behind the first key already, so what follows is not searched.
    """
    try:
        if not raw.isascii():
            raw.decode()
    except UnicodeDecodeError as error:
        msg = "a spec node that is not UTF-8"
        raise FormatError(msg, why=str(error)) from None
    return msgspec.json.format(raw, indent=-1) if SPACED.match(raw) else raw
