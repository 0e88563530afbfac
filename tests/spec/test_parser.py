from __future__ import annotations

import contextlib

import pytest

from resolver import AbstractSpec
from resolver.errors import SpecError


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("hdf5@1.14  +mpi ~hl", "hdf5@1.14~hl+mpi"),
        ("hdf5 mpi=true api=v18", "hdf5+mpi api=v18"),
        ("builtin.hdf5", "hdf5"),
        ("hdf5 ^zlib ^openmpi+cuda", "hdf5 ^openmpi+cuda ^zlib"),
        ("hdf5 %[virtuals=c,cxx] gcc@12", "hdf5 %c,cxx=gcc@12"),
        ("hdf5 %clang", "hdf5 %clang"),
        ("hdf5 ^clang", "hdf5 ^clang"),
        ("hdf5 %llvm", "hdf5 %clang"),
        ("hdf5 ^mpi=openmpi", "hdf5 ^mpi=openmpi"),
        ("hdf5 arch=linux-ubuntu22.04-zen3", "hdf5 platform=linux os=ubuntu22.04 target=zen3"),
        ("hdf5 arch=x86_64", "hdf5 target=x86_64"),
        ("foo ^bar %gcc", "foo ^bar %gcc"),
        ("foo cflags=-O2 cflags=-g", "foo cflags='-O2 -g'"),
        ("foo x='a b'", "foo x='a b'"),
        ("foo ^cmake@3 ^cmake@3.1", "foo ^cmake@3.1"),
        ("hdf5/abc", "hdf5/abc"),
        ("^*", "^*"),
        ("foo %[when='+x' virtuals=c] gcc", "foo %[when='+x'] c=gcc"),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    assert str(AbstractSpec.parse(text)) == canonical


def test_a_text_may_hold_several_specs() -> None:
    assert [str(s) for s in AbstractSpec.parse_all("hdf5+mpi zlib/abc /def")] == ["hdf5+mpi", "zlib/abc", "/def"]


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("hdf5 a= b", 6, "unexpected character '='"),
        ("hdf5@1.2@1.3", 8, "two versions"),
        ("hdf5 +x ~x", 8, "given twice"),
        ("hdf5 %[foo=bar] gcc", 7, "not an attribute of an edge"),
        ("hdf5 %[deptypes=all] gcc", 7, "not a dependency type"),
        ("hdf5 %gcc@12 %gcc@13", 13, "version cannot be both"),
        ("hdf5 %", 6, "a package is missing"),
        ("hdf5 os=a os=b", 10, "os cannot be both"),
        ("hdf5 ./spec.json", 5, "not read from files"),
        ("hdf5@3:1", 5, "empty version range"),
        ("hdf5 x=a,*", 5, "must stand alone"),
        ("hdf5 target==zen4", 5, "cannot be propagated"),
        ("hdf5 ]", 5, "unexpected ']'"),
        ("hdf5 zlib", 5, "a second begins here"),
    ],
)
def test_errors_name_their_column(text: str, column: int | None, what: str) -> None:
    with pytest.raises(SpecError) as caught:
        AbstractSpec.parse(text)
    assert what in caught.value.what
    assert caught.value.column == column
    if column is not None:
        assert caught.value.caret().splitlines()[1] == " " * column + "^"


def test_nesting_and_length_are_bounded() -> None:
    with pytest.raises(SpecError, match="longer than"):
        AbstractSpec.parse("a" * 30_000)


@pytest.mark.parametrize("text", ["x='" + "\\'" * 5000, "x=" + "'" * 9999, "a@" + "1:" * 5000, "@" + "1," * 9000, "^[" * 5000])
def test_hostile_texts_end_in_an_error_or_a_spec(text: str) -> None:
    with contextlib.suppress(SpecError):
        AbstractSpec.parse_all(text)
