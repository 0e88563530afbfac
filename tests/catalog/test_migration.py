"""Catalogs of older schemas, as 0.1 wrote them in its first weeks.

Schema 1 holds two indexes of the same six records, and a page; schema 3 a mirror of layout v3 and one of layout v2.
"""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DATA, UBUNTU, Run
from fakes.catalogs import rows, said
from msgspec.structs import replace

from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import SCHEMA_VERSION, Store
from resolver.catalog.upkeep import check
from resolver.catalog.variants import learn_variants
from resolver.errors import InputError

OLD = gzip.decompress((DATA / "catalogs" / "schema-1.sqlite.gz").read_bytes())
WITHOUT_KEYS = gzip.decompress((DATA / "catalogs" / "schema-3.sqlite.gz").read_bytes())


@pytest.fixture
def old(catalog: Path) -> Path:
    catalog.write_bytes(OLD)
    return catalog


def stated(path: Path) -> list[tuple[str, bytes, object]]:
    pool = CatalogPool(Store(path))
    specs = [
        spec for name in ("gcc", "gcc-runtime", "glibc", "gmake", "zlib-ng", "py-rasterio", "compiler-wrapper") for spec in pool.named(name)
    ]
    return [(spec.hash, pool.node(spec), pool.statement(spec)) for spec in specs]


def test_opening_it_to_write_brings_it_up_to_date(old: Path) -> None:
    with Store(old, write=True) as store:
        assert [(row.name, row.records, row.stack) for row in store.sources()] == [
            ("index", 6, "e4s"),
            ("other", 6, ""),
            ("py-rasterio", 44, ""),
        ]
    found = stated(old)
    assert len(found) == 50
    rows = sqlite3.connect(old).execute("SELECT count(*) FROM record UNION ALL SELECT count(*) FROM statement").fetchall()
    assert rows == [(50,), (56,)]
    pool = CatalogPool(Store(old))
    statement = pool.statement(pool.named("zlib-ng")[0])
    assert (statement.sources, statement.stacks, statement.served_by) == (("index", "other"), ("e4s",), ("index", "other"))
    assert "ml-linux-x86_64-cpu" in pool.labels()
    with Store(old) as store:
        assert not check(store, hashes=True).damage


def test_reading_it_says_how_to_bring_it_up_to_date(old: Path, run: Run) -> None:
    with pytest.raises(InputError, match=f"has schema 1, this program reads {SCHEMA_VERSION}"):
        Store(old)
    assert old.read_bytes() == OLD
    result = run("sources")
    assert (result.code, "catalog vacuum" in result.err) == (3, True)
    assert run("catalog", "vacuum").code == 0
    assert run("sources").code == 0


def test_two_that_open_it_at_once_bring_it_up_to_date_once(old: Path) -> None:
    command = [sys.executable, "-m", "resolver", "catalog", "vacuum"]
    children = [
        subprocess.Popen(command, env={**os.environ, "SPACK_RESOLVER_CATALOG": str(old)}, stderr=subprocess.DEVNULL) for _ in range(3)
    ]
    assert [child.wait() for child in children] == [0, 0, 0]
    assert len(stated(old)) == 50


def test_one_that_cannot_be_migrated_stays_as_it_is(old: Path) -> None:
    connection = sqlite3.connect(old)
    connection.execute("UPDATE record SET node = 'no JSON' WHERE name = 'zlib-ng'")
    connection.commit()
    connection.close()
    before = old.read_bytes()
    with pytest.raises(InputError):
        Store(old, write=True)
    assert old.read_bytes() == before


def test_one_without_keys_is_read_as_it_is(catalog: Path, run: Run) -> None:
    catalog.write_bytes(WITHOUT_KEYS)
    with Store(catalog) as store:
        assert [(row.name, row.records, row.signed, row.keys) for row in store.sources()] == [("v2", 50, False, ()), ("v3", 52, False, ())]
        found = store.source("v3")
        assert found
        assert found.url == "file:///mnt/v3"
    assert [row["keys"] for row in run("sources", "--json").document["sources"]] == [[], []]
    assert (run("find", "zlib-ng", *UBUNTU, "--target", "zen4").code, run("catalog", "check", "--hashes").code) == (0, 0)
    assert run("catalog", "export", catalog.with_name("copy.sqlite")).code == 0
    assert catalog.read_bytes() == WITHOUT_KEYS


def test_one_without_keys_gets_room_for_them(catalog: Path) -> None:
    catalog.write_bytes(WITHOUT_KEYS)
    with Store(catalog) as store:
        before = store.sources()
    with Store(catalog, write=True) as store:
        assert store.sources() == before
        store.relabel(replace(before[0], keys=("A" * 40, "B" * 40)))
    with Store(catalog) as store:
        assert [row.keys for row in store.sources()] == [("A" * 40, "B" * 40), ()]
        assert not check(store, hashes=True).damage


@pytest.mark.parametrize("old", [OLD, WITHOUT_KEYS])
def test_the_tables_are_those_of_a_new_one(old: bytes, catalog: Path, tmp_path: Path) -> None:
    catalog.write_bytes(old)
    fresh = tmp_path / "new.sqlite"
    for path in (catalog, fresh):
        Store(path, write=True).connection.close()
    assert columns(catalog) == columns(fresh)


@pytest.mark.parametrize("old", [OLD, WITHOUT_KEYS])
def test_the_variants_are_those_of_its_nodes(old: bytes, catalog: Path) -> None:
    catalog.write_bytes(old)
    Store(catalog, write=True).connection.close()
    before = said(catalog)
    rows(catalog, "UPDATE record SET variants = 0")
    rows(catalog, "DELETE FROM variants")
    with Store(catalog, write=True) as store, store.transaction():
        learn_variants(store.connection)
    assert said(catalog) == before
    assert rows(catalog, "SELECT sum(records) FROM variants") == rows(catalog, "SELECT count(*) FROM record WHERE variants") != [(0,)]


def columns(path: Path) -> dict[str, list[tuple[str, str]]]:
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found = {name: [(row[1], row[2]) for row in connection.execute(f"PRAGMA table_info({name})")] for name in names}
    connection.close()
    return found
