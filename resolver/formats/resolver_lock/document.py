"""The lock as a JSON document: its shape, its canonical text, its JSON schema.

Each root and each package stands on a line of its own, in a fixed order, and no line changes for its neighbours' sake, so that a diff
shows what changed and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec.structs import fields

from resolver.formats.resolver_lock.model import (
    Lock,
    LockChoices,
    LockMachine,
    LockNode,
    LockRoot,
    LockSelection,
    LockSource,
    LockStack,
)
from resolver.spec.node import decode_facts

SCHEMA = "spack-resolver/lock/1"
LAST = ""
"""The key behind all nodes, of nothing: so the last node has a comma too, and no line changes when another comes behind it."""
SHA256 = "^[0-9a-f]{64}$"
HASH = "^[0-9a-z]{1,64}$"


class SelectionShape(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the group of a stack was given on a machine: its roots by spec, each with its hash by target."""

    stack: str
    group: str
    machine: str
    unify: Literal["true", "when_possible", "false"]
    asked: str
    fingerprint: str
    targets: tuple[str, ...]
    optimal: bool = True
    view: Any = None
    roots: dict[str, dict[str, str | None]]


class NodeShape(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A package: the sources that have a binary of it, its node, and whether that states its dependencies."""

    sources: tuple[str, ...]
    node: msgspec.Raw
    complete: bool = True


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """The lock of stacks on machines."""

    schema: str
    stacks: dict[str, LockStack]
    choices: LockChoices
    machines: dict[str, LockMachine]
    sources: dict[str, LockSource]
    selections: list[SelectionShape]
    nodes: dict[str, NodeShape | None]


def write_lock(lock: Lock) -> bytes:
    """The canonical text: the same bytes for the same lock, whatever order its parts are in."""
    parts = [
        f'{{\n  "schema": {_text(SCHEMA)},\n',
        _mapping("stacks", _sorted(lock.stacks)),
        f'  "choices": {_text(lock.choices)},\n',
        _mapping("machines", _sorted(lock.machines)),
        _mapping("sources", _sorted(lock.sources)),
        '  "selections": [\n',
        ",\n".join(_selection(s) for s in sorted(lock.selections, key=lambda s: (s.stack, s.machine, s.group))),
        "\n  ],\n" if lock.selections else "  ],\n",
        '  "nodes": {\n',
        *_nodes(lock.nodes),
        f"    {_text(LAST)}: null\n  }}\n}}\n",
    ]
    return "".join(parts).encode()


def _sorted(rows: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    return ((key, _text(rows[key])) for key in sorted(rows))


def _mapping(name: str, rows: Iterable[tuple[str, str]], margin: str = "  ", end: str = ",\n") -> str:
    """A mapping with a line for each of its keys."""
    lines = ",\n".join(f"{margin}  {_text(key)}: {value}" for key, value in rows)
    return f"{margin}{_text(name)}: {{\n{lines}\n{margin}}}{end}" if lines else f"{margin}{_text(name)}: {{}}{end}"


def _selection(selection: LockSelection) -> str:
    names = [field.name for field in fields(SelectionShape) if field.name not in ("roots", "optimal", "view")]
    lines = [f"      {_text(name)}: {_text(getattr(selection, name))},\n" for name in names]
    lines += [] if selection.optimal else ['      "optimal": false,\n']
    lines += [] if selection.view is None else [f'      "view": {_text(selection.view)},\n']
    roots = ((root.spec, _choices(root, selection.targets)) for root in sorted(selection.roots, key=lambda root: root.spec))
    return "".join(["    {\n", *lines, _mapping("roots", roots, "      ", "\n"), "    }"])


def _choices(root: LockRoot, targets: tuple[str, ...]) -> str:
    found = {choice.target: choice.hash or None for choice in root.choices}
    return _text({target: found[target] for target in targets if target in found})


def _nodes(nodes: Mapping[str, LockNode]) -> Iterator[str]:
    """Nodes by name, version and hash, each as long as it is."""
    order = []
    for key, held in nodes.items():
        wire = decode_facts(held.node)
        order.append((wire.name, wire.version, key))
    for _, _, key in sorted(order):
        held = nodes[key]
        complete = "" if held.complete else '"complete":false,'
        yield f'    {_text(key)}: {{"sources":{_text(sorted(held.sources))},{complete}"node":{held.node.decode()}}},\n'


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def json_schema() -> dict[str, Any]:
    """The JSON schema of the document."""
    schema = msgspec.json.schema(Document)
    shapes = schema["$defs"]
    for shape in shapes.values():
        shape["description"] = " ".join(shape["description"].replace("``", "`").split())
    body = shapes["Document"]["properties"]
    body["schema"] = {"const": SCHEMA}
    body["nodes"]["propertyNames"] = {"pattern": f"{HASH}|^$"}
    selection = shapes["SelectionShape"]["properties"]
    selection["asked"]["pattern"] = selection["fingerprint"]["pattern"] = SHA256
    hashes = {"anyOf": [{"type": "string", "pattern": HASH}, {"type": "null"}]}
    selection["roots"]["additionalProperties"]["additionalProperties"] = hashes
    shapes["NodeShape"]["properties"]["node"] = {"type": "object", "description": "The spec node, verbatim"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": SCHEMA, **schema}
