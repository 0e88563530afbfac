"""Syncing from servers on loopback: what is asked of them, what becomes of damage, and how several go at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import DATA, Run
from fakes.file_server import FileServer, serving
from fakes.mirrors import INDEX_MANIFEST, index, node, old_node, put, put_v2, put_v3

from resolver.api.settings import Settings
from resolver.api.sync import Reporter, SyncRequest, sync
from resolver.catalog.store import Store

pytestmark = pytest.mark.usefixtures("impatient")

V2 = "build_cache/index.json"
ZLIB, PNG = node("zlib"), node("libpng")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "served"


@pytest.fixture
def server(root: Path) -> Iterator[FileServer]:
    with serving(root) as found:
        yield found


@pytest.fixture
def bare(root: Path) -> Iterator[FileServer]:
    """A server that gives no entity tags."""
    with serving(root, tags=False) as found:
        yield found


def lines(run: Run, *words: str | Path) -> list[str]:
    result = run("sync", *words)
    assert result.code == 0, result.err
    return result.err.splitlines()


def names_in(catalog: Path, source: str = "") -> list[str]:
    with Store(catalog) as store:
        where = "WHERE o.name = ?" if source else "WHERE ? = ''"
        joined = "record r JOIN statement s ON s.record = r.id JOIN source o ON o.id = s.source"
        return sorted(row[0] for row in store.query(f"SELECT r.name FROM {joined} {where}", (source,)))  # noqa: S608 - of two texts above


@pytest.mark.parametrize("tags", [True, False])
def test_an_unchanged_v3_mirror_sends_no_index(run: Run, root: Path, tags: bool) -> None:
    path = put_v3(root / "m", index(ZLIB)).relative_to(root).as_posix()
    with serving(root, tags=tags) as server:
        assert lines(run, f"{server.url}/m") == ["m: mirror v3, 1 records, read"]
        assert path in server.paths()
        server.log.clear()
        assert lines(run, f"{server.url}/m") == ["m: mirror v3, 1 records, unchanged"]
        assert path not in server.paths()
        assert (f"m/{INDEX_MANIFEST}", 304 if tags else 200) in server.log
        assert lines(run, f"{server.url}/m", "--refresh") == ["m: mirror v3, 1 records, read"]
        assert path in server.paths()


@pytest.mark.parametrize("tags", [True, False])
def test_an_unchanged_v2_mirror_sends_no_index(run: Run, root: Path, tags: bool) -> None:
    put_v2(root / "m", index(old_node("zlib"), version="7"))
    with serving(root, tags=tags) as server:
        assert lines(run, f"{server.url}/m") == ["m: mirror v2, 1 records, read"]
        server.log.clear()
        assert lines(run, f"{server.url}/m") == ["m: mirror v2, 1 records, unchanged"]
        assert f"m/{V2}" not in server.paths()
        assert (f"m/{V2}", 304) in server.log if tags else f"m/{V2}.hash" in server.paths()


def test_a_hash_that_is_behind_hides_no_change_where_there_are_tags(run: Run, root: Path, server: FileServer, catalog: Path) -> None:
    put_v2(root / "m", index(old_node("zlib"), version="7"))
    lines(run, f"{server.url}/m")
    put_v2(root / "m", index(old_node("libpng"), version="7"), hashed=False)
    assert lines(run, f"{server.url}/m") == ["m: mirror v2, 1 records, read"]
    assert names_in(catalog) == ["libpng"]


def test_a_hash_that_cannot_be_one_is_passed_over(run: Run, root: Path, bare: FileServer) -> None:
    put_v2(root / "m", index(old_node("zlib"), version="7"))
    put(root / "m" / f"{V2}.hash", b"\xff\x00")
    assert lines(run, f"{bare.url}/m")[0].endswith("read")
    assert lines(run, f"{bare.url}/m")[0].endswith("unchanged")


def test_an_unchanged_document_is_not_sent_again(run: Run, root: Path, server: FileServer) -> None:
    put(root / "env" / "spack.lock", (DATA / "locks" / "host-debian12.lock").read_bytes())
    put(root / "pages" / "x.md", (DATA / "pages" / "py-rasterio.md").read_bytes())
    words = (f"{server.url}/env/spack.lock", f"{server.url}/pages/x.md")
    assert [line.rpartition(" ")[2] for line in lines(run, *words)] == ["read", "read"]
    server.log.clear()
    assert [line.rpartition(" ")[2] for line in lines(run, *words)] == ["unchanged", "unchanged"]
    assert {status for _, status in server.log} == {304}


def flipped(data: bytes) -> bytes:
    return data[:-1] + b" "


def cut(data: bytes) -> bytes:
    return data[:-20]


def longer(data: bytes) -> bytes:
    return data + b" "


def garbled(data: bytes) -> bytes:
    return b"\xff\xfe" + data


@pytest.mark.parametrize("spoil", [flipped, cut, longer])
def test_a_damaged_v3_mirror_keeps_its_records(
    run: Run, root: Path, server: FileServer, catalog: Path, spoil: Callable[[bytes], bytes]
) -> None:
    put_v3(root / "bad", index(ZLIB))
    put_v3(root / "good", index(ZLIB))
    lines(run, f"{server.url}/bad", f"{server.url}/good")
    put_v3(root / "bad", index(PNG))
    path = put_v3(root / "good", index(PNG))
    server.instead[path.relative_to(root).as_posix().replace("good", "bad")] = spoil(path.read_bytes())
    result = run("sync", f"{server.url}/bad", f"{server.url}/good")
    assert result.code == 6, result.err
    assert "good: mirror v3, 1 records, read" in result.err
    assert "note: bad keeps its 1 records of 20" in result.err
    assert "is not what its manifest says" in result.err
    assert (names_in(catalog, "bad"), names_in(catalog, "good")) == (["zlib"], ["libpng"])


@pytest.mark.parametrize("spoil", [cut, garbled, lambda _: b"", lambda _: b"[" * 100_000, lambda data: data.replace(b'"1.0"', b"NaN")])
def test_a_damaged_v2_mirror_keeps_its_records(
    run: Run, root: Path, server: FileServer, catalog: Path, spoil: Callable[[bytes], bytes]
) -> None:
    path = put_v2(root / "bad", index(old_node("zlib"), version="7"))
    lines(run, f"{server.url}/bad")
    path.write_bytes(spoil(index(old_node("libpng"), version="7")))
    result = run("sync", f"{server.url}/bad", DATA / "mirrors" / "v3")
    assert result.code == 5, result.err
    assert f"{server.url}/bad/{V2}" in result.err
    assert "note: bad keeps its 1 records of" in result.err
    assert "internal" not in result.err
    assert names_in(catalog, "bad") == ["zlib"]
    assert len(names_in(catalog, "v3")) == 52


def test_a_server_that_is_down_takes_nothing_away(run: Run, root: Path, catalog: Path) -> None:
    put_v3(root / "m", index(ZLIB))
    with serving(root) as server:
        lines(run, f"{server.url}/m")
    result = run("sync", f"{server.url}/m", "--json")
    assert result.code == 5
    assert [error["kind"] for error in result.document["errors"]] == ["source"]
    assert result.document["notes"][0].startswith("m keeps its 1 records of")
    assert names_in(catalog) == ["zlib"]


def test_an_index_that_is_rewritten_meanwhile_is_read_anew(run: Run, root: Path, server: FileServer, catalog: Path) -> None:
    old = put_v3(root / "m", index(ZLIB))

    def rewrite() -> None:
        put_v3(root / "m", index(PNG))
        old.unlink()

    server.refuse[f"m/{V2}"] = 404
    server.after[f"m/{V2}"] = lambda: server.after.update({f"m/{INDEX_MANIFEST}": rewrite})  # the manifest is asked for, then the index
    assert lines(run, f"{server.url}/m") == ["m: mirror v3, 1 records, read"]
    assert names_in(catalog) == ["libpng"]
    assert [path for path, status in server.log if status == 404 and "blobs" in path] == [old.relative_to(root).as_posix()]


def test_a_blob_that_stays_away_is_missed_once_more_and_no_longer(run: Run, root: Path, server: FileServer) -> None:
    put_v3(root / "m", index(ZLIB)).unlink()
    result = run("sync", f"{server.url}/m")
    assert result.code == 6
    assert "is missing" in result.err
    assert sum("blobs" in path for path, _ in server.log) == 2


def test_a_slow_mirror_delays_no_other(run: Run, root: Path, server: FileServer) -> None:
    blobs = {name: put_v3(root / name, index(node(name))).relative_to(root).as_posix() for name in "abcdefgh"}
    server.held[blobs["a"]] = threading.Event()
    server.held[f"b/{INDEX_MANIFEST}"] = threading.Event()
    late = ["c", "d", "e", "f", "g", "h"]

    def done(name: str) -> None:
        late.remove(name)
        if not late:
            for event in server.held.values():
                event.set()

    for name in tuple(late):
        server.after[blobs[name]] = lambda name=name: done(name)
    assert [line.partition(":")[0] for line in lines(run, *(f"{server.url}/{name}" for name in "abcdefgh"))] == list("abcdefgh")
    sent = [path for path in server.paths() if "blobs" in path]
    assert {sent[-1], sent[-2]} == {blobs["a"], blobs["b"]}


def test_what_lies_here_is_read_meanwhile(run: Run, root: Path, server: FileServer) -> None:
    blob = put_v3(root / "m", index(ZLIB)).relative_to(root).as_posix()
    server.held[blob] = threading.Event()

    class Watch(Reporter):
        def started(self, name: str, size: int) -> None:  # noqa: ARG002
            server.held[blob].set()

    requests = [SyncRequest(f"{server.url}/m"), SyncRequest(str(DATA / "mirrors" / "v3"))]
    result = sync(Settings(root.parent / "c.sqlite"), requests, Watch())
    assert [done.row.name for done in result.synced] == ["m", "v3"]
    assert not result.errors
    assert run("sources").code == 3


def test_what_is_broken_off_is_not_waited_for(root: Path, server: FileServer) -> None:
    put_v3(root / "m", index(ZLIB))

    class Impatient(Reporter):
        def received(self, name: str, count: int, total: int | None) -> None:  # noqa: ARG002
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(Settings(root.parent / "c.sqlite"), [SyncRequest(f"{server.url}/m")], Impatient())


def test_a_layout_that_may_not_be_asked_for(run: Run, root: Path, server: FileServer, catalog: Path) -> None:
    put_v3(root / "m", index(ZLIB))
    server.refuse[f"m/{V2}"] = 403
    read, note = lines(run, f"{server.url}/m")
    assert read == "m: mirror v3, 1 records, read"
    assert note.startswith("note: m: whether it has layout v2 too could not be asked:")
    server.refuse.clear()
    put_v2(root / "m", index(old_node("libpng"), version="7"))
    assert lines(run, f"{server.url}/m") == ["m: mirror v3, 1 records, unchanged", "m-v2: mirror v2, 1 records, read"]
    server.refuse[f"m/{V2}"] = 403
    result = run("sync", f"{server.url}/m")
    assert result.code == 5
    assert "note: m-v2 keeps its 1 records of" in result.err
    assert names_in(catalog) == ["libpng", "zlib"]


def test_neither_layout_may_be_asked_for(run: Run, root: Path, server: FileServer) -> None:
    put_v3(root / "m", index(ZLIB))
    server.refuse = {f"m/{V2}": 403, f"m/{INDEX_MANIFEST}": 403}
    result = run("sync", f"{server.url}/m")
    assert result.code == 5
    assert result.err.count("error:") == 1


def test_there_is_no_mirror(run: Run, server: FileServer) -> None:
    result = run("sync", f"{server.url}/nothing", f"{server.url}/nothing.json")
    assert result.code == 5
    assert "there is no mirror at" in result.err
    assert f"there is no {server.url}/nothing.json" in result.err


def test_offline_opens_nothing_and_keeps_what_is_there(run: Run, root: Path, server: FileServer, catalog: Path) -> None:
    put_v3(root / "v1.1.0" / "e4s", index(ZLIB))
    put_v3(root / "v1.1.0" / "ml", index(PNG))
    put_v3(root / "v1.1.0-other", index(PNG))
    put(root / "env" / "spack.lock", (DATA / "locks" / "host-debian12.lock").read_bytes())
    words = [f"{server.url}/{path}" for path in ("v1.1.0/e4s", "v1.1.0/ml", "v1.1.0-other", "env/spack.lock")]
    lines(run, *words)
    before, asked = names_in(catalog), server.connections
    shown = lines(run, f"{server.url}/v1.1.0/", words[3], f"{words[0]}/{INDEX_MANIFEST}", "--offline")
    assert [line.partition(":")[0] for line in shown] == ["v1.1.0-e4s", "v1.1.0-ml", "env", "v1.1.0-e4s"]
    result = run("sync", words[0], f"{server.url}/other", "s3://bucket/x", "oci://ghcr.io/a/b", "--offline")
    assert result.code == 5
    assert "v1.1.0-e4s: mirror v3, 1 records, unchanged" in result.err
    assert result.err.count("it was never synced") == 3
    assert (names_in(catalog), server.connections) == (before, asked)


def test_offline_reads_what_lies_here(run: Run) -> None:
    assert lines(run, DATA / "mirrors" / "v3", "--offline") == ["v3: mirror v3, 52 records, read"]


def test_a_view_alone_is_meant_offline(run: Run, root: Path, server: FileServer) -> None:
    put_v3(root / "m", index(ZLIB))
    put_v3(root / "m", index(PNG), view="team/two")
    lines(run, f"{server.url}/m")
    assert lines(run, f"{server.url}/m", "--view", "team/two") == ["m-team-two: mirror v3, 1 records, read"]
    assert lines(run, f"{server.url}/m", "--view", "team/two", "--offline") == ["m-team-two: mirror v3, 1 records, unchanged"]
    url = f"{server.url}/m/v3/manifests/index/team/two/index.manifest.json"
    assert lines(run, url) == ["m-team-two: mirror v3, 1 records, unchanged"]
    result = run("sync", f"{server.url}/m", "--view", "../..")
    assert (result.code, len(server.seen)) == (3, len(server.seen))
    assert all(".." not in seen.target for seen in server.seen)


def test_names(run: Run, root: Path, server: FileServer) -> None:
    put_v3(root / "a" / "cache", index(ZLIB))
    put_v2(root / "a" / "cache", index(old_node("libpng"), version="7"))
    put_v3(root / "b" / "cache", index(PNG))
    both = ["site: mirror v3, 1 records, read", "site-v2: mirror v2, 1 records, read"]
    assert lines(run, f"{server.url}/a/cache", "--name", "site") == both
    assert lines(run, f"{server.url}/a/cache") == [line.replace("read", "unchanged") for line in both]
    assert lines(run, f"{server.url}/b/cache") == ["cache: mirror v3, 1 records, read"]
    taken = run("sync", f"{server.url}/b/cache", "--name", "site")
    assert taken.code == 3
    assert f"the name 'site' is that of another source, {server.url}/a/cache" in taken.err
    assert run("sync", root, "--name", "x").code == 3
    odd = run("sync", f"{server.url}/b/cache", "--name", "x\x1b[31m\n")
    assert odd.code == 3
    assert "\x1b" not in odd.err


def test_labels(run: Run, root: Path, server: FileServer) -> None:
    put_v3(root / "develop-2026-01-11" / "e4s", index(ZLIB))
    run("sync", f"{server.url}/develop-2026-01-11/e4s")
    (row,) = run("sources", "--json").document["sources"]
    assert (row["name"], row["release"], row["stack"]) == ("develop-2026-01-11-e4s", "develop-2026-01-11", "e4s")
    assert (row["url"], row["location"]) == (f"{server.url}/develop-2026-01-11/e4s",) * 2


@pytest.mark.parametrize("signed", [False, True])
def test_whether_packages_are_signed_is_told_by_one(run: Run, root: Path, server: FileServer, signed: bool) -> None:
    from fakes.mirrors import put_v2_spec, put_v3_spec

    put_v3(root / "m", index(ZLIB))
    put_v3_spec(root / "m", ZLIB, signed=signed)
    put_v2(root / "m", index(old_node("libpng"), version="7"))
    put_v2_spec(root / "m", old_node("libpng"), signed=signed)
    lines(run, f"{server.url}/m")
    assert [row["signed"] for row in run("sources", "--json").document["sources"]] == [signed, signed]
