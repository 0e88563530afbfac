"""A concrete version: parse, total order, canonical text.

The order is Spack's (``version/version_types.py``: ``parse_string_components``, ``StandardVersion``, ``GitVersion``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from resolver.errors import SpecError

VALID = re.compile(r"[A-Za-z0-9_.-]+")
SEGMENT = re.compile(r"([0-9]+)|([A-Za-z]+)")
GIT = re.compile(r"(?:git\.(?P<ref>[A-Za-z0-9_][A-Za-z0-9_./-]*?)|(?P<commit>[0-9a-fA-F]{40}))(?:=(?P<version>.*))?", re.DOTALL)

INFINITE = ("stable", "nightly", "trunk", "head", "master", "main", "develop")
PRERELEASE = {"alpha": 0, "beta": 1, "rc": 2, "final": 3}
FINAL = 3
MAX_DIGITS = 4000
SHORT = 40
"""Characters of a commit; what is shorter and made of numbers is a plain version."""

# One component: (0, text) for a word, (1, number), (2, rank) for a name above every number. The class number makes words
# smaller than numbers and numbers smaller than infinite names, as in Spack.
Component = tuple[int, int | str]
Release = tuple[Component, ...]
Key = tuple[Release, tuple[int, ...]] | tuple[Release, tuple[int, ...], str]

KEY_MIN: Key = ((), (0,))
KEY_MAX: Key = (((3, 0),), (FINAL,))


def _component(digits: str, word: str) -> Component:
    if digits:
        return (1, int(digits))
    return (2, INFINITE.index(word)) if word in INFINITE else (0, word)


def parse_key(text: str) -> tuple[Release, tuple[int, ...]]:
    """The sort key of a version text: (components, pre-release).

    A trailing ``alpha``, ``beta``, ``rc`` or ``final``, alone or with a number, is no component but the pre-release part.
    """
    segments: list[tuple[str, str]] = SEGMENT.findall(text)
    prerelease: tuple[int, ...] = (FINAL,)
    if len(segments) >= 3 and segments[-1][0] and segments[-2][1] in PRERELEASE:
        prerelease = (PRERELEASE[segments[-2][1]], int(segments[-1][0]))
        segments = segments[:-2]
    elif len(segments) >= 2 and segments[-1][1] in PRERELEASE:
        prerelease = (PRERELEASE[segments[-1][1]],)
        segments = segments[:-1]
    return tuple(_component(*segment) for segment in segments), prerelease


class Version:
    """One concrete version, totally ordered.

    ``text`` is as written; versions that differ only in separators are equal. A git version ``git.REF=1.2`` (or 40 hex
    digits) has ``ref`` set, sorts as its reference version and just above it. Without a reference version, which Spack
    would look up in a clone, the whole text is read as an ordinary version. Raises ``SpecError`` on characters that no
    version has.
    """

    __slots__ = ("key", "ref", "text")

    text: str
    key: Key
    ref: str | None

    def __init__(self, text: str) -> None:
        self.text = text
        self.ref = None
        numbers = text.split(".")
        if len(text) < SHORT and text.isascii() and all(map(str.isdigit, numbers)):  # nine of ten versions
            self.key = tuple([(1, int(number)) for number in numbers]), (FINAL,)
            return
        git = GIT.fullmatch(text)
        plain = git["version"] if git and git["version"] is not None else text
        plain = plain.removeprefix("=")
        if not VALID.fullmatch(plain.strip()) or len(plain) > MAX_DIGITS:
            msg = "not a version"
            raise SpecError(msg, text=text, hint="versions are made of letters, digits and . _ -")
        self.key = parse_key(plain)
        if git:
            self.ref = git["ref"] or git["commit"]
            self.key = (*self.key, self.ref)
        else:
            self.text = plain

    def __str__(self) -> str:
        """The version as written."""
        return self.text

    def __repr__(self) -> str:
        """As one would write it in Python."""
        return f"Version({self.text!r})"

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.key == other.key

    def __lt__(self, other: Version) -> bool:
        return self.key < other.key

    def __le__(self, other: Version) -> bool:
        return self.key <= other.key

    def __gt__(self, other: Version) -> bool:
        return self.key > other.key

    def __ge__(self, other: Version) -> bool:
        return self.key >= other.key

    @property
    def is_infinite(self) -> bool:
        """Does a component such as ``develop`` or ``main`` put it above every number?"""
        return any(kind == 2 for kind, _ in self.key[0])

    @property
    def is_prerelease(self) -> bool:
        """Is it an alpha, beta or release candidate?"""
        return self.key[1][0] != FINAL

    @property
    def preference(self) -> tuple[bool, bool, bool, Key]:
        """Sort key of Spack's default choice: plain releases above pre-releases above develop-like above git versions.

        Source: ``package_base.py:concretization_version_order``.
        """
        return (self.ref is None, not self.is_infinite, not self.is_prerelease, self.key)


@lru_cache(maxsize=1 << 16)
def parse_version(text: str) -> Version:
    """The version that a concrete node states, shared, since the same texts come again and again in an index.

    It never fails: of a text that is no version the segments are compared that it has, so that one odd record spoils no query.
    """
    try:
        return Version(text)
    except SpecError:
        version = Version("0")
        version.text, version.key = text, parse_key(text[:MAX_DIGITS])
        return version


def newest_first(texts: Iterable[str]) -> list[str]:
    """Versions in the order of Spack's default choice, the best first; equal ones by their texts."""
    return sorted(texts, key=lambda text: (parse_version(text).preference, text), reverse=True)


def is_version(text: str) -> bool:
    """Can the text stand after ``@`` in a spec?"""
    return VALID.fullmatch(text) is not None or GIT.fullmatch(text) is not None


def next_key(key: Key) -> Key:
    """The end of the half-open interval that the version with this key is the prefix of.

    Source: ``version/version_types.py:next_version``.
    """
    release, prerelease = key[0], key[1]
    if prerelease[0] != FINAL:
        number = prerelease[1] + 1 if len(prerelease) > 1 else 0
        return release, (prerelease[0], number)
    if not release:
        return ((0, "A"),), prerelease
    return (*release[:-1], _next_component(release[-1])), prerelease


def _next_component(component: Component) -> Component:
    kind, value = component
    if isinstance(value, int):
        return (kind, value + 1)
    word = _next_word(value)
    while word in INFINITE:
        word = _next_word(word)
    return (kind, word)


def _next_word(word: str) -> str:
    if word.endswith("z"):
        return word + "A"
    return word[:-1] + ("a" if word[-1] == "Z" else chr(ord(word[-1]) + 1))
