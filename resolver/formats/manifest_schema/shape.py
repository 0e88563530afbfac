"""The vocabulary in which shapes of configuration are written down.

Shapes are data; ``checker`` knows what they mean.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Shape(msgspec.Struct, frozen=True):
    """What may stand at a place: one of the kinds below."""


class Leaf(Shape, frozen=True):
    """A scalar of one of these types.

    ``choices`` are the only texts, if there are any; ``least`` is the least whole number; a ``spec`` can be read as one, which
    is not the schema's to refuse in Spack.
    """

    kinds: tuple[type, ...]
    what: str
    choices: tuple[str, ...] = ()
    least: int | None = None
    spec: bool = False

    @property
    def simple(self) -> bool:
        """Whether the type alone decides."""
        return not self.choices and self.least is None and not self.spec


class Anything(Shape, frozen=True):
    """Whatever there is."""

    what: str = "anything"


class Section(Shape, frozen=True):
    """What the section of this name may hold, a mapping if not told otherwise; looked up when it is met."""

    name: str
    what: str = "a mapping"


class ListOf(Shape, frozen=True):
    """A list whose items all have one shape. ``hint`` tells what to write where something else stands."""

    item: Shape
    hint: str = ""
    what: str = "a list"


class Former(msgspec.Struct, frozen=True):
    """A key that Spack once knew, deprecates, knows elsewhere, or knows only now: what it is, and what to write.

    ``now`` has hints for single values. What is told ``once`` is told of the first such key of a document alone.
    """

    text: str
    hint: str
    now: Mapping[str, str] = {}
    once: bool = False


class MapOf(Shape, frozen=True):
    """A mapping.

    ``keys`` are those that are known. Other keys have the shape ``others``; if there is none they are errors, or, in an ``open`` mapping,
    warnings. ``needed`` must be there, and one of ``needed_any``; with ``one_other``, exactly one key that is not known.
    ``former`` has words for keys of the past, ``noted`` for known keys that are on their way out or not known to every Spack, ``mistaken``
    for keys that are sound by themselves, but are something of the past if what is below them does not fit.
    """

    keys: Mapping[str, Shape] = {}
    others: Shape | None = None
    open: bool = False
    needed: tuple[str, ...] = ()
    needed_any: tuple[str, ...] = ()
    former: Mapping[str, Former] = {}
    noted: Mapping[str, Former] = {}
    mistaken: Mapping[str, Former] = {}
    one_other: bool = False
    hint: str = ""
    what: str = "a mapping"


class OneOf(Shape, frozen=True):
    """One of several shapes, told apart by the kind of the value: scalar, list or mapping."""

    shapes: tuple[Shape, ...]
    hint: str = ""


class ByKey(Shape, frozen=True):
    """One of several mappings: the first whose key is there, else ``default``."""

    shapes: Mapping[str, MapOf]
    default: MapOf
    what: str = "a mapping"


TEXT = Leaf((str,), "a text")
BOOLEAN = Leaf((bool,), "true or false")
NOTHING = Leaf((type(None),), "null")
TEXT_OR_NOTHING = Leaf((str, type(None)), "a text or null")
TEXT_OR_NUMBER = Leaf((str, int, float), "a text or a number")
ANYTHING = Anything()
TEXTS = ListOf(TEXT)
SPEC = Leaf((str,), "a text", spec=True)
SPECS = ListOf(SPEC)
NAMED_TEXTS = MapOf(others=TEXT)


def whole(least: int = 0) -> Leaf:
    """A whole number that is at least this."""
    return Leaf((int,), f"a whole number of at least {least}", least=least)


def choice(*choices: str) -> Leaf:
    """One of these texts."""
    what = f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
    return Leaf((str,), what, choices)
