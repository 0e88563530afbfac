from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import resolver
from resolver.errors import FormatError, InputError
from resolver.formats import yaml_tree
from resolver.formats.config import json_schema, read_config
from resolver.formats.yaml_scalar import YamlTime
from resolver.formats.yaml_tree import load_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("''", ""),
        ("'1'", "1"),
        ("1", 1),
        ("1.10", 1.1),
        ("1:30", "1:30"),
        ("0x1f", 31),
        ("0o17", 15),
        ("0b101", 5),
        ("010", 10),
        ("-1_000", -1000),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("-.inf", float("-inf")),
        ("0x", "0x"),
        ("0b_", "0b_"),
        ("1e", "1e"),
        ("=", "="),
        ("9" * 40, "9" * 40),
        ("!!str 1", "1"),
        ("!mine x", "x"),
        ("Null", None),
        ("", None),
        ("a#b", "a#b"),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert load_yaml(f"a: {text}") == {"a": value}


@pytest.mark.parametrize("text", ["2024-01-31", "2024-1-31 09:10:11", "2024-01-31T09:10:11.5+02:00"])
def test_a_time_is_kept_as_its_text_and_known_as_one(text: str) -> None:
    assert load_yaml(f"a: {text}") == {"a": text}
    assert isinstance(load_yaml(f"a: {text}")["a"], YamlTime)
    assert not isinstance(load_yaml(f"a: '{text}'")["a"], YamlTime)


@pytest.mark.parametrize("text", ["2024-1-31", "2024-01-311", "2024-01"])
def test_what_is_nearly_a_time_is_a_text(text: str) -> None:
    assert not isinstance(load_yaml(f"a: {text}")["a"], YamlTime)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: [gcc@12:]", {"a": ["gcc@12:"]}),
        ("a: [gcc@12:, b]", {"a": ["gcc@12:", "b"]}),
        ("a: {x: gcc@12:}", {"a": {"x": "gcc@12:"}}),
        ("a: [::]", {"a": ["::"]}),
        ("a: &x 1\nb: &x 2\nc: *x\nd: [y:]", {"a": 1, "b": 2, "c": 2, "d": ["y:"]}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
        ("%YAML 1.1\n---\na: yes\nb: off", {"a": True, "b": False}),
    ],
)
def test_what_libyaml_refuses_or_reads_otherwise_is_read_as_spack_does(text: str, value: object) -> None:
    assert load_yaml(text) == value


def test_places_are_the_same_by_both_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a:\n- x\n-  {b: 1.5, 'c': [d, ~]}\ne: |\n  f\n<<: {g: yes}\n"
    fast = load_yaml(text)
    monkeypatch.setattr(yaml_tree, "LIBYAML", False)
    slow = load_yaml(text)
    assert slow == fast
    assert slow.places == fast.places
    assert slow["a"].places == fast["a"].places
    assert slow["a"][1].places == fast["a"][1].places == {"b": (3, 5), "c": (3, 13)}


@pytest.mark.parametrize("text", ["a:\tb", "a: \tb", "- \tb", "a: b\t# c"])
def test_tabs_between_tokens_are_refused_as_in_spack(text: str) -> None:
    with pytest.raises(FormatError, match="write blanks in place of tabs"):
        load_yaml(text)


@pytest.mark.parametrize("text", ["a: 'b\tc'", "a: |\n  b:\tc", "a: b\tc"])
def test_tabs_inside_texts_are_texts(text: str) -> None:
    assert "\t" in load_yaml(text)["a"]


def test_a_key_that_replaces_is_the_same_key() -> None:
    assert load_yaml("a:: 1\nb@1:: 2\nb@1: 3") == {"a:": 1, "b@1:": 2, "b@1": 3}
    with pytest.raises(FormatError, match=r"2:1: key 'a:' is given twice: the first stands in line 1"):
        load_yaml("a: 1\na:: 2", "f")


def test_all_keys_given_twice_are_named_at_once() -> None:
    with pytest.raises(FormatError) as caught:
        load_yaml("a: 1\nb: {c: 1, c: 2}\na: 3\na: 4", "f")
    assert str(caught.value).startswith(
        "f:2:11: key 'c' is given twice: the first stands in line 2; so are 'a' in line 3 and line 1; so are 'a'"
    )


def test_many_keys_given_twice_are_counted() -> None:
    with pytest.raises(FormatError, match="and 81 more"):
        load_yaml("a: 1\n" * 102)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a: %gcc", "quote a text that begins with %"),
        ("a: @1.2", "quote a text that begins with @"),
        ("a: `x`", "quote a text that begins with `"),
        ("{{ name }}:\n  a: 1", "template"),
        ("a: {{ x }}\nb: }}", "template"),
        ("a: b: c", "quote a text that holds ': '"),
        ("a: 1\n b: 2", "quote a text that holds ': '"),
        ("a:\n  - b\n - c", "one column"),
    ],
)
def test_an_error_says_what_to_write(text: str, hint: str) -> None:
    with pytest.raises(FormatError) as caught:
        load_yaml(text, "f")
    assert hint in caught.value.hint
    assert caught.value.where.startswith("f:")


def test_places_are_known() -> None:
    tree = load_yaml("a:\n- x\n-  y\nb: 1\n")
    assert tree.places == {"a": (1, 1), "b": (4, 1)}
    assert tree["a"].places == [(2, 3), (3, 4)]


def test_merge_keys() -> None:
    assert load_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}") == {"a": {"x": 1, "y": 2}, "b": {"y": 3, "x": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", r"f:2:1: key 'a' is given twice"),
        ("a: [", r"f:\d+:\d+: not YAML"),
        ("a: \t- b", "not YAML"),
        ("? [a]\n: 1", "must be a text"),
    ],
)
def test_errors_name_their_place(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        load_yaml(text, "f")
    import re

    assert re.search(message, str(caught.value))


def test_aliases_cannot_multiply_without_bound() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(FormatError, match="more than"):
        load_yaml("\n".join(levels))


def test_nesting_is_bounded() -> None:
    with pytest.raises(FormatError):
        load_yaml("[" * 5000 + "]" * 5000)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "{" * 4000,
        "[x:]\n" + "[" * 90_000,
        "- " * 40_000 + "[x:]",
        "? " * 99_000,
        "- " * 200_000,
        "{a: " * 100_000,
        "\n".join(" " * n + "a:" for n in range(300)),
    ],
)
def test_nesting_cannot_overflow_the_stack(text: str) -> None:
    with pytest.raises(FormatError):
        load_yaml(text)


@pytest.mark.parametrize("text", ["a: [x:]\n" + "# c\n" * 40_000, "a\n" * 3_000_000])
def test_texts_too_long_for_a_reader_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        load_yaml(text)


@pytest.mark.parametrize(
    "text", ["\0", "a: \x07", "a: \ud800", "&a [*a]", "&a {b: *a, c: [x:]}", "*a", "a: 1e999", "'", "!<", "--- 1\n--- 2"]
)
def test_odd_texts_are_read_or_refused(text: str) -> None:
    with contextlib.suppress(FormatError):
        load_yaml(text, "f")


@given(st.text(alphabet="ab \n:-[]{}'\"&*!|>%@#,?<=~.0_\t", max_size=60))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(FormatError):
        load_yaml(text)


def test_a_configuration() -> None:
    config = read_config(
        "sources: [a, {location: b, stack: e4s}]\nmachines: {big: {platform: linux, os: rhel9, target: zen4, libc: glibc@2.34}}\n"
        "stacks: [mine]\nci: {runners: {big: [self-hosted, big]}}\n",
        "f",
    )
    assert config.machines["big"].machine("big").triple == "linux-rhel9-zen4"
    assert config.ci.runners == {"big": ["self-hosted", "big"]}


@pytest.mark.parametrize("text", ["nosuch: 1", "machines: {big: {cpu: zen4}}", "sources: 3", "- a"])
def test_a_configuration_with_a_wrong_key_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="f: the configuration cannot be used"):
        read_config(text, "f")


def test_the_published_schema_is_that_of_the_code() -> None:
    published = (Path(resolver.__file__).parent / "spack-resolver.schema.json").read_text("utf-8")
    assert published == json.dumps(json_schema(), indent=2) + "\n"
