"""Spec lists as they are written: references to definitions replaced by what they stand for, matrices kept as rows.

Source: Spack ``environment/list.py:SpecListParser``, ``schema/spec_list.py``.

One defect of Spack's is not copied: it keeps the sigil of ``$%name`` on the matrices of the definition itself, so that every use of
``$name``, even an earlier one, gets the last sigil that any had. Here each reference has its own, as it is written. None of the 1,600
stacks of the field that we know uses a definition with a matrix in two ways; where one does, ``Reader.warnings`` says that Spack differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from resolver.errors import InputError, did_you_mean
from resolver.stacks.places import MOST_SHOWN, Problems, Spot

MOST_SPECS = 200_000
MOST_REFERRED = 1_000_000
"""Items that references stand for, each counted with the references that it came through."""
DEEPEST = 50
MOST_NAMED = 500
LONGEST_HINT = 1000
SIGILS = ("^", "%")
MATRIX_KEYS = ("matrix", "exclude")


class Use(msgspec.Struct, frozen=True):
    """A reference through which an item came to where it is used: as written, the definition that it names, and its place."""

    text: str
    name: str
    spot: Spot


class Text(msgspec.Struct, frozen=True):
    """A spec, or a part of one, as written; ``uses`` are the references that it came through, the outermost first."""

    text: str
    spot: Spot
    uses: tuple[Use, ...] = ()


class Matrix(msgspec.Struct, frozen=True):
    """Rows whose combinations are asked for, but for the excluded ones; ``sigil`` stands before the first part of each.

    ``depth`` is how many matrices are within one another.
    """

    rows: tuple[tuple[Item, ...], ...]
    exclude: tuple[Text, ...]
    spot: Spot
    sigil: str = ""
    uses: tuple[Use, ...] = ()
    depth: int = 1


Item = Text | Matrix


class Reader:
    """Reads lists to items. What is wrong goes to ``problems``, and what is wrong is left out.

    ``definitions`` are those that may be referred to, as they are built; ``building`` is the one at work, ``later`` has the places of those
    that are not built yet. ``asked`` grows with the names that are referred to.
    """

    def __init__(self, problems: Problems) -> None:
        self.definitions: dict[str, tuple[Item, ...]] = {}
        self.problems = problems
        self.later: dict[str, Spot] = {}
        self.building = ""
        self.left = MOST_REFERRED
        self.asked: set[str] = set()
        self.sigils: dict[str, str] = {}
        self.warnings: dict[str, None] = {}

    def items(self, value: object, spot: Spot) -> tuple[Item, ...]:
        """The items of a list; none for null."""
        if value is None:
            return ()
        if not isinstance(value, list):
            return self.wrong("a list of specs is expected", spot, "write one item a line, each after '- '")
        return self.each((item, spot.item(value, index)) for index, item in enumerate(value))

    def each(self, entries: Iterable[tuple[object, Spot]]) -> tuple[Item, ...]:
        """The items that values at their places stand for."""
        return tuple(found for value, spot in entries for found in self.one(value, spot))

    def one(self, value: object, spot: Spot) -> Sequence[Item]:
        """The items that one value stands for: none for null, those of a definition for a reference, else one."""
        if value is None:
            return ()
        if isinstance(value, Mapping):
            return self.matrix(value, spot)
        if isinstance(value, (list, bool)):
            return self.wrong(f"{value!r} is no spec", spot, "write a spec, a $reference, or a matrix")
        text = str(value)
        return self.reference(text, spot) if text.startswith("$") else (Text(text, spot),)

    def reference(self, text: str, spot: Spot) -> Sequence[Item]:
        """What ``$name``, ``$^name`` or ``$%name`` stands for; all of the text behind the sigil is the name."""
        sigil = text[1:2] if text[1:2] in SIGILS else ""
        name = text[1:].removeprefix(sigil)
        if name not in self.definitions:
            return self.undefined(text, name, spot)
        self.asked.add(name)
        found = self.definitions[name]
        self.left -= sum(1 + len(item.uses) for item in found)
        if self.left < 0:
            msg = f"references stand for more than {MOST_REFERRED} items"
            raise InputError(msg, where=str(spot), hint="make the definitions smaller")
        use = Use(text, name, spot)
        if any(isinstance(item, Matrix) for item in found):
            self.note_sigil(sigil, use)
        return [_used(item, sigil, use) for item in found]

    def undefined(self, text: str, name: str, spot: Spot) -> tuple[Item, ...]:
        """Keep a problem: a name that is not defined, or not yet."""
        if name and name == self.building:
            hint = "a definition cannot refer to itself"
        elif name in self.later:
            hint = f"{name} begins at {self.later[name]}; move it before what refers to it"
        elif name.split(maxsplit=1)[:1] != [name]:
            hint = "all that follows '$' is the name; to join a reference with more, write a matrix: [[$name], [+more]]"
        else:
            hint = self.known(name)
        return self.wrong(f"{text} refers to no definition before it", spot, hint)

    def known(self, name: str) -> str:
        """What is defined, the nearest names first; nothing when so many problems are there that this one is not shown."""
        if len(self.problems.found) >= MOST_SHOWN:
            return ""
        defined = list(islice(self.definitions, MOST_NAMED))
        guess = did_you_mean(name, [*defined, *islice(self.later, MOST_NAMED)])
        return f"{guess}defined are: {', '.join(defined) or 'none'}"[:LONGEST_HINT]

    def note_sigil(self, sigil: str, use: Use) -> None:
        """Warn where a definition with a matrix is used in two ways."""
        if self.sigils.setdefault(use.name, sigil) != sigil:
            ways = " and ".join(f"${other}{use.name}" for other in (self.sigils[use.name], sigil))
            text = f"{use.spot}: the matrix of {use.name} is used as {ways}; Spack 1.2 reads all of them as the last, here each is its own"
            self.warnings[text] = None

    def matrix(self, value: Mapping[str, Any], spot: Spot) -> tuple[Item, ...]:
        """A mapping with the rows of a matrix, and what it excludes."""
        if "matrix" not in value or not set(value) <= set(MATRIX_KEYS):
            return self.no_matrix(value, spot)
        place, rows = spot.key(value, "matrix"), value["matrix"]
        if not isinstance(rows, list) or not rows:
            return self.wrong("a matrix is a list of rows", place, "write each row as a list, as in [[hdf5, zlib], [+mpi]]")
        read = tuple(self.row(row, place.item(rows, index)) for index, row in enumerate(rows))
        exclude = self.excluded(value.get("exclude"), spot.key(value, "exclude"))
        depth = 1 + max((item.depth for row in read for item in row if isinstance(item, Matrix)), default=0)
        if depth > DEEPEST:
            msg = f"more than {DEEPEST} matrices within one another"
            raise InputError(msg, where=str(spot), hint="write them as fewer rows")
        return (Matrix(read, exclude, spot, depth=depth),)

    def no_matrix(self, value: Mapping[str, Any], spot: Spot) -> tuple[Item, ...]:
        """Keep a problem: an item with other keys than a matrix has, of which a spec that is not quoted may be one."""
        unknown = next((str(key) for key in value if key not in MATRIX_KEYS), "")
        if "@" in unknown:
            return self.wrong(f"{unknown}: is read as a key", spot, f"quote the spec: '{unknown}:'")
        hint = f"{did_you_mean(unknown, MATRIX_KEYS)}a matrix has `matrix` and may have `exclude`; quote a spec that ends in ':'"
        place = spot.key(value, unknown) if "matrix" in value else spot
        return self.wrong(f"an item with the keys {', '.join(map(str, value))}", place, hint)

    def row(self, value: object, spot: Spot) -> tuple[Item, ...]:
        """The items of one row of a matrix."""
        if isinstance(value, list) and None in value:
            self.wrong("an item of a row is empty", spot.item(value, value.index(None)), "write '' for no constraint, or remove it")
        if value is None or isinstance(value, str):
            return self.wrong("a row of a matrix is a list", spot, "write it in brackets, as in [hdf5, zlib]")
        return self.items(value, spot)

    def excluded(self, value: object, spot: Spot) -> tuple[Text, ...]:
        """The entries of ``exclude``."""
        found = self.items(value, spot)
        for item in found:
            if isinstance(item, Matrix):
                self.wrong("a matrix cannot be excluded", item.spot, "write the specs to exclude one by one")
        return tuple(item for item in found if isinstance(item, Text))

    def wrong(self, what: str, spot: Spot, hint: str) -> tuple[Item, ...]:
        """Keep a problem; gives no items."""
        self.problems.add(InputError(what, hint=hint), spot)
        return ()


def _used(item: Item, sigil: str, use: Use) -> Item:
    uses = (use, *item.uses)
    if isinstance(item, Matrix):
        return replace(item, sigil=sigil or item.sigil, uses=uses)
    return Text(sigil + item.text, item.spot, uses)
