"""What is known of virtual packages and old compiler names without package recipes."""

from __future__ import annotations

VIRTUALS = frozenset(
    [
        "armci",
        "awk",
        "blas",
        "c",
        "cxx",
        "daal",
        "elf",
        "fftw-api",
        "flame",
        "fortran",
        "fortran-rt",
        "fuse",
        "gl",
        "glu",
        "go-or-gccgo-bootstrap",
        "golang",
        "iconv",
        "ipp",
        "java",
        "jpeg",
        "lapack",
        "libc",
        "libgfortran",
        "libglx",
        "libifcore",
        "libllvm",
        "lua-lang",
        "luajit",
        "mariadb-client",
        "mkl",
        "mpe",
        "mpi",
        "mysql-client",
        "onedal",
        "opencl",
        "pbs",
        "pil",
        "pkgconfig",
        "qmake",
        "rpc",
        "scalapack",
        "sycl",
        "szip",
        "tbb",
        "unwind",
        "uuid",
        "wasi-sdk",
        "xkbdata-api",
        "xxd",
        "yacc",
        "ziglang",
        "zlib-api",
    ],
)
"""Virtual names of Spack's builtin repository; a name on a dependency edge's ``virtuals`` counts as one too."""

LANGUAGES = frozenset({"c", "cxx", "fortran"})
"""Virtuals that compilers provide."""

COMPILERS = frozenset(
    [
        "acfl",
        "aocc",
        "apple-clang",
        "atfl",
        "cce",
        "fj",
        "gcc",
        "intel-oneapi-compilers",
        "intel-oneapi-compilers-classic",
        "llvm",
        "llvm-amdgpu",
        "msvc",
        "nag",
        "nvhpc",
        "xl",
    ],
)
"""Packages with the tag ``compiler`` in Spack's builtin repository."""

COMPILER_RUNTIMES = {"gcc": "gcc-runtime", "intel-oneapi-compilers": "intel-oneapi-runtime"}
"""Compilers and the packages of their runtime libraries."""

RUNTIMES = frozenset({"compiler-wrapper", "gcc-runtime", "glibc", "intel-oneapi-runtime", "musl"})
"""Packages with the tag ``runtime`` in Spack's builtin repository."""

LIBCS = frozenset({"glibc", "musl"})
"""Packages that provide the virtual ``libc``."""

LEGACY_COMPILERS = {
    "clang": "llvm",
    "oneapi": "intel-oneapi-compilers",
    "rocmcc": "llvm-amdgpu",
    "intel": "intel-oneapi-compilers-classic",
    "arm": "acfl",
}
"""Compiler names from before Spack 1.0 and the packages they became (Spack ``aliases.py:LEGACY_COMPILER_TO_BUILTIN``)."""

COMPILER_TO_LEGACY = {package: old for old, package in LEGACY_COMPILERS.items()}
"""The old name that Spack prints for a package after ``%``."""
