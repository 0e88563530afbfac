"""What detection found of one fact."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Finding(msgspec.Struct, Generic[T], frozen=True):
    """A fact with ``how`` it was found; or None with ``why`` not."""

    value: T | None = None
    how: str = ""
    why: str = ""


def quoted(text: str) -> str:
    """The first line of a foreign text, fit to be shown: printable and at most 80 characters."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    shown = "".join(c for c in line if c.isprintable())
    return repr(shown if len(shown) <= 80 else f"{shown[:77]}...")
