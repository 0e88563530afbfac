"""The document of facts: read, checked, written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from resolver.errors import FormatError, InputError, UnsupportedError
from resolver.formats import facts
from resolver.formats.facts import FactsDocument, PackageFacts, ProvidedFact, VariantFact, read_condition, read_facts, write_facts


def document(**packages: Any) -> bytes:
    return json.dumps({"schema": "spack-resolver/facts/1", "packages": packages}).encode()


def test_what_is_written_is_read_again() -> None:
    variants = [VariantFact("mpi", default=True), VariantFact("api", "v1", ["v1", "v2"], "@2:"), VariantFact("f", ["none"])]
    packages = {"b": PackageFacts(["1", "git.main=2"], ["1"], [], variants, [ProvidedFact("blas", "+x")]), "a": PackageFacts()}
    whole = FactsDocument(packages, "linux")
    data = write_facts(whole)
    assert read_facts(data, "f.json") == whole
    assert data.splitlines()[3].startswith(b'"a": {')


def test_flags_alone_are_a_document() -> None:
    read = read_facts(document(hdf5={"preferred": ["1.14.6"], "deprecated": []}), "f.json")
    assert read.packages["hdf5"].preferred == ["1.14.6"]


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", FormatError, "f.json"),
        (b"[]", FormatError, "f.json"),
        (b"\xff", FormatError, "f.json"),
        (b"[" * 100_000, FormatError, "f.json"),
        (b"{}", UnsupportedError, "it has no schema"),
        (b'{"schema": "spack-resolver/facts/2"}', UnsupportedError, "a newer spack-resolver may read it"),
        (b'{"schema": "spack-resolver/find/1"}', UnsupportedError, "known is spack-resolver/facts/1"),
        (b'{"schema": "spack-resolver/facts/1"}', FormatError, "packages"),
        (b'{"schema": "spack-resolver/facts/1", "packages": {}, "pakages": 1}', FormatError, "pakages"),
        (document(zlib=[]), FormatError, "f.json: packages: zlib"),
        (document(zlib={"prefered": ["1"]}), FormatError, "f.json: packages: zlib: no facts of recipes, or damaged ones: "),
        (document(zlib={"versions": ["1", "a b"]}), FormatError, "f.json: packages: zlib: versions[1]: 'a b' is no version"),
        (document(zlib={"variants": [{"name": "x"}]}), FormatError, "$.variants[0]"),
        (document(zlib={"variants": [{"name": "x", "default": 1}]}), FormatError, "$.variants[0].default"),
    ],
)
def test_damage_is_told_with_file_and_place(data: bytes, error: type[InputError], words: str) -> None:
    with pytest.raises(error) as caught:
        read_facts(data, "f.json")
    assert words in str(caught.value)
    assert str(caught.value).startswith("f.json")
    assert caught.value.hint


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = document(a={"versions": ["1", "2", "3"]}, b={})
    for name, value in {"MOST_ENTRIES": 2, "MOST_PACKAGES": 1}.items():
        with monkeypatch.context() as patch:
            patch.setattr(facts, name, value)
            with pytest.raises(FormatError, match="more than"):
                read_facts(data, "f.json")
    monkeypatch.setattr(facts, "MOST_BYTES", 10 << 20)
    with pytest.raises(FormatError, match="more than 10 MiB"):
        read_facts(b" " * (11 << 20), "f.json")


def test_a_condition_that_is_no_spec_is_told_with_its_place() -> None:
    with pytest.raises(FormatError, match=r"f: variants\[0\].*'@@@'"):
        read_condition("@@@", "f: variants[0]")
