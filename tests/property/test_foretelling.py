"""The law of foretelling: what is told by what closures are made of is what walking them shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from fakes.world import World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from resolver.arch.machine import Libc, Machine
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import SourceRow, Store
from resolver.formats.record import Record, read_record
from resolver.selection.gates import Judge
from resolver.selection.model import Candidate, Policy
from resolver.selection.ranking import Ranking
from resolver.selection.rules import Rules
from resolver.selection.select import Walked, leading
from resolver.spec.abstract import AbstractSpec

PLACES = ("os=ubuntu24.04 target=x86_64_v3", "os=rhel8 target=x86_64_v3", "os=ubuntu24.04 target=zen4")
LIBCS = ("glibc@2.28", "glibc@2.39", "glibc@2.41")
COMPILERS = (*("gcc@12.1", "gcc@13.2", "llvm@18.1") * 5, "intel-oneapi-compilers@2025.1")
MACHINE = Machine("linux", "ubuntu24.04", "zen4", Libc.parse("glibc@2.39"))
MACHINES = (
    MACHINE,
    MACHINE,
    replace(MACHINE, target="x86_64_v3", os="debian12"),
    replace(MACHINE, libc=Libc.parse("glibc@2.28")),
    replace(MACHINE, cuda_arch=("86",)),
    replace(MACHINE, os=None),
)
ROOTS = (
    *("app", "app@2:", "app+mpi", "app os=rhel8", "app %gcc@13", "app ^lib@2:", "app ^lib+shared", "app ^openblas", "app ^blas"),
    *("app ^tool@1", "app ^glibc", "app ^lib %gcc", "app ^app", "app ^py", "blas", "lib", "app ^cuda", "app ^[virtuals=blas] openblas"),
)
PACKAGES: list[dict[str, Any]] = [
    {},
    {},
    {"all": {"require": ["~cuda", "target=x86_64_v3"]}},
    {"all": {"require": ["+shared"], "prefer": ["%gcc@13"]}, "lib": {"require": "@1:", "version": ["1.2"], "variants": "~shared"}},
    {"app": {"variants": "~mpi", "require": [{"one_of": ["@2", "@1"]}]}, "all": {"providers": {"blas": ["mkl", "openblas"]}}},
    {"blas": {"require": ["openblas"]}, "lib": {"conflict": [{"spec": "+shared", "when": "@1.2:"}]}},
    {"tools": {"require": ["tool"]}, "cuda": {"externals": [{"spec": "cuda@12", "prefix": "/opt"}]}},
    {"lib": {"require": ["%gcc"]}, "py": {"prefer": ["^lib@2:"]}},
    {"all": {"require": [{"spec": "os=rhel8", "when": "+shared"}]}, "c": {"prefer": ["gcc"]}},
    {"lib": {"require": ["cflags=-O3"]}},
]
POLICIES = (
    *(Policy(), Policy(label="mine"), Policy(label="mine", labelled="only"), Policy(os_policy="strict"), Policy(assume_externals=True)),
    *(Policy(reuse_exclude=(AbstractSpec.parse("lib+shared"),)), Policy(prefer="closest-target"), Policy(prefer="fewest-packages")),
)
ALWAYS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def worlds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A few copies of small graphs, each for one place with rare exceptions; some are external, without binary or otherwise unlike others."""
    rows: list[dict[str, Any]] = []
    for copy in range(draw(st.integers(1, 3))):
        rows += draw(graphs(copy, draw(st.sampled_from(PLACES)), draw(st.sampled_from(LIBCS)), draw(st.sampled_from(COMPILERS))))
    return rows


@st.composite
def graphs(draw: st.DrawFn, copy: int, place: str, libc: str, compiler: str) -> list[dict[str, Any]]:
    """Applications over libraries over providers of blas, with a runtime, a tool to build with, and a package that nothing compiles."""

    def odd(chance: int) -> bool:
        return draw(st.integers(0, chance)) == chance

    def made(name: str, number: int, link: list[str], variants: str = "", version: str = "", **more: Any) -> dict[str, Any]:
        there = draw(st.sampled_from(PLACES)) if odd(30) else place
        row: dict[str, Any] = {"id": f"{name}{copy}x{number}".replace("-", ""), "link": link, "in_buildcache": not odd(25)}
        row |= {"spec": f"{name}@={version or f'1.{number}'} {variants} {there}", "libc": libc, "compiler": compiler, **more}
        if odd(30):
            row |= {"external": "/opt", "compiler": None}
        return row

    runtime = made("gcc-runtime", 0, [], compiler=None, in_buildcache=not odd(6), version="12.1")
    base = [] if odd(30) else [runtime["id"]]
    tool = made("tool", 1, base)
    blas = [made(draw(st.sampled_from(["openblas", "mkl"])), n, base, draw(st.sampled_from(["", "~shared"]))) for n in range(2)]
    provider = [f"blas={draw(st.sampled_from(blas))['id']}"]
    choices = ["+shared", "~shared", "~shared", "+shared+cuda cuda_arch=80", "libs=a,b", "libs=a", "+shared dev_path=/home"]
    libs = [made("lib", n, base + provider, draw(st.sampled_from(choices)), build=[f"tools={tool['id']}"]) for n in range(3)]
    compiled = compiler if odd(8) else None
    python = made("py", 1, [draw(st.sampled_from(libs))["id"]], libc=None, compiler=compiled)
    rows = [runtime, tool, *blas, *libs, python]
    for n in range(draw(st.integers(1, 4))):
        links = base + [draw(st.sampled_from(libs))["id"], python["id"], *provider][draw(st.integers(0, 2)) : draw(st.integers(2, 3))]
        labels = draw(st.sampled_from([[], ["mine"]]))
        variants = draw(st.sampled_from(["+mpi", "~mpi"]))
        rows.append(made("app", n, links, variants, stacks=labels, version=str(draw(st.integers(1, 3))), build=[tool["id"]]))
    return rows


def records(world: World) -> list[Record]:
    """As a source states them, children first."""
    found = []
    for key, node in world.nodes.items():
        row = world.rows.get(key, {"external": "/usr"})
        record = read_record(
            key, msgspec.Raw(msgspec.json.encode(node)), in_buildcache=row.get("in_buildcache", True) and not row.get("external")
        )
        found.append(msgspec.structs.replace(record, stacks=tuple(row.get("stacks", ()))))
    return found


def synced(path: Path, sources: list[list[Record]]) -> CatalogPool:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    with Store(path, write=True) as store:
        for number, found in enumerate(sources):
            store.replace(SourceRow(f"s{number}", "index", "", "", f"s{number}", "", None, "", "", f"s{number}", "", 0, ""), found)
    return CatalogPool(Store(path))


def told(pool: CatalogPool, machine: Machine, policy: Policy, rules: Rules, root: AbstractSpec, walked: Walked) -> list[object]:
    """The candidates of a root, best first, and what they cost."""
    ranking = Ranking(Judge(pool, machine, policy, rules))
    (row,) = leading(ranking.judge, ranking, [root], None, walked=walked)
    return [(ranking.solo(candidate), candidate.virtual) for candidate in row.candidates]


@settings(ALWAYS, max_examples=150)
@given(
    worlds(),
    st.sampled_from(PACKAGES),
    st.sampled_from(POLICIES),
    st.sampled_from(MACHINES),
    st.lists(st.sampled_from(ROOTS), min_size=1, max_size=4, unique=True),
    st.integers(0, 12),
    st.randoms(use_true_random=False),
)
def test_it_tells_what_walking_shows(
    tmp_path: Path,
    rows: list[dict[str, Any]],
    packages: dict[str, Any],
    policy: Policy,
    machine: Machine,
    roots: list[str],
    cut: int,
    shuffle: Any,
) -> None:
    found = records(World(rows))
    shuffle.shuffle(found)
    pool = synced(tmp_path / "c.sqlite", [found[cut:], found[:cut], found[cut // 2 :]] if cut % 3 else [found])
    rules = Rules.read(packages)
    for text in roots:
        root = AbstractSpec.parse(text)
        assert told(pool, machine, policy, rules, root, "none") == told(pool, machine, policy, rules, root, "all")
    pool.release()


@settings(ALWAYS, max_examples=40)
@given(worlds(), st.sampled_from(PACKAGES), st.sampled_from(MACHINES))
def test_the_best_has_its_nodes(tmp_path: Path, rows: list[dict[str, Any]], packages: dict[str, Any], machine: Machine) -> None:
    pool = synced(tmp_path / "c.sqlite", [records(World(rows))])
    best: list[list[Candidate]] = []
    for walked in ("best", "all"):
        ranking = Ranking(Judge(pool, machine, Policy(), Rules.read(packages)))
        (row,) = leading(ranking.judge, ranking, [AbstractSpec.parse("app")], walked=walked)
        best.append(row.candidates[:1])
    pool.release()
    assert [sorted(node.hash for node in c.closure) for c in best[0]] == [sorted(node.hash for node in c.closure) for c in best[1]]
    assert [c.notes for c in best[0]] == [c.notes for c in best[1]]


def graph(**lib: Any) -> World:
    """An application over a library, whole and of one place unless the library's row says otherwise."""
    common = {"libc": "glibc@2.39", "compiler": "gcc@13.2"}
    return World(
        [
            {"id": "runtime", "spec": "gcc-runtime@=13.2 target=zen4", "libc": "glibc@2.39"},
            {"id": "lib", "spec": "lib@=1 target=zen4", "link": ["runtime"], **common, **lib},
            {"id": "app", "spec": "app@=1 target=zen4", "link": ["lib", "runtime"], **common},
        ],
    )


def test_nodes_that_differ_in_hashes_alone_are_found_when_the_best_is_walked(tmp_path: Path) -> None:
    twins = [
        {"id": f"low{n}", "spec": "low@=1 target=zen4", "link": ["runtime"], "libc": "glibc@2.39", "compiler": "gcc@13.2"} for n in range(2)
    ]
    world = World(
        [*twins, {"id": "other", "spec": "mid@=1 target=zen4", "link": ["low0"]}, *graph(link=["runtime", "other", "low1"]).rows.values()]
    )
    pool = synced(tmp_path / "c.sqlite", [records(world)])
    found = []
    for walked in ("best", "all"):
        ranking = Ranking(Judge(pool, MACHINE, Policy(), Rules()))
        (row,) = leading(ranking.judge, ranking, [AbstractSpec.parse("app")], walked=walked)
        found.append([(sorted(node.hash for node in c.closure), ranking.solo(c)) for c in row.candidates])
    pool.release()
    assert found[0] == found[1]
    assert [len(nodes) for nodes, _ in found[0]] == [6]


def asked(pool: CatalogPool) -> list[Candidate]:
    ranking = Ranking(Judge(pool, MACHINE, Policy(), Rules()))
    (row,) = leading(ranking.judge, ranking, [AbstractSpec.parse("app")], walked="none")
    return row.candidates


@pytest.mark.parametrize(
    ("lib", "walked"),
    [
        ({}, False),
        ({"spec": "lib@=1 target=x86_64_v3"}, True),
        ({"spec": "lib@=1 target=zen4 libs=true,x"}, True),
        ({"compiler": "intel-oneapi-compilers@2025.1"}, True),
    ],
)
def test_closures_are_walked_where_kinds_do_not_tell(tmp_path: Path, lib: dict[str, Any], walked: bool) -> None:
    pool = synced(tmp_path / "c.sqlite", [records(graph(**lib))])
    found = asked(pool)
    pool.release()
    expected = [] if "compiler" in lib else [walked]
    assert [bool(candidate.closure) for candidate in found] == expected
