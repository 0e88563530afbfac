"""YAML with the place of every key and item, duplicate keys refused and aliases bounded.

Scalars follow YAML 1.2 as in Spack (``util/spack_yaml.py``, ruamel): ``yes`` and ``on`` are texts.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from resolver.errors import FormatError

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

MOST_NODES = 3_000_000
ALIASED_NODES = 100_000
"""How many values aliases may add; what is written out has fewer values than characters."""
DEEPEST = 100
SHALLOW_CHARACTERS = 10_000
"""A text this short cannot be nested so deep that libyaml, which recurses without a bound, overflows the stack."""
NULL = frozenset({"", "~", "null", "Null", "NULL"})
BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?")
Place = tuple[int, int]


class YamlMap(dict[str, Any]):
    """A mapping that knows where its keys stand: ``places[key]`` is (line, column), counted from 1."""

    place: Place
    places: dict[str, Place]


class YamlList(list[Any]):
    """A sequence that knows where its items stand."""

    place: Place
    places: list[Place]


def load_yaml(text: str, where: str = "") -> Any:  # noqa: ANN401 - any YAML value
    """The document as ``YamlMap``, ``YamlList`` and scalars. Raises ``FormatError`` naming line and column."""
    try:
        if len(text) > SHALLOW_CHARACTERS:
            _check_depth(text, where)
        root = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        msg = f"not YAML: {error.problem or error}"
        raise FormatError(msg, where=_where(where, (mark.line + 1, mark.column + 1) if mark else None)) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        msg = "not YAML"
        raise FormatError(msg, why=" ".join(str(error).split()), where=where) from None
    return None if root is None else _Builder(where, min(MOST_NODES, len(text) + ALIASED_NODES)).build(root, 0)


def _check_depth(text: str, where: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            mark = event.start_mark
            raise _too_much(where, (mark.line + 1, mark.column + 1) if mark else None, MOST_NODES)


def _too_much(where: str, place: Place | None, most: int) -> FormatError:
    msg = f"more than {most} values or {DEEPEST} levels"
    return FormatError(msg, where=_where(where, place), hint="its aliases may multiply")


def _where(name: str, place: Place | None) -> str:
    return f"{name}:{place[0]}:{place[1]}" if place else name


class _Builder:
    """Turns composed nodes into values, counting them so that aliases cannot multiply without bound."""

    def __init__(self, where: str, most: int) -> None:
        self.where = where
        self.most = most
        self.count = 0

    def build(self, node: yaml.Node, depth: int) -> Any:  # noqa: ANN401 - any YAML value
        self.count += 1
        if self.count > self.most or depth > DEEPEST:
            raise _too_much(self.where, _place(node), self.most)
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return self.sequence(node, depth)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        msg = "a value of no known kind"
        raise FormatError(msg, where=_where(self.where, _place(node)))

    def sequence(self, node: yaml.SequenceNode, depth: int) -> YamlList:
        found = YamlList(self.build(item, depth + 1) for item in node.value)
        found.place = _place(node)
        found.places = [_place(item) for item in node.value]
        return found

    def mapping(self, node: yaml.MappingNode, depth: int) -> YamlMap:
        found = YamlMap()
        found.place = _place(node)
        found.places = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                self.merge(merged, value_node, depth)
                continue
            key = self.key(key_node)
            if key in found:
                msg = f"key {key!r} is given twice"
                raise FormatError(msg, where=_where(self.where, _place(key_node)), hint="join the two entries")
            found[key] = self.build(value_node, depth + 1)
            found.places[key] = _place(key_node)
        for key, value in merged.items():
            found.setdefault(key, value)
        return found

    def merge(self, merged: dict[str, Any], node: yaml.Node, depth: int) -> None:
        value = self.build(node, depth + 1)
        for source in value if isinstance(value, YamlList) else [value]:
            if not isinstance(source, YamlMap):
                msg = "'<<' merges mappings only"
                raise FormatError(msg, where=_where(self.where, _place(node)))
            for key, item in source.items():
                merged.setdefault(key, item)

    def key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            msg = "a key must be a text"
            raise FormatError(msg, where=_where(self.where, _place(node)), hint="quote text that begins with { or [")
        return str(node.value)


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _scalar(node: yaml.ScalarNode) -> str | bool | int | float | None:
    text = str(node.value)
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in NULL:
        return None
    if text in BOOLEAN:
        return BOOLEAN[text]
    if INTEGER.fullmatch(text):
        return int(text)
    return float(text) if FLOAT.fullmatch(text) else text
