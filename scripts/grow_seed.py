"""Read real nodes, and cut them at what changes from one copy to another."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from resolver.arch import target as targets

ROOT = Path(__file__).parent.parent
MARK = "\0slot "
SLOT = re.compile(r'"\\u0000slot ([a-z_]+|[0-9]+)"')


class Template(msgspec.Struct, frozen=True):
    """A node cut at what changes from copy to copy: a text, a slot, a text and so on, and what the node itself has in the named slots.

    A slot is a name, or the number of the template whose hash stands there. ``tail`` is the number of what a spliced node was built as.
    """

    name: str
    stated: str
    texts: tuple[str, ...]
    slots: tuple[str | int, ...]
    own: dict[str, str]
    kind: tuple[str, str]
    binary: bool
    external: bool
    tail: int | None


def read_seed(place: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Hash and record of all that stands in an index, or in the indexes of a layout v3 mirror."""
    for path in index_files(place):
        content = path.read_bytes()
        database = json.loads(gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content)["database"]
        if str(database["version"]) not in {"8", "9"}:
            sys.exit(f"{path}: database version {database['version']}, known are 8 and 9: older ones hash otherwise")
        yield from database["installs"].items()


def index_files(place: Path) -> list[Path]:
    """The file itself, or the blobs that the manifests of a mirror name."""
    if not place.is_dir():
        return [place]
    manifests = sorted((place / "v3" / "manifests" / "index").glob("*.manifest.json"))
    digests = [data["checksum"] for path in manifests for data in json.loads(path.read_bytes())["data"]]
    return [place / "blobs" / "sha256" / digest[:2] / digest for digest in digests]


def shipped_mirrors() -> list[Path]:
    """The mirrors that ship with the project, in the order of their names."""
    return sorted(path.parent for path in (ROOT / "stacks").glob("*/v3"))


def read_templates(places: Iterable[Path]) -> list[Template]:
    """The nodes of the seeds, each once, below those that need them. Nodes below which something is missing are left out."""
    records: dict[str, dict[str, Any]] = {}
    for key, record in itertools.chain.from_iterable(map(read_seed, places)):
        records.setdefault(key, record)
    numbers: dict[str, int] = {}
    found = []
    for key in leaves_first({key: references(record["spec"]) for key, record in records.items()}):
        found.append(cut(key, records[key], numbers))
        numbers[key] = len(numbers)
    if len(found) < len(records):
        print(f"{len(records) - len(found)} records left out, since something below them is missing", file=sys.stderr)
    return found


def references(node: dict[str, Any]) -> list[str]:
    """The hashes that a node names, each once: dependencies, and what was really built."""
    hashes = [edge["hash"] for edge in node.get("dependencies", ())]
    return list(dict.fromkeys([*hashes, node["build_spec"]["hash"]] if "build_spec" in node else hashes))


def leaves_first(needs: dict[str, list[str]]) -> list[str]:
    """Keys in an order in which each stands behind those that it needs; what needs a key that is not there is left out."""
    above: dict[str, list[str]] = {}
    for key, needed in needs.items():
        for below in needed:
            above.setdefault(below, []).append(key)
    missing = {key: len(needed) for key, needed in needs.items()}
    order = [key for key, count in missing.items() if not count]
    for key in order:  # which grows meanwhile
        for parent in above.get(key, ()):
            missing[parent] -= 1
            if not missing[parent]:
                order.append(parent)
    return order


def cut(key: str, record: dict[str, Any], numbers: dict[str, int]) -> Template:
    """Cut a node at its version, OS, target and recipe, and at the hashes that it names."""
    node = {name: value for name, value in record["spec"].items() if name != "hash"}
    own = {}
    for holder, name in ((node, "version"), (node, "package_hash"), (node["arch"], "platform_os"), (node["arch"], "target")):
        if name in holder:
            own[name] = json.dumps(holder[name], separators=(",", ":"))
    arch = {name: MARK + name if name in own else value for name, value in node["arch"].items()}
    marked = node | {name: MARK + name for name in ("version", "package_hash") if name in own} | {"arch": arch}
    if "dependencies" in node:
        marked["dependencies"] = [edge | {"hash": f"{MARK}{numbers[edge['hash']]}"} for edge in node["dependencies"]]
    built = node.get("build_spec")
    if built:
        marked["build_spec"] = built | {"hash": f"{MARK}{numbers[built['hash']]}"}
    pieces = SLOT.split(json.dumps(marked, separators=(",", ":")))
    return Template(
        name=node["name"],
        stated=f'"{key}"',
        texts=tuple(pieces[::2]),
        slots=tuple(int(slot) if slot.isdigit() else slot for slot in pieces[1::2]),
        own=own,
        kind=(node["arch"]["platform"], family(node["arch"]["target"])),
        binary=record.get("in_buildcache", False),
        external=bool(node.get("external")),
        tail=numbers[built["hash"]] if built else None,
    )


def family(target: str | dict[str, Any]) -> str:
    """The architecture family of a node's target."""
    return targets.family(target if isinstance(target, str) else target["name"])
