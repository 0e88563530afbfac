"""What a catalog knows of closures is what walking them shows, in whatever order records and sources came."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fakes.world import World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolver.catalog.halves import Half
from resolver.catalog.pool import CatalogPool
from resolver.catalog.store import SourceRow, Store
from resolver.catalog.upkeep import pack
from resolver.formats.record import Record, read_record
from resolver.selection.pool import Reach

LIBCS = ("glibc@2.28", "glibc@2.39", "musl@1.2", "glibc@2.39:/opt")


@st.composite
def worlds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Records in layers, each over some of the layers below; some external, some with an edge that leads nowhere."""
    rows: list[dict[str, Any]] = []
    for place in range(draw(st.integers(1, 9))):
        os = draw(st.sampled_from(["ubuntu24.04", "rhel8"]))
        row: dict[str, Any] = {"id": f"r{place}", "spec": f"{draw(st.sampled_from('abcd'))}@={place} os={os}"}
        below = [r["id"] for r in rows]
        kinds = {
            kind: draw(st.lists(st.sampled_from(below), max_size=3, unique=True)) if below else [] for kind in ("link", "run", "build")
        }
        row |= {kind: [draw(st.sampled_from(["", "mpi=", "blas,lapack=", "c="])) + key for key in keys] for kind, keys in kinds.items()}
        if draw(st.integers(0, 3)):
            row["libc"] = draw(st.sampled_from(LIBCS))
        if draw(st.integers(0, 7)) == 0:
            row["external"] = "/usr"
        if draw(st.integers(0, 7)) == 0:
            row["link"].append("nowhere")
        rows.append(row)
    return rows


def records(world: World) -> list[Record]:
    return [read_record(key, msgspec.Raw(msgspec.json.encode(node)), in_buildcache=True) for key, node in world.nodes.items()]


def put(store: Store, name: str, found: Iterable[Record]) -> None:
    store.replace(SourceRow(name, "index", "", "", name, "", None, "", "", name, "", 0, ""), found)


def known(path: Path, world: World) -> dict[str, Reach | None]:
    pool = CatalogPool(Store(path))
    outlines = [o for s in world.specs.values() for o in pool.outlines(s.name, s.wire.version, s.platform, [s.target])]
    pool.release()
    return {outline.hash: outline.reach for outline in outlines}


def walked(world: World) -> dict[str, Reach | None]:
    return {key: world.reach(spec) for key, spec in world.specs.items()}


def sorted_reach(reach: Reach | None) -> Reach | None:
    return reach and msgspec.structs.replace(reach, providers=tuple(sorted(reach.providers)), libcs=tuple(sorted(reach.libcs)))


def same(found: dict[str, Reach | None]) -> dict[str, Reach | None]:
    return {key: sorted_reach(reach) for key, reach in found.items()}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds(), st.randoms(use_true_random=False))
def test_one_source(tmp_path: Path, rows: list[dict[str, Any]], shuffle: random.Random) -> None:
    world = World(rows)
    found = records(world)
    shuffle.shuffle(found)
    path = tmp_path / "catalog.sqlite"
    path.unlink(missing_ok=True)
    with Store(path, write=True) as store:
        put(store, "all", found)
    assert same(known(path, world)) == same(walked(world))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds(), st.randoms(use_true_random=False))
def test_several_sources(tmp_path: Path, rows: list[dict[str, Any]], shuffle: random.Random) -> None:
    """What came before that which it needs is not known until the catalog is packed; nothing wrong is ever said."""
    world = World(rows)
    found = records(world)
    shuffle.shuffle(found)
    cuts = sorted(shuffle.randrange(len(found) + 1) for _ in range(2))
    path = tmp_path / "catalog.sqlite"
    path.unlink(missing_ok=True)
    expected = same(walked(world))
    with Store(path, write=True) as store:
        for number, part in enumerate(_cut(found, cuts)):
            put(store, f"s{number}", part)
        now = same(known(path, world))
        assert all(reach is None or reach == expected[key] for key, reach in now.items())
        pack(store)
    assert same(known(path, world)) == expected


def _cut(found: Sequence[Record], cuts: Sequence[int]) -> list[Sequence[Record]]:
    return [found[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(found)], strict=True)]


def chain() -> World:
    return World([{"id": "low", "spec": "a@=1", "libc": LIBCS[0]}, {"id": "top", "spec": "b@=1", "link": ["low"], "libc": LIBCS[0]}])


def test_where_two_nodes_of_one_hash_differ_nothing_is_known(tmp_path: Path) -> None:
    world, path = chain(), tmp_path / "catalog.sqlite"
    other = World([{"id": "low", "spec": "a@=1 os=rhel8", "libc": LIBCS[1]}])
    with Store(path, write=True) as store:
        put(store, "one", records(world))
        assert set(map(bool, known(path, world).values())) == {True}
        put(store, "two", records(other))
    assert set(known(path, world).values()) == {None}


def test_a_cycle_ends_and_is_not_known(tmp_path: Path) -> None:
    world = World([{"id": "one", "spec": "a@=1", "link": ["two"]}, {"id": "two", "spec": "b@=1", "link": ["one"]}])
    path = tmp_path / "catalog.sqlite"
    with Store(path, write=True) as store:
        put(store, "all", records(world))
    assert set(known(path, world).values()) == {None}


@pytest.mark.parametrize("limit", ["MOST_FACTS", "MOST_BYTES"])
def test_more_than_is_kept_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(f"{Half.__module__}.{limit}", 1)
    world, path = World([{"id": f"r{n}", "spec": f"a{n}@=1"} for n in range(40)]), tmp_path / "catalog.sqlite"
    with Store(path, write=True) as store:
        put(store, "all", records(world))
    found = list(known(path, world).values())
    assert None in found


def test_a_catalog_of_schema_2_learns_what_its_closures_reach(tmp_path: Path) -> None:
    world, path = chain(), tmp_path / "catalog.sqlite"
    with Store(path, write=True) as store:
        put(store, "all", records(world))
    expected = known(path, world)
    connection = sqlite3.connect(path)
    for statement in (
        "DROP TABLE fact",
        "DROP TABLE reach",
        "ALTER TABLE record DROP COLUMN packages",
        "ALTER TABLE record DROP COLUMN hosts",
    ):
        connection.execute(statement)
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()
    Store(path, write=True).connection.close()
    assert known(path, world) == expected
