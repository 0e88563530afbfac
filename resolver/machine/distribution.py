"""The name that Spack gives to the Linux distribution of the host.

Sources: Spack ``operating_systems/linux_distro.py``, and the vendored ``distro`` module that it asks: ``id`` and ``version`` there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from resolver.machine.finding import Finding, quoted
from resolver.machine.probe import Probe

OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
RELEASE_FILE = re.compile(r"(\w+)[-_](?:release|version)")
OTHER_FILES = (
    "debian_version",
    "iredmail-release",
    "lsb-release",
    "oem-release",
    "os-release",
    "plesk-release",
    "system-release",
)
"""Files of /etc that look like a distribution's, and are none."""
LINE = re.compile(r"(.+?) *(?:release *)?(\d[\d.+\-a-z]*)(?: LTS)? *(?:\([^()]*\))?")
"""``CentOS release 6.10 (Final)``, ``Debian GNU/Linux 12 (bookworm)``: name and version."""

BY_OS_RELEASE = {"ol": "oracle", "opensuse-leap": "opensuse"}
BY_LSB = {
    "enterpriseenterpriseas": "oracle",
    "enterpriseenterpriseserver": "oracle",
    "redhatenterprisecomputenode": "rhel",
    "redhatenterpriseserver": "rhel",
    "redhatenterpriseworkstation": "rhel",
}
BY_FILE = {"redhat": "rhel"}

LDD_VERSION = re.compile(r"^ldd \(GNU libc\) (\d+(?:\.\d+)+)$", re.MULTILINE)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._]{0,63}")


def linux_name(probe: Probe) -> Finding[str]:
    """``<id><version>``: of the version two parts for Ubuntu, the first for all others, the C library's for openSUSE Tumbleweed."""
    host = _Distribution(probe)
    name, by = host.name()
    if not name:
        return Finding(why="no /etc/os-release, lsb_release or release file below /etc names the distribution")
    version, version_by = host.version(name)
    parts = re.split(r"[^\w-]", version)
    if "ubuntu" in name:
        label = name + ".".join(parts[:2])
    elif "opensuse-tumbleweed" in name or "opensusetumbleweed" in name:
        found = LDD_VERSION.findall(probe.run("/usr/bin/ldd", "--version").text)
        label, version_by = f"opensusetumbleweed{found[0] if len(found) == 1 else parts[0]}", "ldd --version" if found else version_by
    else:
        label = name + parts[0]
    label = label.replace("-", "_")
    if not NAME.fullmatch(label):
        return Finding(why=f"{by} names the distribution {quoted(label)}, which cannot be the name of an OS")
    return Finding(label, by if version_by in (by, "") else f"{by}, the version by {version_by}")


class _Distribution:
    """The sources on the distribution, each asked once and only when those before it say nothing."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.fields, self.place = _os_release(probe)
        self._lsb: Mapping[str, str] | None = None
        self._file: tuple[str, str, str] | None = None

    def name(self) -> tuple[str, str]:
        """The id in lower case, translated, and the source; empty when none has it."""
        if name := self.fields.get("id"):
            return _translated(name, BY_OS_RELEASE), self.place
        if name := self.lsb().get("distributor id"):
            return _translated(name, BY_LSB), "lsb_release -a"
        path, name, _ = self.file()
        return (_translated(name, BY_FILE), path) if name else ("", "")

    def version(self, name: str) -> tuple[str, str]:
        """The version and the source; empty for a distribution without versions."""
        if version := self.fields.get("version_id"):
            return version, self.place
        if version := self.lsb().get("release"):
            return version, "lsb_release -a"
        path, _, version = self.file()
        if version:
            return version, path
        for text, by in ((self.fields.get("pretty_name", ""), self.place), (self.lsb().get("description", ""), "lsb_release -a")):
            if found := LINE.fullmatch(text.strip()):
                return found[2], by
        if name == "debian" or "debian" in self.fields.get("id_like", "").split():
            text = _text(self.probe, "/etc/debian_version").partition("\n")[0].rstrip()
            return text, "/etc/debian_version" if text else ""
        return "", ""

    def lsb(self) -> Mapping[str, str]:
        """The lines of ``lsb_release -a`` by their keys in lower case."""
        if self._lsb is None:
            pairs = (line.partition(":") for line in self.probe.run("lsb_release", "-a").text.splitlines())
            self._lsb = {key.strip().lower(): value.strip() for key, colon, value in pairs if colon}
        return self._lsb

    def file(self) -> tuple[str, str, str]:
        """The first file such as ``/etc/centos-release`` that names something: its path, the distribution's id, the version."""
        if self._file is None:
            self._file = next(filter(None, map(self._stated, self.probe.names("/etc"))), ("", "", ""))
        return self._file

    def _stated(self, name: str) -> tuple[str, str, str] | None:
        match = RELEASE_FILE.fullmatch(name)
        if match is None or name in OTHER_FILES:
            return None
        path = f"/etc/{name}"
        line = _text(self.probe, path).partition("\n")[0].strip()
        if not line:
            return None
        found = LINE.fullmatch(line[:200])
        return path, "cloudlinux" if "cloudlinux" in line.lower() else match[1], found[2] if found else ""


def _translated(name: str, table: Mapping[str, str]) -> str:
    name = name.lower().replace(" ", "_")
    return table.get(name, name)


def _os_release(probe: Probe) -> tuple[dict[str, str], str]:
    for path in OS_RELEASE:
        data = probe.read(path)
        if data is not None:
            return os_release_fields(data.decode("utf-8", errors="replace")), path
    return {}, OS_RELEASE[0]


def os_release_fields(text: str) -> dict[str, str]:
    """The assignments of an os-release file, keys in lower case; other lines are passed over."""
    pairs = (line.strip().partition("=") for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {key.lower(): _unquoted(value) for key, sign, value in pairs if sign and key.isidentifier()}


def _unquoted(value: str) -> str:
    """A value without its quotes, as a shell takes it."""
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1]
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return re.sub(r"\\(.)", r"\1", value)


def _text(probe: Probe, path: str) -> str:
    return (probe.read(path) or b"").decode("utf-8", errors="replace")
