"""Where the roots of a stack came from, and why others are not there: for ``expand --explain``."""

from __future__ import annotations

import msgspec

from resolver.stacks.expansion import Made
from resolver.stacks.speclists import Text
from resolver.stacks.stack import Group


class Step(msgspec.Struct, frozen=True):
    """A reference on the way to an item: as written (``$^mpis``), the definition that it names, and where it stands."""

    reference: str
    definition: str
    where: str


class Origin(msgspec.Struct, frozen=True):
    """Where a root, or a part of one, is written.

    ``text`` is what is written, or for a matrix what came out of it; ``where`` is ``file:line:column``; ``through`` are the references
    that lead there from the list of specs, the outermost first; ``rows`` are what each row of a matrix gave.
    """

    text: str
    where: str
    through: tuple[Step, ...] = ()
    rows: tuple[Origin, ...] = ()


class Exclusion(msgspec.Struct, frozen=True):
    """A combination that the matrix at ``matrix`` leaves out, for the entry ``by`` of its ``exclude`` at ``where``."""

    spec: str
    matrix: str
    by: str
    where: str


class Nothing(msgspec.Struct, frozen=True):
    """The matrix at ``matrix`` asks for nothing, since its row of this number, counted from 1, is empty."""

    matrix: str
    row: int


def origins(group: Group) -> tuple[Origin, ...]:
    """The origin of each root of a group, in their order; of roots that no list was expanded to (labels), none."""
    return tuple(map(_origin, group.made))


def exclusions(group: Group) -> tuple[Exclusion, ...]:
    """What the matrices of a group leave out, in the order of their combinations."""
    return tuple(Exclusion(str(e.made.spec), str(e.made.item.spot), e.by.text, str(e.by.spot)) for e in group.excluded)


def emptied(group: Group) -> tuple[Nothing, ...]:
    """The matrices of a group that ask for nothing."""
    return tuple(Nothing(str(each.matrix.spot), each.row) for each in group.emptied)


def _origin(made: Made) -> Origin:
    item = made.item
    text = item.text if isinstance(item, Text) else str(made.spec)
    through = tuple(Step(use.text, use.name, str(use.spot)) for use in item.uses)
    return Origin(text, str(item.spot), through, tuple(map(_origin, made.parts)))
