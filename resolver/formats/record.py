"""What every reader of cache entries yields: a record, which is a concrete spec as one source states it."""

from __future__ import annotations

import re

import msgspec

from resolver.errors import FormatError
from resolver.spec.node import WireFacts, decode_facts

HASH_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
LONGEST_HASH = 64
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
    try:
        wire = decode_facts(raw)
    except FormatError as error:
        raise error.at(f"record {key[:LONGEST_HASH]}") from None
    identity = check_hash(wire.hash or key)
    if not PACKAGE_NAME.fullmatch(wire.name):
        msg = f"{wire.name[:LONGEST_HASH]!r} is not the name of a package"
        raise FormatError(msg, where=f"record {identity}")
    if bytes(wire.parameters)[:1] != b"{":
        msg = "the parameters of a spec node are a mapping"
        raise FormatError(msg, where=f"record {identity}")
    alias = key if key != identity else ""
    return Record(identity, wire, compact(bytes(raw)), in_buildcache, alias=alias)


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
