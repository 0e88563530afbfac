"""Where values of a document stand, for errors and explanations, and errors kept until all of a stack are known."""

from __future__ import annotations

import re

import msgspec

from resolver.errors import InputError

PLACE = re.compile(r"(.+):(\d+):(\d+)")
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


class Problems:
    """The errors of one stack, gathered so that a person sees all at once; each is kept once."""

    def __init__(self) -> None:
        self.found: dict[str, InputError] = {}

    def add(self, error: InputError, spot: Spot | None = None) -> None:
        """Keep an error, its place named."""
        if spot is not None:
            error.at(str(spot))
        self.found.setdefault(str(error), error)

    def refuse(self, name: str) -> None:
        """Raise the error, or one ``InputError`` that tells all of them, one a line; nothing when there is none."""
        errors = list(self.found.values())
        if len(errors) == 1:
            raise errors[0]
        if errors:
            lines = [str(error) for error in errors[:MOST_SHOWN]]
            lines += [f"and {len(errors) - MOST_SHOWN} more"] if len(errors) > MOST_SHOWN else []
            msg = f"{len(errors)} errors in {name}"
            raise InputError(msg, why="".join(f"\n  {line}" for line in lines))
