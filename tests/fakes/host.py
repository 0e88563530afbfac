"""A host that tests describe, in place of the real one; what it is not told it does not have."""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Mapping

from resolver.machine.probe import Output, Processor

DEBIAN_12 = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n'
LD_236 = "ld.so (Debian GLIBC 2.36-9+deb12u9) stable release version 2.36.\nCopyright (C) 2022 Free Software Foundation, Inc.\n"
LD_LINUX = "/lib64/ld-linux-x86-64.so.2"
ZEN3 = Processor("zen3", "AuthenticAMD", frozenset({"avx2"}))


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


class FakeHost:
    """Files by path, outputs by the command's words, links by path; remembers what was run."""

    def __init__(
        self,
        system: str = "Linux",
        *,
        files: Mapping[str, str | bytes] | None = None,
        commands: Mapping[str, str | Output] | None = None,
        links: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        cpu: Processor | None = ZEN3,
        release: str = "6.1",
    ) -> None:
        self._system, self._release, self._cpu = system, release, cpu
        self.files = dict(files or {})
        self.commands = dict(commands or {})
        self.links = dict(links or {})
        self.variables = dict(variables or {})
        self.asked: list[str] = []

    def system(self) -> str:
        return self._system

    def release(self) -> str:
        return self._release

    def environment(self, name: str) -> str | None:
        return self.variables.get(name)

    def read(self, path: str) -> bytes | None:
        data = self.files.get(path)
        return data.encode() if isinstance(data, str) else data

    def names(self, folder: str) -> list[str]:
        inside = (path.removeprefix(f"{folder}/").partition("/")[0] for path in self.files if path.startswith(f"{folder}/"))
        return sorted(set(inside))

    def run(self, *command: str) -> Output:
        self.asked.append(" ".join(command))
        output = self.commands.get(" ".join(command), Output(problem=f"{command[0]} is not on this host"))
        return Output(output) if isinstance(output, str) else output

    def real_path(self, path: str) -> str | None:
        if path in self.links:
            return self.links[path]
        there = path in self.files or any(words.split(" ")[0] == path for words in self.commands)
        return posixpath.normpath(path) if there else None

    def python(self) -> str:
        return "/usr/bin/python3"

    def cpu(self) -> Processor | None:
        self.asked.append("cpu")
        return self._cpu


def glibc_host(linker: str = LD_LINUX, *, real: str = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", printed: str = LD_236) -> FakeHost:
    """A host with a shell that a dynamic linker starts."""
    files: dict[str, str | bytes] = {"/etc/os-release": DEBIAN_12, "/bin/sh": elf(linker)}
    return FakeHost(files=files, commands={f"{linker} --version": printed}, links={linker: real})
