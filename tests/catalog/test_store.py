from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from resolver.api.settings import Settings
from resolver.api.sync import SyncRequest, SyncResult, sync
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import SCHEMA_VERSION, Store
from resolver.errors import FormatError, InputError
from resolver.formats.index import read_index
from resolver.formats.record import Record

DATA = Path(__file__).parents[1] / "data"
V3 = DATA / "mirrors" / "v3"
PAGE = DATA / "pages" / "py-rasterio.md"


def load(catalog: Path, *places: Path, name: str | None = None, stack: str | None = None) -> SyncResult:
    result = sync(Settings(catalog), [SyncRequest(str(place), name, stack) for place in places])
    assert not result.errors
    return result


def dump(catalog: Path) -> list[str]:
    """All that the catalog says, without when it was read."""
    connection = sqlite3.connect(catalog)
    connection.execute("UPDATE source SET synced_at = ''")
    lines = list(connection.iterdump())
    connection.rollback()
    connection.close()
    return lines


def names(catalog: Path) -> list[str]:
    with Store(catalog) as store:
        return [str(row[0]) for row in store.query("SELECT DISTINCT name FROM record ORDER BY name")]


def index_of(*names: str) -> bytes:
    installs = {name.ljust(32, "0"): {"spec": {"name": name, "version": "1"}, "in_buildcache": True} for name in names}
    return json.dumps({"database": {"version": "8", "installs": installs}}).encode()


def test_the_same_bytes_again_are_no_work(catalog: Path) -> None:
    assert [done.changed for done in load(catalog, V3, PAGE).synced] == [True, True]
    before = dump(catalog)
    assert [done.changed for done in load(catalog, V3, PAGE).synced] == [False, False]
    assert dump(catalog) == before


def test_other_labels_are_work(catalog: Path) -> None:
    load(catalog, V3)
    assert load(catalog, V3, stack="e4s").synced[0].changed
    pool = CatalogPool(Store(catalog))
    assert pool.statement(pool.named("zlib-ng")[0]).stacks == ("e4s",)


def test_a_source_that_changed_replaces_what_it_said(catalog: Path, tmp_path: Path) -> None:
    path = tmp_path / "i.json"
    path.write_bytes(index_of("a", "b"))
    load(catalog, path)
    path.write_bytes(index_of("b", "c"))
    load(catalog, path)
    assert names(catalog) == ["b", "c"]


def test_what_another_source_states_stays(catalog: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(index_of("a"))
    load(catalog, tmp_path / "one", tmp_path / "two")
    pool = CatalogPool(Store(catalog))
    (spec,) = pool.named("a")
    assert pool.statement(spec).sources == ("one", "two")
    (tmp_path / "one").write_bytes(index_of("b"))
    load(catalog, tmp_path / "one")
    pool = CatalogPool(Store(catalog))
    assert pool.statement(pool.named("a")[0]).sources == ("two",)


def test_a_page_and_an_index_are_joined(catalog: Path, tmp_path: Path) -> None:
    key = "5ck2jeglaqthvgddafbu7fypc4pz2bbb"
    installs = {key: {"spec": {"name": "py-rasterio", "version": "1.4.3", "annotations": {}}, "in_buildcache": False}}
    (tmp_path / "i.json").write_text(json.dumps({"database": {"version": "8", "installs": installs}}))
    load(catalog, PAGE, tmp_path / "i.json")
    pool = CatalogPool(Store(catalog))
    spec = pool.get(key)
    assert spec is not None
    statement = pool.statement(spec)
    assert (statement.complete, statement.in_buildcache, statement.served_by) == (True, True, ("py-rasterio",))
    assert statement.stacks == ("ml-linux-x86_64-cpu", "ml-linux-x86_64-cuda")


def test_order_of_syncing_does_not_matter(tmp_path: Path) -> None:
    one, other = tmp_path / "1", tmp_path / "2"
    load(one, V3, PAGE)
    load(other, PAGE, V3)
    pools = [CatalogPool(Store(path)) for path in (one, other)]
    for name in names(one):
        first, second = (p.named(name) for p in pools)
        assert [s.hash for s in first] == [s.hash for s in second]
        assert [pools[0].node(s) for s in first] == [pools[1].node(s) for s in second]


def test_an_error_half_way_changes_nothing(catalog: Path) -> None:
    load(catalog, V3)
    before = dump(catalog)

    def broken() -> Iterator[Record]:
        yield from read_index(index_of(*map("p{}".format, range(5000)))).records
        msg = "cut short"
        raise FormatError(msg)

    with Store(catalog, write=True) as store:
        row = store.sources()[0]
        with pytest.raises(FormatError):
            store.replace(row, broken())
    assert dump(catalog) == before


def test_a_killed_sync_leaves_the_catalog_as_it_was(catalog: Path, tmp_path: Path) -> None:
    load(catalog, V3)
    before = dump(catalog)
    big = tmp_path / "big.json"
    big.write_bytes(index_of(*(f"p{i}" for i in range(60_000))))
    for delay in (0.15, 0.3, 0.5, 0.7):
        child = subprocess.Popen(
            [sys.executable, "-m", "resolver", "sync", str(big), "--refresh"],
            env={**os.environ, "SPACK_RESOLVER_CATALOG": str(catalog)},
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        finished = child.wait() == 0
        if not finished:
            after = dump(catalog)
            assert after == before or len(after) > 60_000


def test_readers_see_the_old_state_while_another_writes(catalog: Path) -> None:
    load(catalog, V3)
    with Store(catalog, write=True) as store, store.transaction():
        store.connection.execute("DELETE FROM record")
        assert CatalogPool(Store(catalog)).named("zlib-ng")


def test_other_files_are_no_catalogs(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("not a database, but long enough to look at " * 50)
    other = tmp_path / "other.sqlite"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t (x)")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    for path, message in ((text, "cannot be opened"), (other, "is not a catalog"), (tmp_path / "x", "there is no catalog")):
        with pytest.raises(InputError, match=message):
            Store(path)
    with pytest.raises(InputError, match="is not a catalog"):
        Store(other, write=True)


def test_a_newer_schema_is_refused(catalog: Path) -> None:
    load(catalog, V3)
    connection = sqlite3.connect(catalog)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(InputError, match=f"has schema 99, this program knows {SCHEMA_VERSION}"):
        Store(catalog)


def test_names_of_sources_are_checked(catalog: Path) -> None:
    load(catalog, V3)
    with pytest.raises(InputError, match="no source named 'nosuch'"):
        CatalogPool(Store(catalog), ["nosuch"])


def test_two_places_cannot_share_a_name(catalog: Path, tmp_path: Path) -> None:
    load(catalog, V3)
    copy = shutil.copytree(V3, tmp_path / "v3")
    result = sync(Settings(catalog), [SyncRequest(str(copy))])
    assert "is that of another source" in str(result.errors[0])
    assert load(catalog, copy, name="other").synced[0].changed


def test_the_graph_view(catalog: Path) -> None:
    from resolver.catalog.graph import closure_graph, selection_graph

    load(catalog, V3)
    pool = CatalogPool(Store(catalog))
    python = pool.named("python")[0]
    graph = closure_graph(pool, [python.hash])
    assert set(python.closure(15)) | {"source:v3"} == set(graph)
    zlib = pool.named("zlib-ng")[0].hash
    assert graph.edges[python.hash, zlib]["virtuals"] == ("zlib-api",)
    whole = selection_graph(pool, "s", {"default": [("python", python.hash), ("gone", None)]})
    assert list(whole.successors("group:s:default")) == ["root:s:default:python", "root:s:default:gone"]
