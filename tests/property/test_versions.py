"""Laws of versions and their sets."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from property.strategies import versions

from resolver import Version, VersionSet
from resolver.errors import SpecError


def parsed(text: str) -> VersionSet:
    try:
        return VersionSet.parse(text)
    except SpecError:
        assume(False)
        raise


ranges = st.one_of(
    versions,
    versions.map("={}".format),
    versions.map("{}:".format),
    versions.map(":{}".format),
    st.tuples(versions, versions).map(":".join),
)
sets = st.lists(ranges, min_size=1, max_size=3).map(",".join)


@given(versions, versions, versions)
def test_order_is_total(a: str, b: str, c: str) -> None:
    x, y, z = Version(a), Version(b), Version(c)
    assert (x < y) + (x == y) + (x > y) == 1
    if x <= y <= z:
        assert x <= z


@given(versions)
def test_a_version_is_in_its_own_range(text: str) -> None:
    assert Version(text) in VersionSet.parse(text)
    assert Version(text) in VersionSet.parse(f"={text}")
    assert Version(text) in VersionSet.parse(f"{text}:")
    assert Version(text) in VersionSet.parse(f":{text}")


@given(sets, versions)
def test_text_round_trip(text: str, probe: str) -> None:
    one = parsed(text)
    again = VersionSet.parse(str(one))
    assert again == one
    assert (Version(probe) in again) == (Version(probe) in one)


@given(sets, sets, versions)
def test_union_and_intersection_are_pointwise(a: str, b: str, probe: str) -> None:
    x, y, v = parsed(a), parsed(b), Version(probe)
    assert (v in (x | y)) == (v in x or v in y)
    assert (v in (x & y)) == (v in x and v in y)


@given(sets, sets)
def test_intersection_and_union_bound(a: str, b: str) -> None:
    x, y = parsed(a), parsed(b)
    assert (x & y) <= x
    assert x <= (x | y)
    assert x.intersects(y) == y.intersects(x) == bool(x & y)


@given(sets, sets, versions)
def test_subset_keeps_members(a: str, b: str, probe: str) -> None:
    x, y, v = parsed(a), parsed(b), Version(probe)
    if x <= y and v in x:
        assert v in y
