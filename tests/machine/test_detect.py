from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import archspec
import pytest
from fakes.host import FakeHost, glibc_host

from resolver.arch.features import features
from resolver.machine import HostProbe, detect, probe
from resolver.machine.near import near_target
from resolver.machine.probe import Processor

RECORDED = Path(archspec.__file__).parent / "json" / "tests" / "targets"
VENDORS = {"0x41": "ARM", "0x46": "Fujitsu", "0x43": "Cavium", "0x61": "Apple", "0xc0": "Ampere", "0x4e": "Nvidia"}
posix = pytest.mark.skipif(os.name != "posix", reason="commands are run on POSIX systems only")


def processor(name: str, *, without: tuple[str, ...] = (), seen_as: str = "", part: str = "") -> Processor:
    known = features()[name]
    return Processor(seen_as or name, known.vendor, known.features - set(without), part)


def test_a_whole_host() -> None:
    machine = detect(glibc_host())
    assert str(machine) == "linux-debian12-zen3 glibc@2.36"
    assert set(machine.found_by) == {"platform", "os", "target", "libc"}
    assert set(machine.unknown) == {"cuda_arch", "amdgpu_target"}


def test_a_host_that_tells_nothing() -> None:
    machine = detect(FakeHost(cpu=None))
    assert str(machine) == "linux-?-?"
    assert set(machine.unknown) == {"os", "target", "libc", "cuda_arch", "amdgpu_target"}
    assert all(machine.unknown.values())
    assert dict(machine.found_by) == {"platform": "uname"}


def test_only_what_is_wanted_is_asked() -> None:
    host = glibc_host()
    machine = detect(host, ["os"])
    assert host.asked == []
    assert (machine.os, machine.target, machine.libc, dict(machine.unknown)) == ("debian12", None, None, {})


def test_one_hidden_flag_is_a_doubt() -> None:
    doubt = near_target(processor("zen3", without=("pku",), seen_as="zen2"))
    assert doubt is not None
    assert (doubt.fact, doubt.better, doubt.missing) == ("target", "zen3", ("pku",))
    assert "detected as zen2; for zen3 it lacks only the flag pku" in doubt.text
    assert detect(FakeHost(cpu=processor("zen3", without=("pku",), seen_as="zen2"))).doubts == (doubt,)


def test_an_arm_core_is_known_by_its_part_number() -> None:
    hidden = ("svei8mm", "svebf16", "i8mm", "bf16", "dgh", "rng", "sve", "paca")
    cpu = processor("neoverse_v1", without=hidden, seen_as="neoverse_n1", part="0xd40")
    doubt = near_target(cpu)
    assert doubt is not None
    assert doubt.better == "neoverse_v1"
    assert "an old kernel may hide" in doubt.text
    assert "and 1 more" in doubt.text


@pytest.mark.parametrize(
    "cpu",
    [
        processor("zen3"),
        processor("zen2"),
        processor("skylake_avx512"),
        processor("haswell"),
        processor("m1"),
        Processor("power9le"),
        Processor("nosuch", "x", frozenset({"a"})),
    ],
)
def test_a_plain_processor_is_no_doubt(cpu: Processor) -> None:
    assert near_target(cpu) is None


def recorded(path: Path) -> Processor:
    """The first processor of a recorded ``/proc/cpuinfo``, as archspec sees it."""
    pairs = (line.partition(":") for line in path.read_text("utf-8").partition("\n\n")[0].splitlines())
    data = {key.strip(): value.strip() for key, colon, value in pairs if colon}
    flags = data.get("flags") or data.get("Features") or ""
    vendor = data.get("vendor_id") or VENDORS.get(data.get("CPU implementer", ""), "generic")
    return Processor(path.name.rpartition("-")[2], vendor, frozenset(flags.split()), data.get("CPU part", ""))


@pytest.mark.skipif(not RECORDED.is_dir(), reason="this archspec ships no recorded processors")
def test_no_recorded_processor_is_doubted_but_one_without_aes() -> None:
    doubts = {path.name: doubt for path in RECORDED.glob("linux-*") if (doubt := near_target(recorded(path)))}
    assert {name: (doubt.better, doubt.missing) for name, doubt in doubts.items()} == {"linux-rhel7-x86_64_v3": ("haswell", ("aes",))}


def test_the_real_host_tells_its_platform() -> None:
    machine = detect(HostProbe())
    assert machine.platform in ("linux", "darwin", "windows", "freebsd")
    assert machine.found_by["platform"] == "uname"
    assert set(machine.found_by).isdisjoint(machine.unknown)


@posix
def test_a_command_answers_within_bounds() -> None:
    host = HostProbe()
    assert host.run(sys.executable, "-c", "import sys; print('a'); sys.stdout.flush(); print('b', file=sys.stderr)").text == "a\nb\n"
    assert host.run("/bin/sh", "-c", "echo $LC_ALL; exit 3").text == "C\n"
    assert host.run("/bin/sh", "-c", "yes").problem == "/bin/sh printed more than 64 KiB"
    assert host.run("no-such-program-here").problem == "no-such-program-here is not on this host"
    assert host.run("/etc/passwd").problem == "/etc/passwd is not on this host"


@posix
@pytest.mark.parametrize(
    "script", ["sleep 60", "sleep 60 & sleep 60", "exec >&- 2>&-; sleep 60", "trap '' TERM; while :; do sleep 1; done"]
)
def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(probe, "COMMAND_SECONDS", 0.2)
    start = time.perf_counter()
    assert HostProbe().run("/bin/sh", "-c", script).problem == "/bin/sh took longer than 0.2 s"
    assert time.perf_counter() - start < 2


@posix
def test_only_plain_files_are_read_and_only_their_beginning(tmp_path: Path) -> None:
    host = HostProbe()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(bytes(1 << 20))
    assert host.read(str(tmp_path / "pipe")) is None
    assert host.read(str(tmp_path)) is None
    assert host.read("/dev/zero") is None
    assert host.read("a\0b") is None
    assert len(host.read(str(tmp_path / "large")) or b"") == 1 << 16
    assert host.names(str(tmp_path)) == ["large", "pipe"]
    assert host.names(str(tmp_path / "none")) == []
    assert host.real_path(str(tmp_path / "none")) is None


@posix
def test_a_program_is_not_taken_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 9.0\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".:")
    monkeypatch.setattr(probe, "MORE_PLACES", ())
    assert HostProbe().run("nvidia-smi").problem == "nvidia-smi is not on this host"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert HostProbe().run("nvidia-smi").text == "9.0\n"


def test_an_archspec_that_fails_leaves_the_target_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    import archspec.cpu

    def broken() -> None:
        raise ValueError

    monkeypatch.setattr(archspec.cpu, "host", broken)
    assert HostProbe().cpu() is None
