"""Random small worlds, as rows for ``fakes.world.World``."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

OSES = ("ubuntu24.04", "ubuntu22.04", "rhel8")
TARGETS = ("x86_64_v3", "zen4", "zen5", "aarch64")
LIBCS = ("glibc@2.28", "glibc@2.39", "glibc@2.41")


@st.composite
def worlds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some twenty records: an application over a library and a provider of blas, in some versions, OSes and targets."""

    def made(name: str, place: int, **more: Any) -> dict[str, Any]:
        os, target = draw(st.sampled_from(OSES)), draw(st.sampled_from(TARGETS))
        spec = f"{name}@={draw(st.integers(1, 3))} os={os} target={target}{more.pop('variants', '')}"
        binary = draw(st.integers(0, 9)) > 0
        return {"id": f"{name}{place}", "spec": spec, "in_buildcache": binary, "libc": draw(st.sampled_from(LIBCS)), **more}

    blas = [made(draw(st.sampled_from(["openblas", "mkl"])), n) for n in range(3)]
    libs = [made("lib", n, link=[f"blas={draw(st.sampled_from(blas))['id']}"] * draw(st.integers(0, 1))) for n in range(4)]
    apps = []
    for n in range(draw(st.integers(0, 12))):
        links = [draw(st.sampled_from(libs))["id"], f"blas={draw(st.sampled_from(blas))['id']}"]
        labels = draw(st.sampled_from([[], ["mine"]]))
        apps.append(made("app", n, link=links[: draw(st.integers(0, 2))], variants=draw(st.sampled_from(["+mpi", "~mpi"])), stacks=labels))
    return [*blas, *libs, *apps]
