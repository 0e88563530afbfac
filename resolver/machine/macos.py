"""The name that Spack gives to the release of macOS. Source: Spack ``operating_systems/mac_os.py``."""

from __future__ import annotations

import re

from resolver.arch.machine import MACOS_VERSIONS
from resolver.machine.finding import Finding
from resolver.machine.probe import Probe

VARIABLE = "MACOSX_DEPLOYMENT_TARGET"
SYSTEM_FILE = "/System/Library/CoreServices/SystemVersion.plist"
VERSION = re.compile(r"\d{1,3}(\.\d{1,3}){0,3}")
IN_SYSTEM_FILE = re.compile(r"<key>ProductVersion</key>\s*<string>([\d.]+)</string>")


def macos_of(probe: Probe) -> Finding[str]:
    """The release that builds are for: as the environment says, else as the system says."""
    asked = probe.environment(VARIABLE)
    if asked and VERSION.fullmatch(asked):
        return Finding(macos_name(asked), VARIABLE)
    said = probe.run("sw_vers", "-productVersion")
    if VERSION.fullmatch(said.text.strip()):
        return Finding(macos_name(said.text.strip()), "sw_vers")
    file = IN_SYSTEM_FILE.search((probe.read(SYSTEM_FILE) or b"").decode("utf-8", errors="replace"))
    if file and VERSION.fullmatch(file[1]):
        return Finding(macos_name(file[1]), SYSTEM_FILE)
    return Finding(why=f"{said.problem or 'sw_vers prints no version'}, and {SYSTEM_FILE} has none")


def macos_name(version: str) -> str:
    """Spack's name of a version: two parts count before 11, one from there on; ``macos`` for those that it does not know."""
    parts = version.split(".")
    return MACOS_VERSIONS.get(".".join(parts[: 2 if int(parts[0]) < 11 else 1]), "macos")
