"""What `catalog check`, `vacuum`, `export` and `remove` find, change and leave alone, and how a source's records lie in the file."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, UBUNTU, Run
from fakes.catalogs import change_node, rows, said, tables
from fakes.indexes import PACKAGES, hashed, index_of, zoo
from msgspec.structs import replace

from resolver.catalog.store import SourceRow, Store
from resolver.catalog.writer import BATCH
from resolver.cli.catalog import SHOWN
from resolver.formats.index import read_index

SOME = 200
MACHINE = (*UBUNTU, "--target", "zen4")


def put(path: Path, nodes: Sequence[dict[str, Any]]) -> Path:
    path.write_bytes(index_of(nodes))
    return path


@pytest.fixture
def stocked(run: Run, tmp_path: Path) -> Run:
    """The program, with one sound source synced."""
    assert run("sync", put(tmp_path / "zoo.json", zoo(SOME))).code == 0
    return run


def in_one_page_with(catalog: Path, name: str) -> tuple[int, list[str]]:
    """The page of a package's first record, and the packages and hashes in it."""
    ((page,),) = rows(catalog, "SELECT page FROM record WHERE name = ? ORDER BY id LIMIT 1", (name,))
    return page, [f"{n}/{h}" for n, h in rows(catalog, "SELECT name, hash FROM record WHERE page = ? ORDER BY start", (page,))]


def flip(catalog: Path, page: int) -> None:
    """Damage a page's bytes so that nothing of it can be unpacked."""
    ((nodes,),) = rows(catalog, "SELECT nodes FROM page WHERE id = ?", (page,))
    rows(catalog, "UPDATE page SET nodes = ? WHERE id = ?", (bytes(byte ^ 0xFF for byte in nodes), page))


def test_a_sound_catalog_has_nothing_to_say(stocked: Run) -> None:
    result = stocked("catalog", "check", "--hashes", "--json")
    assert (result.code, result.err) == (0, "")
    assert result.document == {
        "schema": "spack-resolver/catalog-check/1",
        "records": SOME + 1,
        "damage": [],
        "divergent": [],
        "verdicts": {"verified": SOME + 1},
        "different": [],
    }
    assert stocked("catalog", "check").out == f"{SOME + 1} records, 0 damaged, 0 divergent\n"
    assert stocked("catalog", "check", "--hashes").out.endswith(f", {SOME + 1} hashes verified\n")


def test_pages_of_old_records_and_of_none(run: Run) -> None:
    assert run("catalog", "check").code == 3
    run("sync", DATA / "mirrors" / "v3", DATA / "pages" / "py-rasterio.md")
    result = run("catalog", "check", "--hashes", "--json")
    assert result.code == 0, result.out
    assert set(result.document["verdicts"]) == {"verified"}


def test_a_damaged_page(stocked: Run, catalog: Path) -> None:
    page, records = in_one_page_with(catalog, "p7")
    flip(catalog, page)
    result = stocked("catalog", "check", "--json")
    assert result.code == 6
    (text,) = result.document["damage"]
    assert text.startswith(f"page {page}, with {len(records)} records: ")
    assert result.document["records"] == SOME + 1
    printed = stocked("catalog", "check")
    assert (printed.code, printed.out.splitlines()[-1]) == (6, f"{SOME + 1} records, 1 damaged, 0 divergent")
    assert text in printed.out


def test_a_missing_page(stocked: Run, catalog: Path) -> None:
    page, records = in_one_page_with(catalog, "p7")
    rows(catalog, "DELETE FROM page WHERE id = ?", (page,))
    result = stocked("catalog", "check", "--json")
    assert result.code == 6
    assert result.document["damage"] == [f"page {page} is missing, and with it {len(records)} records, as {records[0]}"]


def test_a_page_that_miscounts(stocked: Run, catalog: Path) -> None:
    page, records = in_one_page_with(catalog, "p7")
    rows(catalog, "UPDATE page SET live = 1 WHERE id = ?", (page,))
    result = stocked("catalog", "check", "--json")
    assert result.code == 6
    assert result.document["damage"] == [f"page {page} counts 1 records, and {len(records)} refer to it"]


def test_a_node_that_is_no_json(stocked: Run, catalog: Path) -> None:
    change_node(catalog, "p7", b'"version":', b'"version"}')
    result = stocked("catalog", "check", "--json")
    assert result.code == 6
    (text,) = result.document["damage"]
    assert text.startswith("record p7/")
    assert "a spec node that cannot be read" in text
    for words in (("find", "p7", *MACHINE), ("find", "p7", *MACHINE, "--json")):
        assert stocked(*words).code == 3


def test_a_node_whose_hash_is_another(stocked: Run, catalog: Path) -> None:
    change_node(catalog, "p7", b'"version":"1.', b'"version":"9.')
    assert stocked("catalog", "check").code == 0
    result = stocked("catalog", "check", "--hashes", "--json")
    assert result.code == 6
    assert result.document["damage"] == []
    assert result.document["verdicts"] == {"different": 1, "verified": SOME}
    (text,) = result.document["different"]
    assert text.startswith("p7/")
    assert f"{text}: its hash is not that of its node" in stocked("catalog", "check", "--hashes").out


@pytest.mark.parametrize("value", ["1e999", "9" * 5000])
def test_a_node_whose_hash_cannot_be_computed(run: Run, tmp_path: Path, value: str) -> None:
    (node,) = zoo(0)
    text = index_of([node]).decode().replace('"module": null', f'"module": null, "odd": {value}')
    (tmp_path / "i.json").write_text(text)
    assert run("sync", tmp_path / "i.json").code == 0
    assert run("catalog", "check").code == 0
    result = run("catalog", "check", "--hashes", "--json")
    assert result.code == 6
    (text,) = result.document["damage"]
    assert text.startswith(f"record glibc/{node['hash']}: a spec node whose hash cannot be computed")


def test_rows_that_lead_nowhere(stocked: Run, catalog: Path) -> None:
    rows(catalog, "DELETE FROM statement WHERE record IN (SELECT id FROM record WHERE name = 'p7')")
    rows(catalog, "UPDATE statement SET source = 99 WHERE record IN (SELECT id FROM record WHERE name = 'p8')")
    result = stocked("catalog", "check", "--json")
    assert result.code == 6
    each = SOME // PACKAGES
    assert result.document["damage"] == [f"{each} records that no source states", f"{each} statements of sources that are not there"]


EVERYTHING = (
    ("sources",),
    ("find", "p7", *MACHINE, "--all"),
    ("catalog", "check", "--hashes"),
    ("catalog", "vacuum"),
    ("sync", "zoo.json", "--refresh"),
    ("catalog", "remove", "zoo"),
)


def ends_well(run: Run, catalog: Path, data: bytes) -> list[int]:
    """The exit codes of all commands, each on a file with these bytes; none is a fault of the program."""
    codes = []
    for words in EVERYTHING:
        for ending in ("", "-wal", "-shm"):
            catalog.with_name(catalog.name + ending).unlink(missing_ok=True)
        catalog.write_bytes(data)
        result = run(*(catalog.with_name(word) if word == "zoo.json" else word for word in words))
        assert result.code in (0, 3, 6), (words, result.err)
        assert "internal" not in result.err + result.out
        codes.append(result.code)
    return codes


def test_damage_that_other_commands_meet(stocked: Run, catalog: Path) -> None:
    page, _ = in_one_page_with(catalog, "p7")
    whole = catalog.read_bytes()
    for damage in (
        "DELETE FROM page WHERE id = ?",
        "UPDATE page SET nodes = x'00', size = -1 WHERE id = ?",
        "UPDATE record SET length = -5 WHERE page = ?",
    ):
        rows(catalog, damage, (page,))
        assert ends_well(stocked, catalog, catalog.read_bytes())[2] == 6
        catalog.write_bytes(whole)
    change_node(catalog, "p7", b'"hash":"', b'"hush":"')
    ends_well(stocked, catalog, catalog.read_bytes())
    catalog.write_bytes(whole)
    (key,) = rows(catalog, "SELECT hash FROM record WHERE name = 'p7' ORDER BY id LIMIT 1")[0]
    change_node(catalog, "p7", f'"hash":"{key}"'.encode(), f'"hash":"{key[::-1]}"'.encode())
    ends_well(stocked, catalog, catalog.read_bytes())


def test_a_garbled_file(stocked: Run, catalog: Path) -> None:
    whole = catalog.read_bytes()
    assert b"TABLE statement" in whole
    ends_well(stocked, catalog, whole.replace(b"TABLE statement", b"TABLE st\xfftement"))
    for begin in range(4096, 40_960, 8192):
        ends_well(stocked, catalog, whole[:begin] + b"\xaa" * 4096 + whole[begin + 4096 :])
    ends_well(stocked, catalog, whole[: len(whole) // 2])


def test_a_few_bytes_that_changed(stocked: Run, catalog: Path) -> None:
    whole = catalog.read_bytes()
    chance = random.Random(7)  # noqa: S311 - the same bytes every time
    for _ in range(30):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 3, 20))):
            place = chance.randrange(len(data) - 4)
            data[place : place + 4] = chance.randbytes(4)
        ends_well(stocked, catalog, bytes(data))


def test_nodes_that_sources_state_differently(run: Run, tmp_path: Path) -> None:
    libc, first, second = zoo(2)
    run("sync", put(tmp_path / "one.json", [libc, first, second]), put(tmp_path / "two.json", [libc, {**first, "version": "7"}]))
    result = run("catalog", "check", "--json")
    assert result.code == 0
    stated = [{"hash": first["hash"], "name": "p0", "what": "node", "sources": ["one", "two"]}]
    assert result.document["divergent"] == stated
    printed = run("catalog", "check").out.splitlines()
    assert printed[1].split() == [first["hash"], "p0", "node", "one,", "two"]
    assert printed[-1] == "4 records, 0 damaged, 1 divergent"


def test_archives_that_sources_state_differently(stocked: Run, catalog: Path) -> None:
    state(catalog, "here", "1" * 64)
    assert stocked("catalog", "check", "--json").document["divergent"] == []
    state(catalog, "there", "2" * 64)
    state(catalog, "too", "2" * 64)
    result = stocked("catalog", "check", "--json")
    assert result.code == 0
    assert [(d["name"], d["what"], d["sources"]) for d in result.document["divergent"]] == [("p0", "archive", ["here", "there", "too"])]


def state(catalog: Path, source: str, archive: str) -> None:
    """Let a source state one record of the zoo with an archive."""
    (record,) = read_index(index_of(zoo(1)[1:])).records
    with Store(catalog, write=True) as store:
        store.replace(source_row(source), [replace(record, archive=archive, size=1)])


def source_row(name: str) -> SourceRow:
    texts = dict.fromkeys(SourceRow.__struct_fields__, "")
    return SourceRow(**{**texts, "name": name, "kind": "mirror", "signed": None, "records": 0})  # type: ignore[arg-type]


def test_a_source_that_differs_in_all(run: Run, tmp_path: Path) -> None:
    nodes = zoo(SOME)
    others = [{**node, "namespace": "mine"} for node in nodes]
    run("sync", put(tmp_path / "one.json", nodes), put(tmp_path / "two.json", others))
    result = run("catalog", "check", "--hashes", "--json")
    assert result.code == 6
    assert len(result.document["divergent"]) == SOME + 1
    assert len(result.document["different"]) == SOME + 1
    assert f"and {SOME + 1 - SHOWN} more; --json lists all" in run("catalog", "check", "--hashes").out


def test_vacuum_gives_back_what_removed_sources_took(run: Run, catalog: Path, tmp_path: Path) -> None:
    run("sync", put(tmp_path / "one.json", zoo(SOME, 1)))
    alone, least = said(catalog), catalog.stat().st_size
    run("sync", put(tmp_path / "many.json", zoo(20 * SOME, 2)))
    assert run("catalog", "remove", "many").code == 0
    assert said(catalog) == alone
    before = run("find", "p1", *MACHINE, "--json").document
    result = run("catalog", "vacuum", "--json")
    assert result.code == 0
    assert result.document["schema"] == "spack-resolver/catalog-vacuum/1"
    assert result.document["before"] > 5 * least
    assert result.document["after"] == catalog.stat().st_size <= least
    assert said(catalog) == alone
    assert run("find", "p1", *MACHINE, "--json").document == before
    assert run("catalog", "check", "--hashes").code == 0
    again = run("catalog", "vacuum")
    assert again.err == f"{catalog.stat().st_size} bytes before, {catalog.stat().st_size} after\n"


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_vacuum_joins_pages_that_have_gaps(run: Run, catalog: Path, tmp_path: Path, kept: int) -> None:
    nodes = zoo(BATCH + SOME)
    place = put(tmp_path / "i.json", nodes)
    run("sync", place)
    run("sync", put(place, nodes[::kept]))
    before = said(catalog)
    assert sum(live for (live,) in rows(catalog, "SELECT live FROM page")) == len(nodes[::kept])
    assert run("catalog", "vacuum").code == 0
    ((wanted, stored),) = rows(catalog, "SELECT (SELECT sum(length) FROM record), (SELECT sum(size) FROM page)")
    assert wanted == stored
    assert said(catalog) == before
    assert run("catalog", "check", "--hashes").code == 0
    run("sync", put(place, nodes))
    assert run("catalog", "check", "--hashes", "--json").document["verdicts"] == {"verified": len(nodes)}


def test_vacuum_of_a_damaged_catalog_changes_nothing(stocked: Run, catalog: Path, tmp_path: Path) -> None:
    stocked("sync", put(tmp_path / "zoo.json", zoo(SOME)[::2]))
    page, _ = in_one_page_with(catalog, "p1")
    flip(catalog, page)
    held = tables(catalog, "record", "page")
    result = stocked("catalog", "vacuum")
    assert result.code == 3
    assert "damaged" in result.err
    assert tables(catalog, "record", "page") == held


def test_an_export_says_the_same(stocked: Run, catalog: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    copy = folder / "copy.sqlite"
    result = stocked("catalog", "export", copy, "--json")
    assert result.code == 0
    assert result.document == {"schema": "spack-resolver/catalog-export/1", "path": str(copy), "bytes": copy.stat().st_size}
    assert said(copy) == said(catalog)
    assert rows(copy, "PRAGMA journal_mode") == [("delete",)]
    for words in (("find", "p1", *MACHINE), ("catalog", "check", "--hashes")):
        assert stocked("--catalog", copy, *words, "--json").document == stocked(*words, "--json").document
    assert list(folder.iterdir()) == [copy]


@pytest.mark.parametrize("place", ["copy.sqlite", "nosuch/copy.sqlite", ".", "/", "x" * 300])
def test_an_export_to_a_place_that_does_not_take_it(stocked: Run, tmp_path: Path, place: str) -> None:
    (tmp_path / "copy.sqlite").write_text("mine")
    held = beside(tmp_path)
    result = stocked("catalog", "export", tmp_path / place)
    assert result.code == 3
    assert "internal" not in result.err
    assert "cannot be written" in result.err or "is there already" in result.err
    assert (tmp_path / "copy.sqlite").read_text() == "mine"
    assert beside(tmp_path) == held


def beside(folder: Path) -> list[str]:
    """The files of a folder without the catalog's own."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("catalog.sqlite"))


def test_remove(run: Run, catalog: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("cpu", "cuda", "rocm")):
        run("sync", put(tmp_path / f"{name}.json", zoo(SOME, number)))
    before = said(catalog)
    for words in (("kuda",), ("cpu", "kuda")):
        result = run("catalog", "remove", *words)
        assert result.code == 3
        assert "no source named 'kuda'" in result.err
        assert "did you mean cuda" in result.err
        assert said(catalog) == before
    result = run("catalog", "remove", "nosuch", "--json")
    assert result.code == 3
    assert json.loads(result.out)["schema"] == "spack-resolver/error/1"
    result = run("catalog", "remove", "cuda", "--json")
    assert (result.code, result.document) == (0, {"schema": "spack-resolver/catalog-remove/1", "removed": ["cuda"]})
    assert {row[0] for row in rows(catalog, "SELECT name FROM source")} == {"cpu", "rocm"}
    assert run("catalog", "remove", "cpu", "rocm", "cpu").code == 0
    assert not any(tables(catalog, "record", "page", "statement", "summary").values())
    assert run("catalog", "check", "--hashes").code == 0


def test_a_record_that_several_state_is_there_once(run: Run, catalog: Path, tmp_path: Path) -> None:
    nodes = zoo(SOME)
    for name in ("one", "two", "three"):
        run("sync", put(tmp_path / f"{name}.json", nodes))
    assert rows(catalog, "SELECT count(*) FROM record") == [(SOME + 1,)]
    assert rows(catalog, "SELECT count(*) FROM statement") == [(3 * (SOME + 1),)]
    held = tables(catalog, "record", "page")
    for name in ("one", "three"):
        assert run("catalog", "remove", name).code == 0
        assert tables(catalog, "record", "page") == held
    (found, *_) = run("find", "p1", *MACHINE, "--json").document["records"]
    assert found["sources"] == ["two"]


def changed(before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]) -> tuple[set[Any], set[Any]]:
    """What went and what came."""
    return set(before) - set(after), set(after) - set(before)


def test_one_record_that_changes_leaves_the_others_as_they_lie(run: Run, catalog: Path, tmp_path: Path) -> None:
    libc, *animals = zoo(1000)
    place = put(tmp_path / "i.json", [libc, *animals])
    run("sync", place)
    before = tables(catalog, "record", "page", "statement")
    animals[500] = hashed({key: value for key, value in animals[500].items() if key != "hash"} | {"version": "77"})
    run("sync", put(place, [libc, *animals]))
    after = tables(catalog, "record", "page", "statement")
    for table in ("record", "statement"):
        went, came = changed(before[table], after[table])
        assert (len(went), len(came)) == (1, 1)
    went, came = changed(before["page"], after["page"])
    assert len(went) == 1
    assert len(came) == 2
    ((page, _, *content),) = went
    assert [row[2:] for row in came if row[0] == page] == [tuple(content)], "its bytes stay, only fewer are counted"


def test_a_flag_that_changes_writes_no_record(run: Run, catalog: Path, tmp_path: Path) -> None:
    place = put(tmp_path / "i.json", zoo(SOME))
    run("sync", place)
    before = tables(catalog, "record", "page", "summary")
    stated = rows(catalog, "SELECT * FROM statement")
    place.write_bytes(place.read_bytes()[::-1].replace(b"eurt :", b"eslaf :", 1)[::-1])
    run("sync", place)
    assert tables(catalog, "record", "page", "summary") == before
    assert [len(part) for part in changed(stated, rows(catalog, "SELECT * FROM statement"))] == [1, 1]


def test_other_order_and_white_space_write_nothing(run: Run, catalog: Path, tmp_path: Path) -> None:
    nodes = zoo(SOME)
    place = put(tmp_path / "i.json", nodes)
    run("sync", place)
    before = tables(catalog, "record", "page", "statement", "summary")
    place.write_text(json.dumps(json.loads(index_of(nodes[::-1])), indent=1))
    run("sync", place)
    assert tables(catalog, "record", "page", "statement", "summary") == before
