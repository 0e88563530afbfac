"""Reading a lock: every part is checked, since it may have been edited, merged, cut short or made to do harm."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from resolver.errors import FormatError, InputError, UnsupportedError
from resolver.formats.record import LONGEST_TEXT, check_hash, read_record
from resolver.formats.resolver_lock.document import LAST, SCHEMA, Document, NodeShape, SelectionShape, write_lock
from resolver.formats.resolver_lock.model import Lock, LockChoice, LockNode, LockRoot, LockSelection
from resolver.spec.node import DEPTYPE_BITS, LINK_RUN, WireEdge, decode_edges, decode_facts

MOST_BYTES = 256 << 20
"""A lock of a hundred stacks and machines has some ten megabytes."""
FAMILY, _, KNOWN = SCHEMA.rpartition("/")
MOST_LETTERS = 4096
MOST_NESTED = 64
"""Levels of a view: Spack's has four, and what writes YAML goes down with each."""
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
SHA256 = re.compile(r"[0-9a-f]{64}")
CONFLICT = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)
UPGRADED = "what the other side upgraded, --upgrade selects anew"
AGAIN = "take it as it was from version control, or remove it and write it anew with `spack-resolver lock`"


class _Head(msgspec.Struct):
    schema: str = ""
    meta: Any = msgspec.field(name="_meta", default=None)


_decoder = msgspec.json.Decoder(Document)
_head = msgspec.json.Decoder(_Head)


def read_lock(data: bytes, where: str) -> Lock:
    """Read a lock. Raises ``FormatError`` naming file and place where it is damaged, ``UnsupportedError`` where it is newer than we are."""
    try:
        lock = _lock(_document(data))
        _check_closures(lock)
        if write_lock(lock) != data:
            _refuse_twice(data)
    except InputError as error:
        error.hint = error.hint or AGAIN
        raise error.at(where) from None
    return lock


def _document(data: bytes) -> Document:
    if len(data) > MOST_BYTES:
        msg = f"a lock of {len(data) >> 20} MiB"
        raise FormatError(msg, why=f"more than {MOST_BYTES >> 20} MiB are not read", hint="is this the file that you mean?")
    try:
        head = _head.decode(data)
        _check_schema(head)
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(data, error) from None


def _unreadable(data: bytes, error: Exception) -> FormatError:
    if CONFLICT.search(data):
        msg = "the lock holds the marks of a merge conflict"
        return FormatError(
            msg, hint=f"take either side, then run `spack-resolver lock`, which adds what the stacks ask for besides; {UPGRADED}"
        )
    return FormatError("not a lock that can be read", why=str(error), hint=f"it may have been cut short; {AGAIN}")


def _check_schema(head: _Head) -> None:
    family, _, version = head.schema.rpartition("/")
    if head.schema == SCHEMA:
        return
    if family == FAMILY and version.isdecimal() and len(version) < 10:
        msg = f"a lock of version {version}, known is {KNOWN}"
        raise UnsupportedError(msg, hint="use a newer spack-resolver, or write the lock with this one")
    hint = "`spack-resolver lock --import ENV` reads a spack.lock" if head.meta else f"its first key is schema, {SCHEMA}"
    msg = "not a lock of spack-resolver"
    raise FormatError(msg, why="it is a lockfile of Spack's" if head.meta else f"its schema is {head.schema[:80]!r}", hint=hint)


def _lock(document: Document) -> Lock:
    for kind in ("stacks", "machines", "sources"):
        for name in getattr(document, kind):
            _check_name(name, kind, slash=kind == "sources")
    nodes = {key: _node(key, held, document) for key, held in document.nodes.items() if key != LAST}
    selections = tuple(_selection(shape, document, nodes) for shape in document.selections)
    _check_each_once(selections)
    for name, source in document.sources.items():
        _check_url(source.url, f"sources: {name}")
    for name, stack in document.stacks.items():
        places = [stack.spack_config, *stack.include_roots.values()]
        for place in [*places, *([stack.location] if "/" in stack.location or "\\" in stack.location else [])]:
            _check_place(place, f"stacks: {name}")
        if stack.imported and stack.imported not in document.machines:
            raise _unknown("machine", stack.imported, f"stacks: {name}")
    return Lock(document.stacks, document.choices, document.machines, document.sources, selections, nodes)


def _check_name(name: str, kind: str, *, slash: bool = False) -> None:
    bad = name in ("", ".", "..") or len(name) > LONGEST_TEXT or not name.isprintable()
    if bad or (not slash and ("/" in name or "\\" in name)):
        msg = f"{name[:80]!r} cannot be a name"
        raise FormatError(msg, where=kind, why="a name has letters that can be printed and is no path", hint=AGAIN)


def _check_place(place: str, where: str) -> None:
    if place.startswith(("/", "\\", "~")) or place[1:2] == ":" or not place.isprintable() or len(place) > LONGEST_TEXT:
        msg = f"{place[:80]!r} is no path that a lock may name"
        raise FormatError(msg, where=where, why="its paths are relative to its own folder", hint=AGAIN)


def _check_url(url: str, where: str) -> None:
    """A mirror's address is a URL, or a path as others; none may lead out of the folder of stacks that ship with the program."""
    if not SCHEME.match(url):
        _check_place(url, where)
    elif not url.isprintable() or len(url) > MOST_LETTERS or (url.startswith("shipped:") and ".." in url):
        msg = f"{url[:80]!r} cannot be the address of a mirror"
        raise FormatError(msg, where=where, hint=AGAIN)


def _unknown(kind: str, name: str, where: str) -> FormatError:
    return FormatError(f"{kind} {name[:80]!r} is not in the lock", where=where, hint=AGAIN)


def _node(key: str, held: NodeShape | None, document: Document) -> LockNode:
    where = f"nodes: {key[:64]!r}"
    if held is None:
        msg = "nothing in place of a node"
        raise FormatError(msg, where=where, hint=AGAIN)
    try:
        record = read_record(key, held.node, in_buildcache=True)
    except FormatError as error:
        raise error.at("nodes") from None
    if record.alias:
        msg = f"the node states another hash, {record.hash}"
        raise FormatError(msg, where=where, hint=AGAIN)
    for name in held.sources:
        if name not in document.sources:
            raise _unknown("source", name, where)
    return LockNode(held.sources, record.node, held.complete)


def _selection(shape: SelectionShape, document: Document, nodes: Mapping[str, LockNode]) -> LockSelection:
    where = f"selections: stack {shape.stack[:80]}, group {shape.group[:80]}, machine {shape.machine[:80]}"
    if shape.stack not in document.stacks:
        raise _unknown("stack", shape.stack, where)
    if shape.machine not in document.machines:
        raise _unknown("machine", shape.machine, where)
    if not shape.targets or len(set(shape.targets)) < len(shape.targets):
        msg = "the targets are none, or one stands there twice"
        raise FormatError(msg, where=where, hint=AGAIN)
    for text in (shape.asked, shape.fingerprint):
        if not SHA256.fullmatch(text):
            msg = f"{text[:80]!r} is no sha256"
            raise FormatError(msg, where=where, why="it has 64 hexadecimal digits", hint=AGAIN)
    for text in (shape.group, *shape.targets):
        if not text or len(text) > LONGEST_TEXT or not text.isprintable():
            msg = f"{text[:80]!r} cannot be a name"
            raise FormatError(msg, where=where, hint=AGAIN)
    if _is_deep(shape.view, MOST_NESTED):
        msg = "the view is nested too deep"
        raise FormatError(msg, where=where, why=f"more than {MOST_NESTED} levels are not read", hint=AGAIN)
    roots = tuple(_root(spec, choices, shape.targets, nodes, where) for spec, choices in shape.roots.items())
    return LockSelection(
        shape.stack,
        shape.group,
        shape.machine,
        shape.unify,
        shape.asked,
        shape.fingerprint,
        shape.optimal,
        roots,
        shape.targets,
        shape.view,
    )


def _is_deep(value: object, left: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left < 0 or any(_is_deep(item, left - 1) for item in inner)


def _root(spec: str, choices: Mapping[str, str | None], targets: tuple[str, ...], nodes: Mapping[str, LockNode], where: str) -> LockRoot:
    place = f"{where}: root {spec[:80]!r}"
    if other := [target for target in choices if target not in targets]:
        raise _unknown("target", other[0], place)
    for key in choices.values():
        if key is not None and check_hash_at(key, place) not in nodes:
            msg = f"hash {key} has no node"
            raise FormatError(msg, where=place, hint=AGAIN)
    first = targets[0]
    rows = {first: None, **choices} if choices else {}
    return LockRoot(spec, tuple(LockChoice(target, rows[target] or "") for target in targets if target in rows))


def check_hash_at(key: str, where: str) -> str:
    """The hash itself. Raises ``FormatError`` naming the place when it can be none."""
    try:
        return check_hash(key)
    except FormatError as error:
        raise error.at(where) from None


def _check_each_once(selections: Iterable[LockSelection]) -> None:
    seen = set()
    for each in selections:
        cell = (each.stack, each.group, each.machine)
        if cell in seen:
            msg = f"stack {each.stack}, group {each.group} on machine {each.machine} is there twice"
            raise FormatError(msg, where="selections", hint=AGAIN)
        seen.add(cell)


def _check_closures(lock: Lock) -> None:
    """All that a choice links to or runs is there. Externals are not installed, and of what is not complete no dependencies are known."""
    starts = {choice.hash for selection in lock.selections for root in selection.roots for choice in root.choices if choice.hash}
    seen = set(starts)
    queue = sorted(starts)
    for key in queue:
        for name, child in _links(lock.nodes[key]):
            if child not in lock.nodes:
                parent = decode_facts(lock.nodes[key].node).name
                msg = f"the node {name[:80]}/{child[:32]} is missing"
                raise FormatError(msg, where="nodes", why=f"{parent}/{key[:7]} depends on it", hint=AGAIN)
            if child not in seen:
                seen.add(child)
                queue.append(child)


def _links(held: LockNode) -> list[tuple[str, str]]:
    wire = decode_facts(held.node)
    if wire.external or not held.complete:
        return []
    return [(name, edge.hash) for name, edge in decode_edges(wire.dependencies) if _deptypes(edge) & LINK_RUN]


def _deptypes(edge: WireEdge) -> int:
    types = edge.parameters.deptypes if edge.parameters else edge.type
    return sum({DEPTYPE_BITS[one] for one in types})


def _refuse_twice(data: bytes) -> None:
    """Raises ``FormatError`` where a key stands twice in one mapping: of such two readers may take either."""
    try:
        json.loads(data, object_pairs_hook=_each_once)
    except RecursionError as error:
        msg = "not a lock that can be read"
        raise FormatError(msg, why=str(error), hint=AGAIN) from None


def _each_once(pairs: list[tuple[str, object]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            msg = f"the key {key[:80]!r} stands twice in one mapping"
            raise FormatError(msg, hint=f"it may have been merged badly; {AGAIN}")
        seen.add(key)
