"""Where values of a document stand, for errors and explanations, and errors kept until all of a stack are known."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from resolver.errors import InputError

PLACE = re.compile(r"(.+?):(\d+):(\d+)")
MOST_SHOWN = 50


class Spot(msgspec.Struct, frozen=True):
    """The place of a value: a file, and line and column counted from 1 where they are known, else a path such as ``specs[3]``."""

    file: str
    line: int = 0
    column: int = 0
    path: str = ""

    @staticmethod
    def read(text: str, path: str = "") -> Spot:
        """The place that ``file:line:column`` names; any other text is taken as the file."""
        found = PLACE.fullmatch(text)
        return Spot(found[1], int(found[2]), int(found[3]), path) if found else Spot(text, path=path)

    def __str__(self) -> str:
        """``file:line:column``, or ``file: path``."""
        if self.line:
            return f"{self.file}:{self.line}:{self.column}"
        return f"{self.file}: {self.path}" if self.path else self.file

    def item(self, container: object, index: int) -> Spot:
        """The place of an item of a list that stands here."""
        places = getattr(container, "places", ())
        return self._below(places[index] if index < len(places) else None, f"{self.path}[{index}]")

    def key(self, container: object, key: str) -> Spot:
        """The place of a key of a mapping that stands here."""
        return self._below(getattr(container, "places", {}).get(key), f"{self.path}.{key}" if self.path else key)

    def _below(self, place: tuple[int, int] | None, path: str) -> Spot:
        return Spot(self.file, *place, path) if place else Spot(self.file, self.line, self.column, path)


class GatheredError(InputError):
    """Several errors as one: ``each`` of them, told one a line in the order of their places."""

    def __init__(self, name: str, each: Sequence[InputError]) -> None:
        lines = [" ".join(str(error).split("\n")) for error in each[:MOST_SHOWN]]
        lines += [f"and {len(each) - MOST_SHOWN} more"] if len(each) > MOST_SHOWN else []
        super().__init__(f"{len(each)} errors in {name}", why="".join(f"\n  {line}" for line in lines))
        self.each = tuple(each)


class Problems:
    """The errors of one stack, gathered so that a person sees all at once; each is kept once."""

    def __init__(self) -> None:
        self.found: dict[str, InputError] = {}

    def add(self, error: InputError, spot: Spot | None = None) -> None:
        """Keep an error, its place named; of several that were gathered before, each."""
        if isinstance(error, GatheredError):
            self.found |= {str(one): one for one in error.each if str(one) not in self.found}
            return
        if spot is not None:
            error.at(str(spot))
        self.found.setdefault(str(error), error)

    def spots(self) -> set[Spot]:
        """Where the errors are, as far as that is known."""
        return {spot for error in self.found.values() if (spot := _spot(error)).line}

    def refuse(self, name: str) -> None:
        """Raise the error, or one for all of them; nothing when there is none."""
        errors = sorted(self.found.values(), key=lambda error: _order(_spot(error), name))
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise GatheredError(name, errors)


def _spot(error: InputError) -> Spot:
    """The place that an error begins with, of which more may follow."""
    found = PLACE.match(error.where)
    return Spot(found[1], int(found[2]), int(found[3])) if found else Spot(error.where)


def _order(spot: Spot, name: str) -> tuple[bool, str, int, int]:
    """The file itself first, then those that it includes."""
    return not spot.file.startswith(name), spot.file, spot.line, spot.column
