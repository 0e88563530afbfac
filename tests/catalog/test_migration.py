"""A catalog of schema 1, as 0.1 wrote it in its first weeks: two indexes of the same six records, and a page."""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DATA, Run

from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import SCHEMA_VERSION, Store
from resolver.catalog.upkeep import check
from resolver.errors import InputError

OLD = gzip.decompress((DATA / "catalogs" / "schema-1.sqlite.gz").read_bytes())


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
