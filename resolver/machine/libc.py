"""The C library of the host, by its dynamic linker. Source: Spack ``util/libc.py:libc_from_dynamic_linker``.

Spack asks the compilers for the dynamic linker, and Python where it has none. Here it is that of ``/bin/sh``, which is the system's as
the compilers' is, and Python's where the shell is linked statically.
"""

from __future__ import annotations

import posixpath
import re

from resolver.arch.machine import Libc
from resolver.machine.elf import interpreter
from resolver.machine.finding import Finding, quoted
from resolver.machine.probe import Probe

SHELL = "/bin/sh"
GLIBC_MARK = "Free Software Foundation"
GLIBC_VERSION = re.compile(r"\bversion (\d+\.\d+(?:\.\d+)?)")
MUSL_VERSION = re.compile(r"\Amusl libc\b.*?^Version (\d+(?:\.\d+)+)", re.DOTALL | re.MULTILINE)
LDD_VERSION = re.compile(r".+\(.+\) (\d+(?:\.\d+)+)")


def host_libc(probe: Probe) -> Finding[Libc]:
    """Name, version and prefix, by the first program that names a dynamic linker which tells them."""
    why = []
    for program in (SHELL, probe.python()):
        linker = interpreter(probe.read(program) or b"") if program else ""
        if not linker:
            why.append(f"{program or 'Python'} names no dynamic linker")
            continue
        found = _by_linker(probe, linker)
        if found.value:
            return found
        why.append(found.why)
    return Finding(why="; ".join(dict.fromkeys(why)))


def _by_linker(probe: Probe, linker: str) -> Finding[Libc]:
    real = probe.real_path(linker)
    prefix = libc_prefix(real or "")
    if not real or not prefix:
        return Finding(why=f"the dynamic linker {linker} is {f'at {real}, not in a lib folder' if real else 'not there'}")
    printed = probe.run(linker, "--version")
    if found := MUSL_VERSION.search(printed.text):
        return Finding(Libc("musl", found[1], prefix), f"{linker} --version")
    if GLIBC_MARK in printed.text and (found := GLIBC_VERSION.search(printed.text)):
        return Finding(Libc("glibc", found[1], prefix), f"{linker} --version")
    by_ldd = _by_ldd(probe, prefix)
    said = printed.problem or f"{linker} --version prints {quoted(printed.text)}"
    return by_ldd if by_ldd.value else Finding(why=f"{said}; {by_ldd.why}")


def _by_ldd(probe: Probe, prefix: str) -> Finding[Libc]:
    """By ``ldd``, for a glibc before 2.33, whose dynamic linker does not tell its version; below ``/usr`` when ``/`` has none."""
    for place in dict.fromkeys((prefix, "/usr" if prefix == "/" else prefix)):
        ldd = posixpath.join(place, "bin", "ldd")
        if probe.real_path(ldd) is None:
            continue
        printed = probe.run(ldd, "--version")
        found = LDD_VERSION.match(printed.text)
        if GLIBC_MARK in printed.text and found:
            return Finding(Libc("glibc", found[1], place), f"{ldd} --version")
        return Finding(why=printed.problem or f"{ldd} --version prints {quoted(printed.text)}")
    return Finding(why=f"there is no ldd in {posixpath.join(prefix, 'bin')}")


def libc_prefix(linker: str) -> str:
    """The prefix that Spack records for the libc of this dynamic linker, whose links are resolved; empty for an unusual place.

    A folder below ``lib`` or ``lib64``, for one of several architectures, does not count.
    """
    folder = posixpath.dirname(linker)
    if posixpath.basename(folder) not in ("lib", "lib64"):
        folder = posixpath.dirname(folder)
    return posixpath.dirname(folder) if posixpath.basename(folder) in ("lib", "lib64") else ""
