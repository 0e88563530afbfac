from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest

from resolver.machine import HostProbe, detect
from resolver.machine.detect import interpreter, libc_prefix, macos_name

GLIBC = "ld.so (Ubuntu GLIBC 2.39-0ubuntu8.4) stable release version 2.39.\nCopyright (C) 2024"
MUSL = "musl libc (x86_64)\nVersion 1.2.5\nDynamic Program Loader"


def elf(linker: str, *, wide: bool = True) -> bytes:
    """The head of an ELF file whose one segment names a dynamic linker."""
    text = linker.encode() + b"\0"
    if wide:
        head = b"\x7fELF\x02\x01\x01".ljust(32, b"\0") + struct.pack("<Q", 64) + bytes(14) + struct.pack("<HH", 56, 1)
        segment = struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(text), len(text), 1)
    else:
        head = b"\x7fELF\x01\x01\x01".ljust(28, b"\0") + struct.pack("<I", 64) + bytes(10) + struct.pack("<HH", 32, 1)
        segment = struct.pack("<IIIIIIII", 3, 96, 0, 0, len(text), len(text), 4, 1)
    return head.ljust(64, b"\0") + segment + text


class FakeProbe:
    """A host made of a few facts."""

    def __init__(
        self, system: str = "Linux", *, release: str = "6.1", cpu: str | None = "zen3", linker: str = "/lib64/ld.so", **facts: str
    ) -> None:
        self.facts = facts
        self._system, self._release, self._cpu, self.linker = system, release, cpu, linker

    def system(self) -> str:
        return self._system

    def release(self) -> str:
        return self._release

    def os_release(self) -> Mapping[str, str]:
        return {key: value for key, value in self.facts.items() if key.isupper()}

    def environment(self, name: str) -> str | None:
        return self.facts.get(f"env_{name}")

    def run(self, *command: str) -> str | None:
        return self.facts.get("sw_vers" if command[0] == "sw_vers" else "libc")

    def executable(self) -> bytes | None:
        return elf(self.linker) if self.linker else None

    def real_path(self, path: str) -> str | None:
        return self.facts.get("real", path)

    def cpu(self) -> str | None:
        return self._cpu


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"ID": "ubuntu", "VERSION_ID": "24.04"}, "ubuntu24.04"),
        ({"ID": "debian", "VERSION_ID": "12"}, "debian12"),
        ({"ID": "rhel", "VERSION_ID": "9.4"}, "rhel9"),
        ({"ID": "almalinux", "VERSION_ID": "8.10"}, "almalinux8"),
        ({"ID": "opensuse-leap", "VERSION_ID": "15.6"}, "opensuse_leap15"),
        ({"ID": "opensuse-tumbleweed", "VERSION_ID": "20240101", "libc": GLIBC}, "opensusetumbleweed2.39"),
        ({"ID": "alpine", "VERSION_ID": "3.20.1"}, "alpine3"),
        ({"ID": "arch"}, "arch"),
    ],
)
def test_names_of_linux(fields: dict[str, str], name: str) -> None:
    assert detect(FakeProbe(**fields)).os == name


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("10.15.7", "catalina"),
        ("10.16", "bigsur"),
        ("11.6", "bigsur"),
        ("12.1", "monterey"),
        ("15.3", "sequoia"),
        ("26.0", "tahoe"),
        ("99", "macos"),
    ],
)
def test_names_of_macos(version: str, name: str) -> None:
    assert macos_name(version) == name
    assert detect(FakeProbe("Darwin", sw_vers=f"{version}\n", cpu="m1")).os == name


def test_a_deployment_target_comes_first() -> None:
    machine = detect(FakeProbe("Darwin", sw_vers="15.3", env_MACOSX_DEPLOYMENT_TARGET="14.0"))
    assert (machine.os, machine.found_by["os"]) == ("sonoma", "MACOSX_DEPLOYMENT_TARGET")


def test_other_systems() -> None:
    assert detect(FakeProbe("Windows", release="10.0.19045")).os == "windows10.0.19045"
    assert detect(FakeProbe("FreeBSD", release="14.1-RELEASE")).os == "freebsd14.1"


@pytest.mark.parametrize(("text", "libc"), [(GLIBC, "glibc@2.39"), (MUSL, "musl@1.2.5")])
def test_the_dynamic_linker_tells_the_libc(text: str, libc: str) -> None:
    machine = detect(FakeProbe(ID="x", libc=text, real="/usr/lib/x86_64-linux-gnu/ld.so.2"))
    assert str(machine.libc) == libc
    assert "--version" in machine.found_by["libc"]


def test_a_host_that_tells_nothing() -> None:
    machine = detect(FakeProbe(cpu=None, linker=""))
    assert (machine.platform, machine.os, machine.target, machine.libc) == ("linux", None, None, None)
    assert dict(machine.found_by) == {"platform": "uname"}


@pytest.mark.parametrize(
    ("linker", "prefix"),
    [
        ("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "/usr"),
        ("/usr/lib64/ld-linux-x86-64.so.2", "/usr"),
        ("/lib64/ld-2.17.so", "/"),
        ("/lib/ld-musl-x86_64.so.1", "/"),
        ("/opt/glibc/lib/ld.so", "/opt/glibc"),
    ],
)
def test_prefix_of_a_libc(linker: str, prefix: str) -> None:
    assert libc_prefix(linker) == prefix


@pytest.mark.parametrize("wide", [True, False])
def test_the_interpreter_of_an_elf_file(*, wide: bool) -> None:
    assert interpreter(elf("/lib/ld.so", wide=wide)) == "/lib/ld.so"


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fELF", b"\x7fELF" + b"\xff" * 100, elf("/x")[:70]])
def test_other_files_have_none(data: bytes) -> None:
    assert interpreter(data) == ""


def test_the_real_host_tells_its_platform() -> None:
    machine = detect(HostProbe())
    assert machine.platform in ("linux", "darwin", "windows", "freebsd")
    assert machine.found_by["platform"] == "uname"
