"""What a catalog writes down of closures' compositions and of the order of versions, and what it says where that is damaged or not there."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import DATA, UBUNTU, Run
from fakes.catalogs import as_of_schema_4, compositions, rows, said
from fakes.world import World

from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import SourceRow, Store
from resolver.catalog.upkeep import check, pack
from resolver.formats.record import Record, read_record
from resolver.selection.composition import UNTOLD, sketched
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.virtuals import LIBCS
from resolver.versions import newest_first

COMMON = {"libc": "glibc@2.39", "compiler": "gcc@13.2"}
RUNTIME = {"id": "runtime", "spec": "gcc-runtime@=13.2", "libc": "glibc@2.39"}
MACHINE_OPTIONS = (*UBUNTU, "--target", "zen4")
FIND = ("find", "py-torch", *MACHINE_OPTIONS)


def records(world: World, **lacking: bool) -> list[Record]:
    """As a source states them; of those whose ids are named there is no binary."""
    found = []
    for key, node in world.nodes.items():
        binary = key in world.rows and key.rstrip("0") not in lacking
        found.append(read_record(key, msgspec.Raw(msgspec.json.encode(node)), in_buildcache=binary))
    return found


def put(store: Store, name: str, found: list[Record]) -> None:
    store.replace(SourceRow(name, "index", "", "", name, "", None, "", "", name, "", 0, ""), found)


def chain(**low: Any) -> World:
    """A package over another one and the runtime of their compiler."""
    return World(
        [
            RUNTIME,
            {"id": "low", "spec": "low@=1", "link": ["runtime"], **COMMON, **low},
            {"id": "top", "spec": "top@=1", "link": ["low", "runtime"], **COMMON},
        ],
    )


def made_of(path: Path) -> dict[str, list[str] | None]:
    """By package what the closure of its record is made of."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    made = compositions(connection)
    found = {row["name"]: made.get(row["composition"]) for row in connection.execute("SELECT name, composition FROM record")}
    connection.close()
    return {name: None if kinds is None else [str(kind[0]) for kind in kinds] for name, kinds in found.items()}


def sound(path: Path) -> set[str]:
    """The packages of which a source is known to have binaries of all of the closure."""
    return {row[0] for row in rows(path, "SELECT name FROM record r JOIN statement s ON s.record = r.id WHERE sound AND name <> 'glibc'")}


@pytest.mark.parametrize("seed", range(4))
def test_in_any_order(tmp_path: Path, seed: int) -> None:
    found, path = records(chain()), tmp_path / "c.sqlite"
    random.Random(seed).shuffle(found)  # noqa: S311 - an order, not a secret
    with Store(path, write=True) as store:
        put(store, "all", found)
    assert made_of(path)["top"] == ["gcc-runtime", "low", "top"]
    assert sound(path) >= {"top", "low", "gcc-runtime"}


@pytest.mark.parametrize(
    "low",
    [
        {"spec": "low@=1 os=rhel8"},
        {"spec": "low@=1 target=zen4"},
        {"spec": "low@=1 dev_path=/home"},
        {"spec": "compiler-wrapper@=1"},
        {"link": ["runtime", "nowhere"]},
        {"libc": "glibc@2.39", "compiler": None, "build": ["c=nowhere"]},
    ],
)
def test_what_kinds_do_not_tell_has_no_composition(tmp_path: Path, low: dict[str, Any]) -> None:
    path = tmp_path / "c.sqlite"
    with Store(path, write=True) as store:
        put(store, "all", records(chain(**low)))
    assert made_of(path)["top"] is None


def test_a_closure_is_sound_in_a_source_that_has_all_of_it(tmp_path: Path) -> None:
    path, world = tmp_path / "c.sqlite", chain()
    with Store(path, write=True) as store:
        put(store, "one", records(world, low=True))
        assert sound(path) == {"gcc", "gcc-runtime"}
        put(store, "one", records(world, runtime=True))
        assert sound(path) >= {"low", "top"}
        put(store, "one", records(world, low=True))
        assert sound(path) == {"gcc", "gcc-runtime"}
        put(store, "two", records(world))
        assert sound(path) >= {"low", "top"}
        store.remove(["two"])
        assert sound(path) == {"gcc", "gcc-runtime"}


def test_where_two_nodes_of_one_hash_differ_nothing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with Store(path, write=True) as store:
        put(store, "one", records(chain()))
        assert made_of(path)["top"]
        put(store, "two", records(chain(spec="low@=2"))[:2])
    assert set(made_of(path).values()) == {None}


def test_a_page_takes_nothing_away(run: Run, catalog: Path) -> None:
    page = msgspec.structs.replace(records(chain())[2], complete=False, node=b'{"name":"top","version":"1"}')
    with Store(catalog, write=True) as store:
        put(store, "index", records(chain()))
        put(store, "page", [page])
    pool = CatalogPool(Store(catalog))
    (outline,) = pool.outlines("top")
    assert (bool(outline.composition), outline.sound, outline.statement.sources) == (True, True, ("index", "page"))
    assert run("catalog", "check").code == 0


def test_a_compiler_without_its_runtime_is_written_down(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with Store(path, write=True) as store:
        put(store, "all", records(chain()))
        assert not CatalogPool(Store(path)).lacks_runtimes()
        put(store, "all", records(chain(compiler="intel-oneapi-compilers@2025.1")))
    assert CatalogPool(Store(path)).lacks_runtimes()
    assert rows(path, "SELECT name, value FROM summary WHERE kind = 'lacking'") == [("low", "intel-oneapi-compilers")]


def test_kinds_tell_what_nodes_do(shipped: Run, catalog: Path) -> None:
    """Of the stacks that ship: a kind drawn as a spec has what its nodes have."""
    assert shipped("find", "zlib-ng", *MACHINE_OPTIONS).code == 0
    pool = CatalogPool(Store(catalog))
    numbers = rows(catalog, "SELECT hash, composition FROM record WHERE composition ORDER BY hash")
    told = 0
    for key, (kinds,) in ((key, pool.compositions([number])) for key, number in numbers[::7]):
        spec = pool.get(key)
        assert spec is not None
        nodes = {node.name: node for node in closure(spec)}
        assert sorted(kind.name for kind in kinds) == sorted(nodes)
        for kind in kinds:
            node = nodes[kind.name]
            drawn = sketched(kind, node.platform, node.os, node.target)
            assert (drawn.wire.version, drawn.platform, drawn.os, drawn.target) == (node.wire.version, node.platform, node.os, node.target)
            if not node.external:
                assert values(drawn) == {name: value for name, value in values(node).items() if name not in UNTOLD}
                assert (drawn.compiler, kind.unusual) == (node.compiler, pool.unusual(node))
                told += 1
    assert told > 1000


def values(spec: ConcreteSpec) -> dict[str, object]:
    """The values of variants as they are compared: one in a list is as one alone, and their order is nothing."""
    return {
        name: {value} if isinstance(value, str) else set(value) if isinstance(value, tuple) else value
        for name, value in spec.variants.items()
    }


def closure(spec: ConcreteSpec) -> list[ConcreteSpec]:
    return [node for node in spec.closure().values() if node.name not in LIBCS]


def test_what_is_used_no_longer_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with Store(path, write=True) as store:
        put(store, "one", records(chain(spec="low@=2")))
        put(store, "one", records(chain()))
        pack(store)
        assert not check(store).damage
    assert sorted(name for (name,) in rows(path, "SELECT name || '@' || version FROM kind")) == [
        "gcc-runtime@13.2",
        "gcc@13.2",
        "glibc@2.39",
        "low@1",
        "top@1",
    ]


def test_an_older_catalog_is_read_without_and_learns_at_the_first_write(run: Run, catalog: Path) -> None:
    run("sync", DATA / "mirrors" / "v3", DATA / "mirrors" / "v2", DATA / "pages" / "py-rasterio.md")
    before, found = said(catalog), run("find", "zlib-ng", *MACHINE_OPTIONS, "--json").document
    as_of_schema_4(catalog)
    assert run("find", "zlib-ng", *MACHINE_OPTIONS, "--json").document == found
    assert run("catalog", "check").code == 0
    Store(catalog, write=True).connection.close()
    assert said(catalog) == before


def test_an_older_catalog_learns_which_packages_lack_a_runtime(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with Store(path, write=True) as store:
        put(store, "one", records(chain(compiler="intel-oneapi-compilers@2025.1")))
    before = said(path)
    as_of_schema_4(path)
    Store(path, write=True).connection.close()
    assert said(path) == before
    assert CatalogPool(Store(path)).lacks_runtimes()


def test_of_two_nodes_of_one_hash_an_older_catalog_learns_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with Store(path, write=True) as store:
        put(store, "one", records(chain()))
        put(store, "two", records(chain(spec="low@=2"))[:2])
    as_of_schema_4(path)
    Store(path, write=True).connection.close()
    assert set(made_of(path).values()) == {None}
    assert CatalogPool(Store(path)).lacks_runtimes()


def test_check_finds_what_does_not_fit(shipped: Run, catalog: Path) -> None:
    rows(catalog, "UPDATE record SET composition = 99999999 WHERE name = 'py-torch'")
    rows(catalog, "UPDATE kind SET variants = 99999999 WHERE name = 'zlib-ng'")
    damage = shipped("catalog", "check", "--json").document["damage"]
    assert [text.partition(" ")[2] for text in damage] == [
        "records whose composition is not there",
        "kinds of packages whose variants are not there",
    ]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE composition SET kinds = x'01'",
        "UPDATE composition SET kinds = x'ffffffff'",
        "UPDATE composition SET kinds = 7",
        "DELETE FROM composition",
        "DELETE FROM kind",
        "UPDATE kind SET traits = '[3]'",
        "UPDATE kind SET traits = x'ff00'",
    ],
)
def test_damage_is_told(shipped: Run, catalog: Path, damage: str) -> None:
    rows(catalog, damage)
    result = shipped(*FIND, "--json")
    assert result.code == 3
    assert "damaged" in result.document["what"]


def test_versions_are_in_spacks_order(tmp_path: Path) -> None:
    known = ["1.9", "1.10", "develop", "2.0rc1", "1.10-b", "main", "0"]
    path, world = tmp_path / "c.sqlite", World([{"id": f"r{n}", "spec": f"a@={text}"} for n, text in enumerate(known)])
    halves = records(world)[::2], records(world)[1::2]
    with Store(path, write=True) as store:
        for number, half in enumerate(halves):
            put(store, f"s{number}", half)
        assert CatalogPool(Store(path)).versions("a") == newest_first(known)
        assert CatalogPool(Store(path), ["s0"]).versions("a") == newest_first(known[::2])
        store.remove(["s1"])
    assert CatalogPool(Store(path)).versions("a") == newest_first(known[::2])
