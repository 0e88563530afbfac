from __future__ import annotations

from typing import Any

import pytest

from resolver.formats.yaml_tree import load_yaml
from resolver.stacks.merge import merged, settled
from resolver.stacks.scopes import Configuration, Scope


def scope(text: str, name: str = "s") -> Scope:
    return Scope(name, f"{name}.yaml", load_yaml(text))


def over(*texts: str) -> Configuration:
    """The scopes of some texts, the highest first."""
    return Configuration(tuple(scope(text, f"s{place}") for place, text in enumerate(texts)))


@pytest.mark.parametrize(
    ("high", "low", "expected"),
    [
        ("{a: 1, c: 3}", "{b: 2, a: 0}", {"a": 1, "c": 3, "b": 2}),
        ("{a: {x: 1}}", "{a: {y: 2}}", {"a": {"x": 1, "y": 2}}),
        ("[a, b]", "[c, b]", ["a", "b", "c"]),
        ("[{spec: a}, [1]]", "[[1], {spec: a}, [2]]", [{"spec": "a"}, [1], [2]]),
        ("[a]", "[b, b]", ["a", "b", "b"]),
        ("{require: [+mpi]}", "{require: '@1'}", {"require": ["+mpi"]}),
        ("{require: '@1'}", "{require: [+mpi]}", {"require": "@1"}),
        ("{a: null}", "{a: [1]}", {"a": None}),
        ("{'a:': [1]}", "{a: [2]}", {"a": [1]}),
        ("{'a:': {'b:': [1]}}", "{a: {c: 2}}", {"a": {"b": [1]}}),
        ("{a: {'b:': [1], c: [1]}}", "{a: {b: [2], c: [2]}}", {"a": {"b": [1], "c": [1, 2]}}),
        ("{'a+': [1], 'b-': [1]}", "{a: [2], b: [2]}", {"a+": [1], "b-": [1], "a": [2], "b": [2]}),
        ("{'zlib@1.2:': [1]}", "{}", {"zlib@1.2:": [1]}),
    ],
)
def test_merging_of_files(high: str, low: str, expected: object) -> None:
    found = merged(load_yaml(high), load_yaml(low))
    assert found == expected
    if isinstance(found, dict) and isinstance(expected, dict):
        assert list(found) == list(expected)


@pytest.mark.parametrize(
    ("high", "low", "expected"),
    [
        ("{'a+': [1]}", "{a: [2]}", {"a": [1, 2]}),
        ("{'a-': [1]}", "{a: [2, 1]}", {"a": [2, 1]}),
        ("{'a-': [1]}", "{a: [2]}", {"a": [2, 1]}),
        ("{'a+': x}", "{a: y}", {"a": "xy"}),
        ("{'a-': x}", "{a: y}", {"a": "yx"}),
        ("{'a+': [1]}", "{}", {"a": [1]}),
        ("{a: {'b-': [1]}}", "{a: {b: [2]}}", {"a": {"b": [2, 1]}}),
        ("{'a:': [1]}", "{a: [2]}", {"a": [1]}),
    ],
)
def test_merging_of_scopes_in_memory(high: str, low: str, expected: object) -> None:
    assert merged(load_yaml(high), load_yaml(low), in_memory=True) == expected


def test_values_without_marks_are_left_as_they_are() -> None:
    value = load_yaml("{a: [{b: 1}], c: {d: x}}")
    assert settled(value) is value
    assert settled(load_yaml("{a: [{'b:': 1}]}")) == {"a": [{"b": 1}]}


def test_a_long_list_merges_quickly() -> None:
    high, low = [f"a{n}" for n in range(50_000)], [f"a{n}" for n in range(25_000, 75_000)]
    assert len(merged(high, low)) == 75_000


def test_a_section_is_merged_over_all_scopes() -> None:
    configuration = over("packages: {all: {require: [+a]}}", "mirrors: {x: y}", "packages: {all: {require: [+b]}, zlib: {version: [1]}}")
    assert configuration.section("packages") == {"all": {"require": ["+a", "+b"]}, "zlib": {"version": [1]}}
    assert configuration.section("mirrors") == {"x": "y"}
    assert configuration.section("view") is None


def test_a_section_that_replaces_drops_all_that_is_lower() -> None:
    configuration = over("mirrors: {a: 1}", "mirrors:: {b: 2}", "mirrors: {c: 3}")
    assert configuration.section("mirrors") == {"a": 1, "b": 2}


def test_mirrors_keep_the_order_of_their_scopes() -> None:
    assert list(over("mirrors: {z: 1, y: 2}", "mirrors: {a: 3, y: 4}").section("mirrors")) == ["z", "y", "a"]


def test_an_override_lies_on_top_and_leaves_what_is_below() -> None:
    below = over("packages: {all: {require: [+a]}}\nview: /a")
    sections: dict[str, Any] = load_yaml("packages: {all: {require-: [+b], 'variants:': +c}}")
    above = below.with_override(sections, "group")
    assert above.section("packages") == {"all": {"require": ["+a", "+b"], "variants": "+c"}}
    assert above.section("view") == "/a"
    assert below.section("packages") == {"all": {"require": ["+a"]}}
    assert [s.name for s in above.scopes] == ["group", "s0"]
    twice = above.with_override(load_yaml("packages: {all: {'require:': [+z]}}"), "again")
    assert twice.section("packages") == {"all": {"require": ["+z"], "variants": "+c"}}


def test_entries_tell_the_file_and_place_of_each_item() -> None:
    configuration = over("definitions:\n- a: [x]\n- b: [y]", "definitions:\n- b: [y]\n- c: [z]")
    assert configuration.entries("definitions") == [
        ({"a": ["x"]}, "s0.yaml:2:3"),
        ({"b": ["y"]}, "s0.yaml:3:3"),
        ({"c": ["z"]}, "s1.yaml:3:3"),
    ]
    assert [value for value, _ in configuration.entries("definitions")] == configuration.section("definitions")


@pytest.mark.parametrize("text", ["definitions::\n- a: [x]", "definitions: null", "definitions: {}"])
def test_entries_end_where_a_scope_replaces(text: str) -> None:
    configuration = over(text, "definitions:\n- b: [y]")
    assert [value for value, _ in configuration.entries("definitions")] == (configuration.section("definitions") or [])
