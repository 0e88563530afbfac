"""The examples of docs/spec-language.md are run."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import ROOT
from fakes.world import hash_of, nodes_of
from spec.test_satisfies import RECORDS

from resolver import AbstractSpec, ConcreteSpec, Version, VersionSet
from resolver.errors import SpecError

PAGE = (ROOT / "docs" / "spec-language.md").read_text("utf-8")
TOOLCHAINS: dict[str, Any] = {"tc": [{"spec": "%c=gcc@13", "when": "%c"}, {"spec": "%fortran=gcc@13", "when": "%fortran"}]}


def examples(kind: str) -> list[tuple[str, str]]:
    blocks = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    pairs = [line.rsplit(" => ", 1) for block in blocks for line in block.splitlines()]
    assert pairs
    return [(pair[0].rstrip(), pair[-1].strip()) for pair in pairs]


@pytest.mark.parametrize(("text", "canonical"), examples("parse"))
def test_parse(text: str, canonical: str) -> None:
    assert " | ".join(map(str, AbstractSpec.parse_all(text))) == canonical


@pytest.mark.parametrize(("text", "message"), examples("error"))
def test_error(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        AbstractSpec.parse(text)
    assert message in caught.value.what


def test_order() -> None:
    (line,) = re.findall(r"```order\n(.*?)\n```", PAGE)
    assert sorted(line.split(), key=Version) == line.split()


@pytest.mark.parametrize(("text", "answer"), examples("versions"))
def test_versions(text: str, answer: str) -> None:
    version, _, versions = text.partition(" in ")
    assert (Version(version) in VersionSet.parse(versions)) == (answer == "yes")


@pytest.mark.parametrize(("text", "answer"), examples("satisfies"))
def test_satisfies(text: str, answer: str) -> None:
    hdf5 = ConcreteSpec.from_nodes(nodes_of(RECORDS), hash_of("x77sf"))
    assert hdf5.satisfies(AbstractSpec.parse(text)) == (answer == "yes")


@pytest.mark.parametrize(("text", "answer"), examples("abstract"))
def test_abstract(text: str, answer: str) -> None:
    one, relation, other = re.split(r" (satisfies|intersects|constrain) ", text)
    first, second = AbstractSpec.parse(one), AbstractSpec.parse(other)
    if relation == "constrain":
        assert _constrained(first, second) == answer
    else:
        assert getattr(first, relation)(second) == (answer == "yes")


def _constrained(first: AbstractSpec, second: AbstractSpec) -> str:
    try:
        return str(first.constrained(second))
    except SpecError as error:
        return error.what


@pytest.mark.parametrize(("text", "canonical"), examples("toolchain"))
def test_toolchain(text: str, canonical: str) -> None:
    assert str(AbstractSpec.parse(text, TOOLCHAINS)) == canonical
