"""Stack definitions: a ``spack.yaml`` document and a machine, to the groups of roots that it asks for there.

Sources: Spack ``environment/environment.py`` (``EnvironmentManifestFile``, ``_init_user_specs``), ``schema/env.py``, ``schema/spec_list.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from resolver.arch.machine import Machine
from resolver.errors import InputError
from resolver.formats.shapes import listed, mapping, texts
from resolver.spec.abstract import AbstractSpec
from resolver.stacks.merge import merged
from resolver.stacks.speclists import Definitions, Item, expand, read_items

DEFAULT_GROUP = "default"
GROUP_KEYS = frozenset({"group", "specs", "matrix", "exclude", "needs", "explicit", "override"})
Unify = Literal["true", "when_possible", "false"]


class Group(msgspec.Struct, frozen=True):
    """Roots that are resolved together, under one configuration.

    ``packages`` and ``concretizer`` are the sections after the group's override.
    """

    name: str
    roots: tuple[AbstractSpec, ...]
    unify: Unify
    needs: tuple[str, ...] = ()
    packages: Mapping[str, Any] = msgspec.field(default_factory=dict)
    concretizer: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Stack(msgspec.Struct, frozen=True):
    """A stack definition, expanded for a machine: its groups in the order in which Spack would resolve them.

    ``place`` is the file it was read from.
    """

    name: str
    groups: tuple[Group, ...]
    place: str = ""
    view: Any = None
    mirrors: Mapping[str, Any] = msgspec.field(default_factory=dict)

    @staticmethod
    def read(
        document: object,
        name: str,
        machine: Machine,
        environment: Mapping[str, str] | None = None,
        *,
        include: bool = True,
    ) -> Stack:
        """Expand a ``spack.yaml`` document for a machine. Raises ``InputError`` naming the place.

        ``environment`` are the variables that conditions may see. With ``include`` False, ``include`` sections are left out.
        """
        body = _body(document, name)
        if include and (body.get("include") or body.get("include:") or body.get("include_concrete")):
            msg = "the stack includes other files, which are not read"
            raise InputError(msg, where=name, hint="--no-include reads the stack without them")
        definitions = _definitions(body.get("definitions"), machine, environment or {}, name)
        raw = _raw_groups(body.get("specs"), name)
        return Stack(
            name,
            tuple(_group(key, raw[key], body, definitions, name) for key in _ordered(raw, name)),
            name,
            body.get("view"),
            _mapping(body, "mirrors", name),
        )


def _body(document: object, name: str) -> Mapping[str, Any]:
    body = document.get("spack", document.get("spack:")) if isinstance(document, Mapping) else None
    if isinstance(document, Mapping) and ("spack" in document or "spack:" in document) and body is None:
        return {}
    if not isinstance(body, Mapping):
        msg = "not a stack definition"
        raise InputError(msg, why="the top-level key `spack:` with a mapping below it is missing", where=name, hint="write spack:\n  specs: [...]")
    return body


def _mapping(body: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    return mapping(body.get(key, body.get(f"{key}:")), f"{name}: {key}")


def _definitions(value: object, machine: Machine, environment: Mapping[str, str], name: str) -> Definitions:
    """Definitions by name; entries of one name are joined, those whose ``when`` is false left out.

    A name is built at the place of its first entry, so all its entries see only the names begun before it.
    """
    entries: dict[str, list[tuple[int, object]]] = {}
    for place, entry in enumerate(listed(value, f"{name}: definitions")):
        where = f"{name}: definitions[{place}]"
        key, items = _definition(entry, where)
        kept = entries.setdefault(key, [])
        if not isinstance(entry, Mapping) or _applies(entry.get("when"), machine, environment, where):
            kept.append((place, items))
    found: dict[str, tuple[Item, ...]] = {}
    for key, kept in entries.items():
        found[key] = tuple(i for place, items in kept for i in read_items(items, found, f"{name}: definitions[{place}].{key}"))
    return found


def _definition(entry: object, where: str) -> tuple[str, object]:
    keys = [key for key in entry if key != "when"] if isinstance(entry, Mapping) else []
    if not isinstance(entry, Mapping) or len(keys) != 1:
        msg = "a definition has one name, and may have `when`"
        raise InputError(msg, where=where, hint="write - name: [spec, ...]")
    return str(keys[0]), entry[keys[0]]


def _applies(condition: object, machine: Machine, environment: Mapping[str, str], where: str) -> bool:
    if condition is None:
        return True
    from resolver.stacks.condition import (
        holds,  # few stacks have conditions, and parsing them loads much
    )

    try:
        return holds(str(condition), machine, environment)
    except InputError as error:
        raise error.at(where) from None


def _raw_groups(value: object, name: str) -> dict[str, dict[str, Any]]:
    """Items of ``specs`` sorted into groups; those without one are the default group's."""
    groups: dict[str, dict[str, Any]] = {DEFAULT_GROUP: {"specs": []}}
    for place, item in enumerate(listed(value, f"{name}: specs")):
        if not isinstance(item, Mapping) or not {"group", "specs"} & set(item):
            groups[DEFAULT_GROUP]["specs"].append(item)
            continue
        where = f"{name}: specs[{place}]"
        (key,) = texts(item.get("group", DEFAULT_GROUP), f"{where}.group") or (DEFAULT_GROUP,)
        _check_group(item, key, groups, where)
        specs = _group_items(item, f"{where}.specs")
        if key == DEFAULT_GROUP:
            groups[DEFAULT_GROUP]["specs"] += specs
        else:
            groups[key] = {**item, "specs": specs, "needs": _needs(item, where)}
    return groups


def _check_group(item: Mapping[str, Any], key: str, groups: Mapping[str, Any], where: str) -> None:
    if unknown := set(item) - GROUP_KEYS:
        msg = f"group {key!r} has the unknown key {min(map(str, unknown))!r}"
        raise InputError(msg, where=where, hint=f"known are {', '.join(sorted(GROUP_KEYS))}")
    if key != DEFAULT_GROUP and key in groups:
        msg = f"group {key!r} is given twice"
        raise InputError(msg, where=where, hint="join the two")


def _group_items(item: Mapping[str, Any], where: str) -> list[Any]:
    if "matrix" in item:
        return [{key: item[key] for key in ("matrix", "exclude") if key in item}]
    return listed(item.get("specs"), where)


def _needs(item: Mapping[str, Any], where: str) -> tuple[str, ...]:
    needs = listed(item.get("needs"), f"{where}.needs")
    return texts(needs, f"{where}.needs")


def _ordered(raw: Mapping[str, Mapping[str, Any]], name: str) -> list[str]:
    """Groups such that each stands after those it needs; the default group first."""
    order: list[str] = []
    left = list(raw)
    while left:
        ready = [key for key in left if all(need in order for need in raw[key].get("needs", ()))]
        if not ready:
            return _unordered(left, raw, name)
        order += ready
        left = [key for key in left if key not in ready]
    return order


def _unordered(left: list[str], raw: Mapping[str, Mapping[str, Any]], name: str) -> list[str]:
    for key in left:
        for need in raw[key].get("needs", ()):
            if need not in raw:
                msg = f"group {key!r} needs {need!r}, which there is not"
                raise InputError(msg, where=name, hint=f"groups are {', '.join(raw)}")
    msg = f"the groups {', '.join(left)} need each other"
    raise InputError(msg, where=name, hint="remove one `needs`")


def _group(key: str, raw: Mapping[str, Any], body: Mapping[str, Any], definitions: Definitions, name: str) -> Group:
    where = f"{name}: specs" if key == DEFAULT_GROUP else f"{name}: group {key}"
    items = read_items(raw["specs"], definitions, where)
    roots = [spec for spec in expand(items, where) if not spec.is_empty]
    override = _mapping(raw, "override", where)
    packages, concretizer = (
        merged(_mapping(override, section, where), _mapping(body, section, name)) for section in ("packages", "concretizer")
    )
    return Group(key, tuple(roots), _unify(concretizer, where), raw.get("needs", ()), packages, concretizer)


def _unify(concretizer: Mapping[str, Any], where: str) -> Unify:
    value = concretizer.get("unify", True)
    if value is True:
        return "true"
    if value is False:
        return "false"
    if value == "when_possible":
        return "when_possible"
    msg = f"`unify` is {value!r}"
    raise InputError(msg, where=where, hint="it is true, false or when_possible")
