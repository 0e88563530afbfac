"""Many keys in a query: lists of few different lengths, so that SQLite compiles few statements."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

IN_ONE_QUERY = 512
T = TypeVar("T")


def parts(keys: Sequence[T]) -> Iterator[list[T]]:
    """Keys in lists for one query each; the last key of a list is repeated where it is too short."""
    for start in range(0, len(keys), IN_ONE_QUERY):
        part = list(keys[start : start + IN_ONE_QUERY])
        yield part + part[-1:] * ((1 << (len(part) - 1).bit_length()) - len(part))


def marks(values: Collection[object]) -> str:
    """What stands for values between the brackets of ``IN``."""
    return ", ".join("?" * len(values))
