"""Checking the shape of configuration values: what is a list, a mapping or a text where one is expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resolver.errors import InputError


def mapping(value: object, where: str) -> Mapping[str, Any]:
    """The value as a mapping; an empty one for null. Raises ``InputError`` naming the place."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(value, "a mapping", where, "write key: value, one a line, indented")
    return value


def listed(value: object, where: str) -> list[Any]:
    """The value as a list; an empty one for null. Raises ``InputError`` naming the place."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong(value, "a list", where, "write one item a line, each after '- ', or [a, b]")
    return value


def texts(value: object, where: str) -> tuple[str, ...]:
    """The value as texts: a list of scalars, or one scalar alone. Raises ``InputError`` naming the place."""
    items = [] if value is None else value if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, (Mapping, list)) or item is None:
            raise _wrong(item, "a text", where, "quote a text that holds ': ' or begins with { or [")
    return tuple(map(str, items))


def _wrong(value: object, expected: str, where: str, hint: str) -> InputError:
    shown = str(value)[:60]
    return InputError(f"{shown!r} stands where {expected} is expected", where=where, hint=hint)
