"""The GPUs of the host, as Spack's variants ``cuda_arch`` and ``amdgpu_target`` name them."""

from __future__ import annotations

import re

from resolver.machine.finding import Finding, quoted
from resolver.machine.probe import Probe

NVIDIA = ("nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader")
CAPABILITY = re.compile(r"(\d{1,2})\.(\d)")

KFD = "/sys/class/kfd/kfd/topology/nodes"
GFX_VERSION = re.compile(r"^gfx_target_version (\d{1,7})$", re.MULTILINE)
AGENT = re.compile(r"^ *Name: +(gfx[0-9a-f]{3,5}) *$", re.MULTILINE)
MOST_NODES = 256


def cuda_arch(probe: Probe) -> Finding[tuple[str, ...]]:
    """The compute capabilities of the CUDA devices, each once, the lowest first: ``8.0`` is ``80``."""
    printed = probe.run(*NVIDIA)
    if printed.problem:
        return Finding(why=printed.problem)
    found = [match for line in printed.text.splitlines() if (match := CAPABILITY.fullmatch(line.strip()))]
    if not found:
        return Finding(why=f"nvidia-smi names no compute capability, it prints {quoted(printed.text)}")
    numbers = sorted({int(match[1] + match[2]) for match in found})
    return Finding(tuple(map(str, numbers)), " ".join(NVIDIA[:2]))


def amdgpu_target(probe: Probe) -> Finding[tuple[str, ...]]:
    """The targets of the AMD GPUs, each once: by the kernel's driver, or by ``rocminfo`` where the driver does not tell."""
    nodes = [name for name in probe.names(KFD) if name.isascii() and name.isdigit()][:MOST_NODES]
    texts = [(probe.read(f"{KFD}/{name}/properties") or b"").decode("ascii", errors="replace") for name in nodes]
    versions = [int(match[1]) for text in texts if (match := GFX_VERSION.search(text))]
    if versions:
        found = sorted({gfx_name(version) for version in versions if version})
        return Finding(tuple(found), KFD) if found else Finding(why=f"no node of {KFD} is a GPU")
    printed = probe.run("rocminfo")
    if printed.problem:
        return Finding(why=f"{printed.problem}, and {KFD} {'names no GPU' if nodes else 'is not there'}")
    agents = sorted(set(AGENT.findall(printed.text)))
    return Finding(tuple(agents), "rocminfo") if agents else Finding(why=f"rocminfo names no GPU, it prints {quoted(printed.text)}")


def gfx_name(version: int) -> str:
    """The target by the kernel's number, two decimal digits each for minor and stepping: 90010 is ``gfx90a``."""
    return f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}"
