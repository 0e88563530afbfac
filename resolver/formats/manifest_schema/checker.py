"""Walks a value and its shape side by side, and notes what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from resolver.errors import SpecError, did_you_mean
from resolver.formats.manifest_schema.shape import Anything, ByKey, Former, Leaf, ListOf, MapOf, OneOf, Section, Shape
from resolver.formats.yaml_tree import Place, plain_key
from resolver.spec.abstract import AbstractSpec

LONGEST = 50
DEEPEST = 120
MOST = 300
"""Findings after which a document is not looked at further; files in the field have up to 81."""
MOST_KEYS = 5
SECRET = frozenset({"access_pair", "access_token", "url", "fetch", "push", "mirrors"})
"""Below these keys no value is repeated in a message."""
KINDS: dict[type, str] = {bool: "a boolean", int: "a number", float: "a number", type(None): "null", list: "a list", dict: "a mapping"}


class Finding(msgspec.Struct, frozen=True):
    """One thing found: an ``error`` where Spack refuses, a ``warning`` where it warns or passes over what it does not know.

    ``where`` is ``file:line:column``, counted from 1; ``hint`` says what to write instead, and may be empty.
    """

    severity: Literal["error", "warning"]
    text: str
    where: str
    hint: str = ""

    def __str__(self) -> str:
        """The finding in one line, the hint last."""
        line = f"{self.where}: {self.text}"
        return f"{line}. Hint: {self.hint}" if self.hint else line


class Checker:
    """Collects the findings of one document."""

    def __init__(self, where: str, sections: Callable[[str], Shape]) -> None:
        self.where = where
        self.sections = sections
        self.found: list[tuple[Place, Finding]] = []
        self.path: list[str] = []
        self.told: list[Former] = []

    def findings(self) -> list[Finding]:
        """All findings, in the order in which they stand in the text."""
        return [finding for _, finding in sorted(self.found, key=lambda entry: entry[0])]

    def note(self, place: Place, text: str, hint: str = "", *, error: bool = True) -> None:
        """Remember a finding at a place, unless there are too many."""
        if len(self.found) >= MOST:
            return
        where = f"{self.where}:{place[0]}:{place[1]}"
        self.found.append((place, Finding("error" if error else "warning", text, where, hint)))

    def check(self, value: Any, shape: Shape, place: Place) -> None:  # noqa: ANN401 - any YAML value
        """Note whatever in the value does not fit the shape. ``place`` is where its key or item stands."""
        if isinstance(shape, Leaf):
            self._leaf(value, shape, place)
        elif isinstance(shape, MapOf):
            self._map(value, shape, place)
        elif isinstance(shape, ListOf):
            self._list(value, shape, place)
        elif isinstance(shape, OneOf):
            self._one_of(value, shape, place)
        elif isinstance(shape, ByKey):
            self._by_key(value, shape, place)
        elif isinstance(shape, Section):
            self.check(value, self.sections(shape.name), place)

    def _leaf(self, value: Any, shape: Leaf, place: Place) -> None:  # noqa: ANN401 - any YAML value
        if type(value) not in shape.kinds:
            if int not in shape.kinds or not isinstance(value, float) or not value.is_integer():
                self._unfit(value, shape.what, place)
            return
        if shape.choices and isinstance(value, str) and value not in shape.choices:
            guess = did_you_mean(value, shape.choices)
            self.note(place, f"{self._name()} is {self._shown(value)}, not {shape.what}", guess.rstrip())
        if shape.least is not None and isinstance(value, int) and value < shape.least:
            self._unfit(value, shape.what, place)
        if shape.spec:
            self._spec(value, place)

    def _spec(self, text: str, place: Place) -> None:
        try:
            AbstractSpec.parse(text)
        except SpecError as error:
            self.note(place, f"{self._name()} is {self._shown(text)}, which is no spec: {error.what}", error.hint, error=False)

    def _list(self, value: Any, shape: ListOf, place: Place) -> None:  # noqa: ANN401 - any YAML value
        if not isinstance(value, list):
            self._unfit(value, shape.what, place, shape.hint or _as_list(value))
            return
        item_shape = shape.item
        kinds = item_shape.kinds if isinstance(item_shape, Leaf) and item_shape.simple else ()
        for number, item in enumerate(value):
            if type(item) not in kinds:
                self._inside(f"[{number}]", item, item_shape, _item_place(value, number, place))

    def _map(self, value: Any, shape: MapOf, place: Place) -> None:  # noqa: ANN401 - any YAML value
        if not isinstance(value, dict):
            self._unfit(value, shape.what, place, shape.hint)
            return
        keys = shape.keys
        if _is_another(value, shape):
            self._another(value, shape, place)
            return
        for key, item in value.items():
            known = keys.get(key) or keys.get(plain_key(key)) or shape.others
            if known is None:
                self._unknown(plain_key(key), item, shape, _key_place(value, key, place))
            elif not isinstance(known, Leaf) or not known.simple or type(item) not in known.kinds:
                self._known(plain_key(key), item, known, shape, _key_place(value, key, place))
        for key, former in shape.noted.items():
            for there in (key, f"{key}:"):
                if there in value and former not in self.told:
                    self._former(key, value[there], former, _key_place(value, there, place), error=False)
                    self.told += [former] if former.once else []
        self._needed(value, shape, place)

    def _another(self, value: Mapping[str, Any], shape: MapOf, place: Place) -> None:
        """Say once that none of the keys is one of the shape's."""
        names = ", ".join(_quoted(plain_key(key)) for key in list(value)[:MOST_KEYS])
        guess = did_you_mean(next(iter(value))[:LONGEST], shape.keys)
        text = f"{self._name()} has the {'key' if len(value) == 1 else 'keys'} {names}, and is not {shape.what}"
        self.note(getattr(value, "place", place), text, f"{guess}{shape.hint}")

    def _known(self, key: str, item: Any, known: Shape, shape: MapOf, place: Place) -> None:  # noqa: ANN401 - any YAML value
        before = len(self.found)
        self._inside(key, item, known, place)
        if key in shape.mistaken and any(finding.severity == "error" for _, finding in self.found[before:]):
            del self.found[before:]
            self._former(key, item, shape.mistaken[key], place, error=True)

    def _needed(self, value: Mapping[str, Any], shape: MapOf, place: Place) -> None:
        if not (shape.needed or shape.needed_any or shape.one_other):
            return
        there = {plain_key(key) for key in value}
        at: Place = getattr(value, "place", place)
        for key in shape.needed:
            if key not in there:
                self.note(at, f"{self._name()} needs the key `{key}`", shape.hint)
        if shape.needed_any and there.isdisjoint(shape.needed_any):
            self.note(at, f"{self._name()} needs one of the keys {', '.join(shape.needed_any)}", shape.hint)
        if shape.one_other and len(there - shape.keys.keys()) != 1:
            self.note(at, f"{self._name()} needs one name, beside {', '.join(shape.keys)}", shape.hint)

    def _one_of(self, value: Any, shape: OneOf, place: Place) -> None:  # noqa: ANN401 - any YAML value
        for option in shape.shapes:
            if _fits(value, option) and not (isinstance(option, Leaf) and option.choices and value not in option.choices):
                self.check(value, option, place)
                return
        choices = [choice for option in shape.shapes if isinstance(option, Leaf) for choice in option.choices]
        guess = did_you_mean(value, choices) if isinstance(value, str) and choices else ""
        self._unfit(value, " or ".join(dict.fromkeys(_what(option) for option in shape.shapes)), place, f"{guess}{shape.hint}".rstrip())

    def _by_key(self, value: Any, shape: ByKey, place: Place) -> None:  # noqa: ANN401 - any YAML value
        if isinstance(value, dict):
            there = {plain_key(key) for key in value}
            for key, option in shape.shapes.items():
                if key in there:
                    self._map(value, option, place)
                    return
        self._map(value, shape.default, place)

    def _inside(self, step: str, value: Any, shape: Shape, place: Place) -> None:  # noqa: ANN401 - any YAML value
        if len(self.found) >= MOST:
            return
        if len(self.path) >= DEEPEST:
            self.note(place, f"more than {DEEPEST} levels")
            return
        self.path.append(step)
        self.check(value, shape, place)
        self.path.pop()

    def _unknown(self, key: str, value: Any, shape: MapOf, place: Place) -> None:  # noqa: ANN401 - any YAML value
        if len(self.found) >= MOST:
            return
        if key in shape.former:
            self._former(key, value, shape.former[key], place, error=not shape.open)
            return
        guess = did_you_mean(key[:LONGEST], shape.keys)
        if key[-1:] in {"+", "-"} and key[:-1] in shape.keys:
            guess = f"Spack reads `{key}:` as a key of this name in a file; write `{key[:-1]}:` or, to replace, `{key[:-1]}::`"
        known = ", ".join(shape.keys)
        hint = guess or (f"known are {known}" if len(known) < 300 else "")
        what = "unknown key" if not shape.open else "Spack does not know the key"
        self.note(place, f"{what} {_quoted(key)} {self._under()}".rstrip(), hint.rstrip(), error=not shape.open)

    def _former(self, key: str, value: Any, former: Former, place: Place, *, error: bool) -> None:  # noqa: ANN401 - any YAML value
        hint = former.now.get(str(value), former.hint) if isinstance(value, str | bool) else former.hint
        self.note(place, f"{_quoted(key)} {self._under()} {former.text}", hint, error=error)

    def _unfit(self, value: Any, expected: str, place: Place, hint: str = "") -> None:  # noqa: ANN401 - any YAML value
        text = f"{self._name()} is {self._shown(value)}, not {expected}"
        if not hint and isinstance(value, str) and type(value) is not str:
            hint = "quote it: Spack reads a time here"
        elif not hint and expected.startswith("a text") and isinstance(value, int | float):
            hint = "quote it"
        elif not hint and value is None:
            hint = "leave the key out, or give it a value"
        self.note(place, text, hint)

    def _shown(self, value: Any) -> str:  # noqa: ANN401 - any YAML value
        """The value if it is short and no secret, else what kind it is of."""
        if value is None or isinstance(value, dict | list):
            return _kind(value)
        if not SECRET.isdisjoint(self.path):
            return _kind(value)
        if isinstance(value, bool):
            return str(value).lower()
        return repr(str(value)[:LONGEST]) if isinstance(value, str) else str(value)[:LONGEST]

    def _name(self) -> str:
        return f"`{self._joined()}`" if self.path else "the file"

    def _under(self) -> str:
        return f"in `{self._joined()}`" if self.path else "at the top of the file"

    def _joined(self) -> str:
        text = ""
        for step in self.path:
            text += step if step[:1] == "[" or not text else f":{step}"
        return "".join(c if c.isprintable() and c != "`" else "?" for c in text)[-200:]


def _is_another(value: Mapping[str, Any], shape: MapOf) -> bool:
    """Does a mapping lack what it needs, and have nothing that is known?"""
    if not shape.needed or not value or shape.others is not None or shape.open:
        return False
    return not any(plain_key(key) in known for key in value for known in (shape.keys, shape.former, shape.mistaken))


def _fits(value: object, shape: Shape) -> bool:
    if isinstance(shape, Leaf):
        return type(value) in shape.kinds
    if isinstance(shape, ListOf):
        return isinstance(value, list)
    return isinstance(shape, Anything) or isinstance(value, dict)


def _what(shape: Shape) -> str:
    what: str = getattr(shape, "what", "a mapping")
    return what


def _kind(value: object) -> str:
    for kind, name in KINDS.items():
        if isinstance(value, kind):
            return name
    return "a text"


def _quoted(key: str) -> str:
    return f"`{key}`" if key.isprintable() and "`" not in key and len(key) <= LONGEST else repr(key[:LONGEST])


def _as_list(value: object) -> str:
    short = isinstance(value, str) and value.isprintable() and len(value) <= LONGEST and "://" not in value
    return f"write [{value!r}]" if short else ""


def _key_place(value: Mapping[str, Any], key: str, otherwise: Place) -> Place:
    """Where the key stands; a key that was merged in stands nowhere, and the mapping's own place is as near as one gets."""
    places: Mapping[str, Place] = getattr(value, "places", {})
    own: Place = getattr(value, "place", otherwise)
    return places.get(key, own)


def _item_place(value: list[Any], number: int, otherwise: Place) -> Place:
    places: Sequence[Place] = getattr(value, "places", ())
    return places[number] if number < len(places) else otherwise
