from __future__ import annotations

import json
from pathlib import Path

import archspec.cpu
import pytest

from resolver.arch import target
from resolver.arch.features import features
from resolver.arch.machine import Doubt, Libc, Machine, is_triple, macos_runs, parse_triple, unusual_os
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
    for text in ("linux-zen4", "linux--zen4", "vms-a-zen4", "linux-a-nosuch", "linux-a-zen4-glibc", "linux-a-zen4-x@1"):
        with pytest.raises(InputError):
            parse_triple(text)


@pytest.mark.parametrize("text", ["linux-ubuntu24.04-zen4-glibc@2.39:/opt/my-libc", "linux-ubuntu24.04-zen4 glibc@2.39:/opt/my-libc"])
def test_a_triple_with_a_libc(text: str) -> None:
    machine = parse_triple(text)
    assert (machine.triple, str(machine.libc)) == ("linux-ubuntu24.04-zen4", "glibc@2.39:/opt/my-libc")
    assert set(machine.found_by) == {"platform", "os", "target", "libc"}
    assert is_triple(text)
    assert parse_triple(str(machine)).libc == machine.libc


@pytest.mark.parametrize(
    ("machine", "hint"),
    [
        (Machine(platform="linx"), "did you mean linux?"),
        (Machine(platform="darwin", os="sequoya"), "did you mean sequoia?"),
        (Machine(os="ubuntu 24.04"), "ubuntu24.04, rhel9"),
        (Machine(os="../x"), "ubuntu24.04, rhel9"),
        (Machine(cuda_arch=("sm80x",)), "80 for capability 8.0"),
        (Machine(amdgpu_target=("mi250",)), "gfx90a"),
    ],
)
def test_names_that_can_be_none_are_refused_with_a_hint(machine: Machine, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        machine.check()
    assert hint in caught.value.hint


def test_gpus_are_written_as_spack_writes_them() -> None:
    machine = Machine(cuda_arch=("8.0", "sm_90", "90a", "80", "12.0"), amdgpu_target=("gfx90a", "gfx90a:xnack+")).check()
    assert machine.cuda_arch == ("80", "90", "90a", "120")
    assert machine.amdgpu_target == ("gfx90a", "gfx90a:xnack+")


def test_a_release_of_macos_that_is_to_come_is_taken() -> None:
    assert Machine(platform="darwin", os="yellowstone").check().os == "yellowstone"


@pytest.mark.parametrize(
    ("os", "better"),
    [("rhel9.4", "rhel9"), ("ubuntu2404", "ubuntu24.04"), ("ubuntu24", "ubuntu24.04"), ("debian12.5", "debian12")],
)
def test_an_os_that_spack_would_write_otherwise(os: str, better: str) -> None:
    doubt = unusual_os(Machine(platform="linux", os=os))
    assert doubt is not None
    assert doubt.better == better


@pytest.mark.parametrize("os", ["ubuntu24.04", "rhel9", "arch", "sles15_SP1", "opensusetumbleweed2.39", "amzn2023", None])
def test_a_usual_os_is_no_doubt(os: str | None) -> None:
    assert unusual_os(Machine(platform="linux", os=os)) is None


def test_the_features_are_read_as_archspec_reads_them() -> None:
    for name, known in features().items():
        theirs = archspec.cpu.TARGETS[name]
        assert (known.vendor, known.part) == (theirs.vendor, theirs.cpu_part)
        assert known.features - {"sse3"} == theirs.features - {"sse3"}  # archspec adds it wherever ssse3 is


def test_libcs() -> None:
    assert str(Libc.parse("glibc@2.39")) == "glibc@2.39"
    assert Libc.parse("musl@1.2.5:/opt").prefix == "/opt"
    for text in ("glibc", "dietlibc@1", "glibc@", "glibc@x", "glibc@2.39:opt", "glibc@2.39:/a b", f"glibc@{'1' * 5000}"):
        with pytest.raises(InputError):
            Libc.parse(text)


def test_unknown_facts_come_from_the_other_machine() -> None:
    both = Machine(os="debian12", found_by={"os": "--os"}).over(Machine(platform="linux", os="rhel9", found_by={"platform": "uname"}))
    assert (both.platform, both.os, both.target) == ("linux", "debian12", None)
    assert both.found_by == {"os": "--os", "platform": "uname"}


def test_reasons_and_doubts_go_with_their_facts() -> None:
    host = Machine(
        target="zen2", unknown={"libc": "no loader", "os": "no file"}, doubts=(Doubt("target", "zen3?"),), found_by={"target": "cpu"}
    )
    both = Machine(os="debian12", found_by={"os": "--os"}).over(host)
    assert (both.unknown, both.doubts) == ({"libc": "no loader"}, host.doubts)
    given = Machine(target="zen4").over(host)
    assert (given.doubts, given.found_by) == ((), {})


def test_macos_releases_are_ordered() -> None:
    assert macos_runs("sonoma", "sequoia")
    assert not macos_runs("tahoe", "sequoia")
    assert macos_runs("macos", "macos")
