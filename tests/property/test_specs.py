"""Laws of the spec language."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from property.strategies import specs

from resolver import AbstractSpec
from resolver.errors import SpecError


@given(specs())
def test_canonical_text_parses_back(text: str) -> None:
    spec = AbstractSpec.parse(text)
    again = AbstractSpec.parse(str(spec))
    assert str(again) == str(spec)


@given(specs())
def test_a_spec_includes_itself(text: str) -> None:
    spec = AbstractSpec.parse(text)
    assert spec.satisfies(spec)


@given(specs(), specs())
def test_constraining_narrows(a: str, b: str) -> None:
    one, other = AbstractSpec.parse(a), AbstractSpec.parse(b)
    with contextlib.suppress(SpecError):
        both = one.constrained(other)
        assert both.versions <= one.versions
        assert both.versions <= other.versions


@given(specs())
def test_constraining_by_itself_changes_nothing(text: str) -> None:
    spec = AbstractSpec.parse(text)
    assert str(spec.constrained(spec)) == str(spec)


@given(st.text(alphabet="ab1@=:,^%+~-/[]'\"*. \\", max_size=40))
def test_no_text_does_worse_than_an_error(text: str) -> None:
    with contextlib.suppress(SpecError):
        for spec in AbstractSpec.parse_all(text):
            assert isinstance(str(spec), str)
