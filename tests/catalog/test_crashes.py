"""Whatever befalls a process that writes the catalog, it says what it said before or what it says after."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import UBUNTU
from fakes.catalogs import rows, said
from fakes.children import Ended, end_all, run_child, start
from fakes.indexes import PACKAGES, index_of, zoo

from resolver.api.settings import Settings
from resolver.api.sync import SyncRequest, sync
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import Store
from resolver.errors import InputError
from resolver.formats.index import read_index

MANY = 5000
SOME = 600
MACHINE = (*UBUNTU, "--target", "zen4")


def load(catalog: Path, *places: Path) -> None:
    assert not sync(Settings(catalog), [SyncRequest(str(place)) for place in places]).errors


def put(path: Path, count: int, edition: int) -> Path:
    path.write_bytes(index_of(zoo(count, edition)))
    return path


def editions(catalog: Path, name: str) -> set[str]:
    """The editions of a package's versions, and that as many are there as there should be, as a question to the catalog finds them."""
    found = [spec.wire.version for spec in CatalogPool(Store(catalog)).named(name)]
    assert len(found) == MANY // PACKAGES
    return {version.partition(".")[0] for version in found}


def killed(catalog: Path, delay: float, *words: str | Path) -> bool:
    """Was it killed before it came to its end?"""
    with start(catalog, *words) as child:
        try:
            child.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return True
        assert child.returncode == 0
        return False


@pytest.mark.parametrize("seed", [1, 2])
def test_a_sync_that_is_killed_at_any_moment(catalog: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same moments every time
    contents = [put(tmp_path / f"{edition}.json", MANY, edition) for edition in (1, 2)]
    place = tmp_path / "i.json"
    states: list[dict[str, list[tuple[Any, ...]]]] = []
    took = 0.0
    for content in reversed(contents):
        shutil.copyfile(content, place)
        began = time.perf_counter()
        assert not killed(catalog, 60, "sync", place)
        took = time.perf_counter() - began
        states.insert(0, said(catalog))
    now, moved = 0, 0
    for _ in range(25):
        shutil.copyfile(contents[1 - now], place)
        stopped = killed(catalog, chance.uniform(0.1, 1.4) * took, "sync", place)
        seen = editions(catalog, "p3")
        found = said(catalog)
        assert found in (states if stopped else states[1 - now : 2 - now])
        assert seen == {str(states.index(found) + 1)}
        moved += found != states[now]
        now = states.index(found)
    assert 0 < moved < 25, "some are killed before they have written, some have written"


def test_upkeep_that_is_killed_changes_no_answer(catalog: Path, tmp_path: Path) -> None:
    one, other = put(tmp_path / "one.json", MANY, 1), put(tmp_path / "other.json", MANY, 2)
    load(catalog, one, other)
    whole = said(catalog)
    copy = tmp_path / "copy.sqlite"
    shutil.copyfile(catalog, copy)
    assert not killed(copy, 60, "catalog", "remove", "other")
    without = said(copy)
    for number in range(4):
        delay = 0.15 + 0.1 * number
        killed(copy, delay, "catalog", "vacuum")
        assert said(copy) == without
        removed = tmp_path / f"{number}.sqlite"
        shutil.copyfile(catalog, removed)
        killed(removed, delay, "catalog", "remove", "other")
        assert said(removed) in (whole, without)


def test_a_catalog_whose_making_was_killed_is_made_later(catalog: Path, tmp_path: Path) -> None:
    index, small = put(tmp_path / "i.json", MANY, 1), put(tmp_path / "s.json", 10, 3)
    for number in range(5):
        at = catalog.with_name(f"{number}.sqlite")
        killed(at, 0.13 + 0.05 * number, "sync", index)
        load(at, small)
        assert {row[0] for row in rows(at, "SELECT name FROM source")} in ({"s"}, {"i", "s"})
        assert rows(at, "PRAGMA journal_mode") == [("wal",)]


def test_a_catalog_that_was_made_in_haste_gets_its_journal(catalog: Path, tmp_path: Path) -> None:
    load(catalog, put(tmp_path / "i.json", 10, 1))
    assert rows(catalog, "PRAGMA journal_mode = DELETE") == [("delete",)]
    load(catalog, put(tmp_path / "i.json", 10, 2))
    assert rows(catalog, "PRAGMA journal_mode") == [("wal",)]


def full(result: Ended, catalog: Path) -> None:
    """Is it said what is wrong, and what to do?"""
    assert result.code == 3, result.err
    assert str(catalog) in result.err
    assert "free space" in result.err or "disk full" in result.err
    assert "internal" not in result.err
    assert "rollback" not in result.err


def test_a_full_disk_leaves_what_was_there(catalog: Path, tmp_path: Path) -> None:
    place = put(tmp_path / "i.json", SOME, 1)
    load(catalog, place)
    before = said(catalog)
    put(place, MANY, 2)
    sizes = [catalog.stat().st_size + more for more in (-100_000, 4096, 200_000, 700_000)]
    for most in sizes:
        full(run_child(catalog, "sync", place, most_in_a_file=most), catalog)
        assert said(catalog) == before
    load(catalog, place)
    assert len(said(catalog)["records"]) == MANY + 1


def test_a_disk_that_is_full_as_sqlite_sees_it(catalog: Path, tmp_path: Path) -> None:
    load(catalog, put(tmp_path / "i.json", SOME, 1))
    before = said(catalog)
    with Store(catalog, write=True) as store:
        row = store.sources()[0]
        ((pages,),) = store.query("PRAGMA page_count")
        store.query(f"PRAGMA max_page_count = {pages + 10}")
        with pytest.raises(InputError, match="cannot be written: database or disk is full"):
            store.replace(row, read_index(index_of(zoo(MANY, 2))).records)
    assert said(catalog) == before


def test_a_disk_that_is_full_from_the_start_leaves_nothing_in_the_way(catalog: Path, tmp_path: Path) -> None:
    place = put(tmp_path / "i.json", SOME, 1)
    for most in (1, 4096, 20_000, 60_000):
        full(run_child(catalog, "sync", place, most_in_a_file=most), catalog)
    load(catalog, place)
    assert len(said(catalog)["records"]) == SOME + 1


def test_a_disk_that_is_full_at_upkeep(catalog: Path, tmp_path: Path) -> None:
    load(catalog, put(tmp_path / "i.json", SOME, 1), put(tmp_path / "j.json", SOME, 2))
    before = said(catalog)
    full(run_child(catalog, "catalog", "vacuum", most_in_a_file=40_000), catalog)
    assert said(catalog) == before
    copy = tmp_path / "copy.sqlite"
    full(run_child(catalog, "catalog", "export", copy, most_in_a_file=40_000), copy)
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == []
    full(run_child(catalog, "catalog", "remove", "j", most_in_a_file=8192), catalog)
    assert said(catalog) == before


@pytest.mark.parametrize("number", [2, 4])
def test_syncs_of_different_sources_at_once(catalog: Path, tmp_path: Path, number: int) -> None:
    places = [put(tmp_path / f"s{edition}.json", SOME, edition) for edition in range(1, number + 1)]
    for edition in (0, 10):
        assert end_all([start(catalog, "sync", place) for place in places]) == [(0, text) for text in ended(places, SOME)]
        alone = tmp_path / f"alone{edition}.sqlite"
        load(alone, *places)
        assert said(catalog) == said(alone)
        for turn, place in enumerate(places):
            put(place, SOME, edition + 11 + turn)
    assert rows(catalog, "PRAGMA journal_mode") == [("wal",)]


def ended(places: list[Path], count: int) -> list[str]:
    return [f"{place.stem}: index, {count + 1} records, read\n" for place in places]


def test_syncs_of_one_source_at_once(catalog: Path, tmp_path: Path) -> None:
    place = put(tmp_path / "i.json", SOME, 1)
    for edition in (2, 3):
        assert {code for code, _ in end_all([start(catalog, "sync", place) for _ in range(4)])} == {0}
        alone = tmp_path / f"alone{edition}.sqlite"
        load(alone, place)
        assert said(catalog) == said(alone)
        put(place, SOME, edition)


def test_a_reader_while_a_sync_runs_sees_one_state(catalog: Path, tmp_path: Path) -> None:
    place = put(tmp_path / "i.json", MANY, 1)
    load(catalog, place)
    for edition in (2, 3):
        put(place, MANY, edition)
        with start(catalog, "sync", place) as child:
            seen: list[str] = []
            while child.poll() is None:
                pool = CatalogPool(Store(catalog))
                found = {spec.wire.version.partition(".")[0] for name in ("p1", "p2", "p39") for spec in pool.named(name)}
                assert len(found) == 1
                seen += found
            child.communicate()
        assert seen == sorted(seen)
        assert seen[0] == str(edition - 1)


def test_a_reader_keeps_the_state_that_it_began_with(catalog: Path, tmp_path: Path) -> None:
    place = put(tmp_path / "i.json", SOME, 1)
    load(catalog, place)
    pool = CatalogPool(Store(catalog))
    first = pool.named("p1")
    load(catalog, put(place, SOME, 2))
    assert pool.named("p1") == first
    assert {spec.wire.version.partition(".")[0] for spec in pool.named("p2")} == {"1"}
    assert all(version.startswith("1.") for version in pool.versions("p2"))


def test_two_catalogs_cannot_be_exported_to_one_place_half(catalog: Path, tmp_path: Path) -> None:
    load(catalog, put(tmp_path / "i.json", SOME, 1))
    copy = tmp_path / "copy.sqlite"
    ends = end_all([start(catalog, "catalog", "export", copy) for _ in range(3)])
    assert {code for code, _ in ends} <= {0, 3}
    assert 0 in {code for code, _ in ends}
    assert said(copy) == said(catalog)


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Path]:
    """A folder that a test closes; it is opened again, so that it can be removed."""
    if sys.platform != "linux" and os.geteuid() == 0:
        pytest.skip("root cannot be held to permissions here")
    folder = tmp_path / "sealed"
    folder.mkdir()
    yield folder
    folder.chmod(0o755)


def seal(catalog: Path) -> None:
    catalog.chmod(0o444)
    catalog.parent.chmod(0o555)


def reads_but_cannot_write(catalog: Path, place: Path) -> None:
    found = run_child(catalog, "find", "p3", *MACHINE, "--json", ordinary=True)
    assert found.code == 0, found.err
    assert found.out.count('"hash"') >= SOME // PACKAGES
    assert run_child(catalog, "sources", ordinary=True).code == 0
    for words in (("sync", place), ("catalog", "remove", "i"), ("catalog", "vacuum")):
        result = run_child(catalog, *words, ordinary=True)
        assert result.code == 3, result.err
        assert str(catalog) in result.err


def test_a_catalog_that_may_only_be_read(sealed: Path, tmp_path: Path) -> None:
    catalog, place = sealed / "c.sqlite", put(sealed / "i.json", SOME, 1)
    load(catalog, place)
    before = said(catalog)
    put(place, SOME, 2)
    seal(catalog)
    reads_but_cannot_write(catalog, place)
    sealed.chmod(0o755)
    assert said(catalog) == before
    copy = tmp_path / "copy.sqlite"
    assert run_child(catalog, "catalog", "export", copy).code == 0
    assert said(copy) == before


def test_an_exported_catalog_that_may_only_be_read(sealed: Path, tmp_path: Path) -> None:
    place = put(sealed / "i.json", SOME, 1)
    load(tmp_path / "c.sqlite", place)
    copy = sealed / "copy.sqlite"
    assert run_child(tmp_path / "c.sqlite", "catalog", "export", copy).code == 0
    put(place, SOME, 2)
    seal(copy)
    reads_but_cannot_write(copy, place)
    assert sorted(path.name for path in sealed.iterdir()) == ["copy.sqlite", "i.json"]


def test_a_sync_that_was_killed_leaves_a_catalog_that_others_can_read(sealed: Path) -> None:
    catalog, place = sealed / "c.sqlite", put(sealed / "i.json", SOME, 1)
    load(catalog, place)
    # Nobody closes this connection before the process ends, so what it writes stays in the file beside the catalog.
    script = (
        "import os, sys; from pathlib import Path; from resolver.catalog.store import Store; store = Store(Path(sys.argv[1]), write=True); "
        "store.remove(['i']); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(catalog)], check=True)
    assert catalog.with_name("c.sqlite-wal").stat().st_size
    seal(catalog)
    result = run_child(catalog, "sources", "--json", ordinary=True)
    assert result.code == 0, result.err
    assert '"sources": []' in result.out, "the newest state is in the file beside the catalog"


def test_what_is_locked_is_not_read_past_its_lock(catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resolver.catalog.store as module

    load(catalog, put(tmp_path / "i.json", SOME, 1))
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.01)
    writer = sqlite3.connect(catalog, isolation_level=None)
    writer.execute("PRAGMA journal_mode = DELETE")
    writer.execute("BEGIN EXCLUSIVE")
    writer.execute("DELETE FROM record")
    try:
        with pytest.raises(InputError, match="locked"), Store(catalog) as store:
            store.sources()
    finally:
        writer.close()
