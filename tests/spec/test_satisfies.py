from __future__ import annotations

from typing import Any

import pytest
from fakes.world import hash_of, nodes_of

from resolver import AbstractSpec, ConcreteSpec
from resolver.errors import FormatError, SpecError
from resolver.spec.satisfies import match

HDF5 = "hdf5@=1.14.5 ~fortran+hl+mpi api=default build_type=Release os=ubuntu24.04 target=x86_64_v3"
RECORDS: list[dict[str, Any]] = [
    {"id": "x77sf", "spec": HDF5, "libc": "glibc@2.39", "compiler": "gcc@13.2.0", "build": ["cm"], "link": ["mpi=om", "zlib-api=zn", "rt"]},
    {"id": "om", "spec": "openmpi@=5.0.5~cuda fabrics=ofi,ucx", "libc": "glibc@2.39", "compiler": "gcc@13.2.0", "link": ["zlib-api=zn"]},
    {"id": "zn", "spec": "zlib-ng@=2.2.3+compat+shared", "libc": "glibc@2.39", "compiler": "gcc@13.2.0", "build": ["gm"]},
    {"id": "rt", "spec": "gcc-runtime@=13.2.0", "libc": "glibc@2.39"},
    {"id": "cm", "spec": "cmake@=3.30.5", "link": ["cu"]},
    {"id": "cu", "spec": "curl@=8.0"},
    {"id": "gm", "spec": "gmake@=4.4"},
]

TRUE = (
    """
hdf5@1.14|hdf5@1.14.5:|hdf5@:1|@1.14|+mpi|namespace=builtin|hdf5 mpi=True|hdf5 mpi=*|hdf5 api:=default|hdf5 target=x86_64:|hdf5 target=:haswell
hdf5 target=zen4,x86_64_v3|hdf5 target=*|hdf5 os=* target=zen4|builtin.hdf5|hdf5/x77sf|hdf5 ^zlib-ng@2.2|hdf5 ^zlib-api|hdf5 %zlib-api
hdf5 ^mpi|hdf5 %mpi=openmpi@5|hdf5 %gcc@13|hdf5 %c=gcc|hdf5 %c,cxx,fortran=gcc|hdf5 ^gcc|hdf5 ^cmake@3.30|hdf5 ^zlib-ng %gcc@13|hdf5 ^openmpi %zlib-ng
hdf5 ^openmpi fabrics=ofi|hdf5 ^openmpi fabrics:=ofi,ucx|hdf5 ++mpi|hdf5 ++nosuch|hdf5 %[when=~mpi] mpich|hdf5 %[when=%fortran] fortran=llvm|hdf5 ^ @2.2.3
hdf5 ^+compat|hdf5 ^mpi %gcc@13|hdf5 ^mpi+cuda|hdf5 ^[deptypes=run] openmpi|hdf5 ^zlib-ng/zn|hdf5 %[deptypes=link] openmpi|hdf5 ^libc
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

FALSE = (
    """
hdf5@=1.14|hdf5@1.1|hdf5@2:|hdf5 nosuch=*|hdf5+nosuch|hdf5 api=def|hdf5 target=x86_64|hdf5 target=x86_64_v4:|hdf5 target=aarch64:|hdf5 platform=darwin
myrepo.hdf5|hdf5/zzzz|hdf5 ^zlib|hdf5 ^mpich|hdf5 ^mpi=mpich|hdf5 %gcc@12|hdf5 %fortran=gcc|hdf5 %clang|hdf5 ^gcc@12|hdf5 %cmake@3.31:|hdf5 ^curl|hdf5 ^gmake
hdf5 ^zlib-ng %gcc@12|hdf5 ^openmpi fabrics:=ofi|hdf5 ++cuda|hdf5 ^[virtuals=blas] openmpi|hdf5 ^[when='+mpi' virtuals=mpi] mpich|openmpi|hdf5 cflags=-O3
hdf5 %[deptypes=run] openmpi|hdf5 ^mpi=openmpi+cuda|hdf5 ^zlib-ng/om|hdf5 os=* platform=darwin|hdf5 target=nosuch
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.fixture(scope="module")
def hdf5() -> ConcreteSpec:
    return ConcreteSpec.from_nodes(nodes_of(RECORDS), hash_of("x77sf"))


@pytest.mark.parametrize("text", TRUE)
def test_satisfies(hdf5: ConcreteSpec, text: str) -> None:
    assert hdf5.satisfies(AbstractSpec.parse(text))


@pytest.mark.parametrize("text", FALSE)
def test_does_not_satisfy_and_says_why(hdf5: ConcreteSpec, text: str) -> None:
    failed = match(hdf5, AbstractSpec.parse(text))
    assert failed is not None
    assert not hdf5.satisfies(AbstractSpec.parse(text))
    assert str(failed).startswith(f"{failed.node.name}/")


def test_an_unknown_target_in_a_range_is_an_error(hdf5: ConcreteSpec) -> None:
    with pytest.raises(SpecError, match="unknown target 'nosuch'"):
        hdf5.satisfies(AbstractSpec.parse("hdf5 target=nosuch:"))


def old_node(**more: Any) -> dict[str, Any]:
    arch = {"platform": "linux", "platform_os": "debian12", "target": "x86_64"}
    compiler = {"name": "gcc", "version": "11.4.0"}
    return {"name": "zlib", "version": "1.3", "arch": arch, "compiler": compiler, "parameters": {"shared": True}, "hash": "old", **more}


@pytest.mark.parametrize(
    ("text", "holds"), [("%gcc", True), ("%gcc@11", True), ("%c=gcc", True), ("%cmake", False), ("%clang", False), ("^cmake", True)]
)
def test_before_format_5_compilers_are_annotations(text: str, *, holds: bool) -> None:
    edge = {"name": "cmake", "hash": "cm", "parameters": {"deptypes": ["build"], "virtuals": []}}
    nodes = {"old": old_node(dependencies=[edge]), "cm": {**old_node(hash="cm"), "name": "cmake"}}
    assert ConcreteSpec.from_nodes(nodes, "old").satisfies(AbstractSpec.parse(f"zlib {text}")) is holds


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"zlib": {**old_node(), "dependencies": {"cmake": {"hash": "cm", "type": ["build"]}}}}, 1),
        (old_node(dependencies=[{"name": "cmake", "build_hash": "cm", "type": ["build"]}]), 2),
        (old_node(dependencies=[{"name": "cmake", "hash": "cm", "type": ["build"]}]), 3),
        (old_node(dependencies=[{"name": "cmake", "hash": "cm", "parameters": {"deptypes": ["build"], "virtuals": []}}]), 4),
    ],
)
def test_formats_are_told_by_shape(node: dict[str, Any], expected: int) -> None:
    spec = ConcreteSpec.from_nodes({"old": node, "cm": {**old_node(hash="cm"), "name": "cmake"}}, "old")
    assert spec.format == expected
    assert [child.name for child in spec.children(1)] == ["cmake"]


@pytest.mark.parametrize("node", [{"name": 3}, {"version": "1"}, {}, {"name": "a", "dependencies": 7}])
def test_broken_nodes_are_refused(node: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        ConcreteSpec.from_nodes({"h": node}, "h")


def test_a_hash_that_is_not_there() -> None:
    with pytest.raises(FormatError, match="not among the 0 nodes"):
        ConcreteSpec.from_nodes({}, "h")


def test_a_cycle_ends() -> None:
    edge = {"name": "zlib", "hash": "old", "parameters": {"deptypes": ["link"], "virtuals": []}}
    spec = ConcreteSpec.from_nodes({"old": old_node(dependencies=[edge])}, "old")
    assert list(spec.closure()) == ["old"]


@pytest.mark.parametrize(
    ("text", "holds"),
    [("mpi", True), ("mpi@3", True), ("mpi@4:", False), ("blas@9", True), ("lapack", False), ("openmpi@5", True)],
)
def test_since_format_6_a_node_states_what_it_provides(text: str, *, holds: bool) -> None:
    node = {"name": "openmpi", "version": "5.0", "provided_virtuals": ["mpi@:3.1", "blas"], "annotations": {"original_specfile_version": 6}}
    assert ConcreteSpec.from_nodes({"h": node}, "h").satisfies(AbstractSpec.parse(text)) is holds


def test_a_provider_that_states_a_version_is_held_to_it() -> None:
    edge = {"name": "openmpi", "hash": "m", "parameters": {"deptypes": ["link"], "virtuals": ["mpi"]}}
    provider = {"name": "openmpi", "version": "5.0", "provided_virtuals": ["mpi@:3.1"], "annotations": {}}
    spec = ConcreteSpec.from_nodes({"h": {"name": "hdf5", "version": "1", "dependencies": [edge], "annotations": {}}, "m": provider}, "h")
    assert spec.satisfies(AbstractSpec.parse("hdf5 %mpi@2: ^mpi@3"))
    assert not spec.satisfies(AbstractSpec.parse("hdf5 ^mpi@4:"))
    assert not spec.satisfies(AbstractSpec.parse("hdf5 %mpi@4:"))
