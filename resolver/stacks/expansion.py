"""From items of spec lists to the specs that they ask for, with what each was made of and what was excluded.

Source: Spack ``spec_list.py`` (``_expand_matrix_constraints``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

import msgspec
from msgspec.structs import replace

from resolver.errors import InputError, SpecError
from resolver.spec.abstract import AbstractSpec, Toolchains
from resolver.stacks.places import Problems
from resolver.stacks.speclists import MOST_SPECS, Item, Matrix, Text

MOST_STEPS = 1_000_000
A_MATRIX = 20
"""All combinations of a group together, those of matrices within others included; a matrix counts for some, though it be empty."""


class Made(msgspec.Struct, frozen=True):
    """A spec and what it was made of: the item that was written and, for a matrix, what each of its rows gave."""

    spec: AbstractSpec
    item: Item
    parts: tuple[Made, ...] = ()


class Excluded(msgspec.Struct, frozen=True):
    """A combination of a matrix that is left out, and the entry of its ``exclude`` that says so."""

    made: Made
    by: Text


class Emptied(msgspec.Struct, frozen=True):
    """A matrix that asks for nothing, since a row of it is empty; ``row`` is counted from 1."""

    matrix: Matrix
    row: int


class Expander:
    """Expands items, every part parsed once. What is wrong goes to ``problems``, and what is wrong is left out.

    ``excluded`` grows with what exclusions left out, ``emptied`` with the matrices that ask for nothing.
    """

    def __init__(self, problems: Problems, toolchains: Toolchains | None = None) -> None:
        self.problems = problems
        self.toolchains = toolchains
        self.parsed: dict[str, AbstractSpec] = {}
        self.excluded: list[Excluded] = []
        self.emptied: list[Emptied] = []
        self.left = MOST_STEPS

    def roots(self, items: Iterable[Item]) -> list[Made]:
        """What items ask for, in Spack's order. Raises ``InputError`` when it is too much."""
        found: list[Made] = []
        for item in items:
            found += self.expanded(item)
            if len(found) > MOST_SPECS:
                msg = f"more than {MOST_SPECS} specs"
                raise InputError(msg, where=str(item.spot), hint="ask for fewer, or make the matrices smaller")
        return found

    def expanded(self, item: Item) -> Sequence[Made]:
        """The specs of an item: one of a text, the combinations of a matrix."""
        if isinstance(item, Matrix):
            return self.combinations(item)
        try:
            return (Made(self.parse(item.text), item),)
        except SpecError as error:
            self.problems.add(error, item.spot)
            return ()

    def parse(self, text: str) -> AbstractSpec:
        """A spec, read once. Raises ``SpecError``."""
        spec = self.parsed.get(text)
        if spec is None:
            spec = self.parsed[text] = AbstractSpec.parse(text, self.toolchains)
        return spec

    def combinations(self, matrix: Matrix) -> list[Made]:
        """The combinations of a matrix that are not excluded; the last row varies fastest; an empty row leaves nothing.

        The sigil counts for what is asked, not for what is excluded.
        """
        rows = [[part for item in row for part in self.offered(item)] for row in matrix.rows]
        self.count(rows, matrix)
        if not all(rows):
            self.emptied.append(Emptied(matrix, 1 + next(number for number, row in enumerate(rows) if not row)))
            return []
        plain = self.product(rows, matrix)
        if not matrix.sigil:
            return self.kept(plain, plain, matrix)
        first = [signed for part in rows[0] if (signed := self.with_sigil(part, matrix.sigil)) is not None]
        if len(first) < len(rows[0]):
            return []
        return self.kept(plain, self.product([first, *rows[1:]], matrix), matrix)

    def offered(self, item: Item) -> Sequence[Made]:
        """What an item offers to a row: each combination of a matrix as the spec of its parts' texts, joined."""
        if isinstance(item, Text):
            return self.expanded(item)
        found = []
        for made in self.combinations(item):
            try:
                found.append(replace(made, spec=self.parse(" ".join(str(part.spec) for part in made.parts))))
            except SpecError as error:
                self.problems.add(error, item.spot)
                break
        return found

    def count(self, rows: list[list[Made]], matrix: Matrix) -> None:
        """Count the combinations of rows. Raises ``InputError`` when they are too many."""
        size = reduce(lambda total, row: total * len(row), rows, 1)
        self.left -= A_MATRIX + size + sum(map(len, rows))
        if size > MOST_SPECS or self.left < 0:
            msg = (
                f"a matrix of {size} combinations, more than {MOST_SPECS}" if size > MOST_SPECS else "too many matrices within one another"
            )
            raise InputError(msg, where=str(matrix.spot), hint="make its rows shorter")

    def product(self, rows: list[list[Made]], matrix: Matrix) -> list[Made]:
        """All combinations; those that begin alike share the work. What contradicts itself is an error, never left out."""
        found = [Made(part.spec, matrix, (part,)) for part in rows[0]]
        for row in rows[1:]:
            try:
                found = [Made(made.spec.constrained(part.spec), matrix, (*made.parts, part)) for made in found for part in row]
            except SpecError as error:
                self.problems.add(_contradiction(error, found, row), matrix.spot)
                return []
        return found

    def with_sigil(self, part: Made, sigil: str) -> Made | None:
        """A part behind a sigil; None when that is no spec, which is kept as a problem."""
        item = replace(part.item, text=sigil + part.item.text) if isinstance(part.item, Text) else part.item
        try:
            return Made(self.parse(f"{sigil}{part.spec}"), item, part.parts)
        except SpecError as error:
            self.problems.add(error, part.item.spot)
            return None

    def kept(self, plain: list[Made], shown: list[Made], matrix: Matrix) -> list[Made]:
        """What no entry of ``exclude`` takes."""
        wanted = [(entry.spec, entry.item) for text in matrix.exclude for entry in self.expanded(text)]
        if not wanted:
            return shown
        found = []
        for before, made in zip(plain, shown, strict=True):
            name = before.spec.name  # looked at first, since most exclusions are of some other package
            by = next((item for want, item in wanted if want.name in (None, name) and before.spec.satisfies(want)), None)
            if by is None:
                found.append(made)
            elif isinstance(by, Text):
                self.excluded.append(Excluded(before, by))
        return found


def _contradiction(error: SpecError, found: list[Made], row: list[Made]) -> SpecError:
    """The error of the first combination that nothing satisfies, its parts named."""
    made, part = next((made, part) for made in found for part in row if not _agree(made.spec, part.spec))
    text = " ".join(str(each.spec) for each in (*made.parts, part))
    hint = "a matrix does not leave out what contradicts itself, nor does `exclude`; part it into two matrices"
    return SpecError(error.what, text=text, hint=hint)


def _agree(one: AbstractSpec, other: AbstractSpec) -> bool:
    try:
        one.constrained(other)
    except SpecError:
        return False
    return True
