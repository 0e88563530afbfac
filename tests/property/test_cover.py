"""The chosen mirrors are the fewest, with ties decided: against trying all sets, for up to eight of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.selection import cover as covering
from resolver.selection.cover import Cover, Offer, cover

THINGS = st.frozensets(st.sampled_from("abcdefghijkl"))
OFFERS = st.lists(st.builds(Offer, THINGS, st.booleans()), max_size=8)


def best(offers: Sequence[Offer]) -> tuple[int, ...]:
    """The best of all sets of offers, by trying them."""
    wanted = frozenset().union(*(offer.has for offer in offers))
    sets = [chosen for size in range(len(offers) + 1) for chosen in combinations(range(len(offers)), size)]
    full = [chosen for chosen in sets if wanted <= frozenset().union(*(offers[place].has for place in chosen))]
    return min(full, key=lambda chosen: (len(chosen), sum(offers[place].worse for place in chosen), chosen))


@given(OFFERS)
def test_the_cover_is_the_best_of_all(offers: list[Offer]) -> None:
    assert cover(offers) == Cover(best(offers))


@given(OFFERS)
def test_the_solver_finds_the_same(offers: list[Offer]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(covering, "MOST_TRIED", 0)
        assert cover(offers) == Cover(best(offers))


@given(OFFERS, st.randoms(use_true_random=False))
def test_the_order_of_things_does_not_count(offers: list[Offer], random: object) -> None:
    shuffled = [Offer(random.sample(sorted(offer.has), len(offer.has)), offer.worse) for offer in offers]  # type: ignore[attr-defined]
    assert cover(shuffled) == cover(offers)


def test_many_offers_are_solved_exactly() -> None:
    """Each thing is had by three of thirty neighbours, so that ten are needed, and of the three ways the first is taken."""
    offers = [Offer({f"t{(place + step) % 30}" for step in range(3)}) for place in range(30)]
    assert cover(offers) == Cover(tuple(range(0, 30, 3)))
    offers = [Offer(offer.has, place % 3 == 0) for place, offer in enumerate(offers)]
    assert cover(offers) == Cover(tuple(range(1, 30, 3)))


def test_a_search_that_is_given_up_still_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covering, "MOST_CONFLICTS", 1)
    offers = [Offer({f"t{place * step % 61}" for step in range(1, 9)}) for place in range(1, 60)]
    found = cover(offers)
    assert not found.proven
    assert frozenset().union(*(offers[place].has for place in found.chosen)) == frozenset().union(*(offer.has for offer in offers))
