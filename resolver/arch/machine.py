"""A machine: where the binaries are to run. A value; detecting the host is ``resolver.machine``'s job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import ascii_lowercase

import msgspec
from msgspec.structs import replace

from resolver.arch.target import check_known, is_known
from resolver.errors import InputError, did_you_mean

PLATFORMS = ("linux", "darwin", "windows", "freebsd", "cray")
"""Spack's platforms; ``cray`` is of releases before 0.23, and lives on in their build caches."""
FACTS = ("platform", "os", "target", "libc", "cuda_arch", "amdgpu_target")
USUAL_LIBC_PREFIX = "/usr"
LIBC_VERSION = re.compile(r"\d{1,9}(\.\d{1,9}){0,3}")
LIBC_PREFIX = re.compile(r"/[^\s:]{0,4095}")
OS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._]{0,63}")
CUDA_ARCH = re.compile(r"(?:sm_)?(\d{1,2})\.?(\d[a-z]?)")
AMDGPU_TARGET = re.compile(r"gfx[0-9a-f]{3,5}(:[a-z]+[+-])*")

MACOS = ("catalina", "bigsur", "monterey", "ventura", "sonoma", "sequoia", "tahoe")
"""macOS releases, oldest first; a newer one runs binaries of an older one (Spack ``solver/os_compatibility.lp``)."""
OLDER_MACOS = (
    *("cheetah", "puma", "jaguar", "panther", "tiger", "leopard", "snowleopard", "lion", "mountainlion", "mavericks", "yosemite"),
    *("elcapitan", "sierra", "highsierra", "mojave"),
)
"""The releases 10.0 to 10.14, oldest first; each runs its own binaries only, as far as Spack goes."""
MACOS_VERSIONS = {
    **{f"10.{minor}": name for minor, name in enumerate((*OLDER_MACOS, "catalina", "bigsur"))},
    **dict(zip(("11", "12", "13", "14", "15", "26"), MACOS[1:], strict=True)),
}
"""Names by version, of which two parts count before 11 and one from there on (Spack ``operating_systems/mac_os.py``)."""


class Libc(msgspec.Struct, frozen=True):
    """A C library: package name (``glibc`` or ``musl``), version, and prefix as Spack records it for externals."""

    name: str
    version: str
    prefix: str = USUAL_LIBC_PREFIX

    @staticmethod
    def parse(text: str) -> Libc:
        """Read ``glibc@2.39`` or ``glibc@2.39:/usr``; the prefix is ``/usr`` when it is not given. Raises ``InputError``."""
        name, _, rest = text.partition("@")
        version, _, prefix = rest.partition(":")
        if name not in ("glibc", "musl") or not LIBC_VERSION.fullmatch(version) or (prefix and not LIBC_PREFIX.fullmatch(prefix)):
            msg = f"{text!r} is not a libc"
            raise InputError(msg, hint="write glibc@2.39, musl@1.2.5, or with its prefix glibc@2.39:/usr")
        return Libc(name, version, prefix or USUAL_LIBC_PREFIX)

    def __str__(self) -> str:
        """``name@version``, with the prefix where it is not the usual one."""
        return f"{self.name}@{self.version}{'' if self.prefix == USUAL_LIBC_PREFIX else ':' + self.prefix}"


class Doubt(msgspec.Struct, frozen=True):
    """A fact that may be another: a sentence on it, the better value, and for a CPU target the features that it lacks."""

    fact: str
    text: str
    better: str = ""
    missing: tuple[str, ...] = ()


class Machine(msgspec.Struct, frozen=True):
    """Where the binaries are to run; None is unknown, which never passes a gate.

    ``cuda_arch`` and ``amdgpu_target`` are as in Spack's variants (``80``, ``gfx90a``); empty when there is no GPU or nothing was
    said. ``found_by`` says for each fact where it is from, ``unknown`` why one is missing. ``name`` is that of a named machine.
    """

    platform: str | None = None
    os: str | None = None
    target: str | None = None
    libc: Libc | None = None
    cuda_arch: tuple[str, ...] = ()
    amdgpu_target: tuple[str, ...] = ()
    name: str | None = None
    found_by: Mapping[str, str] = msgspec.field(default_factory=dict)
    unknown: Mapping[str, str] = msgspec.field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()

    def __str__(self) -> str:
        """``linux-ubuntu24.04-zen4 glibc@2.39``, with ``?`` for what is unknown."""
        triple = "-".join(part or "?" for part in (self.platform, self.os, self.target))
        return f"{triple} {self.libc}" if self.libc else triple

    @property
    def triple(self) -> str:
        """Platform, os and target as Spack writes an architecture."""
        return "-".join(part or "unknown" for part in (self.platform, self.os, self.target))

    def over(self, other: Machine) -> Machine:
        """The machine, with what it does not know taken from the other."""
        taken = {fact: getattr(other, fact) for fact in (*FACTS, "name") if not getattr(self, fact)}
        found_by = {**{fact: how for fact, how in other.found_by.items() if fact in taken}, **self.found_by}
        unknown = {fact: why for fact, why in {**self.unknown, **other.unknown}.items() if fact in taken and not taken[fact]}
        doubts = (*self.doubts, *(doubt for doubt in other.doubts if doubt.fact in taken))
        return replace(self, **taken, found_by=found_by, unknown=unknown, doubts=doubts)

    def check(self) -> Machine:
        """The machine itself, GPUs in Spack's words and order. Raises ``InputError`` on a name that nobody knows, or that can be none."""
        if self.platform is not None and self.platform not in PLATFORMS:
            msg = f"unknown platform {self.platform!r}"
            raise InputError(msg, hint=f"{did_you_mean(self.platform, PLATFORMS)}known are {', '.join(PLATFORMS)}")
        if self.target is not None:
            check_known(self.target)
        if self.os is not None:
            _check_os(self.os, self.platform)
        cuda = tuple(sorted(set(map(_checked_cuda, self.cuda_arch)), key=lambda text: (int(text.rstrip(ascii_lowercase)), text)))
        amd = tuple(sorted(set(map(_checked_amd, self.amdgpu_target))))
        return self if (cuda, amd) == (self.cuda_arch, self.amdgpu_target) else replace(self, cuda_arch=cuda, amdgpu_target=amd)


def _check_os(name: str, platform: str | None) -> None:
    """Refuse what is no name, and what is nearly the name of a macOS release; others may be names of systems to come."""
    if not OS_NAME.fullmatch(name):
        msg = f"{name!r} is not the name of an OS"
        raise InputError(msg, hint="write it as Spack does: ubuntu24.04, rhel9, sles15, sequoia")
    names = (*MACOS, *OLDER_MACOS, "macos")
    if platform == "darwin" and name not in names and (near := did_you_mean(name, names)):
        msg = f"unknown release {name!r} of macOS"
        raise InputError(msg, hint=f"{near}Spack names them {', '.join(MACOS)}")


def _checked_cuda(text: str) -> str:
    found = CUDA_ARCH.fullmatch(text)
    if not found:
        msg = f"{text!r} is not a CUDA compute capability"
        raise InputError(msg, hint="write it as Spack does: 80 for capability 8.0, 90a for what only 9.0 has")
    return found[1] + found[2]


def _checked_amd(text: str) -> str:
    if not AMDGPU_TARGET.fullmatch(text):
        msg = f"{text!r} is not the target of an AMD GPU"
        raise InputError(msg, hint="write it as Spack does: gfx90a, gfx942, gfx90a:xnack+")
    return text


def unusual_os(machine: Machine) -> Doubt | None:
    """A doubt about an OS whose version is not written as Spack writes it: two parts for Ubuntu, one for all others."""
    found = re.fullmatch(r"([a-z_]+)(\d+)\.?(\d*)", machine.os or "")
    if not found or machine.platform not in ("linux", None) or "tumbleweed" in found[1] or not (found[1] == "ubuntu" or found[3]):
        return None
    name, major, minor = found[1], found[2], found[3]
    if name == "ubuntu":
        major, minor = major[:2], minor or major[2:]
    better = f"{name}{major}.{minor or '04'}" if name == "ubuntu" else f"{name}{major}"
    if better == machine.os:
        return None
    return Doubt("os", f"Spack gives no OS the name {machine.os}; {better} is how it would write it", better)


def parse_triple(text: str) -> Machine:
    """Read ``linux-ubuntu24.04-zen4``, or with a libc ``linux-ubuntu24.04-zen4-glibc@2.39`` (a blank parts it too).

    Raises ``InputError`` when it has not three parts or a part is unknown.
    """
    parts = _parts(text)
    if len(parts) not in (3, 4) or not all(parts):
        msg = f"{text!r} is not an architecture"
        raise InputError(msg, hint="write platform-os-target, as in linux-ubuntu24.04-zen4, and behind it -glibc@2.39 if you know the libc")
    libc = Libc.parse(parts[3]) if len(parts) == 4 else None
    machine = Machine(platform=parts[0], os=parts[1], target=parts[2], libc=libc)
    facts = ("platform", "os", "target", "libc")[: len(parts)]
    return replace(machine, found_by=dict.fromkeys(facts, f"the architecture {text}")).check()


def _parts(text: str) -> list[str]:
    """Platform, OS, target and perhaps a libc, whose prefix may hold what parts the others."""
    triple, blank, libc = text.strip().partition(" ")
    return [*triple.split("-"), libc.strip()] if blank else triple.split("-", 3)


def is_triple(text: str) -> bool:
    """Does the text look like an architecture of a known platform and target?"""
    parts = _parts(text)
    return len(parts) in (3, 4) and parts[0] in PLATFORMS and is_known(parts[2])


def macos_runs(binary: str, host: str) -> bool:
    """Does a binary for one macOS release run on another: is it the same or older?"""
    if binary == host:
        return True
    return binary in MACOS and host in MACOS and MACOS.index(binary) <= MACOS.index(host)
