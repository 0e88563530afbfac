"""Which mirrors are named, in what order, and what is said of them."""

from __future__ import annotations

from itertools import permutations

import pytest
import yaml
from fakes.world import World, hash_of

from resolver.emit.durability import durability
from resolver.emit.environment import Environment, Mirror
from resolver.emit.listings import emit_mirrors
from resolver.emit.mirrors import serving
from resolver.emit.spack_yaml import emit_spack_yaml
from resolver.spec.concrete import ConcreteSpec

KEY, OTHER = "A" * 40, "B" * 64
CLOSURE = {hash_of(name): World([{"id": name, "spec": f"{name}@=1"}]).specs[hash_of(name)] for name in "abcd"}


def mirror(name: str, has: str, url: str = "", layout: str = "v3", **more: object) -> Mirror:
    facts: dict[str, object] = {"signed": None, **more}
    return Mirror(name, url or f"https://example.org/{name}", layout, serves=frozenset(map(hash_of, has)), **facts)  # type: ignore[arg-type]


def names(*offers: Mirror) -> list[str]:
    return [found.name for found in serving(offers, CLOSURE).mirrors]


def test_the_fewest_are_named_in_the_order_given() -> None:
    assert names(mirror("one", "a"), mirror("z", "abc"), mirror("two", "b"), mirror("c", "cd")) == ["z", "c"]
    assert names(mirror("x", "ab"), mirror("y", "ab")) == ["x"]
    assert names() == names(mirror("none", "")) == []


def test_what_lasts_is_taken_where_it_costs_no_more() -> None:
    rolling, whole = mirror("a", "abcd", release="develop"), mirror("b", "abcd", release="develop-2026-01-11")
    assert names(rolling, whole) == ["b"]
    assert names(rolling, mirror("b", "ab"), mirror("c", "cd")) == ["a"]


@pytest.mark.parametrize(
    ("release", "url", "expected"),
    [
        ("develop", "https://x/v1.0.0", "rolling"),
        ("snapshots/develop-2026-01-11", "", "snapshot"),
        ("v1.1.0", "", "release"),
        ("", "https://binaries.spack.io/develop/e4s", "rolling"),
        ("", "https://binaries.spack.io/develop/", "rolling"),
        ("", "s3://spack-binaries/develop-2026-01-11/e4s", "snapshot"),
        ("mine", "https://binaries.spack.io/releases/v0.23", "release"),
        ("", "https://develop/e4s", "unknown"),
        ("", "https://x/develop/a/b", "unknown"),
        ("", "file:///srv/developers", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_durability_is_told_by_the_label_or_else_the_address(release: str, url: str, expected: str) -> None:
    assert durability(release, url) == expected


def test_what_only_rolling_mirrors_have_is_warned_of() -> None:
    offers = [mirror("dev", "abcd", release="develop"), mirror("kept", "a", release="v1.0"), mirror("mine", "b")]
    (note,) = serving(offers, CLOSURE).notes
    assert note.startswith("2 of 4 packages are in rolling mirrors alone (c/")
    assert "develop)" in note
    assert serving([*offers, mirror("all", "cd")], CLOSURE).notes == ()


def test_layouts_of_one_address_are_one_mirror() -> None:
    url = "https://example.org/m"
    new = mirror("m", "ab", url, signed=True, keys=(KEY,), release="v1.0")
    old = mirror("m-v2", "bc", f"{url}/", layout="v2", signed=True, keys=(OTHER,))
    (found,) = serving([new, old], CLOSURE).mirrors
    assert (found.name, found.layout, found.keys, found.release, found.signed) == ("m", "v3", (KEY, OTHER), "v1.0", True)
    assert [found.layout_of(hash_of(name)) for name in "abc"] == ["v3", "v3", "v2"]
    (found,) = serving([old], CLOSURE).mirrors
    assert found.layout_of(hash_of("b")) == "v2"


def test_a_view_is_a_mirror_of_its_own_since_spack_reads_nothing_else_with_it() -> None:
    url = "https://example.org/m"
    offers = [mirror("m", "ab", url), mirror("m-v2", "c", url, layout="v2"), mirror("m-x", "d", url, view="x")]
    assert names(*offers) == ["m", "m-x"]
    assert names(*offers, mirror("m-all", "abcd", url, view="all")) == ["m-all"]


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [(True, True, True), (True, None, None), (None, True, None), (True, False, False), (False, None, None), (False, False, False)],
)
def test_verifying_is_turned_off_only_where_something_needed_is_unsigned(new: bool | None, old: bool | None, expected: bool | None) -> None:
    url = "https://example.org/m"
    (found,) = serving([mirror("m", "a", url, signed=new), mirror("o", "b", url, layout="v2", signed=old)], CLOSURE).mirrors
    assert found.signed is expected
    (found,) = serving([mirror("m", "ab", url, signed=True), mirror("o", "b", url, layout="v2", signed=old)], CLOSURE).mirrors
    assert found.signed is True


def environment(*mirrors: Mirror) -> Environment:
    return Environment((), dict[str, ConcreteSpec](), {}, mirrors, unified=True, command="spack-resolver resolve s")


def test_keys_stand_above_their_mirrors_and_the_header_says_what_to_do_with_them() -> None:
    mirrors = (
        mirror("hub", "a", signed=True, keys=(KEY, OTHER), view="x"),
        mirror("site", "b", signed=False, keys=(KEY,)),
        mirror("local", "c", url="file:///m"),
    )
    text = emit_mirrors(environment(*mirrors)).content.decode()
    hint, body = text.split("mirrors:\n")
    assert "`spack buildcache keys --install`" in hint
    assert body == (
        f"  # key {KEY}\n  # key {OTHER}\n  hub:\n    url: https://example.org/hub\n    binary: true\n    signed: true\n    view: x\n"
        "  site:\n    url: https://example.org/site\n    binary: true\n    signed: false\n"
        "  local:\n    url: file:///m\n    binary: true\n"
    )
    whole = emit_spack_yaml(environment(*mirrors), beside_lock=True).content
    assert yaml.safe_load(whole)["spack"]["mirrors"] == yaml.safe_load(text)["mirrors"]
    assert list(yaml.safe_load(whole)["spack"]["mirrors"]) == ["hub", "site", "local"]
    assert whole.decode().count(f"# key {KEY}") == 1


def test_without_keys_nothing_is_said_of_them() -> None:
    for mirrors in ((), (mirror("site", "b", signed=False, keys=(KEY,)),), (mirror("odd", "b", keys=("x\n: y",)),)):
        text = emit_mirrors(environment(*mirrors)).content.decode()
        assert text.count("#") == 1
        assert set(yaml.safe_load(text)["mirrors"]) == {one.name for one in mirrors}


def test_the_order_of_offers_that_do_not_compete_does_not_count() -> None:
    offers = [mirror("p", "ab"), mirror("q", "bc"), mirror("r", "cd"), mirror("s", "da")]
    found = {frozenset(names(*order)) for order in permutations(offers)}
    assert found == {frozenset("pr"), frozenset("qs")}
    assert names(*offers) == ["p", "r"]
