from __future__ import annotations

from typing import Any

import pytest

from resolver.errors import InputError
from resolver.formats.mirrors import MirrorEntry, read_mirrors


def entry(text: str) -> MirrorEntry:
    found = read_mirrors(f"mirrors:\n  m: {text}\n", "f")
    assert found is not None
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://h/m", ("https://h/m", "", None)),
        ("{url: https://h/m}", ("https://h/m", "", None)),
        ("{url: https://h/m, signed: false, view: a/b}", ("https://h/m", "a/b", False)),
        ("{fetch: https://h/m, push: s3://b/m}", ("https://h/m", "", None)),
        ("{fetch: {url: https://h/m, view: v}, push: {url: s3://b/m, view: w}}", ("https://h/m", "v", None)),
        ("{url: https://h/m, view: u, fetch: {view: v}}", ("https://h/m", "v", None)),
        ("{url: https://h/m, push: s3://b/m, binary: true, source: false, signed: true}", ("https://h/m", "", True)),
        ("{push: s3://b/m}", ("", "", None)),
        ("{push: {url: s3://b/m}, fetch: {view: v}}", ("", "v", None)),
    ],
)
def test_all_forms_of_an_entry(text: str, expected: tuple[Any, ...]) -> None:
    found = entry(text)
    assert (found.name, found.url, found.view, found.signed) == ("m", *expected)


def test_what_opens_a_mirror_is_that_of_fetching() -> None:
    found = entry("{url: s3://b, profile: p, fetch: {access_pair: [a, b], endpoint_url: e}, push: {access_pair: [c, d], access_token: t}}")
    assert found.connection == {"profile": "p", "access_pair": ["a", "b"], "endpoint_url": "e"}
    assert repr(found) == "MirrorEntry('m')"


def test_mirrors_of_sources_are_passed_over() -> None:
    found = read_mirrors("mirrors:\n  a: {url: https://h/a, binary: false}\n  b:: https://h/b\n", "f")
    assert [one.name for one in found or ()] == ["b"]


def test_a_list_that_replaces_others_is_a_list() -> None:
    assert read_mirrors("mirrors:: {}", "f") == []
    assert [one.name for one in read_mirrors("mirrors::\n  a: x\n", "f") or ()] == ["a"]


@pytest.mark.parametrize("text", ["", "a: 1", "- a", "spec: []", "mirrors: {}\nother: 1", "text", "null"])
def test_other_documents_are_no_list(text: str) -> None:
    assert read_mirrors(text, "f") is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("mirrors: [a]", "f: mirrors"),
        ("mirrors: {m: 1}", "f: mirrors:m"),
        ("mirrors: {m: [a]}", "f: mirrors:m"),
        ("mirrors: {m: {}}", "f: mirrors:m"),
        ("mirrors: {m: {url: 3}}", "f: mirrors:m"),
        ("mirrors: {m: {url: ''}}", "f: mirrors:m"),
        ("mirrors: {m: {fetch: [a]}}", "f: mirrors:m:fetch"),
        ("mirrors: {m: x, m: y}", "f:1:17"),
        ("mirrors: {m: &a {fetch: *a}}", "f:1:"),
        ("mirrors: {m: \x00}", "f"),
        (f"mirrors: {'[' * 20_000}", "f:1:"),
    ],
)
def test_wrong_shapes_name_their_place(text: str, place: str) -> None:
    with pytest.raises(InputError) as caught:
        read_mirrors(text, "f")
    assert caught.value.where.startswith(place)
