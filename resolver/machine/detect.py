"""Detecting the host: platform, Spack's name of the OS, libc, CPU target; each fact with how it was found.

Sources: Spack ``operating_systems/*.py``, ``platforms/*.py``, ``util/libc.py``; design of Spack's names in ``compatibility`` rules.
"""

from __future__ import annotations

import re
import struct

from resolver.arch.machine import MACOS, Libc, Machine
from resolver.machine.probe import Probe

FIRST_NAMED_MACOS = 15  # 10.15 catalina; 11 and later count from there
OLDER_MACOS = {"10.14": "mojave", "10.13": "highsierra", "10.12": "sierra", "10.11": "elcapitan", "10.10": "yosemite"}
GLIBC_VERSION = re.compile(r"(?:stable|development) release version (\d+\.\d+(?:\.\d+)*)")
MUSL_VERSION = re.compile(r"musl libc.*?Version (\d+\.\d+(?:\.\d+)*)", re.DOTALL)
PT_INTERP = 3
CPU_CHECK = "archspec, from the processor's features"


def detect(probe: Probe) -> Machine:
    """All that the host tells of itself; what it does not tell is None."""
    platform = probe.system().lower() or None
    os_name, os_found = _os(probe, platform)
    libc, libc_found = _libc(probe) if platform == "linux" else (None, "")
    target = probe.cpu()
    found = {"platform": "uname", "os": os_found, "target": CPU_CHECK if target else "", "libc": libc_found}
    facts = {fact: how for fact, how in found.items() if how}
    return Machine(platform=platform, os=os_name, target=target, libc=libc, found_by=facts)


def _os(probe: Probe, platform: str | None) -> tuple[str | None, str]:
    if platform == "linux":
        return _linux(probe)
    if platform == "darwin":
        return _macos(probe)
    if platform == "windows":
        return f"windows{probe.release()}", "the kernel's version"
    if platform == "freebsd":
        return f"freebsd{probe.release().partition('-')[0]}", "uname"
    return None, ""


def _linux(probe: Probe) -> tuple[str | None, str]:
    """``<id><version>``: two parts of the version for Ubuntu, one for others (Spack ``linux_distro.py:LinuxDistro``)."""
    fields = probe.os_release()
    name = fields.get("ID", "")
    if not name:
        return None, ""
    parts = re.split(r"[^\w-]", fields.get("VERSION_ID", ""))
    if "tumbleweed" in name:
        libc = _libc(probe)[0]
        version = libc.version if libc else parts[0]
    else:
        version = ".".join(parts[:2]) if "ubuntu" in name else parts[0]
    text = f"{name.replace('-', '') if 'tumbleweed' in name else name}{version}"
    return text.replace("-", "_"), "/etc/os-release"


def _macos(probe: Probe) -> tuple[str | None, str]:
    version, found = probe.environment("MACOSX_DEPLOYMENT_TARGET"), "MACOSX_DEPLOYMENT_TARGET"
    if not version:
        version, found = (probe.run("sw_vers", "-productVersion") or "").strip(), "sw_vers"
    if not version:
        return None, ""
    return macos_name(version), found


def macos_name(version: str) -> str:
    """Spack's name of a macOS version (Spack ``operating_systems/mac_os.py``)."""
    major, _, minor = version.partition(".")
    if major == "10":
        minor = minor.partition(".")[0]
        if minor == "16":
            return "bigsur"
        return "catalina" if minor == str(FIRST_NAMED_MACOS) else OLDER_MACOS.get(f"10.{minor}", "macos")
    if major == "26":
        return "tahoe"
    place = int(major) - 10 if major.isdigit() else -1
    return MACOS[place] if 0 < place < len(MACOS) - 1 else "macos"


def _libc(probe: Probe) -> tuple[Libc | None, str]:
    """The libc of the running Python: its dynamic linker is run for the version, and its place gives the prefix."""
    linker = interpreter(probe.executable() or b"")
    if not linker:
        return None, ""
    text = probe.run(linker, "--version") or ""
    for name, pattern in (("glibc", GLIBC_VERSION), ("musl", MUSL_VERSION)):
        if found := pattern.search(text):
            real = probe.real_path(linker) or linker
            return Libc(name, found[1], libc_prefix(real)), f"{linker} --version"
    return None, ""


def libc_prefix(linker: str) -> str:
    """The prefix that Spack records for the libc of this dynamic linker (Spack ``util/libc.py:libc_from_dynamic_linker``)."""
    folders = linker.split("/")[1:-1]
    if folders and re.search(r"-linux(-|$)", folders[-1]):
        folders.pop()
    if folders and folders[-1] in ("lib", "lib64"):
        folders.pop()
    return "/" + "/".join(folders)


def interpreter(elf: bytes) -> str:
    """The dynamic linker that an ELF file names (its ``PT_INTERP`` segment); empty when there is none in these bytes."""
    if elf[:4] != b"\x7fELF" or len(elf) < 64:
        return ""
    wide, order = elf[4] == 2, "<" if elf[5] == 1 else ">"
    try:
        table, size, count = _program_headers(elf, order, wide=wide)
        for place in range(table, table + size * count, size):
            if struct.unpack_from(f"{order}I", elf, place)[0] == PT_INTERP:
                offset, length = _segment(elf, order, place, wide=wide)
                return elf[offset : offset + length].split(b"\0")[0].decode("utf-8", errors="replace")
    except struct.error:
        return ""
    return ""


def _program_headers(elf: bytes, order: str, *, wide: bool) -> tuple[int, int, int]:
    table = struct.unpack_from(f"{order}Q", elf, 32)[0] if wide else struct.unpack_from(f"{order}I", elf, 28)[0]
    size, count = struct.unpack_from(f"{order}HH", elf, 54 if wide else 42)
    return table, size, count


def _segment(elf: bytes, order: str, place: int, *, wide: bool) -> tuple[int, int]:
    if wide:
        offset, length = struct.unpack_from(f"{order}Q", elf, place + 8)[0], struct.unpack_from(f"{order}Q", elf, place + 32)[0]
    else:
        offset, length = struct.unpack_from(f"{order}I", elf, place + 4)[0], struct.unpack_from(f"{order}I", elf, place + 16)[0]
    return offset, length
