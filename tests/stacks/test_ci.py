from __future__ import annotations

from typing import Any

import pytest

from resolver.arch.machine import parse_triple
from resolver.errors import InputError
from resolver.formats.yaml_tree import load_yaml
from resolver.spec.abstract import AbstractSpec
from resolver.stacks.ci import Runners, ci_section
from resolver.stacks.scopes import Configuration, Scope
from resolver.stacks.stack import Stack

ZEN4 = parse_triple("linux-ubuntu24.04-zen4")


def tags(text: str, spec: str = "hdf5+mpi") -> tuple[str, ...]:
    section: Any = load_yaml(text)
    return Runners({"pipeline-gen": section}, ZEN4).tags(AbstractSpec.parse(spec))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- build-job: {tags: [s1]}\n- build-job: {tags: [s2]}\n- any-job: {tags: [any]}", ("s1", "s2", "any")),
        ("- build-job: {'tags:': [s1]}\n- build-job: {tags: [s2]}", ("s1",)),
        ("- build-job: {tags-: [s1]}\n- build-job: {tags: [s2]}", ("s2", "s1")),
        ("- build-job-remove: {tags: [a]}\n- build-job: {tags: [a, b]}", ("b",)),
        ("- build-job: {tags: [a, b]}\n- build-job-remove: {tags: [a]}", ("a", "b")),
        ("- {build-job: {tags: [c]}, build-job-remove: {tags: [a]}}\n- any-job: {tags: [a, b]}", ("c", "b")),
        ("- build-job-remove: {'tags:': x}\n- build-job: {tags: [a, b]}", ()),
        ("- build-job-remove: {tags: x}\n- build-job: {tags: [a]}", ("a",)),
        ("- noop-job: {tags: [n]}\n- build-job: {tags: [b]}", ("b",)),
        ("- {any-job: {tags: [a]}, build-job: {tags: [b]}}", ("a",)),
        ("- dynamic-mapping: {endpoint: 'https://e.example'}\n- build-job: {tags: [b]}", ("b",)),
        ("- any-job: {tags: [public, mine, protected, notary]}", ("mine",)),
        ("[]", ()),
    ],
)
def test_tags(text: str, found: tuple[str, ...]) -> None:
    assert tags(text) == found


MAPPED = """
- match_behavior: {behavior}
  submapping:
  - match: [hdf5]
    build-job: {{tags: [a]}}
  - match: [nothing, hdf5+mpi]
    build-job: {{tags: [b]}}
    build-job-remove: {{tags: [any]}}
- any-job: {{tags: [any]}}
"""


@pytest.mark.parametrize(
    ("behavior", "spec", "found"),
    [("first", "hdf5+mpi", ("b",)), ("merge", "hdf5+mpi", ("a", "b")), ("first", "hdf5~mpi", ("a", "any")), ("merge", "zlib", ("any",))],
)
def test_of_a_submapping_the_last_match_counts_unless_all_are_merged(behavior: str, spec: str, found: tuple[str, ...]) -> None:
    assert tags(MAPPED.format(behavior=behavior), spec) == found


def test_without_a_behavior_the_first_is_meant() -> None:
    assert tags("- submapping:\n  - {match: [hdf5], build-job: {tags: [a]}}\n  - {match: [hdf5], build-job: {tags: [b]}}") == ("b",)


@pytest.mark.parametrize(
    ("match", "spec", "met"),
    [
        ("os=ubuntu24.04", "hdf5", True),
        ("os=rhel9", "hdf5", False),
        ("os=rhel9", "hdf5 os=rhel9", True),
        ("platform=darwin", "hdf5", False),
        ("hdf5@1.14:", "hdf5", True),
        ("hdf5@1.14:", "hdf5@1.12", False),
    ],
)
def test_a_root_matches_what_it_may_turn_out_to_be_on_the_machine(match: str, spec: str, met: bool) -> None:
    assert tags(f"- submapping: [{{match: ['{match}'], build-job: {{tags: [a]}}}}]", spec) == (("a",) if met else ())


@pytest.mark.parametrize(
    "text",
    ["a: b", "[a]", "[{build-job: [a]}]", "[{submapping: x}]", "[{submapping: [{match: ['a b']}]}]", "[{build-job: {tags: [{a: b}]}}]"],
)
def test_mistakes_are_named(text: str) -> None:
    with pytest.raises(InputError, match="ci:"):
        tags(text)


@pytest.mark.parametrize(
    ("high", "found"),
    [
        ("pipeline-gen: [{build-job: {tags: [a]}}]", ("a", "b")),
        ("pipeline-gen: [{build-job: {'tags:': [a]}}]", ("a",)),
        ("pipeline-gen: [{build-job: {tags: [b]}}]", ("b",)),
        ("'pipeline-gen:': [{build-job: {tags: [a]}}]", ("a",)),
        ("target: gitlab", ("b",)),
    ],
    ids=[
        "the highest first",
        "marks inside elements are kept",
        "equal elements count once",
        "one scope may replace the others",
        "it has none",
    ],
)
def test_elements_come_from_all_scopes(high: str, found: tuple[str, ...]) -> None:
    low = load_yaml("ci: {pipeline-gen: [{build-job: {tags: [b]}}]}")
    scopes = (Scope("high", "high", load_yaml(f"ci: {{{high}}}")), Scope("low", "low", low))
    assert Runners(ci_section(Configuration(scopes)), ZEN4).tags(AbstractSpec.parse("hdf5")) == found


def test_a_stack_keeps_what_its_section_says() -> None:
    text = "spack:\n  ci:\n    pipeline-gen:\n    - build-job-remove: {tags:: any}\n    - build-job: {tags: [i]}\n"
    assert Runners(Stack.read(load_yaml(text), "s", ZEN4).ci, ZEN4).tags(AbstractSpec.parse("hdf5")) == ()


def test_elements_that_are_no_list_are_a_mistake_of_the_stack() -> None:
    with pytest.raises(InputError, match="ci:pipeline-gen"):
        Stack.read(load_yaml("spack: {ci: {pipeline-gen: a}}"), "s", ZEN4)
