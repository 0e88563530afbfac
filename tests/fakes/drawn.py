"""Small worlds at random in which records fail at every gate, and what may be asked of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from resolver.arch.machine import Libc, Machine
from resolver.selection.explain.model import Asked
from resolver.selection.model import Policy
from resolver.selection.rules import Rules
from resolver.spec.abstract import AbstractSpec

OSES = ("ubuntu24.04", "rhel8")
TARGETS = ("x86_64_v3", "x86_64_v3", "x86_64_v3", "zen4", "zen5", "aarch64")
LIBCS = ("glibc@2.28", "glibc@2.28", "glibc@2.28", "glibc@2.39", "glibc@2.41", "musl@1.2.5")
ROOTS = ("app", "app", "app", "app@2:", "app+mpi", "app@3 +mpi", "app target=zen4", "app ^lib@2", "app ^mkl", "app/app1", "blas", "absent")
PACKAGES: list[dict[str, Any]] = [
    {},
    {},
    {"app": {"require": ["+mpi"]}},
    {"all": {"require": ["target=x86_64_v3"]}},
    {"lib": {"conflict": ["@2"]}, "app": {"require": [{"one_of": ["@1", "@2"]}]}},
    {"blas": {"require": ["mkl"]}},
]
ZEN4 = Machine("linux", "ubuntu24.04", "zen4", Libc.parse("glibc@2.39"))
MACHINES = (
    ZEN4,
    ZEN4,
    ZEN4,
    Machine("linux", "rhel8", "x86_64_v3", Libc.parse("glibc@2.28"), cuda_arch=("80",)),
    Machine("linux", "ubuntu24.04", None, None),
    Machine("darwin", "sequoia", "m1"),
)
POLICIES = (
    Policy(),
    Policy(),
    Policy(os_policy="strict"),
    Policy(label="mine", labelled="only"),
    Policy(granularity="generic", reuse_exclude=(AbstractSpec.parse("app@3"),)),
)


@st.composite
def worlds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some applications over libraries and providers of blas; a few records lack binaries or parts, or are externals."""

    def made(name: str, place: int, **more: Any) -> dict[str, Any]:
        os, target = draw(st.sampled_from(OSES)), draw(st.sampled_from(TARGETS))
        cuda = draw(st.sampled_from(["", "", " cuda_arch=80", " cuda_arch=90"]))
        found = {
            "id": f"{name}{place}",
            "spec": f"{name}@={draw(st.integers(1, 3))}{more.pop('variants', '')}{cuda} os={os} target={target}",
        }
        if draw(st.integers(0, 15)) == 0:
            found["external"] = "/opt/ext"
        elif draw(st.integers(0, 5)):
            found["libc"] = draw(st.sampled_from(LIBCS))
        return {**found, "in_buildcache": draw(st.integers(0, 11)) > 0 and "external" not in found, **more}

    blas = [made(draw(st.sampled_from(["openblas", "mkl"])), n) for n in range(2)]
    libs = [made("lib", n, link=[f"blas={draw(st.sampled_from(blas))['id']}"] * draw(st.integers(0, 1))) for n in range(3)]
    apps = []
    for n in range(draw(st.integers(0, 6))):
        links = [draw(st.sampled_from([*(row["id"] for row in libs * 3), "gone"])), f"blas={draw(st.sampled_from(blas))['id']}"]
        labels = draw(st.sampled_from([[], ["mine"]]))
        apps.append(made("app", n, link=links[: draw(st.integers(0, 2))], variants=draw(st.sampled_from(["+mpi", "~mpi"])), stacks=labels))
    return [*blas, *libs, *apps]


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    """What may be asked of such a world."""
    root = AbstractSpec.parse(draw(st.sampled_from(ROOTS)))
    rules = Rules.read(draw(st.sampled_from(PACKAGES)))
    return Asked(root, draw(st.sampled_from(MACHINES)), draw(st.sampled_from(POLICIES)), rules)
