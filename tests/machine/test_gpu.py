from __future__ import annotations

import pytest
from fakes.host import FakeHost

from resolver.machine import detect
from resolver.machine.gpu import KFD, gfx_name

SMI = "nvidia-smi --query-gpu=compute_cap --format=csv,noheader"
ROCMINFO = """ROCk module is loaded
=====================
HSA Agents
==========
*******
Agent 1
*******
  Name:                    AMD EPYC 7A53 64-Core Processor
  Device Type:             CPU
*******
Agent 5
*******
  Name:                    gfx90a
  Marketing Name:          AMD Instinct MI250X
  ISA Info:
    ISA 1
      Name:                    amdgcn-amd-amdhsa--gfx90a:sramecc+:xnack-
*******
Agent 6
*******
  Name:                    gfx90a
*** Done ***
"""


def node(version: int) -> str:
    return f"cpu_cores_count 0\nsimd_count 440\ngfx_target_version {version}\nvendor_id 4098\n"


@pytest.mark.parametrize(
    ("printed", "values"),
    [
        ("8.0\n8.0\n8.0\n8.0\n", ("80",)),
        ("9.0\n8.6\n", ("86", "90")),
        ("12.0\n7.5\n", ("75", "120")),
        ("8.9\n[N/A]\n", ("89",)),
    ],
)
def test_cuda_devices(printed: str, values: tuple[str, ...]) -> None:
    machine = detect(FakeHost(commands={SMI: printed}), ["cuda_arch"])
    assert (machine.cuda_arch, machine.found_by["cuda_arch"]) == (values, "nvidia-smi --query-gpu=compute_cap")


@pytest.mark.parametrize(
    "printed",
    [
        "No devices were found\n",
        'Field "compute_cap" is not a valid field to query.\n',
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n",
        "",
        "8.0.0\n80\n-1.0\n999.9\n",
    ],
)
def test_a_driver_that_names_none_is_quoted(printed: str) -> None:
    machine = detect(FakeHost(commands={SMI: printed}), ["cuda_arch"])
    assert machine.cuda_arch == ()
    assert machine.unknown["cuda_arch"].startswith("nvidia-smi names no compute capability, it prints ")


def test_amd_devices_by_the_kernel_before_rocminfo() -> None:
    files = {f"{KFD}/{n}/properties": node(version) for n, version in enumerate((0, 0, 90402, 90010, 90010))}
    host = FakeHost(files=files, commands={"rocminfo": ROCMINFO})
    machine = detect(host, ["amdgpu_target"])
    assert (machine.amdgpu_target, machine.found_by["amdgpu_target"]) == (("gfx90a", "gfx942"), KFD)
    assert host.asked == []


def test_amd_devices_by_rocminfo() -> None:
    for files in ({}, {f"{KFD}/0/properties": "simd_count 4\n"}):
        machine = detect(FakeHost(files=files, commands={"rocminfo": ROCMINFO}), ["amdgpu_target"])
        assert (machine.amdgpu_target, machine.found_by["amdgpu_target"]) == (("gfx90a",), "rocminfo")


def test_no_amd_device_says_why() -> None:
    assert "no node" in detect(FakeHost(files={f"{KFD}/0/properties": node(0)})).unknown["amdgpu_target"]
    assert detect(FakeHost()).unknown["amdgpu_target"] == f"rocminfo is not on this host, and {KFD} is not there"
    assert "rocminfo names no GPU" in detect(FakeHost(commands={"rocminfo": "Unable to open /dev/kfd"})).unknown["amdgpu_target"]


@pytest.mark.parametrize(
    ("version", "name"),
    [
        (90008, "gfx908"),
        (90010, "gfx90a"),
        (90012, "gfx90c"),
        (90402, "gfx942"),
        (100300, "gfx1030"),
        (110501, "gfx1151"),
        (120001, "gfx1201"),
    ],
)
def test_names_of_amd_targets(version: int, name: str) -> None:
    assert gfx_name(version) == name
