"""The ``definitions`` of a stack: named spec lists, some of them for certain machines only.

Source: Spack ``environment/environment.py`` (``EnvironmentManifestFile``), ``environment/list.py:SpecListParser``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from resolver.arch.machine import Machine
from resolver.errors import InputError
from resolver.stacks.merge import read_key
from resolver.stacks.places import Problems, Spot
from resolver.stacks.speclists import Reader

WHEN = "when"
Entries = Sequence[tuple[object, str]]
"""The items of a section, each with where it stands, as ``Configuration.entries`` gives them."""


class LeftOut(msgspec.Struct, frozen=True):
    """An entry of a definition whose condition does not hold for the machine; ``where`` is the place of the condition."""

    definition: str
    condition: str
    where: str


class Defined(msgspec.Struct, frozen=True):
    """What is left out of the definitions on a machine.

    ``refers`` are the names that each name refers to.
    """

    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()
    refers: Mapping[str, frozenset[str]] = msgspec.field(default_factory=dict)

    def left_out_of(self, names: Iterable[str]) -> list[LeftOut]:
        """What is left out of what the names stand for."""
        reached, left = set[str](), list(names)
        while left:
            name = left.pop()
            if name not in reached:
                reached.add(name)
                left += self.refers[name]
        return [left for left in self.left_out if left.definition in reached]


class _Entry(msgspec.Struct, frozen=True):
    value: object
    spot: Spot


def read_definitions(entries: Entries, machine: Machine, environment: Mapping[str, str], reader: Reader) -> Defined:
    """Make the reader know definitions by name; the entries of one name are joined, but for those whose ``when`` is false.

    A name is built where its first entry stands, so that all its entries see only the names begun before it. One whose entries are all
    left out is there, and empty.
    """
    problems = reader.problems
    conditions = _Conditions(machine, environment, problems)
    kept: dict[str, list[_Entry]] = {}
    for value, place in entries:
        spot = Spot.read(place, "definitions")
        name, items = _named(value, spot, problems)
        if name is None or not isinstance(value, Mapping):
            continue
        reader.later.setdefault(name, spot)
        joined = kept.setdefault(name, [])
        if conditions.let(name, value, spot):
            joined.append(_Entry(items, spot.key(value, name)))
    return Defined(tuple(conditions.left_out), tuple(conditions.warnings), _build(kept, reader))


def _build(kept: Mapping[str, list[_Entry]], reader: Reader) -> dict[str, frozenset[str]]:
    """Build the definitions in their order; gives the names that each refers to."""
    refers: dict[str, frozenset[str]] = {}
    for name, entries in kept.items():
        reader.asked, reader.building = set(), name
        reader.definitions[name] = tuple(item for entry in entries for item in reader.items(entry.value, entry.spot))
        refers[name] = frozenset(reader.asked)
    reader.building = ""
    return refers


def _named(value: object, spot: Spot, problems: Problems) -> tuple[str | None, object]:
    """The one name of an entry, and what stands there."""
    keys = [str(key) for key in value if key != WHEN] if isinstance(value, Mapping) else []
    if not isinstance(value, Mapping) or len(keys) != 1:
        why = f"this one has {', '.join(keys)}" if keys else ""
        problems.add(InputError("a definition has one name, and may have `when`", why=why, hint="write - name: [spec, ...]"), spot)
        return None, None
    return read_key(keys[0])[0], value[keys[0]]


class _Conditions:
    """Judges the ``when`` of entries, and keeps what it left out."""

    def __init__(self, machine: Machine, environment: Mapping[str, str], problems: Problems) -> None:
        self.machine = machine
        self.environment = environment
        self.problems = problems
        self.left_out: list[LeftOut] = []
        self.warnings: list[str] = []

    def let(self, name: str, entry: Mapping[str, object], spot: Spot) -> bool:
        """May the entry count? Not when its condition does not hold, or cannot be evaluated."""
        if entry.get(WHEN) is None:
            return True
        from resolver.stacks.condition import HOSTNAME, asks_hostname, holds  # few stacks have conditions, and parsing them loads much

        text, place = str(entry[WHEN]), spot.key(entry, WHEN)
        try:
            held = holds(text, self.machine, self.environment)
        except InputError as error:
            self.problems.add(error, place)
            return False
        if asks_hostname(text) and HOSTNAME not in self.environment:
            self.warnings.append(f"{place}: the condition {text!r} asks for the host's name, which --env {HOSTNAME}=NAME gives")
        if not held:
            self.left_out.append(LeftOut(name, text, str(place)))
        return held
