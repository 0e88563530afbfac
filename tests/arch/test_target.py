from __future__ import annotations

import json
from pathlib import Path

import archspec.cpu
import pytest

from resolver.arch import target
from resolver.arch.machine import Libc, Machine, macos_runs, parse_triple
from resolver.errors import InputError, SpecError

VECTORS = Path(__file__).parents[1] / "data" / "vectors"


def test_recorded_target_satisfaction() -> None:
    rows = [line.split("\t") for line in (VECTORS / "target.tsv").read_text("utf-8").splitlines()]
    wrong = []
    for have, want, expected in rows:
        try:
            got = str(target.satisfies(have, want)).lower()
        except SpecError:
            got = "error"
        if got != expected and not (got == "error" and expected not in ("true", "false")):
            wrong.append((have, want, expected, got))
    assert len(rows) > 1000
    assert not wrong


def test_recorded_ancestry() -> None:
    ancestry = json.loads((VECTORS / "target_ancestry.json").read_text("utf-8"))
    for name, facts in ancestry.items():
        if target.is_known(name):
            assert set(target.candidates(name)) >= {name, *facts["ancestors"]}
            assert target.family(name) == facts["family"]


def test_the_table_is_read_as_archspec_reads_it() -> None:
    for name, known in archspec.cpu.TARGETS.items():
        if not target.is_known(name):  # archspec adds the host's own architecture
            continue
        assert target.candidates(name) == (name, *(ancestor.name for ancestor in known.ancestors))
        assert target.family(name) == str(known.family)
        assert target.is_generic(name) == (known.vendor == "generic")
    assert set(target.known_targets()) <= set(archspec.cpu.TARGETS)


def test_nearest_first() -> None:
    found = target.candidates("zen4")
    assert found[0] == "zen4"
    assert found.index("zen3") < found.index("x86_64_v3") < found.index("x86_64")


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        target.check_known("zen44")
    assert "zen4" in caught.value.hint


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("zen4", "x86_64:", "zen4"),
        ("x86_64:", "zen4", "zen4"),
        ("x86_64_v2:", ":zen3", "x86_64_v2:zen3"),
        ("zen4", "haswell", None),
        ("*", "zen4", "zen4"),
        ("zen3,zen4", "zen4", "zen4"),
        (":x86_64_v2", "x86_64_v3:", None),
    ],
)
def test_intersection(one: str, other: str, both: str | None) -> None:
    assert target.intersection(one, other) == both


def test_triples() -> None:
    machine = parse_triple("linux-ubuntu24.04-zen4")
    assert (machine.platform, machine.os, machine.target, machine.triple) == ("linux", "ubuntu24.04", "zen4", "linux-ubuntu24.04-zen4")
    for text in ("linux-zen4", "linux--zen4", "vms-a-zen4", "linux-a-nosuch"):
        with pytest.raises(InputError):
            parse_triple(text)


def test_libcs() -> None:
    assert str(Libc.parse("glibc@2.39")) == "glibc@2.39"
    assert Libc.parse("musl@1.2.5:/opt").prefix == "/opt"
    for text in ("glibc", "dietlibc@1", "glibc@", "glibc@x"):
        with pytest.raises(InputError):
            Libc.parse(text)


def test_unknown_facts_come_from_the_other_machine() -> None:
    both = Machine(os="debian12", found_by={"os": "--os"}).over(Machine(platform="linux", os="rhel9", found_by={"platform": "uname"}))
    assert (both.platform, both.os, both.target) == ("linux", "debian12", None)
    assert both.found_by == {"os": "--os", "platform": "uname"}


def test_macos_releases_are_ordered() -> None:
    assert macos_runs("sonoma", "sequoia")
    assert not macos_runs("tahoe", "sequoia")
    assert macos_runs("macos", "macos")
