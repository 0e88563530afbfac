"""Which values of variants a catalog calls unusual: what its records show, in whatever order and number of steps they came."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, Run
from fakes.catalogs import as_of_schema_4, rows, said
from fakes.indexes import hashed, index_of
from fakes.world import World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolver.catalog import variants
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import SourceRow, Store
from resolver.catalog.upkeep import check, pack
from resolver.formats.index import read_index

CHOICES = ("+mpi", "~mpi", "+mpi libs=a,b", "libs=b,a", "libs=a", "~mpi libs=b api=v1", "api=v2", "api=TRUE", "")
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def records(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Records of three packages, some of them external."""
    found = []
    for place in range(draw(st.integers(1, 12))):
        row = {"id": f"r{place}", "spec": f"{draw(st.sampled_from('abc'))}@={place} {draw(st.sampled_from(CHOICES))}"}
        found.append(row | ({"external": "/usr"} if draw(st.integers(0, 5)) == 0 else {}))
    return found


def put(store: Store, name: str, world: World, keys: Sequence[str]) -> None:
    index = index_of([world.nodes[key] for key in keys])
    store.replace(SourceRow(name, "index", "", "", name, "", None, "", "", name, "", 0, ""), read_index(index).records)


def told(path: Path, world: World) -> dict[str, tuple[int, int]]:
    """What a catalog says of its records, by outline and by node."""
    pool = CatalogPool(Store(path))
    outlines = {o.hash: o.unusual for name in "abc" for o in pool.outlines(name)}
    nodes = {key: pool.unusual(spec) for key in world.specs if (spec := pool.get(key))}
    pool.release()
    assert nodes.keys() == outlines.keys()
    return {key: (unusual, nodes[key]) for key, unusual in outlines.items()}


def expected(world: World) -> dict[str, tuple[int, int]]:
    return {key: (world.unusual(spec), world.unusual(spec)) for key, spec in world.specs.items()}


def fresh(tmp_path: Path, name: str = "catalog") -> Path:
    path = tmp_path / f"{name}.sqlite"
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        file.unlink(missing_ok=True)
    return path


@QUICK
@given(records(), st.randoms(use_true_random=False))
def test_one_source(tmp_path: Path, found: list[dict[str, Any]], shuffle: random.Random) -> None:
    world, path = World(found), fresh(tmp_path)
    keys = list(world.nodes)
    shuffle.shuffle(keys)
    with Store(path, write=True) as store:
        put(store, "all", world, keys)
    assert told(path, world) == expected(world)


@QUICK
@given(records(), records(), st.randoms(use_true_random=False))
def test_whatever_led_there(tmp_path: Path, found: list[dict[str, Any]], others: list[dict[str, Any]], shuffle: random.Random) -> None:
    """Sources in any order, changed one record at a time, removed and packed: it is as if all had come at once."""
    world, path = World(found), fresh(tmp_path)
    gone = World([row | {"id": f"o{row['id']}"} for row in others])
    keys = list(world.nodes)
    with Store(path, write=True) as store:
        put(store, "gone", gone, list(gone.nodes))
        for name in shuffle.sample(["one", "two"], 2):
            held = shuffle.sample(keys, len(keys) // 2)
            put(store, name, world, held)
            for key in shuffle.sample(keys, len(keys)):
                held = sorted({*held} ^ {key})
                put(store, name, world, held)
        put(store, "one", world, keys)
        for step in shuffle.sample(["remove", "pack", "put"], 3):
            if step == "remove":
                store.remove(["gone"])
            elif step == "pack":
                pack(store)
            else:
                put(store, "two", world, keys[:1])
        assert not check(store).damage
    assert told(path, world) == expected(world)
    at_once = fresh(tmp_path, "at-once")
    with Store(at_once, write=True) as store:
        put(store, "one", world, keys)
    assert sets(path) == sets(at_once)


def sets(path: Path) -> list[tuple[Any, ...]]:
    return rows(path, "SELECT name, chosen, records, unusual FROM variants ORDER BY name, chosen")


def sync(run: Run, tmp_path: Path, *parameters: Mapping[str, Any] | str) -> None:
    """Sync records of one package with these parameters, given as values or as JSON."""
    nodes = [hashed({"name": "zlib", "version": str(n), "parameters": p if isinstance(p, dict) else {}}) for n, p in enumerate(parameters)]
    installs = json.loads(index_of(nodes))["database"]["installs"]
    text = json.dumps({"database": {"version": "8", "installs": installs}})
    for number, parameter in enumerate(parameters):
        if isinstance(parameter, str):
            text = text.replace(f'"version": "{number}", "parameters": {{}}', f'"version": "{number}", "parameters": {parameter}')
    (tmp_path / "i.json").write_text(text)
    assert run("sync", tmp_path / "i.json").code == 0


def unusual(catalog: Path) -> list[int]:
    """How many values of each record are unusual, by version."""
    statement = "SELECT coalesce(v.unusual, 0) FROM record r LEFT JOIN variants v ON v.id = r.variants ORDER BY CAST(r.version AS INTEGER)"
    return [row[0] for row in rows(catalog, statement)]


def test_values_are_compared_as_sets(run: Run, catalog: Path, tmp_path: Path) -> None:
    sync(run, tmp_path, {"libs": ["a", "b"]}, {"libs": ["b", "a"]}, {"libs": ["a"]}, {"libs": "a"}, {"libs": ["a", "b", "a"]})
    assert unusual(catalog) == [0, 0, 1, 1, 0]


def test_flags_patches_and_sources_are_no_variants(run: Run, catalog: Path, tmp_path: Path) -> None:
    usual = {"pic": True}
    others = ({"cflags": ["-O3"]}, {"patches": ["a" * 64]}, {"commit": "b" * 40}, {"dev_path": "/home"})
    sync(run, tmp_path, usual, usual, *(usual | other for other in others))
    assert unusual(catalog) == [0] * 6
    assert len(sets(catalog)) == 1


def test_what_a_record_lacks_and_what_is_even_costs_nothing(run: Run, catalog: Path, tmp_path: Path) -> None:
    sync(run, tmp_path, {"mpi": True}, {"mpi": True, "hl": True}, {"mpi": False, "hl": False, "libs": [], "api": None})
    assert unusual(catalog) == [0, 0, 1]


def test_true_is_true_however_it_is_written(run: Run, catalog: Path, tmp_path: Path) -> None:
    sync(run, tmp_path, {"mpi": True}, {"mpi": "True"}, {"mpi": False}, {"mpi": "false"}, {"mpi": "true"})
    assert unusual(catalog) == [0, 0, 1, 1, 0]


@pytest.mark.parametrize("broken", ['{"mpi": {"a": 1}}', '{"mpi": [[]]}', '{"mpi": true, "libs": [1]}'])
def test_parameters_that_cannot_be_read_say_nothing(run: Run, catalog: Path, tmp_path: Path, broken: str) -> None:
    sync(run, tmp_path, {"mpi": True}, {"mpi": True}, {"mpi": False}, broken)
    assert unusual(catalog) == [0, 0, 1, 0]


def test_a_set_of_any_size_is_left_out_beyond_a_limit(run: Run, catalog: Path, tmp_path: Path) -> None:
    sync(run, tmp_path, {"mpi": True}, {"mpi": True}, {"mpi": False, "libs": ["x" * variants.LONGEST_SET]})
    assert unusual(catalog) == [0, 0, 0]


def test_however_much_is_remembered(run: Run, catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "MOST_KNOWN", 1)
    monkeypatch.setattr(variants, "LONGEST_KNOWN", 20)
    several: list[dict[str, Any]] = [{"mpi": True}, {"mpi": False}, {"mpi": True, "api": "v" * 30}]
    sync(run, tmp_path, *several, *several, {"mpi": True})
    assert unusual(catalog) == [0, 1, 0, 0, 1, 0, 0]


def test_of_two_nodes_of_one_hash_each_counts(run: Run, catalog: Path, tmp_path: Path) -> None:
    key = "a" * 32
    for name, value in (("one", True), ("two", False)):
        node = {"name": "zlib", "version": "1", "parameters": {"pic": value}, "hash": key}
        (tmp_path / name).write_bytes(index_of([node, *([hashed({**node, "version": "2"})] if name == "two" else [])]))
    assert run("sync", tmp_path / "one", tmp_path / "two").code == 0
    pool = CatalogPool(Store(catalog))
    spec = pool.get(key)
    assert spec is not None
    assert (spec.variants["pic"], pool.unusual(spec)) == (False, 0)
    assert [o.unusual for o in pool.outlines("zlib", "1", "", [""])] == [0]
    assert sorted(unusual(catalog)) == [0, 0, 1]


def test_check_finds_what_does_not_fit(run: Run, catalog: Path, tmp_path: Path) -> None:
    sync(run, tmp_path, {"mpi": True}, {"mpi": False})
    rows(catalog, "UPDATE variants SET records = 9 WHERE id = 1")
    rows(catalog, "UPDATE record SET variants = 7 WHERE version = '1'")
    assert run("catalog", "check", "--json").document["damage"] == [
        "1 records whose variants are not there",
        "2 sets of variants that miscount their records",
    ]
    assert run("find", "zlib").code in (0, 1)


def schema_of(path: Path, version: int) -> None:
    """Make a catalog of an older schema out of one of the present one."""
    as_of_schema_4(path)
    for statement in ("DROP TABLE variants", "ALTER TABLE record DROP COLUMN variants", f"PRAGMA user_version = {version}"):
        rows(path, statement)


@pytest.mark.parametrize("version", [2, 3])
def test_an_older_catalog_learns_at_the_first_write(run: Run, catalog: Path, version: int) -> None:
    run("sync", DATA / "mirrors" / "v3", DATA / "mirrors" / "v2", DATA / "pages" / "py-rasterio.md")
    before, now = said(catalog), sets(catalog)
    assert now
    if version == 2:
        for statement in ("DROP TABLE fact", "DROP TABLE reach", *(f"ALTER TABLE record DROP COLUMN {c}" for c in ("packages", "hosts"))):
            rows(catalog, statement)
    schema_of(catalog, version)
    Store(catalog, write=True).connection.close()
    assert (said(catalog), sets(catalog)) == (before, now)


def test_an_older_catalog_is_read_without(tmp_path: Path) -> None:
    world = World([{"id": f"r{n}", "spec": f"a@={n}{'~' if n else '+'}mpi"} for n in range(4)])
    path = fresh(tmp_path)
    with Store(path, write=True) as store:
        put(store, "all", world, list(world.nodes))
    assert sorted(told(path, world).values()) == [(0, 0), (0, 0), (0, 0), (1, 1)]
    schema_of(path, 3)
    assert set(told(path, world).values()) == {(0, 0)}
    with Store(path) as store:
        assert not check(store).damage
    Store(path, write=True).connection.close()
    assert told(path, world) == expected(world)
