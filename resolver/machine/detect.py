"""Detecting the host: platform, Spack's name of the OS, CPU target, libc, GPUs; each fact with how it was found, or why it was not."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from resolver.arch.machine import PLATFORMS, Machine
from resolver.machine.distribution import linux_name
from resolver.machine.finding import Finding, quoted
from resolver.machine.gpu import amdgpu_target, cuda_arch
from resolver.machine.libc import host_libc
from resolver.machine.macos import macos_of
from resolver.machine.near import near_target
from resolver.machine.probe import Probe

FACTS = ("os", "target", "libc", "cuda_arch", "amdgpu_target")
ON_LINUX = {"os": linux_name, "libc": host_libc, "cuda_arch": cuda_arch, "amdgpu_target": amdgpu_target}
CPU_CHECK = "archspec, from the processor's features"


def detect(probe: Probe, wanted: Collection[str] = FACTS) -> Machine:
    """What the host tells of itself, asked only for the wanted facts; what it does not tell is unknown, with the reason."""
    system = probe.system().lower()
    if system not in PLATFORMS:
        return Machine(unknown={"platform": f"the system is {quoted(system)}, which is none that is known here"})
    asked: dict[str, Any] = dict(ON_LINUX) if system == "linux" else {"os": _macos_or_other}
    found: dict[str, Finding[Any]] = {"platform": Finding(system, "uname")}
    found |= {fact: ask(probe) for fact, ask in asked.items() if fact in wanted}
    cpu = probe.cpu() if "target" in wanted else None
    if "target" in wanted:
        found["target"] = Finding(cpu.target, CPU_CHECK) if cpu else Finding(why="archspec cannot tell this processor")
    near = near_target(cpu) if cpu else None
    return Machine(
        **{fact: one.value for fact, one in found.items() if one.value},
        found_by={fact: one.how for fact, one in found.items() if one.value},
        unknown={fact: one.why for fact, one in found.items() if not one.value},
        doubts=(near,) if near else (),
    )


def _macos_or_other(probe: Probe) -> Finding[str]:
    """Source of the names: Spack ``operating_systems/mac_os.py``, ``windows_os.py``, ``freebsd.py``."""
    system = probe.system().lower()
    if system == "darwin":
        return macos_of(probe)
    release = probe.release()
    text = f"windows{release}" if system == "windows" else f"freebsd{release.partition('-')[0]}"
    return Finding(text, "the kernel's version")
