from __future__ import annotations

from typing import Any

import pytest
from fakes.world import hash_of

from resolver.arch.machine import Machine
from resolver.errors import InputError
from resolver.formats.yaml_tree import load_yaml
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.stacks.ci import JobAttributes, Kind, ci_section, job_attributes
from resolver.stacks.scopes import Configuration, Scope
from resolver.stacks.stack import Stack

HDF5 = AbstractSpec.parse("hdf5+mpi")


def job(text: str, spec: AbstractSpec | ConcreteSpec | None = HDF5, kind: Kind = "build") -> JobAttributes:
    section: Any = load_yaml(text)
    return job_attributes({"pipeline-gen": section}, spec, kind)


def concrete() -> ConcreteSpec:
    arch = {"platform": "linux", "platform_os": "ubuntu24.04", "target": "x86_64_v3"}
    node = {"name": "hdf5", "version": "1.14.3", "arch": arch, "parameters": {"mpi": True, "cflags": ["-O2"]}, "hash": hash_of("h")}
    return ConcreteSpec.from_nodes({hash_of("h"): node}, hash_of("h"))


def test_earlier_elements_win_and_stand_first() -> None:
    found = job(
        "- build-job: {tags: [s1], image: i1, variables: {A: 1}}\n"
        "- build-job: {tags: [s2], image: i2, variables: {A: 2, B: 2}}\n"
        "- any-job: {tags: [any]}"
    )
    assert (found.tags, found.image, found.variables) == (("s1", "s2", "any"), "i1", {"A": "1", "B": "2"})


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("- build-job-remove: {tags: [a]}\n- build-job: {tags: [a, b]}", ("b",)),
        ("- build-job: {tags: [a, b]}\n- build-job-remove: {tags: [a]}", ("a", "b")),
        ("- {build-job: {tags: [c]}, build-job-remove: {tags: [a]}}\n- any-job: {tags: [a, b]}", ("c", "b")),
        ("- build-job-remove: {'tags:': x}\n- build-job: {tags: [a, b]}", ()),
        ("- noop-job: {tags: [n]}\n- build-job: {tags: [b]}", ("b",)),
        ("- {any-job: {tags: [a]}, build-job: {tags: [b]}}", ("a",)),
        ("- dynamic-mapping: {endpoint: 'https://e.example'}\n- build-job: {tags: [b]}", ("b",)),
        ("[]", ()),
    ],
)
def test_tags(text: str, tags: tuple[str, ...]) -> None:
    assert job(text).tags == tags


@pytest.mark.parametrize(
    ("key", "image"),
    [("image", "i"), ("image:", None)],
    ids=["a scalar is not taken away", "unless its key is written ::"],
)
def test_removing_a_key(key: str, image: str | None) -> None:
    assert job(f"- build-job-remove: {{'{key}': any}}\n- build-job: {{image: i}}").image == image


MAPPED = """
- match_behavior: {behavior}
  submapping:
  - match: [hdf5]
    build-job: {{tags: [a], image: one}}
  - match: [nothing, hdf5+mpi]
    build-job: {{tags: [b]}}
    build-job-remove: {{tags: [any]}}
- any-job: {{tags: [any]}}
"""


@pytest.mark.parametrize(
    ("behavior", "spec", "tags", "image"),
    [
        ("first", "hdf5+mpi", ("b",), None),
        ("merge", "hdf5+mpi", ("a", "b"), "one"),
        ("first", "hdf5~mpi", ("a", "any"), "one"),
        ("merge", "zlib", ("any",), None),
    ],
)
def test_of_a_submapping_the_last_match_counts_unless_all_are_merged(
    behavior: str, spec: str, tags: tuple[str, ...], image: str | None
) -> None:
    found = job(MAPPED.format(behavior=behavior), AbstractSpec.parse(spec))
    assert (found.tags, found.image) == (tags, image)


def test_without_a_behavior_the_first_is_meant() -> None:
    assert job("- submapping:\n  - {match: [hdf5], build-job: {tags: [a]}}\n  - {match: [hdf5], build-job: {tags: [b]}}").tags == ("b",)


def test_a_submapping_is_for_jobs_that_build() -> None:
    assert job(MAPPED.format(behavior="first"), HDF5, "noop").tags == ("any",)


@pytest.mark.parametrize(
    ("key", "script"),
    [("script", ("a", "b", "c")), ("'script:'", ("a",)), ("script+", ("a", "b", "c")), ("script-", ("b", "c", "a"))],
)
def test_marks_on_keys_say_how_scripts_meet(key: str, script: tuple[str, ...]) -> None:
    assert job(f"- build-job: {{{key}: [a]}}\n- build-job: {{script: [[b, c]]}}").script == script


def test_marked_texts_are_joined() -> None:
    text = "- build-job: {variables: {A+: x, B-: x, C: x}}\n- build-job: {variables: {A: y, B: y, C: y}}"
    assert job(text).variables == {"A": "xy", "B": "yx", "C": "x"}


@pytest.mark.parametrize(
    ("kind", "tags"),
    [("build", ("mine",)), ("signing", ("aws", "protected", "notary", "mine")), ("reindex", ("mine",))],
)
def test_reserved_tags_are_spacks(kind: Kind, tags: tuple[str, ...]) -> None:
    assert job("- any-job: {tags: [public, mine, protected, notary]}", None, kind).tags == tags


def test_an_image_may_have_an_entrypoint_and_other_keys_are_kept() -> None:
    found = job("- build-job: {image: {name: i, entrypoint: ['']}, timeout: 4 h, retry: {max: 2}}")
    assert (found.image, found.entrypoint, found.rest) == ("i", ("",), {"timeout": "4 h", "retry": {"max": 2}})


def test_a_concrete_spec_sets_variables_and_matches_as_it_is() -> None:
    text = "- submapping:\n  - {match: [os=ubuntu24.04], build-job: {tags: [a]}}\n  - {match: [hdf5~mpi], build-job: {tags: [b]}}"
    found = job(text, concrete())
    assert found.tags == ("a",)
    assert found.variables["SPACK_JOB_SPEC_ARCH"] == "linux-ubuntu24.04-x86_64_v3"
    assert found.variables["SPACK_JOB_SPEC_VARIANTS"] == "+mpi"
    assert job("- submapping: [{match: ['hdf5 cflags=-O0'], build-job: {tags: [flags]}}]", concrete()).tags == ("flags",)


def test_endpoints_are_named_without_credentials_and_not_asked() -> None:
    assert job("- dynamic-mapping: {endpoint: 'https://me:secret@e.example/'}").asks == ("https://***@e.example/",)


@pytest.mark.parametrize(
    "text",
    [
        "a: b",
        "[a]",
        "[{build-job: [a]}]",
        "[{submapping: x}]",
        "[{submapping: [{match: ['a b']}]}]",
        "[{build-job: {tags: [{a: b}]}}]",
        "[{build-job: {variables: [a]}}]",
    ],
)
def test_mistakes_are_named(text: str) -> None:
    with pytest.raises(InputError, match="ci:"):
        job(text)


@pytest.mark.parametrize(
    ("high", "tags", "script"),
    [
        ("pipeline-gen: [{build-job: {tags: [a], 'script:': [x]}}]", ("a", "b"), ("x",)),
        ("pipeline-gen: [{build-job: {tags: [b], script: [y]}}]", ("b",), ("y",)),
        ("'pipeline-gen:': [{build-job: {tags: [a]}}]", ("a",), ()),
        ("target: gitlab", ("b",), ("y",)),
    ],
    ids=["marks inside elements are kept", "equal elements count once", "one scope may replace the others", "it has none"],
)
def test_elements_come_from_all_scopes(high: str, tags: tuple[str, ...], script: tuple[str, ...]) -> None:
    low = load_yaml("ci: {pipeline-gen: [{build-job: {tags: [b], script: [y]}}]}")
    scopes = (Scope("high", "high", load_yaml(f"ci: {{{high}}}")), Scope("low", "low", low))
    found = job_attributes(ci_section(Configuration(scopes)), HDF5)
    assert (found.tags, found.script) == (tags, script)


def test_a_stack_keeps_what_its_section_says() -> None:
    text = "spack:\n  ci:\n    pipeline-gen:\n    - build-job-remove: {image:: any}\n    - build-job: {image: i}\n"
    stack = Stack.read(load_yaml(text), "s", Machine())
    assert job_attributes(stack.ci, HDF5).image is None
