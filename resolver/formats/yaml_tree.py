"""YAML with the place of every key and item, duplicate keys refused and aliases bounded.

libyaml reads a text fast. What it refuses, or is known to read otherwise than Spack, is read by ruamel.yaml, which Spack uses
(``util/spack_yaml.py``): it accepts ``[gcc@12:]``, and its words and places are those of the errors. Scalars follow YAML 1.2 with
ruamel's notations: ``yes`` and ``on`` are texts, ``010`` is ten, ``0o17`` and ``1e3`` are numbers, ``2024-01-31`` is a time.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from resolver.errors import FormatError
from resolver.formats.yaml_scalar import scalar

try:
    from yaml._yaml import CParser

    LIBYAML = True
except ImportError:  # PyYAML without libyaml: ruamel.yaml reads everything
    CParser, LIBYAML = object, False  # type: ignore[misc, assignment]

MOST_NODES = 3_000_000
ALIASED_NODES = 100_000
"""How many values aliases may add; what is written out has fewer values than characters."""
DEEPEST = 100
STACKED = 5_000
"""Levels that libyaml, which recurses without a bound of its own, may meet before the stack could overflow."""
MOST_CHARACTERS = 5_000_000
"""A text of the densest kind and this length takes seconds and 500 MB; the longest stack in the field has 77,000."""
MOST_FOR_RUAMEL = 100_000
"""Characters that ruamel.yaml is given: it reads about 50,000 a second at worst."""
MOST_TWICE = 20
"""How many keys given twice one error names."""
TEXT_TAG = "tag:yaml.org,2002:str"
MERGE_TAGS = frozenset({"", "tag:yaml.org,2002:merge"})
UNLIKE_RUAMEL = re.compile(r"[:\-?,\[{]\ *\t|\t\ *\#|^%|^---.*\n%", re.MULTILINE)
"""Tabs between tokens, which libyaml skips and ruamel refuses, and directives, which choose another version of YAML."""
BRACKETS = re.compile(r"[][{}]")
Place = tuple[int, int]


class YamlMap(dict[str, Any]):
    """A mapping that knows where its keys stand: ``places[key]`` is (line, column), counted from 1."""

    place: Place
    places: dict[str, Place]


class YamlList(list[Any]):
    """A sequence that knows where its items stand."""

    place: Place
    places: list[Place]


def load_yaml(text: str, where: str = "", *, cut: list[str] | None = None) -> Any:  # noqa: ANN401 - any YAML value
    """The document as ``YamlMap``, ``YamlList`` and scalars. Raises ``FormatError`` naming line and column, or all keys given twice.

    ``cut`` is given for a file of Spack's configuration, where texts that end in a colon and hold no ``@`` lose that colon, values too
    (``util/spack_yaml.py:construct_yaml_str``): a sentence on each value that did is put there.
    """
    if len(text) > MOST_CHARACTERS:
        msg = f"longer than {MOST_CHARACTERS} characters"
        raise FormatError(msg, where=where, hint="is this the file that you mean?")
    root = _compose(text, where)
    if root is None:
        return None
    builder = _Builder(where, min(MOST_NODES, len(text) + ALIASED_NODES), cut)
    tree = builder.build(root, 0)
    builder.refuse_twice()
    return tree


def _compose(text: str, where: str) -> Any:  # noqa: ANN401 - a node of either library
    """The root node of the document, by libyaml if it will do, else by ruamel.yaml."""
    if not LIBYAML or (UNLIKE_RUAMEL.search(text) and len(text) <= MOST_FOR_RUAMEL):
        return _compose_slowly(text, where, None)
    try:
        if text.count("[") + text.count("{") + 2 * max(map(len, text.split("\n"))) > STACKED:
            _check_depth(text, where)
        return _Reader(text).get_single_node()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return _compose_slowly(text, where, error)


def _compose_slowly(text: str, where: str, refusal: Exception | None) -> Any:  # noqa: ANN401 - a node
    """The root node by ruamel.yaml, unless the text is too long or too deep for it. Raises ``FormatError``."""
    _check_brackets(text, where)
    if len(text) > MOST_FOR_RUAMEL:
        raise _refused(text, where, refusal or ValueError(f"longer than {MOST_FOR_RUAMEL} characters, and libyaml is missing"))
    from ruamel.yaml import YAML  # takes 30 ms to load, and is rarely needed
    from ruamel.yaml.error import YAMLError

    reader = YAML(typ="rt", pure=True)
    reader.composer.warn_double_anchors = False  # the later one counts, as in Spack
    try:
        return reader.compose(text)
    except (YAMLError, ValueError, RecursionError, LookupError, AttributeError, TypeError, AssertionError) as error:
        raise _refused(text, where, error) from None


def _refused(text: str, where: str, error: Exception) -> FormatError:
    """What the library says, with the place that it names."""
    from resolver.formats.yaml_words import hint_for, place_of, words_of

    place = place_of(error, text)
    return FormatError(f"not YAML: {words_of(error)}", where=_where(where, place), hint=hint_for(text, place, error))


def _check_brackets(text: str, where: str) -> None:
    """Refuse what nests brackets too deep: ruamel's time grows with the square of the depth."""
    depth = 0
    for match in BRACKETS.finditer(text):
        depth = depth + 1 if match[0] in "[{" else max(0, depth - 1)
        if depth > DEEPEST:
            line = text.count("\n", 0, match.start()) + 1
            raise _too_deep(where, (line, match.start() - text.rfind("\n", 0, match.start())))


def _check_depth(text: str, where: str) -> None:
    depth = 0
    reader = _Reader(text)
    while event := reader.get_event():
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            mark = event.start_mark
            raise _too_deep(where, (mark.line + 1, mark.column + 1) if mark else None)


def _too_deep(where: str, place: Place | None) -> FormatError:
    msg = f"values are nested more than {DEEPEST} deep"
    return FormatError(msg, where=_where(where, place), hint="no configuration is as deep: is a bracket left open?")


def _where(name: str, place: Place | None) -> str:
    return f"{name}:{place[0]}:{place[1]}" if place else name


class _Reader(CParser):
    """libyaml's composer, leaving it to us what a scalar is: an empty tag is one that the text does not name."""

    def resolve(self, _kind: object, _value: object, implicit: object) -> str:
        return TEXT_TAG if implicit == (False, True) else ""

    def descend_resolver(self, parent: object, index: object) -> None:
        """libyaml asks for it at every node."""

    def ascend_resolver(self) -> None:
        """libyaml asks for it at every node."""


class _Builder:
    """Turns composed nodes into values, counting them so that aliases cannot multiply without bound."""

    def __init__(self, where: str, most: int, cut: list[str] | None) -> None:
        self.where = where
        self.most = most
        self.cut = cut
        self.count = 0
        self.twice: list[tuple[Place, str, Place]] = []
        """Keys given twice: where, which, and where they are given first."""

    def build(self, node: Any, depth: int) -> Any:  # noqa: ANN401 - a node of either library; any YAML value
        self.count += 1
        if self.count > self.most:
            msg = f"more than {self.most} values"
            raise FormatError(msg, where=_where(self.where, _place(node)), hint="its aliases may multiply")
        if depth > DEEPEST:
            raise _too_deep(self.where, _place(node))
        value = node.value
        if isinstance(value, str):
            found = value if node.tag == TEXT_TAG else scalar(value, node.style, node.tag)
            return self.without_colon(found, node) if self.cut is not None and value[-1:] == ":" else found
        return self.mapping(node, depth) if node.id == "mapping" else self.sequence(node, depth)

    def without_colon(self, value: Any, node: Any) -> Any:  # noqa: ANN401 - any scalar; a node of either library
        """A scalar of Spack's configuration that ends in a colon, as Spack reads it."""
        if not isinstance(value, str) or plain_key(value) == value:
            return value
        if self.cut is not None:
            end = "a colon at the end of a text without @ is cut off; write the end of the range, or put something behind it"
            self.cut.append(f"{_where(self.where, _place(node))}: Spack reads {value!r} as {plain_key(value)!r}: {end}")
        return plain_key(value)

    def sequence(self, node: Any, depth: int) -> YamlList:  # noqa: ANN401 - a node of either library
        found = YamlList([self.build(item, depth + 1) for item in node.value])
        found.place = _place(node)
        found.places = [_place(item) for item in node.value]
        return found

    def mapping(self, node: Any, depth: int) -> YamlMap:  # noqa: ANN401 - a node of either library
        found = YamlMap()
        found.place = _place(node)
        found.places = {}
        seen: dict[str, Place] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                raise self.no_text(key_node)
            if key == "<<" and key_node.tag in MERGE_TAGS:
                self.merge(merged, value_node, depth)
                continue
            place = _place(key_node)
            first = seen.setdefault(plain_key(key), place)
            if first is not place:
                self.twice.append((place, key, first))
                continue
            found[key] = self.build(value_node, depth + 1)
            found.places[key] = place
        for key, value in merged.items():
            found.setdefault(key, value)
        return found

    def merge(self, merged: dict[str, Any], node: Any, depth: int) -> None:  # noqa: ANN401 - a node of either library
        value = self.build(node, depth + 1)
        for source in value if isinstance(value, YamlList) else [value]:
            if not isinstance(source, YamlMap):
                msg = "'<<' merges mappings only"
                raise FormatError(msg, where=_where(self.where, _place(node)))
            for key, item in source.items():
                merged.setdefault(key, item)

    def no_text(self, node: Any) -> FormatError:  # noqa: ANN401 - a node of either library
        from resolver.formats.yaml_words import KEY_HINT

        return FormatError("a key must be a text", where=_where(self.where, _place(node)), hint=KEY_HINT)

    def refuse_twice(self) -> None:
        """Raise one ``FormatError`` for all keys that a mapping has twice; ``key`` and ``key::`` are one key, as in Spack."""
        if not self.twice:
            return
        place, key, first = self.twice[0]
        why = f"the first stands in line {first[0]}"
        for other, name, before in self.twice[1:MOST_TWICE]:
            why += f"; so are {name!r} in line {other[0]} and line {before[0]}"
        if len(self.twice) > MOST_TWICE:
            why += f"; and {len(self.twice) - MOST_TWICE} more"
        raise FormatError(f"key {key!r} is given twice", why=why, where=_where(self.where, place), hint="join the two entries")


def plain_key(key: str) -> str:
    """A key without the mark of ``key::``, which replaces instead of merging (``util/spack_yaml.py``: a text with ``@`` has none)."""
    return key[:-1] if key[-1:] == ":" and "@" not in key else key


def _place(node: Any) -> Place:  # noqa: ANN401 - a node of either library
    mark = node.start_mark
    return mark.line + 1, mark.column + 1
