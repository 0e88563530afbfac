"""Merging configuration of two scopes, the higher one winning.

Source: Spack ``schema/__init__.py:merge_yaml``; ``util/spack_yaml.py`` (a key that ends in ``:``, unless it holds ``@``);
``config.py:_process_dict_keyname_overrides`` (``+:`` and ``-:``, which hold in scopes in memory only).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Literal

Way = Literal["merge", "replace", "prepend", "append"]
SUFFIXES: Mapping[str, Way] = {"+": "prepend", "-": "append"}


def merged(high: Any, low: Any, *, in_memory: bool = False) -> Any:  # noqa: ANN401 - any YAML value
    """Mappings are united, lists of the higher come first, all else is replaced; ``key::`` replaces without merging.

    ``low`` is taken as it stands: it is what was merged before, or ``settled``. With ``in_memory`` the higher is no file: there
    ``key+:`` puts before what is lower, texts too, and ``key-:`` after it.
    """
    return _merged(high, low, "merge", in_memory=in_memory)


def _merged(high: Any, low: Any, way: Way, *, in_memory: bool) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(high, Mapping) and isinstance(low, Mapping):
        return _mappings(high, low, in_memory=in_memory)
    if isinstance(high, list) and isinstance(low, list):
        return _lists(settled(high), low, way)
    if isinstance(high, str) and isinstance(low, str) and way in ("prepend", "append"):
        return high + low if way == "prepend" else low + high
    return settled(high, in_memory=in_memory)


def _mappings(high: Mapping[str, Any], low: Mapping[str, Any], *, in_memory: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for written, value in high.items():
        key, way = read_key(written, in_memory=in_memory)
        joins = key in low and way != "replace"
        found[key] = _merged(value, low[key], way, in_memory=in_memory) if joins else settled(value, in_memory=in_memory)
    return {**found, **{key: value for key, value in low.items() if key not in found}}


def _lists(high: list[Any], low: list[Any], way: Way) -> list[Any]:
    """The items of the higher, and those of the lower that are not equal to one of them."""
    have = {identity(item) for item in high}
    kept = [item for item in low if identity(item) not in have]
    return [*kept, *high] if way == "append" else [*high, *kept]


def identity(value: Any) -> Hashable:  # noqa: ANN401 - any YAML value
    """Something that is equal for equal values, so that long lists need not be compared item by item."""
    if isinstance(value, Mapping):
        return "mapping", frozenset((key, identity(item)) for key, item in value.items())
    if isinstance(value, list):
        return "list", tuple(map(identity, value))
    return "scalar", value


def read_key(text: str, *, in_memory: bool = False) -> tuple[str, Way]:
    """A key as it is meant, and how its value meets what is lower."""
    if text.endswith(":") and "@" not in text:
        return text[:-1], "replace"
    if in_memory and text[-1:] in SUFFIXES:
        return text[:-1], SUFFIXES[text[-1]]
    return text, "merge"


def settled(value: Any, *, in_memory: bool = False) -> Any:  # noqa: ANN401 - any YAML value
    """The value with its keys as they are meant; the very same value where no key carries a mark.

    As in Spack, marks for scopes in memory are not looked for inside lists.
    """
    if isinstance(value, Mapping):
        found = {read_key(key, in_memory=in_memory)[0]: settled(item, in_memory=in_memory) for key, item in value.items()}
        same = len(found) == len(value) and all(key in value and value[key] is item for key, item in found.items())
        return value if same else found
    if isinstance(value, list):
        items = [settled(item) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value
