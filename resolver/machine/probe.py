"""The questions that detection asks of the host; tests answer them in the host's place."""

from __future__ import annotations

import os
import selectors
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, Protocol

import msgspec

COMMAND_SECONDS = 5.0
"""A command that takes longer is ended: detection never waits for a driver that hangs."""
MOST_BYTES = 1 << 16
MOST_NAMES = 4096
MORE_PLACES = ("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/lib/wsl/lib", "/opt/rocm/bin")
"""Folders that are searched for a program after those of ``PATH``."""


class Output(msgspec.Struct, frozen=True):
    """What a command printed, stdout and stderr together, or the ``problem``: why nothing of it can be used."""

    text: str = ""
    problem: str = ""


class Processor(msgspec.Struct, frozen=True):
    """A processor as archspec sees it: the best target, and the facts that the choice rests on (empty where the system has none)."""

    target: str
    vendor: str = ""
    features: frozenset[str] = frozenset()
    part: str = ""


class Probe(Protocol):
    """What can be asked of a host. Nothing here raises or waits long: what cannot be had is None or empty."""

    def system(self) -> str:
        """``Linux``, ``Darwin``, ``Windows`` or another name that ``uname -s`` prints."""

    def release(self) -> str:
        """The kernel's release, as ``uname -r`` prints it; the version of Windows."""

    def environment(self, name: str) -> str | None:
        """An environment variable."""

    def read(self, path: str) -> bytes | None:
        """The first 64 KiB of a plain file."""

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted; at most 4096."""

    def run(self, *command: str) -> Output:
        """Run a command, in the C locale, for at most 5 seconds and 64 KiB."""

    def real_path(self, path: str) -> str | None:
        """The path with links resolved; None when nothing is there."""

    def python(self) -> str:
        """The path of the running Python."""

    def cpu(self) -> Processor | None:
        """The processor."""


class HostProbe:
    """The real host."""

    def system(self) -> str:
        """See ``Probe``."""
        return os.uname().sysname if hasattr(os, "uname") else "Windows"

    def release(self) -> str:
        """See ``Probe``."""
        if hasattr(os, "uname"):
            return os.uname().release
        import platform  # only Windows needs it

        return platform.version()

    def environment(self, name: str) -> str | None:
        """See ``Probe``."""
        return os.environ.get(name)

    def read(self, path: str) -> bytes | None:
        """See ``Probe``."""
        with suppress(OSError, ValueError):
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
            with os.fdopen(handle, "rb") as file:
                return file.read(MOST_BYTES) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
        return None

    def names(self, folder: str) -> list[str]:
        """See ``Probe``."""
        with suppress(OSError, ValueError), os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, MOST_NAMES))
        return []

    def run(self, *command: str) -> Output:
        """See ``Probe``."""
        program = _located(command[0])
        if program is None or os.name != "posix":
            return Output(problem=f"{command[0]} is not on this host")
        try:
            process = subprocess.Popen(
                [program, *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LC_ALL": "C"},
                start_new_session=True,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return Output(problem=f"{command[0]} does not start ({getattr(error, 'strerror', None) or type(error).__name__})")
        return _result(command[0], process)

    def real_path(self, path: str) -> str | None:
        """See ``Probe``."""
        with suppress(OSError, ValueError):
            return os.path.realpath(path, strict=True)
        return None

    def python(self) -> str:
        """See ``Probe``."""
        return sys.executable or ""

    def cpu(self) -> Processor | None:
        """See ``Probe``."""
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # archspec warns of what it cannot read, and says the family then
            try:
                return _processor()
            except (OSError, ValueError, LookupError, AttributeError, TypeError, subprocess.SubprocessError):
                return None


def _processor() -> Processor:
    import archspec.cpu  # reading the processor's features takes time, and only detection needs it
    from archspec.cpu.detect import detected_info

    found = detected_info()
    return Processor(str(archspec.cpu.host().name), str(found.vendor), frozenset(found.features), str(getattr(found, "cpu_part", "")))


def _located(program: str) -> str | None:
    """The path of a program; one that is named with its folder is where it is."""
    if os.sep in program:
        return program if os.access(program, os.X_OK) else None
    folders = [*map(Path, os.environ.get("PATH", "").split(os.pathsep)), *map(Path, MORE_PLACES)]
    paths = (folder / program for folder in folders if folder.is_absolute())
    return next((str(path) for path in paths if path.is_file() and os.access(path, os.X_OK)), None)


def _result(name: str, process: subprocess.Popen[bytes]) -> Output:
    """What the process prints, unless it takes too long or prints too much: then it is ended, with all that it started."""
    pipe: IO[bytes] = process.stdout  # type: ignore[assignment] # it is a pipe, as asked for
    deadline = time.monotonic() + COMMAND_SECONDS
    with pipe:
        data = _collected(pipe.fileno(), deadline)
    late, much = f"{name} took longer than {COMMAND_SECONDS:g} s", f"{name} printed more than {MOST_BYTES >> 10} KiB"
    problem = late if data is None else much if len(data) > MOST_BYTES else ""
    try:
        process.wait(0 if problem else max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _end(process)
        problem = problem or late
    return Output(problem=problem) if problem or data is None else Output(data.decode("utf-8", errors="replace"))


def _collected(handle: int, deadline: float) -> bytes | None:
    """All bytes until the end, one more than the most at most; None when the end does not come in time."""
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        while len(data) <= MOST_BYTES:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                return None
            chunk = os.read(handle, MOST_BYTES + 1 - len(data))
            if not chunk:
                break
            data += chunk
    return data


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group. One that a driver holds cannot be ended, and is not waited for."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(0.5)
