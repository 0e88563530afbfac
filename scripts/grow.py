"""Grow a large build cache index out of real nodes, to measure with.

    .venv/bin/python scripts/grow.py COUNT OUT.json [--seed INDEX_OR_MIRROR ...]

The first copy is the nodes as they are: those of the mirrors that ship with the project, unless others are named. Every further copy has
another OS (on Linux with the glibc that this OS has) and another target of the same family. After a copy for each OS a generation ends, as
with the snapshots of a public cache: a third of the packages, another one each time, moves on to a newer version and recipe. Hashes are
computed anew from the leaves up by Spack's rule, so a copy is as sound as the original, and where nothing below a node changed it is the
same node again and stands once. The same arguments give the same bytes on every machine. Records stand below those that need them, so the
index can be cut anywhere without an edge that leads nowhere.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import itertools
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec
from grow_seed import Template, read_templates, shipped_mirrors

LAST_NUMBER = re.compile(r"[0-9]{1,9}(?=[^0-9]*$)")
SPLICED_TAIL = 7
COPIES_OF_A_GENERATION = 13
GAPPED, GAPS = 10, 10
"""One copy in ten lacks one binary in ten, as after a pipeline that failed in part: 1 % of all. Spread evenly, the same share would leave
hardly any large package with all that it needs."""
FRUITLESS = 100
"""How many copies in a row may add nothing before the seed is given up."""

GLIBC = {
    "ubuntu22.04": "2.35",
    "rhel8": "2.28",
    "debian12": "2.36",
    "ubuntu24.04": "2.39",
    "rhel9": "2.34",
    "sles15": "2.38",
    "ubuntu20.04": "2.31",
    "debian13": "2.41",
    "amzn2023": "2.34",
    "rhel10": "2.39",
    "ubuntu26.04": "2.43",
    "debian11": "2.31",
    "rocky9": "2.34",
}
"""The glibc that each Linux has; the newest service pack of sles15."""

SYSTEMS = {"linux": tuple(GLIBC), "darwin": ("sequoia", "sonoma", "ventura", "tahoe", "monterey")}

VENDORS = {
    "haswell": "GenuineIntel",
    "skylake_avx512": "GenuineIntel",
    "icelake": "GenuineIntel",
    "sapphirerapids": "GenuineIntel",
    "zen2": "AuthenticAMD",
    "zen3": "AuthenticAMD",
    "zen4": "AuthenticAMD",
    "zen5": "AuthenticAMD",
    "neoverse_n1": "ARM",
    "neoverse_v1": "ARM",
    "neoverse_v2": "ARM",
    "a64fx": "Fujitsu",
    "m1": "Apple",
    "m2": "Apple",
    "m3": "Apple",
}
"""Whose the targets are; those that are nobody's are generic, and stand as a string."""

FAMILIES = {
    ("linux", "x86_64"): (
        *("x86_64_v3", "zen4", "x86_64_v4", "haswell", "x86_64", "zen3"),
        *("skylake_avx512", "x86_64_v2", "zen2", "icelake", "zen5", "sapphirerapids"),
    ),
    ("linux", "aarch64"): ("neoverse_v1", "aarch64", "neoverse_n1", "neoverse_v2", "a64fx"),
    ("darwin", "aarch64"): ("m1", "m2", "m3"),
}


class Labels(msgspec.Struct, frozen=True):
    """What nodes of one platform and family state in one copy, as JSON; None leaves what a node has."""

    system: str | None = None
    target: str | None = None
    glibc: str | None = None


def labels(kind: tuple[str, str], copy: int) -> Labels:
    """OS, target and glibc in one copy; the pairs of OS and target repeat only when all were there."""
    systems, wanted = SYSTEMS.get(kind[0]), FAMILIES.get(kind)
    if not systems or not wanted:
        return Labels()
    turn, place = divmod(copy, len(systems))
    name = wanted[(place + turn) % len(wanted)]
    target = {"name": name, "vendor": VENDORS[name], "features": [], "generation": 0, "parents": []} if name in VENDORS else name
    system = systems[place]
    return Labels(json.dumps(system), json.dumps(target, separators=(",", ":")), json.dumps(GLIBC.get(system)))


def values(template: Template, label: Labels, generation: int) -> dict[str, str]:
    """What stands in the named slots of a node in a copy."""
    filled = dict(template.own)
    if label.system and label.target:
        filled |= {"platform_os": label.system, "target": label.target}
    if template.external:
        return filled | {"version": label.glibc} if template.name == "glibc" and label.glibc else filled
    # A runtime has the version of its compiler, which is external and stays.
    if not template.name.endswith("-runtime") and (moved := moves(template.name, generation)):
        filled["version"] = LAST_NUMBER.sub(lambda found: f"{int(found[0]) + moved:0{len(found[0])}}", filled["version"])
        if "package_hash" in filled:
            filled["package_hash"] = f'"{another(filled["package_hash"], moved)}"'
    return filled


@cache
def moves(name: str, generation: int) -> int:
    """How often a package has moved on up to a generation: about every third time, each package at its own times."""
    if generation == 0:
        return 0
    return moves(name, generation - 1) + (zlib.crc32(f"{name} {generation}".encode()) % 3 == 0)


def another(recipe: str, generation: int) -> str:
    """A package hash for another generation of a recipe."""
    return base32(hashlib.sha256(f"{recipe} {generation}".encode()).digest())


def base32(digest: bytes) -> str:
    """As Spack writes digests."""
    return base64.b32encode(digest).decode().lower()


def render(template: Template, filled: dict[str, str], hashes: Sequence[str]) -> str:
    """The node's JSON without its hash. ``hashes`` are those of the copy by template, in quotes."""
    words = [hashes[slot] if isinstance(slot, int) else filled[slot] for slot in template.slots]
    return "".join(itertools.chain.from_iterable(itertools.zip_longest(template.texts, words, fillvalue="")))


def node_hash(text: str, template: Template, hashes: Sequence[str]) -> str:
    """What ``resolver.spec.dag_hash.computed_hash`` gives for the node, from its text and in quotes."""
    found = base32(hashlib.sha1(text.encode(), usedforsecurity=False).digest())
    return f'"{found}"' if template.tail is None else f'"{found[:-SPLICED_TAIL]}{hashes[template.tail][-SPLICED_TAIL - 1 :]}'


def originals(nodes: Sequence[Template]) -> Iterator[tuple[str, str, bool]]:
    """Hash, node and whether there is a binary, of each node as it is."""
    stated = [node.stated for node in nodes]
    for node in nodes:
        yield node.stated, render(node, node.own, stated), node.binary


def copied(nodes: Sequence[Template], copy: int) -> Iterator[tuple[str, str, bool]]:
    """Hash, node and whether there is a binary, of each node in a copy."""
    kinds = {node.kind: labels(node.kind, copy) for node in nodes}
    generation = 1 + (copy - 1) // COPIES_OF_A_GENERATION
    hashes: list[str] = []
    for node in nodes:
        text = render(node, values(node, kinds[node.kind], generation), hashes)
        hashes.append(node_hash(text, node, hashes))
        gap = copy % GAPPED == 0 and zlib.crc32(hashes[-1].encode()) % GAPS == 0
        yield hashes[-1], text, not (node.external or gap)


def grown(nodes: Sequence[Template]) -> Iterator[tuple[str, str, bool]]:
    """All records without end, each once."""
    seen: set[str] = set()
    last = 0
    for copy in itertools.count():
        for record in originals(nodes) if copy == 0 else copied(nodes, copy):
            if record[0] not in seen:
                seen.add(record[0])
                last = copy
                yield record
        if copy - last > FRUITLESS:
            sys.exit("the seed is too small to grow: its copies are all the same")


def write_index(path: Path, records: Iterable[tuple[str, str, bool]]) -> None:
    """Write an index record by record; the file appears when it is whole."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="ascii", buffering=1 << 20) as file:
        file.write('{"database":{"version":"8","installs":{')
        comma = ""
        for key, text, binary in records:
            file.write(f'{comma}{key}:{{"spec":{text[:-1]},"hash":{key}}},"ref_count":0,"in_buildcache":{"true" if binary else "false"}}}')
            comma = ","
        file.write("}}}")
    part.replace(path)


def grow(count: int, path: Path, seeds: Sequence[Path] = ()) -> None:
    """Write an index of exactly this many records."""
    write_index(path, itertools.islice(grown(read_templates(seeds or shipped_mirrors())), count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, help="how many records")
    parser.add_argument("out", type=Path, help="the index to write")
    parser.add_argument("--seed", type=Path, nargs="+", default=[], help="indexes or mirrors to take nodes from")
    wanted = parser.parse_args()
    grow(wanted.count, wanted.out, wanted.seed)


if __name__ == "__main__":
    main()
