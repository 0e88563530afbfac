"""The fewest of some offers that together have all that any of them has: a minimal set cover, with ties decided.

It is made small first (what only one offer has decides for that one; an offer that another stands in for is left out), then searched
through. What is left of real mirrors is nothing or a handful; for more there is clingo.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations

import msgspec

from resolver.selection.weigher import bits

MOST_TRIED = 12
"""Up to so many offers all combinations are tried, some thousands."""
MOST_CONFLICTS = 50_000
"""Of clingo's search: a number and no time, so that the answer is the same on any host."""

PROGRAM = """
{ in(M) : offer(M) }.
:- need(N), not in(M) : has(N, M).
:~ in(M). [1@top, M]
:~ in(M), worse(M). [1@top-1, M]
:~ offer(M), not in(M). [1@top-2-M, M]
"""


class Offer(msgspec.Struct, frozen=True):
    """What one offers. Of equally many offers those are taken of which the fewest are ``worse``."""

    has: Collection[str]
    worse: bool = False


class Cover(msgspec.Struct, frozen=True):
    """The places of the chosen offers, ascending, and whether they are proven to be the fewest."""

    chosen: tuple[int, ...]
    proven: bool = True


def cover(offers: Sequence[Offer]) -> Cover:
    """The fewest offers that have all that any has; of these sets one with the fewest worse offers, of those the first by its places."""
    needs = _needs(offers)
    taken = 0
    while True:
        needs = _smallest(needs)
        alone = _union(need for need in needs if need.bit_count() == 1)
        taken |= alone
        left = {need for need in needs if not need & alone}
        reduced = _without_dominated(left, offers)
        if not alone and reduced == needs:
            break
        needs = reduced
    found = _searched(needs, offers)
    return Cover(tuple(sorted({*bits(taken), *found.chosen})), found.proven)


def _needs(offers: Sequence[Offer]) -> set[int]:
    """For each thing that is offered who has it, as bits; things that the same offers have are one."""
    holders: dict[str, int] = {}
    for place, offer in enumerate(offers):
        for thing in offer.has:
            holders[thing] = holders.get(thing, 0) | 1 << place
    return set(holders.values())


def _smallest(needs: set[int]) -> set[int]:
    """The needs without those that are met whenever another is."""
    kept: list[int] = []
    for need in sorted(needs, key=lambda need: (need.bit_count(), need)):
        if not any(other & need == other for other in kept):
            kept.append(need)
    return set(kept)


def _union(masks: Iterator[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def _without_dominated(needs: set[int], offers: Sequence[Offer]) -> set[int]:
    """The needs without offers that are in no best answer: another meets all of their needs, is no worse, and comes first or is better."""
    ordered = sorted(needs)
    met = {place: _union(1 << n for n, need in enumerate(ordered) if need >> place & 1) for place in bits(_union(iter(needs)))}
    for place in reversed(met):
        if any(_stands_in(other, place, met, offers) for other in met if other != place):
            met[place] = 0
    gone = _union(1 << place for place, mask in met.items() if not mask)
    return {need & ~gone for need in needs}


def _stands_in(other: int, place: int, met: dict[int, int], offers: Sequence[Offer]) -> bool:
    if not met[other] or met[place] & ~met[other]:
        return False
    return (offers[other].worse, other) < (offers[place].worse, place)


def _searched(needs: set[int], offers: Sequence[Offer]) -> Cover:
    places = list(bits(_union(iter(needs))))
    if len(places) > MOST_TRIED:
        return _solved(sorted(needs), places, offers)
    for size in range(len(places) + 1):
        # They come in the order of their places, and of equal ones the first is taken.
        if found := [chosen for chosen in combinations(places, size) if _meets(chosen, needs)]:
            return Cover(min(found, key=lambda chosen: sum(offers[place].worse for place in chosen)))
    raise AssertionError(needs)


def _meets(chosen: Sequence[int], needs: set[int]) -> bool:
    mask = _union(1 << place for place in chosen)
    return all(need & mask for need in needs)


def _solved(needs: list[int], places: list[int], offers: Sequence[Offer]) -> Cover:
    """As many as these are left to clingo; where it gives up, the best that it found."""
    import clingo  # takes longer to load than most answers to find

    numbers = {place: number for number, place in enumerate(places)}
    lines = [f"offer({number})." for number in numbers.values()]
    lines += [f"worse({numbers[place]})." for place in places if offers[place].worse]
    lines += [f"need({n}). " + " ".join(f"has({n},{numbers[place]})." for place in bits(need)) for n, need in enumerate(needs)]
    options = ["--opt-mode=opt", "--seed=1", "--opt-strategy=usc,one", "--opt-usc-shrink=min", f"--solve-limit={MOST_CONFLICTS}"]
    control = clingo.Control([*options, f"--const=top={len(places) + 2}"], message_limit=0)
    control.add("base", [], PROGRAM + "\n".join(lines))
    control.ground([("base", [])])
    best: list[list[int]] = [_greedy(needs, places)]
    with control.solve(yield_=True) as handle:
        best += [[places[atom.arguments[0].number] for atom in model.symbols(atoms=True) if atom.name == "in"] for model in handle]
        proven = bool(handle.get().exhausted)
    least = min(best, key=lambda chosen: _cost(chosen, offers))
    return Cover(tuple(least), proven)


def _cost(chosen: Sequence[int], offers: Sequence[Offer]) -> tuple[int, int, list[int]]:
    return len(chosen), sum(offers[place].worse for place in chosen), sorted(chosen)


def _greedy(needs: list[int], places: list[int]) -> list[int]:
    found: list[int] = []
    while needs:
        best = max(places, key=lambda place: (sum(need >> place & 1 for need in needs), -place))
        found.append(best)
        needs = [need for need in needs if not need >> best & 1]
    return found
