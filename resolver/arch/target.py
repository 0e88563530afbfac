"""CPU targets: names, ancestry and the order between them, from archspec's table.

``a < b`` means that b is a's descendant: binaries for a run on b. Detection of the host is not here but in ``machine``.
"""

from __future__ import annotations

from functools import lru_cache

from resolver.arch.table import ancestors, entries
from resolver.errors import InputError, SpecError, did_you_mean

ANY_TARGET = "*"


def is_known(name: str) -> bool:
    """Is it a target of archspec's table?"""
    return name in entries()


@lru_cache(maxsize=1024)
def candidates(name: str) -> tuple[str, ...]:
    """The targets whose binaries run on ``name``, nearest first: itself, then its ancestors.

    An unknown name has only itself, as in Spack (``solver/input_analysis.py:candidate_targets``).
    """
    if not is_known(name):
        return (name,)
    return (name, *ancestors(name))


@lru_cache(maxsize=1024)
def _lineage(name: str) -> frozenset[str]:
    return frozenset(candidates(name))


def runs_on(binary: str, host: str) -> bool:
    """Does a binary for target ``binary`` run on ``host``: is it the same or an ancestor?"""
    return binary == host or binary in _lineage(host)


def at_most(low: str, high: str) -> bool:
    """Archspec's partial order ``low <= high``; False when the two are not ordered."""
    return low == high or _lineage(low) < _lineage(high)


def is_generic(name: str) -> bool:
    """Is it a vendor-neutral level such as ``x86_64_v3`` or ``aarch64``?"""
    return is_known(name) and entries()[name].vendor == "generic"


def family(name: str) -> str:
    """The root of the target's ancestry, such as ``x86_64``; the name itself when unknown."""
    return next((a for a in candidates(name) if is_known(a) and not entries()[a].parents), name)


@lru_cache(maxsize=64)
def others_of_family(name: str) -> tuple[str, ...]:
    """The known targets of the same family that are not ``candidates``: those with most ancestors first, then by name.

    Source: Spack ``solver/input_analysis.py:candidate_targets``, which allows them where ``concretizer:targets:host_compatible`` is false.
    """
    own, ours = family(name), candidates(name)
    found = [other for other in entries() if other not in ours and family(other) == own]
    return tuple(sorted(found, key=lambda other: (-len(candidates(other)), other)))


def known_targets() -> list[str]:
    """All names of the table, sorted."""
    return sorted(entries())


def check_known(name: str) -> str:
    """The name itself. Raises ``InputError`` with the nearest known names when archspec does not know it."""
    if is_known(name):
        return name
    msg = f"unknown target {name!r}"
    hint = f"{did_you_mean(name, known_targets())}`spack-resolver machine --list targets` shows all names"
    raise InputError(msg, why="it is not in archspec's table of CPU targets", hint=hint)


def _bound(name: str) -> str:
    if not is_known(name):
        msg = f"unknown target {name!r} in a target range"
        raise SpecError(msg, text=f"target={name}", hint="a range needs names that archspec knows")
    return name


@lru_cache(maxsize=1 << 14)
def satisfies(have: str, want: str) -> bool:
    """Does a concrete target lie in ``want``: ``*``, a name, a range ``low:high``, or several parted by commas?

    Source: Spack ``spec.py:ArchSpec._target_intersection``. Raises ``SpecError`` on a range whose end is unknown to
    archspec, when the comparison comes to that end; such a name alone is merely unequal.
    """
    if want == ANY_TARGET:
        return True
    # Spack looks at every alternative, so an unknown name in a later one is an error even when an earlier one holds.
    found = [_in_range(have, part) for part in want.split(",")]
    return any(found)


def _in_range(have: str, part: str) -> bool:
    low, colon, high = part.partition(":")
    if not colon:
        return have == low
    return (not low or at_most(_bound(low), have)) and (not high or at_most(have, _bound(high)))


def intersection(a: str, b: str) -> str | None:
    """The targets in both texts as one text, or None when there are none.

    Source: Spack ``spec.py:ArchSpec._target_intersection``.
    """
    if ANY_TARGET in (a, b):
        return b if a == ANY_TARGET else a
    parts = [both for x in a.split(",") for y in b.split(",") if (both := _meet(x, y)) is not None]
    return ",".join(dict.fromkeys(parts)) or None


def _meet(a: str, b: str) -> str | None:
    if ":" not in a:
        return a if _in_range(a, b) else None
    if ":" not in b:
        return b if _in_range(b, a) else None
    (low_a, _, high_a), (low_b, _, high_b) = a.partition(":"), b.partition(":")
    low = _extreme(low_a, low_b, largest=True)
    high = _extreme(high_a, high_b, largest=False)
    if low is None or high is None or (low and high and not at_most(low, high)):
        return None
    return low if low and low == high else f"{low}:{high}"


def _extreme(a: str, b: str, *, largest: bool) -> str | None:
    """The tighter of two bounds, an empty one being none; None when the two are not ordered."""
    if not a or not b:
        return a or b
    if at_most(_bound(a), _bound(b)):
        return b if largest else a
    if at_most(b, a):
        return a if largest else b
    return None
