"""Tell what has changed upstream since the stacks here were written.

    scripts/stacks-drift CHECKOUT [STACK ...] [--include-root URL=DIR ...]

CHECKOUT is a checkout of a repository of packages that has stacks/. Each stack here is expanded for its machine, and so is the one that
it is upstream (scripts/stacks-upstream.toml says which); roots, groups and what is asked of packages are compared. `added` is only
upstream, `gone` is only here. Differences that are meant stand in that file too. Where upstream includes what is not in the checkout,
roots and groups alone are compared, unless --include-root says where it lies. Exit code 1: there are differences.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from resolver.api.settings import Settings
from resolver.api.stacks import StackRequest, load_stack
from resolver.arch.machine import parse_triple
from resolver.errors import InputError
from resolver.spec.abstract import AbstractSpec
from resolver.stacks.stack import DEFAULT_GROUP, Group

ROOT = Path(__file__).parent.parent
RULES = ("require", "prefer", "conflict")
PLAIN = ("buildable", "providers", "version")


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a stack here is upstream. ``include_roots`` are paths in the checkout that lie elsewhere in it."""

    machine: str
    upstream: str = ""
    group: str = ""
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    include_roots: dict[str, str] = msgspec.field(default_factory=dict)
    accepted: tuple[str, ...] = ()
    why: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("stacks", nargs="*", metavar="STACK")
    parser.add_argument("--include-root", action="append", default=[], metavar="URL=DIR")
    parser.add_argument("--table", type=Path, default=ROOT / "scripts" / "stacks-upstream.toml", help=argparse.SUPPRESS)
    parser.add_argument("--ours", type=Path, default=ROOT / "stacks", help=argparse.SUPPRESS)
    given = parser.parse_args()
    entries = msgspec.convert(tomllib.loads(given.table.read_text("utf-8")), dict[str, Entry])
    roots = dict(text.rpartition("=")[::2] for text in given.include_root)
    checkout = given.checkout.absolute()
    lines = [] if given.stacks else list(unknown(entries, checkout, given.ours))
    for name in given.stacks or entries:
        lines += drift(name, entries[name], checkout, given.ours, roots)
    print("\n".join(lines), end="\n" if lines else "")
    print(f"stacks: {len(given.stacks or entries)}, differences: {len(lines)}", file=sys.stderr)
    return 1 if lines else 0


def unknown(entries: Mapping[str, Entry], checkout: Path, ours: Path) -> Iterator[str]:
    """Stacks that only one side, or no table, knows."""
    here = {path.parent.name for path in ours.glob("*/spack.yaml")}
    there = {path.parent.name for path in (checkout / "stacks").glob("*/spack.yaml")}
    known = {entry.upstream or name for name, entry in entries.items()}
    yield from (f"{name}: added upstream, and no stack here is it" for name in sorted(there - known))
    yield from (f"{name}: is not in the table" for name in sorted(here - set(entries)))


def drift(name: str, entry: Entry, checkout: Path, ours: Path, roots: Mapping[str, str]) -> list[str]:
    """A line for each difference of a stack that is not meant."""
    path = checkout / "stacks" / (entry.upstream or name) / "spack.yaml"
    if not path.is_file():
        return [f"{name}: gone upstream"]
    inside = {str(checkout / wanted): str(checkout / place) for wanted, place in entry.include_roots.items()}
    mine = groups(StackRequest(str(ours / name)), entry)
    request = StackRequest(str(path), entry.environment, include_roots={**roots, **inside})
    try:
        theirs, whole = groups(request, entry), True
    except InputError as error:
        print(f"{name}: roots and groups alone are compared: {error.what}", file=sys.stderr)
        theirs, whole = groups(msgspec.structs.replace(request, include=False), entry), False
    found = list(differences(mine, theirs, whole=whole))
    for line in sorted(set(entry.accepted) - {line for _, line, _ in found}) if whole else ():
        print(f"{name}: accepted, but no difference any more: {line}", file=sys.stderr)
    return [f"{name} on {entry.machine}: {lead}{line}{details}" for lead, line, details in found if line not in entry.accepted]


def groups(request: StackRequest, entry: Entry) -> dict[str, Group]:
    """The groups with roots; of a stack that is one group upstream, that one as the default."""
    stack = load_stack(request, parse_triple(entry.machine), Settings(Path("unused")))
    found = {group.name: group for group in stack.groups if group.roots}
    return {DEFAULT_GROUP: found[entry.group]} if entry.group in found else found


def differences(mine: Mapping[str, Group], theirs: Mapping[str, Group], *, whole: bool) -> Iterator[tuple[str, str, str]]:
    """Each difference: the group that it is in, a line, and what there is to add to it."""
    yield from (("", f"added group {name}", "") for name in theirs if name not in mine)
    for name, group in mine.items():
        lead = "" if name == DEFAULT_GROUP else f"{name}: "
        if name not in theirs:
            yield "", f"gone group {name}", ""
            continue
        have, want = ({str(root) for root in side.roots} for side in (group, theirs[name]))
        yield from ((lead, f"added {root}", "") for root in sorted(want - have))
        yield from ((lead, f"gone {root}", "") for root in sorted(have - want))
        if whole:
            yield from ((lead, line, details) for line, details in facts_that_differ(facts(group), facts(theirs[name])))


def facts_that_differ(have: Mapping[str, Any], want: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in sorted({*have, *want}):
        if key not in have:
            yield f"added {key}", f" {want[key]}"
        elif key not in want:
            yield f"gone {key}", f" {have[key]}"
        elif have[key] != want[key]:
            yield f"changed {key}", f" from {have[key]} to {want[key]}"


def facts(group: Group) -> dict[str, Any]:
    """What a group asks, in a form that is equal for equal meaning; targets that are merely preferred are left out."""
    found: dict[str, Any] = {"unify": group.unify, "needs": list(group.needs)}
    for name, section in group.packages.items():
        found |= {f"{name}:{key}": rules(section[key]) for key in RULES if section.get(key)}
        found |= {f"{name}:{key}": json.dumps(section[key], sort_keys=True) for key in PLAIN if key in section}
        if section.get("variants"):
            found[f"{name}:variants"] = canonical(" ".join(listed(section["variants"])))
        if section.get("externals"):
            found[f"{name}:externals"] = sorted(external(item) for item in section["externals"])
    return found


def rules(value: object) -> list[str]:
    """Rules in canonical text, sorted, each once."""
    return sorted({canonical(item) if isinstance(item, str) else choice(item) for item in listed(value)})


def choice(item: Mapping[str, Any]) -> str:
    parts = {key: rules(value) for key, value in sorted(item.items()) if key != "message"}
    return json.dumps(parts)


def external(item: Mapping[str, Any]) -> str:
    return " ".join([canonical(item["spec"]), str(item.get("prefix", "")), *listed(item.get("modules") or [])])


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def canonical(text: str) -> str:
    return str(AbstractSpec.parse(text))


if __name__ == "__main__":
    sys.exit(main())
