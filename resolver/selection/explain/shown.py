"""How nodes, numbers and lists are written in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from resolver.spec.concrete import ConcreteSpec

LISTED = 3


def short(spec: ConcreteSpec) -> str:
    """Name, version and the first letters of the hash."""
    return f"{spec.name}@{spec.wire.version}/{spec.hash[:7]}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 record``, ``2 records``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def joined(words: Sequence[str], link: str = "and", most: int = LISTED) -> str:
    """``a, b and c``; of many the first, and how many more."""
    shown = [*words[:most], f"{len(words) - most} more"] if len(words) > most + 1 else list(words)
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {link} {shown[-1]}"
