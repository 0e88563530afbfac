"""Values that recipes are made of, and what may be done with them.

Only what can do no harm is known: constants, collections, names that were set before, texts put together, a few functions and methods.
All else is ``UNKNOWN``. Every result is bounded, since a recipe may come from anywhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import msgspec

MOST_ITEMS = 20_000
MOST_TEXT = 100_000
MOST_NUMBER = 1 << 40
Scope = MutableMapping[str, Any]


class _Unknown:
    """What could not be found out."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()


class CannotTellError(Exception):
    """An expression whose value is not known here."""


class TooMuchError(Exception):
    """A recipe that takes more steps than any real one."""


class Choices(msgspec.Struct, frozen=True):
    """Values of a variant that exclude each other in sets (Spack ``variant.py:DisjointSetsOfValues``)."""

    values: tuple[str, ...]
    default: str | None = None


class Conditional(msgspec.Struct, frozen=True):
    """Values that are possible only where a condition holds (Spack ``variant.py:conditional``)."""

    values: tuple[str, ...]


class Attributes(msgspec.Struct, frozen=True):
    """Something of which only attributes are asked, as a class whose body was read."""

    found: Mapping[str, Any]


class Text(msgspec.Struct, frozen=True):
    """A ``Version("...")`` or the like: a text that is only ever passed on."""

    text: str


PLAIN = (str, int, bool, type(None))
SLOTS = re.compile(r"%(.?)", re.DOTALL)
FIELDS = re.compile(r"\{([^{}]*)\}")


def choices(single: str, values: tuple[str, ...]) -> Choices:
    """Values of which one excludes all others."""
    return Choices((single, *(v for v in values if v != single)), single)


def chosen(owner: Choices, method: str, arguments: list[Any]) -> Choices:
    """A method of Spack's sets of values; those that only bear on building change nothing here."""
    if method == "with_default":
        return Choices(owner.values, shown(arguments[0]))
    if method == "prohibit_empty_set":
        return Choices(tuple(v for v in owner.values if v != "none"), None if owner.default == "none" else owner.default)
    if method in ("allow_empty_set", "with_error", "with_non_feature_values"):
        return owner
    raise CannotTellError


def collected(name: str, items: list[Any], arguments: list[Any]) -> Any:  # noqa: ANN401
    """What ``list(...)`` and the like make of items."""
    if name == "dict":
        return dict(arguments[0] if arguments else {})
    if name in ("set", "frozenset"):
        return list(dict.fromkeys(items))
    if name == "sorted":
        return sorted(items)
    if name == "reversed":
        return items[::-1]
    return tuple(items) if name == "tuple" else items


def text_method(owner: str, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:  # noqa: ANN401
    """A method of a text. Raises ``CannotTellError`` when the result could be too long."""
    if name == "format":
        return _formatted(owner, arguments, named)
    if name == "join":
        return joined(owner, [item for item in iterated(arguments[0]) if isinstance(item, str) or _fail()])
    if name == "replace" and owner.count(str(arguments[0])) * len(str(arguments[1])) > MOST_TEXT:
        raise CannotTellError
    return getattr(owner, name)(*arguments)


def _fail() -> bool:
    raise CannotTellError


def joined(between: str, parts: list[str]) -> str:
    """Texts put together. Raises ``CannotTellError`` when the result is too long."""
    if sum(map(len, parts)) + len(between) * len(parts) > MOST_TEXT:
        raise CannotTellError
    return between.join(parts)


def filled(text: str, values: tuple[Any, ...]) -> str:
    """``text % values`` for plain ``%s`` and ``%d``: widths could make texts of any length."""
    kinds = SLOTS.findall(text.replace("%%", ""))
    if any(kind not in ("s", "d") for kind in kinds) or len(kinds) != len(values):
        raise CannotTellError
    left = list(map(shown, values))
    return SLOTS.sub(lambda found: "%" if found[1] == "%" else left.pop(0), text)


def _formatted(text: str, arguments: list[Any], named: dict[str, Any]) -> str:
    """``text.format(...)`` for plain fields: widths could make texts of any length, and attributes reach anything."""
    numbers = iter(range(MOST_ITEMS))

    def field(found: re.Match[str]) -> str:
        key = found[1]
        if key in named:
            return shown(named[key])
        if key and not (key.isascii() and key.isdigit() and len(key) < 4):
            raise CannotTellError
        return shown(arguments[int(key) if key else next(numbers)])

    if "{{" in text or "}}" in text:
        raise CannotTellError
    return joined("", [FIELDS.sub(field, text)])


def shown(value: Any) -> str:  # noqa: ANN401
    """A plain value as a text. Raises ``CannotTellError`` for any other."""
    if isinstance(value, Text):
        return value.text
    if not isinstance(value, (*PLAIN, float)):
        raise CannotTellError
    return str(value)


def texts(values: Any) -> list[str]:  # noqa: ANN401
    """The values of a variant as texts, in order, whichever way they are written. Raises ``CannotTellError``."""
    if isinstance(values, (Choices, Conditional)):
        return list(values.values)
    if isinstance(values, (list, tuple)):
        found = [text for value in values for text in texts(value)]
        bounded(found)
        return found
    return [shown(values)]


def assign(target: ast.expr, value: Any, scope: Scope) -> None:  # noqa: ANN401
    """Bind names to a value, taken apart where the target is a tuple. Raises ``CannotTellError``."""
    if isinstance(target, ast.Name):
        scope[target.id] = value
    elif isinstance(target, (ast.Tuple, ast.List)):
        items = iterated(value)
        if len(items) != len(target.elts):
            raise CannotTellError
        for part, item in zip(target.elts, items, strict=True):
            assign(part, item, scope)
    else:
        raise CannotTellError


def iterated(value: Any) -> list[Any]:  # noqa: ANN401
    """What a loop over a value goes through. Raises ``CannotTellError``."""
    if isinstance(value, (list, tuple, dict, str)):
        return list(value)
    raise CannotTellError


def some(numbers: range) -> list[int]:
    """A range as a list. Raises ``CannotTellError`` for a long one."""
    if len(numbers) > MOST_ITEMS:
        raise CannotTellError
    return list(numbers)


def bounded(value: Any) -> Any:  # noqa: ANN401
    """The value itself. Raises ``CannotTellError`` when it is too long or too great."""
    if isinstance(value, (list, tuple, dict)) and len(value) > MOST_ITEMS:
        raise CannotTellError
    if isinstance(value, str) and len(value) > MOST_TEXT:
        raise CannotTellError
    if isinstance(value, int) and abs(value) > MOST_NUMBER:
        raise CannotTellError
    return value


def weight(value: Any) -> int:  # noqa: ANN401
    """How many values a collection holds, those inside its own included. Raises ``CannotTellError`` for one that holds too many.

    What is put together of parts that were weighed is weighed in as many steps, since each of them was within the bound.
    """
    if not isinstance(value, (list, tuple, dict)):
        return 1
    total = 1
    for item in value.values() if isinstance(value, dict) else value:
        total += weight(item)
        if total > MOST_ITEMS:
            raise CannotTellError
    return total
