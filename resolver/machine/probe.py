"""The questions that detection asks of the host; tests answer them in the host's place."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

COMMAND_SECONDS = 5.0


class Probe(Protocol):
    """What can be asked of a host. Nothing here raises: what cannot be had is None."""

    def system(self) -> str:
        """``Linux``, ``Darwin``, ``Windows`` or ``FreeBSD``."""

    def release(self) -> str:
        """The kernel's release, as ``uname -r`` prints it."""

    def os_release(self) -> Mapping[str, str]:
        """The fields of ``/etc/os-release``; empty when there is none."""

    def environment(self, name: str) -> str | None:
        """An environment variable."""

    def run(self, *command: str) -> str | None:
        """What a command prints, on stdout and stderr together; None when it cannot be run."""

    def executable(self) -> bytes | None:
        """The first kibibytes of the running Python, whose dynamic linker tells the libc."""

    def real_path(self, path: str) -> str | None:
        """The path with links resolved; None when nothing is there."""

    def cpu(self) -> str | None:
        """The most specific CPU target that the processor has all features of."""


class HostProbe:
    """The real host."""

    def system(self) -> str:
        """See ``Probe``."""
        return platform.system()

    def release(self) -> str:
        """See ``Probe``."""
        return platform.release() if platform.system() != "Windows" else platform.version()

    def os_release(self) -> Mapping[str, str]:
        """See ``Probe``."""
        try:
            return platform.freedesktop_os_release()
        except OSError:
            return {}

    def environment(self, name: str) -> str | None:
        """See ``Probe``."""
        return os.environ.get(name)

    def run(self, *command: str) -> str | None:
        """See ``Probe``."""
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError, ValueError):
            return None
        return done.stdout + done.stderr

    def executable(self) -> bytes | None:
        """See ``Probe``."""
        try:
            with Path(os.path.realpath(sys.executable)).open("rb") as file:
                return file.read(1 << 14)
        except OSError:
            return None

    def real_path(self, path: str) -> str | None:
        """See ``Probe``."""
        try:
            return str(Path(path).resolve(strict=True))
        except OSError:
            return None

    def cpu(self) -> str | None:
        """See ``Probe``."""
        import archspec.cpu  # reading the processor's features takes time, and only detection needs it

        try:
            return str(archspec.cpu.host().name)
        except (OSError, ValueError, KeyError):
            return None
