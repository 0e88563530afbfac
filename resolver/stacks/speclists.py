"""Spec lists: references to definitions, matrices, exclusions, expanded to the specs that they ask for.

Source: Spack ``environment/list.py:SpecListParser``, ``spec_list.py`` (``_expand_matrix_constraints``).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import msgspec

from resolver.errors import InputError
from resolver.spec.abstract import AbstractSpec

MOST_SPECS = 200_000
SIGILS = ("^", "%")


class Matrix(msgspec.Struct, frozen=True):
    """Rows whose combinations are asked for, but for the excluded ones; ``sigil`` stands before the first part of each."""

    rows: tuple[tuple[Item, ...], ...]
    exclude: tuple[str, ...]
    sigil: str = ""


Item = str | Matrix
Definitions = Mapping[str, tuple[Item, ...]]


def read_items(value: object, definitions: Definitions, where: str) -> tuple[Item, ...]:
    """The items of a list, references replaced by what they stand for. Raises ``InputError`` naming the place."""
    if value is None:
        return ()
    if not isinstance(value, list):
        msg = "a list of specs is expected"
        raise InputError(msg, where=where, hint="write one item a line, each after '- '")
    return tuple(found for place, item in enumerate(value) for found in _read(item, definitions, f"{where}[{place}]"))


def _read(item: object, definitions: Definitions, where: str) -> tuple[Item, ...]:
    if item is None:
        return ()
    if isinstance(item, Mapping):
        return (_read_matrix(item, definitions, where),)
    if isinstance(item, (list, bool)):
        msg = f"{item!r} is no spec"
        raise InputError(msg, where=where, hint="write a spec, a $reference, or a matrix")
    text = str(item)
    return _reference(text[1:], definitions, where) if text.startswith("$") else (text,)


def _reference(text: str, definitions: Definitions, where: str) -> tuple[Item, ...]:
    sigil = text[:1] if text[:1] in SIGILS else ""
    name = text.removeprefix(sigil)
    if name not in definitions:
        known = ", ".join(definitions) or "none"
        msg = f"${text} refers to no definition before it"
        raise InputError(msg, where=where, hint=f"defined are: {known}")
    return tuple(_with_sigil(item, sigil) for item in definitions[name])


def _with_sigil(item: Item, sigil: str) -> Item:
    if isinstance(item, Matrix):
        return Matrix(item.rows, item.exclude, sigil or item.sigil)
    return sigil + item


def _read_matrix(item: Mapping[str, Any], definitions: Definitions, where: str) -> Matrix:
    if "matrix" not in item or not set(item) <= {"matrix", "exclude"}:
        msg = f"an item with the keys {', '.join(map(str, item))}"
        raise InputError(msg, where=where, hint="a matrix has `matrix` and may have `exclude`; quote a spec that ends in ':'")
    rows = item["matrix"]
    if not isinstance(rows, list):
        msg = "a matrix is a list of rows"
        raise InputError(msg, where=f"{where}.matrix", hint="write each row as a list, as in [[hdf5, zlib], [+mpi]]")
    read = tuple(read_items(row, definitions, f"{where}.matrix[{place}]") for place, row in enumerate(rows))
    exclude = item.get("exclude") or []
    return Matrix(read, tuple(map(str, exclude if isinstance(exclude, list) else [exclude])))


def expand(items: Sequence[Item], where: str) -> list[AbstractSpec]:
    """The specs that items ask for, in Spack's order. Raises ``InputError`` naming the place and the contradiction."""
    specs: list[AbstractSpec] = []
    for item in items:
        try:
            specs += [AbstractSpec.parse(item)] if isinstance(item, str) else [_combined(parts) for parts in _combinations(item)]
        except InputError as error:
            raise error.at(where) from None
        if len(specs) > MOST_SPECS:
            msg = f"more than {MOST_SPECS} specs"
            raise InputError(msg, where=where, hint="make the matrices smaller")
    return specs


def _combinations(matrix: Matrix) -> list[list[str]]:
    """The combinations of a matrix, each as its parts; the last row varies fastest; an empty row leaves nothing."""
    rows = [_row(row) for row in matrix.rows]
    _check_size(rows)
    excluded = [AbstractSpec.parse(text) for text in matrix.exclude]
    found = []
    for combination in itertools.product(*rows):
        parts = [part for group in combination for part in group]
        if parts and not any(_combined(parts).satisfies(want) for want in excluded):
            found.append([matrix.sigil + parts[0], *parts[1:]])
    return found


def _row(row: tuple[Item, ...]) -> list[list[str]]:
    """The parts that a row offers; a nested matrix offers each of its combinations, joined to one text."""
    offered: list[list[str]] = []
    for item in row:
        offered += [[item]] if isinstance(item, str) else [[" ".join(parts)] for parts in _combinations(item)]
    return offered


def _check_size(rows: list[list[list[str]]]) -> None:
    size = reduce(lambda total, row: total * len(row), rows, 1)
    if size > MOST_SPECS:
        msg = f"a matrix of {size} combinations, more than {MOST_SPECS}"
        raise InputError(msg, hint="make its rows shorter")


def _combined(parts: list[str]) -> AbstractSpec:
    return reduce(AbstractSpec.constrained, map(AbstractSpec.parse, parts))
