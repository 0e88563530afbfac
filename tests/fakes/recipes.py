"""A small package repository, written out."""

from __future__ import annotations

from pathlib import Path

CMAKE_SYSTEM = """
from spack.package import PackageBase, build_system, variant, when

def generator(*names, default=None):
    variant("generator", default=default or names[0])

class CMakePackage(PackageBase):
    build_system("cmake")
    with when("build_system=cmake"):
        variant("build_type", default="Release", values=("Debug", "Release"))
        generator("make")
"""

CUDA_SYSTEM = """
from spack.package import PackageBase, any_combination_of, variant

class CudaPackage(PackageBase):
    cuda_arch_values = ("80", "90")
    variant("cuda", default=False)
    variant("cuda_arch", values=any_combination_of(*cuda_arch_values), when="+cuda")
"""

PLAIN = """
class Plain(Package):
    version("2.0")
    version("1.0", deprecated=True)
"""

NUMBERS = """
from spack_repo.builtin.build_systems.cmake import CMakePackage
from spack_repo.builtin.build_systems.cuda import CudaPackage

class Py3Numbers(CMakePackage, CudaPackage):
    version("3.1")
    version("3.0", preferred=True)
    variant("mpi", default=True)
    provides("blas", when="+mpi")
"""

LEADING = """
class _7up(Package):
    version("7")
"""


def repository(root: Path, packages: dict[str, str], systems: dict[str, str] | None = None, api: str = "v2.0") -> Path:
    """Write a repository: recipes by the name of their folder, build systems by module."""
    (root / "packages").mkdir(parents=True)
    (root / "repo.yaml").write_text(f"repo:\n  namespace: builtin\n  api: {api}\n")
    for name, text in packages.items():
        (root / "packages" / name).mkdir()
        (root / "packages" / name / "package.py").write_text(text)
    if systems is not None:
        (root / "build_systems").mkdir()
        for name, text in systems.items():
            (root / "build_systems" / f"{name}.py").write_text(text)
    return root


def small_repository(root: Path) -> Path:
    """A checkout with three packages, laid out as that of Spack's packages."""
    packages = {"plain": PLAIN, "py3_numbers": NUMBERS, "_7up": LEADING}
    repository(root / "repos" / "spack_repo" / "builtin", packages, {"cmake": CMAKE_SYSTEM, "cuda": CUDA_SYSTEM})
    return root
