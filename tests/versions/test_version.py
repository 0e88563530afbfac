from __future__ import annotations

from pathlib import Path

import pytest

from resolver import Version, VersionSet
from resolver.errors import SpecError

VECTORS = Path(__file__).parents[1] / "data" / "vectors"

IN_ORDER = [
    "dev",
    "git",
    "rc1",
    "v1.0",
    "0.1.0rc1",
    "0.9",
    "1",
    "1.0alpha",
    "1.0alpha1",
    "1.0-alpha.2",
    "1.0beta",
    "1.0beta1",
    "1.0rc",
    "1.0rc1",
    "1.0rc2",
    "1.0-rc3",
    "1.0",
    "1.0a",
    "1.0b",
    "1.0b0",
    "1.0dev",
    "1.0-git.5",
    "1.0.0",
    "1.0.0-1",
    "1.0.1",
    "1.0.stable",
    "1.0-develop",
    "1.1",
    "1.2.3",
    "1.2.3a",
    "1.9",
    "1.10",
    "2",
    "3.0.0_patch1",
    "10",
    "2024.01",
    "stable",
    "nightly",
    "trunk",
    "head",
    "master",
    "main",
    "main-2.0",
    "develop",
    "develop-2024",
]


def test_order_is_spacks() -> None:
    assert [str(v) for v in sorted(map(Version, reversed(IN_ORDER)))] == IN_ORDER


@pytest.mark.parametrize(("one", "other"), [("1.2_3", "1.2-3"), ("1..2", "1.2"), ("1.0b", "1.0.b"), ("1.0final", "1.0"), ("08", "8")])
def test_separators_and_zeros_do_not_count(one: str, other: str) -> None:
    assert Version(one) == Version(other)
    assert hash(Version(one)) == hash(Version(other))


def test_trailing_zero_counts() -> None:
    assert Version("1.2") < Version("1.2.0")


def test_git_version_stands_just_above_its_reference() -> None:
    assert Version("1.2") < Version("git.main=1.2") < Version("1.2.0")
    assert str(Version("git.main=1.2")) == "git.main=1.2"


@pytest.mark.parametrize("text", ["", "1 2", "a/b", "1.2@", "é", "1" * 5000])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        Version(text)


def test_recorded_membership() -> None:
    rows = [line.split("\t") for line in (VECTORS / "versat.tsv").read_text("utf-8").splitlines()]
    wrong = [row for row in rows if (Version(row[0]) in VersionSet.parse(row[1])) != (row[2] == "true")]
    assert len(rows) > 1500
    assert not wrong


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1.2,1.3", "1.2:1.3"),
        ("1.2:1.3,1.4", "1.2:1.4"),
        (":1.2,1.3:", ":"),
        ("=1.2,=1.3", "=1.2,=1.3"),
        ("1.2:1.2", "1.2"),
        ("1.4:,1.2", "1.2,1.4:"),
        ("=1.2.5,1.2", "1.2"),
        ("git.main=1.2", "git.main=1.2"),
    ],
)
def test_sets_are_merged_and_print_canonically(text: str, canonical: str) -> None:
    assert str(VersionSet.parse(text)) == canonical


@pytest.mark.parametrize("text", ["1.2.3:1.1", "develop:1.2", "1:2:3", "=1:2", "1:=2", "=", "1.2,"])
def test_malformed_sets_are_refused(text: str) -> None:
    with pytest.raises(SpecError):
        VersionSet.parse(text)


def test_a_range_may_hold_nothing_without_being_an_error() -> None:
    nothing = VersionSet.parse("1.2:1.1")
    assert Version("1.2") not in nothing
    assert Version("1.1") not in nothing


def test_preference_puts_releases_first() -> None:
    texts = ["develop", "2.0-rc1", "1.9", "git.main=3", "2.0"]
    assert sorted(texts, key=lambda t: Version(t).preference, reverse=True) == ["2.0", "1.9", "2.0-rc1", "develop", "git.main=3"]
