"""Which values of variants the records of a package have most often, and how many values of a record are others.

Default variants stand in recipes, which no source states, so selection takes the most frequent values in their place. What a record
has is written once for all that have the same: a set of values by variant, with the number of its records, and of its values that are
unusual. These numbers follow from the records in the catalog alone, so they do not depend on the order in which sources came.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from resolver.catalog.bulk import rows_of
from resolver.catalog.pages import Bodies
from resolver.spec.node import WireFacts, decode_facts
from resolver.spec.parts import FLAG_NAMES

NOT_VARIANTS = frozenset({*FLAG_NAMES, "patches", "commit", "dev_path"})
"""Parameters of a node that no recipe has a default for."""
BOOLEANS = ("true", "false")
MOST_KNOWN = 1 << 16
LONGEST_KNOWN = 1 << 12
"""Parameters, and the bytes of each, whose set is remembered as they are written."""
LONGEST_SET = 1 << 16
"""Bytes of a set beyond which it is left out; sets of Spack's packages have some two hundred."""
PAGES_KEPT = 8
EXTERNAL_OR_BROKEN = 0
"""In place of a set's number: of externals people say what they like, and damaged parameters say nothing."""

Value = bool | str | int | float | tuple[str, ...] | None
# A set of variants: by name its values, sorted.
Values = dict[str, tuple[str, ...]]
_parameters = msgspec.json.Decoder(dict[str, Value])
_values = msgspec.json.Decoder(Values)


class VariantSets:
    """The sets of a catalog that is being written. ``changes`` is by how many records each becomes more or less frequent."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        rows = connection.execute("SELECT name, chosen, id FROM variants").fetchall()
        self._numbers: dict[tuple[str, str], int] = {(name, chosen): number for name, chosen, number in rows}
        self._written = len(self._numbers)
        self._next = max(self._numbers.values(), default=0) + 1
        self._known: dict[tuple[str, bytes], tuple[int, bool]] = {}
        self.changes = Counter[int]()

    def number(self, wire: WireFacts) -> tuple[int, bool]:
        """The number of the set that a record has, and whether the set tells all that its variants tell."""
        if wire.external:
            return EXTERNAL_OR_BROKEN, False
        key = wire.name, bytes(wire.parameters)
        return self._known.get(key) or self._read(*key)

    def _read(self, name: str, raw: bytes) -> tuple[int, bool]:
        found = self._number(name, raw)
        if len(raw) <= LONGEST_KNOWN:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[name, raw] = found
        return found

    def _number(self, name: str, raw: bytes) -> tuple[int, bool]:
        parameters = _decoded(raw)
        values = None if parameters is None else _values_of(parameters)
        chosen = msgspec.json.encode(values).decode() if values is not None else ""
        if parameters is None or len(chosen) > LONGEST_SET:
            return EXTERNAL_OR_BROKEN, False
        key = (name, chosen)
        if key not in self._numbers:
            self._numbers[key] = self._next
            self._next += 1
        return self._numbers[key], _is_told(parameters)

    def write(self) -> None:
        """Write what became of the sets, and of all sets of their packages how many values are unusual now."""
        new = list(self._numbers.items())[self._written :]
        self._connection.executemany("INSERT INTO variants VALUES (?, ?, ?, 0, 0)", [(number, *key) for key, number in new])
        changed = [(change, number) for number, change in sorted(self.changes.items()) if change and number]
        self._connection.executemany("UPDATE variants SET records = records + ? WHERE id = ?", changed)
        self._connection.execute("DELETE FROM variants WHERE records <= 0 AND id NOT IN (SELECT variants FROM kind)")
        numbers = {number for _, number in changed}
        _weigh(self._connection, {name for (name, _), number in self._numbers.items() if number in numbers})


def _decoded(raw: bytes) -> dict[str, Value] | None:
    """A node's parameters; None where these cannot be read."""
    try:
        return _parameters.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _values_of(parameters: dict[str, Value]) -> Values:
    """The values of all variants among a node's parameters."""
    texts = {name: _texts(value) for name, value in sorted(parameters.items()) if name not in NOT_VARIANTS}
    return {name: values for name, values in texts.items() if values}


def _is_told(parameters: dict[str, Value]) -> bool:
    """Do the values as texts tell all? Not of a development build, nor where a list is empty or has what would be taken for a boolean."""
    lists = (value for name, value in parameters.items() if isinstance(value, tuple) and name not in NOT_VARIANTS)
    return "dev_path" not in parameters and all(value and not any(text.lower() in BOOLEANS for text in value) for value in lists)


def _texts(value: Value) -> tuple[str, ...]:
    """The values as they are compared: none where nothing is said, and true and false in whatever way they are written."""
    if value is None:
        return ()
    if isinstance(value, tuple):
        return tuple(sorted(set(value)))
    text = str(value)
    return (text.lower() if text.lower() in BOOLEANS else text,)


def _weigh(connection: sqlite3.Connection, names: set[str]) -> None:
    """Count the unusual values of all sets of some packages."""
    packages: dict[str, list[tuple[int, Values, int, int]]] = {}
    for number, name, chosen, records, unusual in rows_of(
        connection, "SELECT id, name, chosen, records, unusual FROM variants WHERE name IN", names
    ):
        packages.setdefault(name, []).append((number, _values.decode(chosen), records, unusual))
    counted: list[tuple[int, int]] = []
    for rows in packages.values():
        usual = usual_values((values, records) for _, values, records, _ in rows)
        for number, values, _, before in rows:
            now = sum(usual.get(name, value) != value for name, value in values.items())
            counted += [(now, number)] if now != before else []
    connection.executemany("UPDATE variants SET unusual = ? WHERE id = ?", counted)


def usual_values(sets: Iterable[tuple[Values, int]]) -> Values:
    """By variant the values that most of the records with it have, out of sets and the numbers of their records; none where two tie."""
    counts: dict[str, Counter[tuple[str, ...]]] = {}
    for values, records in sets:
        for name, value in values.items():
            counts.setdefault(name, Counter())[value] += records
    return {name: best for name, count in counts.items() if (best := _most_frequent(count.most_common(2)))}


def _most_frequent(first: Sequence[tuple[tuple[str, ...], int]]) -> tuple[str, ...]:
    """The first of the two most frequent, where it is alone."""
    return () if len(first) > 1 and first[0][1] == first[1][1] else first[0][0]


def learn_variants(connection: sqlite3.Connection) -> None:
    """Work out the sets of a catalog that has none."""
    sets, bodies = VariantSets(connection), Bodies(connection, PAGES_KEPT)
    rows = connection.execute("SELECT id, page, start, length FROM record ORDER BY page, start").fetchall()
    numbers = [sets.number(decode_facts(bodies.node(*place)))[0] for _, *place in rows]
    sets.changes.update(numbers)
    connection.executemany("UPDATE record SET variants = ? WHERE id = ?", [(n, row[0]) for n, row in zip(numbers, rows, strict=True)])
    sets.write()
