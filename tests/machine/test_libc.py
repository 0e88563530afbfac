from __future__ import annotations

import pytest
from fakes.host import LD_236, LD_LINUX, FakeHost, elf, glibc_host

from resolver.machine import detect
from resolver.machine.elf import interpreter
from resolver.machine.libc import libc_prefix
from resolver.machine.probe import Output

FSF = "Copyright (C) 2018 Free Software Foundation, Inc.\n"
LD_UBUNTU = f"ld.so (Ubuntu GLIBC 2.39-0ubuntu8.4) stable release version 2.39.\n{FSF}"
LD_RHEL = f"ld.so (GNU libc) stable release version 2.34.\n{FSF}"
LD_DEV = f"ld.so (GNU libc) development release version 2.39.9000.\n{FSF}"
LD_OLD = "--version: error while loading shared libraries: --version: cannot open shared object file: No such file or directory\n"
MUSL = "musl libc (x86_64)\nVersion 1.2.5\nDynamic Program Loader\nUsage: /lib/ld-musl-x86_64.so.1 [options] [--] pathname [args]\n"


@pytest.mark.parametrize(
    ("printed", "real", "libc"),
    [
        (LD_UBUNTU, "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "glibc@2.39"),
        (LD_RHEL, "/usr/lib64/ld-linux-x86-64.so.2", "glibc@2.34"),
        (LD_DEV, "/opt/glibc/lib/ld-linux-x86-64.so.2", "glibc@2.39.9000:/opt/glibc"),
        (LD_RHEL, "/lib64/ld-2.34.so", "glibc@2.34:/"),
        (MUSL, "/lib/ld-musl-x86_64.so.1", "musl@1.2.5:/"),
        (MUSL, "/usr/lib/ld-musl-x86_64.so.1", "musl@1.2.5"),
    ],
)
def test_the_dynamic_linker_tells_the_libc(printed: str, real: str, libc: str) -> None:
    machine = detect(glibc_host(real=real, printed=printed), ["libc"])
    assert str(machine.libc) == libc
    assert machine.found_by["libc"] == f"{LD_LINUX} --version"


@pytest.mark.parametrize(
    ("real", "ldd", "libc"),
    [
        ("/usr/lib64/ld-2.28.so", "/usr/bin/ldd", "glibc@2.28"),
        ("/lib/x86_64-linux-gnu/ld-2.28.so", "/usr/bin/ldd", "glibc@2.28"),
        ("/lib/x86_64-linux-gnu/ld-2.28.so", "/bin/ldd", "glibc@2.28:/"),
        ("/opt/old/lib/ld-2.28.so", "/opt/old/bin/ldd", "glibc@2.28:/opt/old"),
    ],
)
def test_ldd_tells_the_version_of_an_old_glibc(real: str, ldd: str, libc: str) -> None:
    host = glibc_host(real=real, printed=LD_OLD)
    host.commands[f"{ldd} --version"] = f"ldd (GNU libc) 2.28\n{FSF}"
    machine = detect(host, ["libc"])
    assert (str(machine.libc), machine.found_by["libc"]) == (libc, f"{ldd} --version")


def test_a_shell_that_is_linked_statically_leaves_it_to_python() -> None:
    host = glibc_host()
    host.files["/usr/bin/python3"] = host.files.pop("/bin/sh")
    assert str(detect(host, ["libc"]).libc) == "glibc@2.36"


@pytest.mark.parametrize(
    ("host", "why"),
    [
        (FakeHost(), "/bin/sh names no dynamic linker; /usr/bin/python3 names no dynamic linker"),
        (FakeHost(files={"/bin/sh": elf("/lib/ld.so")}), "the dynamic linker /lib/ld.so is not there"),
        (glibc_host(real="/opt/strange/ld.so"), "is at /opt/strange/ld.so, not in a lib folder"),
        (glibc_host(printed="hello \x1b[2J"), "prints 'hello [2J'; there is no ldd in /usr/bin"),
        (glibc_host(printed=LD_236.replace("2.36.", "x")), "there is no ldd"),
        (glibc_host(printed=""), f"{LD_LINUX} --version prints ''"),
    ],
)
def test_a_libc_that_is_not_found_says_why(host: FakeHost, why: str) -> None:
    machine = detect(host, ["libc"])
    assert machine.libc is None
    assert why in machine.unknown["libc"]


def test_a_loader_that_hangs_is_said() -> None:
    host = glibc_host()
    host.commands[f"{LD_LINUX} --version"] = Output(problem="it took longer than 5 s")
    host.commands["/usr/bin/ldd --version"] = Output(problem="ldd does not start (Exec format error)")
    assert detect(host, ["libc"]).unknown["libc"].startswith("it took longer than 5 s; ldd does not start (Exec format error)")


@pytest.mark.parametrize(
    ("linker", "prefix"),
    [
        ("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "/usr"),
        ("/usr/lib64/ld-linux-x86-64.so.2", "/usr"),
        ("/lib64/ld-2.17.so", "/"),
        ("/lib/ld-musl-x86_64.so.1", "/"),
        ("/opt/glibc/lib/ld.so", "/opt/glibc"),
        ("/nix/store/abc-glibc-2.39/lib/ld-linux-x86-64.so.2", "/nix/store/abc-glibc-2.39"),
        ("/ld.so", ""),
        ("", ""),
    ],
)
def test_prefix_of_a_libc(linker: str, prefix: str) -> None:
    assert libc_prefix(linker) == prefix


@pytest.mark.parametrize("wide", [True, False])
def test_the_interpreter_of_an_elf_file(*, wide: bool) -> None:
    assert interpreter(elf("/lib/ld.so", wide=wide)) == "/lib/ld.so"


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fELF", b"\x7fELF" + b"\xff" * 100, elf("/x")[:70], elf("ld.so"), elf("/a\nb"), elf("")])
def test_other_files_have_none(data: bytes) -> None:
    assert interpreter(data) == ""
