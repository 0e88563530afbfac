"""Sets of versions: ``1.2``, ``=1.2``, ``1.2:1.4``, ``1.2,1.4:``, and their algebra.

A range ``lo:hi`` is the half-open interval from ``lo`` to the successor of ``hi``, so ``:1.4`` holds 1.4.9; ``1.2`` means
``1.2:1.2``. Sets are kept sorted and merged. Source: Spack ``version/version_types.py`` (``ClosedOpenRange``, ``VersionList``).
"""

from __future__ import annotations

from functools import lru_cache

from resolver.errors import SpecError
from resolver.versions.version import KEY_MAX, KEY_MIN, Key, Version, next_key


class VersionRange:
    """All versions from ``low`` up to the successor of ``high``; None is no bound."""

    __slots__ = ("end", "high", "low", "start")

    def __init__(self, low: Version | None, high: Version | None) -> None:
        self.low = low
        self.high = high
        self.start: Key = low.key if low else KEY_MIN
        self.end: Key = next_key(high.key) if high else KEY_MAX
        if self.end < self.start:
            msg = "empty version range"
            raise SpecError(msg, text=f"{low or ''}:{high or ''}", hint="write the lower bound first")

    def __str__(self) -> str:
        """As Spack prints it: a range whose ends are equal is that one version."""
        if self.low and self.high and self.low.key == self.high.key:
            return self.low.text
        return f"{self.low or ''}:{self.high or ''}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VersionRange) and (self.start, self.end) == (other.start, other.end)

    def __hash__(self) -> int:
        return hash((self.start, self.end))

    def __contains__(self, version: Version) -> bool:
        return self.start <= version.key < self.end

    def includes(self, other: VersionRange) -> bool:
        """Is every version of the other range in this one?"""
        return self.start <= other.start and other.end <= self.end

    def touches(self, other: VersionRange) -> bool:
        """Do the two overlap, or end where the other begins?"""
        return self.start <= other.end and other.start <= self.end

    def merged(self, other: VersionRange) -> VersionRange:
        """The smallest range that holds both; only meaningful when they touch."""
        low = self.low if self.start <= other.start else other.low
        high = self.high if self.end >= other.end else other.high
        return VersionRange(low, high)

    def overlap(self, other: VersionRange) -> VersionRange | None:
        """What both hold, or None when that is nothing."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        if start >= end:
            return None
        low = self.low if self.start == start else other.low
        high = self.high if self.end == end else other.high
        return VersionRange(low, high)


Item = Version | VersionRange


def _sort_key(item: Item) -> tuple[Key, int]:
    return (item.key, 0) if isinstance(item, Version) else (item.start, 1)


def _merge(items: list[Item]) -> tuple[Item, ...]:
    """Sorted, ranges that touch fused, points that lie in a range dropped."""
    ranges: list[VersionRange] = []
    for one in sorted((i for i in items if isinstance(i, VersionRange)), key=lambda r: (r.start, r.end)):
        if ranges and ranges[-1].touches(one):
            ranges[-1] = ranges[-1].merged(one)
        else:
            ranges.append(one)
    points: dict[Version, None] = {}
    for item in items:
        if isinstance(item, Version) and not any(item in r for r in ranges):
            points.setdefault(item)
    return tuple(sorted([*ranges, *points], key=_sort_key))


class VersionSet:
    """A union of exact versions and ranges; ``ANY`` is ``:``, the set of all versions."""

    __slots__ = ("items",)

    items: tuple[Item, ...]

    def __init__(self, items: tuple[Item, ...] | list[Item] = ()) -> None:
        self.items = _merge(list(items)) if len(items) > 1 else tuple(items)

    @staticmethod
    def parse(text: str) -> VersionSet:
        """Read ``1.2:1.4,=1.6``. Raises ``SpecError`` on a malformed or an empty range."""
        return _parse_set(text)

    def __str__(self) -> str:
        """Canonical text: ``=`` before exact versions, items in order."""
        return ",".join(_item_text(item) for item in self.items)

    def __repr__(self) -> str:
        """As one would write it in Python."""
        return f"VersionSet.parse({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VersionSet) and self.items == other.items

    def __hash__(self) -> int:
        return hash(self.items)

    def __bool__(self) -> bool:
        """Does it hold anything, as far as its items tell?"""
        return bool(self.items)

    def __contains__(self, version: Version) -> bool:
        return any(version == item if isinstance(item, Version) else version in item for item in self.items)

    @property
    def is_any(self) -> bool:
        """Is it the set of all versions?"""
        return self.items == ANY.items

    @property
    def single(self) -> Version | None:
        """The one exact version it holds, or None."""
        first = self.items[0] if len(self.items) == 1 else None
        return first if isinstance(first, Version) else None

    def __and__(self, other: VersionSet) -> VersionSet:
        """Intersection."""
        found = [both for a in self.items for b in other.items if (both := _overlap(a, b)) is not None]
        return VersionSet(found)

    def __or__(self, other: VersionSet) -> VersionSet:
        """Union."""
        return VersionSet([*self.items, *other.items])

    def __le__(self, other: VersionSet) -> bool:
        """Is every version of this set in the other?"""
        return all(any(_within(a, b) for b in other.items) for a in self.items)

    def intersects(self, other: VersionSet) -> bool:
        """Is there a version in both?"""
        return bool(self & other)


def _item_text(item: Item) -> str:
    return f"={item}" if isinstance(item, Version) and item.ref is None else str(item)


def _overlap(a: Item, b: Item) -> Item | None:
    if isinstance(a, VersionRange):
        if isinstance(b, VersionRange):
            return a.overlap(b)
        return b if b in a else None
    inside = a in b if isinstance(b, VersionRange) else a == b
    return a if inside else None


def _within(a: Item, b: Item) -> bool:
    if isinstance(b, Version):
        return a == b
    return a in b if isinstance(a, Version) else b.includes(a)


def _parse_item(text: str, whole: str) -> Item:
    if text.startswith("=") or "git." in text[:4] or "=" in text:
        exact = text.removeprefix("=")
        if ":" in exact or not exact:
            msg = "a range cannot have an exact version as its end"
            raise SpecError(msg, text=whole, hint="write 1.2:1.4 or =1.2")
        return Version(exact)
    if ":" not in text:
        version = Version(text)
        return version if version.ref else VersionRange(version, version)
    low, _, high = text.partition(":")
    if ":" in high:
        msg = "a range has one colon"
        raise SpecError(msg, text=whole, hint="write 1.2:1.4")
    return VersionRange(Version(low) if low else None, Version(high) if high else None)


@lru_cache(maxsize=1 << 14)
def _parse_set(text: str) -> VersionSet:
    # Blanks count for nothing, other white space stays in the text, as in Spack's `from_string`.
    return VersionSet([_parse_item(part, text) for part in text.replace(" ", "").split(",")])


ANY = VersionSet((VersionRange(None, None),))
