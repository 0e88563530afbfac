from __future__ import annotations

import pytest
from fakes.host import FakeHost

from resolver.arch.machine import Machine
from resolver.machine import detect
from resolver.machine.distribution import os_release_fields
from resolver.machine.macos import macos_name
from resolver.machine.probe import Output


def linux(text: str | None, commands: dict[str, str] | None = None, **files: str) -> Machine:
    named = {f"/etc/{name.replace('__', '-')}": content for name, content in files.items()}
    if text is not None:
        named["/etc/os-release"] = text
    return detect(FakeHost(files=named, commands=commands), ["os"])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('NAME="Ubuntu"\nVERSION="22.04.4 LTS (Jammy Jellyfish)"\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n', "ubuntu22.04"),
        ('ID=ubuntu\nVERSION_ID="24.04"\n', "ubuntu24.04"),
        ('ID=ubuntu\nVERSION_ID="24.04.1"\n', "ubuntu24.04"),
        ('ID=debian\nVERSION_ID="12"\n', "debian12"),
        ('NAME="Red Hat Enterprise Linux"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\n', "rhel9"),
        ('ID="rocky"\nVERSION_ID="9.3"\n', "rocky9"),
        ('ID="almalinux"\nVERSION_ID="8.10"\n', "almalinux8"),
        ('ID="centos"\nVERSION_ID="7"\n', "centos7"),
        ('ID="centos"\nVERSION_ID="9"\nNAME="CentOS Stream"\n', "centos9"),
        ('ID="ol"\nVERSION_ID="8.9"\n', "oracle8"),
        ('ID="scientific"\nVERSION_ID="7.9"\n', "scientific7"),
        ('ID="sles"\nVERSION="15-SP5"\nVERSION_ID="15.5"\n', "sles15"),
        ('ID=sles\nVERSION_ID="15-SP1"\n', "sles15_SP1"),
        ('ID="opensuse-leap"\nVERSION_ID="15.6"\n', "opensuse15"),
        ('ID="amzn"\nVERSION_ID="2"\n', "amzn2"),
        ('ID="amzn"\nVERSION_ID="2023"\n', "amzn2023"),
        ('ID="amzn"\nVERSION_ID="2018.03"\n', "amzn2018"),
        ("ID=fedora\nVERSION_ID=41\n", "fedora41"),
        ("ID=alpine\nVERSION_ID=3.20.1\n", "alpine3"),
        ("ID=arch\nBUILD_ID=rolling\nPRETTY_NAME='Arch Linux'\n", "arch"),
        ("ID=arch\nVERSION_ID=20240101.0.204074\n", "arch20240101"),
        ('ID="openEuler"\nVERSION_ID="22.03"\n', "openeuler22"),
        ('ID="cray"\nVERSION_ID="2.2"\n', "cray2"),
        ("ID=clear-linux-os\nVERSION_ID=41000\n", "clear_linux_os41000"),
        ("# a comment\n\nnot an assignment\nID='linuxmint'\nVERSION_ID=\"21.3\"\n", "linuxmint21"),
        ("ID=debian\r\nVERSION_ID=11\r\n", "debian11"),
    ],
)
def test_names_of_linux(text: str, name: str) -> None:
    machine = linux(text)
    assert (machine.os, machine.found_by["os"]) == (name, "/etc/os-release")


def test_tumbleweed_is_named_by_its_libc() -> None:
    text = 'ID="opensuse-tumbleweed"\nVERSION_ID="20240301"\n'
    machine = linux(text, {"/usr/bin/ldd --version": "ldd (GNU libc) 2.39\nCopyright (C) 2024 Free Software Foundation, Inc.\n"})
    assert machine.os == "opensusetumbleweed2.39"
    assert machine.found_by["os"] == "/etc/os-release, the version by ldd --version"
    assert linux(text).os == "opensusetumbleweed20240301"


def test_a_distribution_in_the_making_has_its_version_elsewhere() -> None:
    sid = 'PRETTY_NAME="Debian GNU/Linux trixie/sid"\nID=debian\n'
    machine = linux(sid, debian_version="trixie/sid\n")
    assert (machine.os, machine.found_by["os"]) == ("debiantrixie", "/etc/os-release, the version by /etc/debian_version")
    assert (
        linux("ID=arch\n", {"lsb_release -a": "Distributor ID:\tArch\nDescription:\tArch Linux\nRelease:\trolling\n"}).os == "archrolling"
    )
    assert linux('ID=gentoo\nPRETTY_NAME="Gentoo Linux 2.15"').os == "gentoo2"


def test_a_system_without_os_release() -> None:
    machine = linux(None, centos__release="CentOS release 6.10 (Final)\n", redhat__release="CentOS release 6.10 (Final)\n")
    assert (machine.os, machine.found_by["os"]) == ("centos6", "/etc/centos-release")
    assert linux(None, redhat__release="Red Hat Enterprise Linux Server release 6.9 (Santiago)\n").os == "rhel6"
    lsb = "LSB Version:\t:core-4.1\nDistributor ID:\tRedHatEnterpriseServer\nRelease:\t6.8\n"
    assert linux(None, {"lsb_release -a": lsb}).os == "rhel6"
    assert detect(FakeHost(files={"/usr/lib/os-release": "ID=fedora\nVERSION_ID=40"}), ["os"]).os == "fedora40"


@pytest.mark.parametrize(
    "text", ["", "VERSION_ID=12", "ID=", "ID=../../x", 'ID="a b$(x)"', "ID=\x1b[31m", f"ID={'x' * 200}", "ID=debian\nVERSION_ID=ä"]
)
def test_a_text_that_names_nothing_is_unknown_and_says_why(text: str) -> None:
    machine = linux(text)
    assert machine.os is None
    assert "names the distribution" in machine.unknown["os"]
    assert machine.unknown["os"].isprintable()


def test_lsb_release_is_asked_only_when_the_file_says_too_little() -> None:
    host = FakeHost(files={"/etc/os-release": "ID=debian\nVERSION_ID=12"})
    detect(host, ["os"])
    assert host.asked == []


def test_fields_are_read_as_a_shell_reads_them() -> None:
    assert os_release_fields('A=\'x y\'\nB="a\\"b"\nC=plain\n D = 1\n2=x\nE=') == {"a": "x y", "b": 'a"b', "c": "plain", "e": ""}


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("10.6.8", "snowleopard"),
        ("10.13", "highsierra"),
        ("10.14.6", "mojave"),
        ("10.15.7", "catalina"),
        ("10.16", "bigsur"),
        ("11.6", "bigsur"),
        ("12.1", "monterey"),
        ("13.7.1", "ventura"),
        ("14", "sonoma"),
        ("15.3", "sequoia"),
        ("26.0.1", "tahoe"),
        ("16.0", "macos"),
        ("99", "macos"),
    ],
)
def test_names_of_macos(version: str, name: str) -> None:
    assert macos_name(version) == name
    machine = detect(FakeHost("Darwin", commands={"sw_vers -productVersion": f"{version}\n"}))
    assert (machine.os, machine.found_by["os"], machine.libc) == (name, "sw_vers", None)
    assert set(machine.unknown) == set()


def test_a_deployment_target_comes_first() -> None:
    host = FakeHost("Darwin", commands={"sw_vers -productVersion": "15.3"}, variables={"MACOSX_DEPLOYMENT_TARGET": "14.0"})
    machine = detect(host)
    assert (machine.os, machine.found_by["os"]) == ("sonoma", "MACOSX_DEPLOYMENT_TARGET")


def test_a_macos_whose_command_fails_is_named_by_its_file() -> None:
    path = "/System/Library/CoreServices/SystemVersion.plist"
    text = "<plist><dict>\n<key>ProductVersion</key>\n\t<string>15.1</string></dict></plist>"
    machine = detect(FakeHost("Darwin", files={path: text}, variables={"MACOSX_DEPLOYMENT_TARGET": "soon"}))
    assert (machine.os, machine.found_by["os"]) == ("sequoia", path)
    late = detect(FakeHost("Darwin", commands={"sw_vers -productVersion": Output(problem="sw_vers took longer than 5 s")}))
    assert late.unknown["os"].startswith("sw_vers took longer than 5 s, and ")


def test_other_systems() -> None:
    assert detect(FakeHost("Windows", release="10.0.19045")).os == "windows10.0.19045"
    assert detect(FakeHost("FreeBSD", release="14.1-RELEASE")).os == "freebsd14.1"
    machine = detect(FakeHost("SunOS"))
    assert (machine.platform, machine.os, machine.target) == (None, None, None)
    assert machine.unknown == {"platform": "the system is 'sunos', which is none that is known here"}
