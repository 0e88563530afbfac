from __future__ import annotations

import json
from pathlib import Path

import pytest

import resolver
from resolver.errors import FormatError, InputError
from resolver.formats.config import json_schema, read_config
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
        ("0x1f", "0x1f"),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert load_yaml(f"a: {text}") == {"a": value}


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


@pytest.mark.parametrize("text", ["[" * 200_000, "- " * 200_000, "{a: " * 100_000, "\n".join(" " * n + "a:" for n in range(300))])
def test_nesting_cannot_overflow_the_stack(text: str) -> None:
    with pytest.raises(FormatError):
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
