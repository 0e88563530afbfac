"""The ``specs`` of a stack sorted into groups, and the groups into the order in which they are resolved.

Source: Spack ``environment/environment.py`` (``EnvironmentManifestFile._init_user_specs``), ``schema/env.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from resolver.errors import InputError, did_you_mean
from resolver.formats.shapes import listed, mapping, texts
from resolver.stacks.definitions import Entries
from resolver.stacks.places import Problems, Spot
from resolver.stacks.speclists import MATRIX_KEYS

DEFAULT_GROUP = "default"
GROUP_KEYS = ("group", "specs", "matrix", "exclude", "needs", "explicit", "override")
OF_OTHERS = ("needs", "explicit", "override")
"""What Spack ignores on the default group, which is there before all others."""


class Written(msgspec.Struct):
    """A group as it is written: its items with their places, not yet expanded."""

    name: str
    spot: Spot
    items: list[tuple[object, Spot]] = msgspec.field(default_factory=list)
    needs: tuple[str, ...] = ()
    explicit: bool = True
    override: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Groups:
    """Sorts items of ``specs``. The default group is there always; items without a group are its."""

    def __init__(self, name: str, problems: Problems) -> None:
        self.problems = problems
        self.groups = {DEFAULT_GROUP: Written(DEFAULT_GROUP, Spot(name, path="specs"))}
        self.warnings: list[str] = []

    def read(self, entries: Entries) -> None:
        """Take the items of ``specs``. What is wrong goes to ``problems``."""
        for value, place in entries:
            spot = Spot.read(place, "specs")
            if not isinstance(value, Mapping) or not {"group", "specs"} & set(value):
                self.groups[DEFAULT_GROUP].items.append((value, spot))
                continue
            try:
                self.take(value, spot)
            except InputError as error:
                self.problems.add(error)

    def take(self, value: Mapping[str, Any], spot: Spot) -> None:
        """Take one item that is a group, or a part of the default one."""
        name = self.named(value, spot)
        self.check_keys(name, value, spot)
        items = _items(value, spot)
        if name == DEFAULT_GROUP:
            self.groups[name].items += items
            if ignored := [key for key in OF_OTHERS if key in value]:
                self.warnings.append(f"{spot}: {', '.join(ignored)} of the default group is ignored, as in Spack; give the group a name")
            return
        if name in self.groups:
            other = self.groups[name].spot
            raise InputError(f"group {name!r} is given twice", why=f"the other is at {other}", where=str(spot), hint="join the two")
        needs = texts(listed(value.get("needs"), str(spot.key(value, "needs"))), str(spot.key(value, "needs")))
        override = mapping(value.get("override"), str(spot.key(value, "override")))
        self.groups[name] = Written(name, spot, items, needs, _explicit(value, spot), override)

    def named(self, value: Mapping[str, Any], spot: Spot) -> str:
        """The name of a group. Raises ``InputError`` when it is none."""
        name = value.get("group", DEFAULT_GROUP)
        if not isinstance(name, (str, int)) or isinstance(name, bool) or not str(name).strip():
            msg = f"{name!r} is no name of a group"
            raise InputError(msg, where=str(spot.key(value, "group")), hint="write group: name")
        return str(name)

    def check_keys(self, name: str, value: Mapping[str, Any], spot: Spot) -> None:
        """Keep as problems the keys that a group has not, and two that exclude each other."""
        for key in value:
            if key not in GROUP_KEYS:
                hint = f"{did_you_mean(str(key), GROUP_KEYS)}known are {', '.join(GROUP_KEYS)}"
                self.problems.add(InputError(f"group {name!r} has the unknown key {str(key)!r}", hint=hint), spot.key(value, key))
        if "matrix" in value and "specs" in value:
            hint = "put the matrix among the specs, as an item - matrix: [...]"
            self.problems.add(InputError(f"group {name!r} has both specs and a matrix", hint=hint), spot.key(value, "specs"))

    def ordered(self) -> list[Written]:
        """Groups such that each stands after those it needs, else as they are written; the default group first."""
        order: dict[str, Written] = {}
        left = dict(self.groups)
        while left:
            ready = [name for name, group in left.items() if all(need in order for need in group.needs)]
            if not ready:
                self.unordered(left)
                ready = list(left)
            for name in ready:
                order[name] = left.pop(name)
        return list(order.values())

    def unordered(self, left: Mapping[str, Written]) -> None:
        """Say why the groups that are left cannot be put in order."""
        missing = [(group, need) for group in left.values() for need in group.needs if need not in self.groups]
        for group, need in missing:
            hint = f"{did_you_mean(need, self.groups)}groups are {', '.join(self.groups)}"
            self.problems.add(InputError(f"group {group.name!r} needs {need!r}, which there is not", hint=hint), group.spot)
        if missing:
            return
        circle = _circle(left)
        msg = f"the groups {', '.join(circle)} need each other"
        self.problems.add(InputError(msg, hint="remove one `needs`"), left[circle[0]].spot)


def _circle(left: Mapping[str, Written]) -> list[str]:
    """Groups of which each needs the next, and the last the first; every group that is left needs one that is left."""
    path = [next(iter(left))]
    while True:
        following = next(need for need in left[path[-1]].needs if need in left)
        if following in path:
            return path[path.index(following) :]
        path.append(following)


def _items(value: Mapping[str, Any], spot: Spot) -> list[tuple[object, Spot]]:
    """The items of a group: those of its list, or its one matrix."""
    if "matrix" in value:
        return [(_Short({key: value[key] for key in MATRIX_KEYS if key in value}, value), spot)]
    place = spot.key(value, "specs")
    items = listed(value.get("specs"), str(place))
    return [(item, place.item(items, index)) for index, item in enumerate(items)]


class _Short(dict[str, Any]):
    """The matrix of a group in its short form, which knows where its keys stand."""

    def __init__(self, keys: Mapping[str, Any], written: Mapping[str, Any]) -> None:
        super().__init__(keys)
        self.places = getattr(written, "places", {})


def _explicit(value: Mapping[str, Any], spot: Spot) -> bool:
    explicit = value.get("explicit", True)
    if not isinstance(explicit, bool):
        msg = f"`explicit` is {explicit!r}"
        raise InputError(msg, where=str(spot.key(value, "explicit")), hint="it is true or false")
    return explicit
