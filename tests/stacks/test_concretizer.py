from __future__ import annotations

from typing import Any

import pytest

from resolver.errors import InputError
from resolver.formats.mirrors import mirror_entries
from resolver.formats.yaml_tree import load_yaml
from resolver.spec.abstract import AbstractSpec
from resolver.stacks.concretizer import Concretizer, read_concretizer
from resolver.stacks.toolchains import read_toolchain


def read(text: str) -> Concretizer:
    return read_concretizer(load_yaml(text))


def test_nothing_said_is_spacks_default() -> None:
    assert read("") == read("{}") == Concretizer()


def test_the_whole_section() -> None:
    found = read(
        "{unify: when_possible, reuse: dependencies, targets: {granularity: generic, host_compatible: false}, os_compatible: {sequoia: [sonoma]},"
        " duplicates: {strategy: full, max_dupes: {python: 2}}, compiler_mixing: [gcc-runtime], force: true, static_analysis: true}",
    )
    assert (found.unify, found.granularity, found.host_compatible) == ("when_possible", "generic", False)
    assert (found.reuse.enabled, found.reuse.roots) == (True, False)
    assert found.os_compatible == {"sequoia": ("sonoma",)}
    assert (found.duplicates, found.max_duplicates, found.compiler_mixing) == ("full", {"python": 2}, ("gcc-runtime",))


@pytest.mark.parametrize(
    ("text", "include", "exclude"),
    [
        ("true", [], []),
        ("false", [], []),
        ("{include: ['%gcc'], exclude: [zlib]}", ["%gcc"], ["zlib"]),
        ("{include: ['%gcc'], from: [{type: local, include: ['%aocc']}]}", ["%gcc"], []),
        ("{include: ['%gcc'], from: [{type: buildcache, include: ['%aocc'], exclude: [zlib]}]}", ["%aocc"], ["zlib"]),
        ("{from: [{type: buildcache, include: [a]}, {type: buildcache, include: [b]}]}", ["a", "b"], []),
        ("{from: [{type: buildcache, include: [a]}, {type: buildcache}]}", [], []),
        ("{from: [{type: buildcache, exclude: [a, b]}, {type: buildcache, exclude: [b]}]}", [], ["b"]),
    ],
)
def test_what_may_be_reused_of_build_caches(text: str, include: list[str], exclude: list[str]) -> None:
    found = read(f"{{reuse: {text}}}").reuse.of_build_caches()
    assert [list(map(str, specs)) for specs in found] == [include, exclude]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{unify: sometimes}", "unify"),
        ("{reuse: 3}", "reuse"),
        ("{reuse: {from: [{type: moon}]}}", "reuse:from:type"),
        ("{reuse: {include: ['@@']}}", "reuse:include"),
        ("{targets: {granularity: fine}}", "targets:granularity"),
        ("{duplicates: {max_dupes: {x: many}}}", "max_dupes:x"),
        ("[]", "concretizer"),
    ],
)
def test_what_cannot_be_is_told_with_its_key(text: str, place: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert place in caught.value.where


def test_toolchains_stand_for_their_dependencies() -> None:
    section: Any = load_yaml("{one: '%gcc@13', two: [{spec: '%c=gcc@13', when: '%c'}, {spec: '%cxx=gcc@13'}]}")
    toolchains = {name: read_toolchain(value, name) for name, value in section.items()}
    assert str(AbstractSpec.parse("hdf5 %one", toolchains)) == str(AbstractSpec.parse("hdf5 %gcc@13"))
    assert len(AbstractSpec.parse("hdf5 %two", toolchains).edges) == 2


@pytest.mark.parametrize("text", ["3", "[{when: '%c'}]", "'%%%'", "[x]", "{a: b}"])
def test_a_toolchain_that_is_none_is_told_with_its_place(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_toolchain(load_yaml(text), "spack.yaml:2:3: toolchains:bad")
    assert caught.value.where.startswith("spack.yaml:2:3: toolchains:bad")


def test_a_merged_section_of_mirrors_gives_those_with_binaries_in_order() -> None:
    section = load_yaml(
        "{b: {url: 'https://b', signed: false}, a: 's3://a', sources: {binary: false, url: /s}, c: {fetch: 'https://c', push: /p}}"
    )
    assert [(m.name, m.url, m.signed) for m in mirror_entries(section, "x")] == [
        ("b", "https://b", False),
        ("a", "s3://a", None),
        ("c", "https://c", None),
    ]
