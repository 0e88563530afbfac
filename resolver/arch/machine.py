"""A machine: where the binaries are to run. A value; detecting the host is ``resolver.machine``'s job."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from resolver.arch.target import check_known, is_known
from resolver.errors import InputError

PLATFORMS = ("linux", "darwin", "windows", "freebsd")
USUAL_LIBC_PREFIX = "/usr"
LIBC_VERSION = re.compile(r"\d+(\.\d+)*")

MACOS = ("catalina", "bigsur", "monterey", "ventura", "sonoma", "sequoia", "tahoe")
"""macOS releases, oldest first; a newer one runs binaries of an older one (Spack ``solver/os_compatibility.lp``)."""


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
        if name not in ("glibc", "musl") or not LIBC_VERSION.fullmatch(version):
            msg = f"{text!r} is not a libc"
            raise InputError(msg, hint="write glibc@2.39, musl@1.2.5, or with its prefix glibc@2.39:/usr")
        return Libc(name, version, prefix or USUAL_LIBC_PREFIX)

    def __str__(self) -> str:
        """``name@version``, with the prefix where it is not the usual one."""
        return f"{self.name}@{self.version}{'' if self.prefix == USUAL_LIBC_PREFIX else ':' + self.prefix}"


class Machine(msgspec.Struct, frozen=True):
    """Where the binaries are to run; None is unknown, which never passes a gate.

    ``cuda_arch`` and ``amdgpu_target`` are as in Spack's variants (``80``, ``gfx90a``); empty when there is no GPU or nothing was
    said. ``found_by`` says for each fact where it is from. ``name`` is that of a named machine.
    """

    platform: str | None = None
    os: str | None = None
    target: str | None = None
    libc: Libc | None = None
    cuda_arch: tuple[str, ...] = ()
    amdgpu_target: tuple[str, ...] = ()
    name: str | None = None
    found_by: Mapping[str, str] = msgspec.field(default_factory=dict)

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
        facts = ("platform", "os", "target", "libc", "cuda_arch", "amdgpu_target", "name")
        taken = {fact: getattr(other, fact) for fact in facts if not getattr(self, fact)}
        found_by = {**other.found_by, **self.found_by}
        return replace(self, **taken, found_by=found_by)

    def check(self) -> Machine:
        """The machine itself. Raises ``InputError`` on a platform or target that nobody knows."""
        if self.platform is not None and self.platform not in PLATFORMS:
            msg = f"unknown platform {self.platform!r}"
            raise InputError(msg, hint=f"known are {', '.join(PLATFORMS)}")
        if self.target is not None:
            check_known(self.target)
        return self


def parse_triple(text: str) -> Machine:
    """Read ``linux-ubuntu24.04-zen4``. Raises ``InputError`` when it has not three parts or a part is unknown."""
    parts = text.split("-")
    if len(parts) != 3 or not all(parts):
        msg = f"{text!r} is not an architecture"
        raise InputError(msg, hint="write platform-os-target, as in linux-ubuntu24.04-zen4")
    machine = Machine(platform=parts[0], os=parts[1], target=parts[2])
    return replace(machine, found_by=dict.fromkeys(("platform", "os", "target"), f"the architecture {text}")).check()


def is_triple(text: str) -> bool:
    """Does the text look like an architecture of a known platform and target?"""
    parts = text.split("-")
    return len(parts) == 3 and parts[0] in PLATFORMS and is_known(parts[2])


def macos_runs(binary: str, host: str) -> bool:
    """Does a binary for one macOS release run on another: is it the same or older?"""
    if binary == host:
        return True
    return binary in MACOS and host in MACOS and MACOS.index(binary) <= MACOS.index(host)
