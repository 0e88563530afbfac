"""The manifest of a public cache, from a server and from a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run
from fakes.file_server import FileServer, serving
from fakes.mirrors import index, node, put, put_v3

from resolver.sources.find import find_sources
from resolver.sources.source import Source, Wanted

pytestmark = pytest.mark.usefixtures("impatient")

NAME = "cache_spack_io_index.json"
PLACES = ("develop/root", "develop/e4s", "develop/ml-cpu", "v1.1.0/root", "develop-2026-01-11/e4s")
SUM = "ab" * 32


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    with serving(tmp_path / "served") as found:
        yield found


@pytest.fixture
def manifest(server: FileServer) -> str:
    """The URL of the manifest of a cache whose indexes have a package each, named after release and stack."""
    listed: dict[str, list[dict[str, str]]] = {"empty": []}
    for place in PLACES:
        release, _, stack = place.partition("/")
        root = server.root / release / ("" if stack == "root" else stack)
        path = put_v3(root, index(node(place.replace("/", "-").replace(".", "-")))).relative_to(server.root)
        listed.setdefault(release, []).append({"label": stack, "url": f"{server.url}/{path.as_posix()}"})
    put(server.root / NAME, json.dumps(listed).encode())
    return f"{server.url}/{NAME}"


def read(run: Run, *words: str | Path) -> list[str]:
    result = run("sync", *words)
    assert result.code == 0, result.err
    return [line.partition(":")[0] for line in result.err.splitlines()]


def test_a_release_is_read_by_its_stacks(run: Run, manifest: str, server: FileServer) -> None:
    assert read(run, manifest, "--release", "develop") == ["develop-e4s", "develop-ml-cpu"]
    rows = {row["name"]: row for row in run("sources", "--json").document["sources"]}
    row = rows["develop-e4s"]
    assert (row["kind"], row["layout"], row["release"], row["stack"]) == ("mirror", "v3", "develop", "e4s")
    assert row["url"] == row["location"] == f"{server.url}/develop/e4s"


def test_release_and_stack_may_be_patterns(run: Run, manifest: str) -> None:
    assert read(run, manifest, "--release", "develop*", "--stack", "e*") == ["develop-e4s", "develop-2026-01-11-e4s"]
    assert read(run, manifest, "--release", "develop", "--stack", "ml-*", "--stack", "root") == ["develop-ml-cpu", "develop-root"]


def test_the_union_is_read_where_there_is_nothing_else(run: Run, manifest: str) -> None:
    assert read(run, manifest, "--release", "v1.1.0") == ["v1.1.0-root"]
    (row,) = run("sources", "--json").document["sources"]
    assert (row["release"], row["stack"]) == ("v1.1.0", "")


def test_a_manifest_in_a_file(run: Run, manifest: str, server: FileServer, tmp_path: Path) -> None:
    file = put(tmp_path / "mine.json", (server.root / NAME).read_bytes())
    assert manifest
    assert read(run, file, "--release", "develop", "--stack", "e4s") == ["develop-e4s"]


def test_an_unchanged_index_is_not_sent_again(run: Run, manifest: str, server: FileServer) -> None:
    words = (manifest, "--release", "develop")
    read(run, *words)
    server.log.clear()
    assert run("sync", *words).err.count("unchanged") == 2
    assert server.paths() == [NAME]


def test_offline_the_same_are_meant(run: Run, manifest: str, server: FileServer, tmp_path: Path) -> None:
    read(run, manifest, "--release", "develop*")
    asked = len(server.seen)
    file = put(tmp_path / "mine.json", (server.root / NAME).read_bytes())
    for where in (manifest, file):
        assert read(run, where, "--release", "develop", "--offline") == ["develop-e4s", "develop-ml-cpu"]
        assert read(run, where, "--release", "develop*", "--stack", "ml-*", "--offline") == ["develop-ml-cpu"]
        assert run("sync", where, "--release", "v1.1.0", "--offline").code == 5
    assert len(server.seen) == asked


@pytest.mark.parametrize("stored", [b"{}", None])
def test_a_blob_that_is_not_that_of_its_name(run: Run, manifest: str, server: FileServer, stored: bytes | None) -> None:
    (path,) = (server.root / "develop" / "e4s" / "blobs").rglob("?" * 64)
    if stored is None:
        path.unlink()
    else:
        path.write_bytes(stored)
    result = run("sync", manifest, "--release", "develop")
    assert result.code == 6
    assert "the index blob is missing" in result.err or "not that of its name" in result.err
    assert "develop-ml-cpu: mirror v3, 1 records, read" in result.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "its releases are v1.1.0, develop-2026-01-11, develop"),
        (("--release", "v9"), "it lists v1.1.0, develop-2026-01-11, develop"),
        (("--release", "develop", "--stack", "none"), "of this release it lists e4s, ml-cpu, root"),
        (("--release", "empty"), "lists no such index"),
    ],
)
def test_what_to_choose_from_is_said(run: Run, manifest: str, words: tuple[str, ...], message: str) -> None:
    result = run("sync", manifest, *words)
    assert result.code == 3
    assert message in result.err


@pytest.mark.parametrize("data", [b"[]", b'{"a":', b'{"a": [{"label": 1}]}', b"\xff", b"<html>", b'{"a":NaN}', b'{"a":' + b"[" * 100_000])
def test_what_is_no_manifest(run: Run, server: FileServer, data: bytes) -> None:
    put(server.root / NAME, data)
    result = run("sync", f"{server.url}/{NAME}", "--release", "a")
    assert result.code == 5
    assert "not the manifest of a public cache" in result.err


def test_there_is_no_manifest(run: Run, server: FileServer) -> None:
    assert run("sync", f"{server.url}/{NAME}", "--release", "a").code == 5


def chosen(tmp_path: Path, **entries: str) -> list[Source]:
    """The sources of a manifest in a file, of labels and URLs of one release."""
    listed = {"develop": [{"label": label, "url": url} for label, url in entries.items()]}
    return find_sources(str(put(tmp_path / "x.json", json.dumps(listed).encode())), Wanted(("*",), ("*",)))


def test_the_public_bucket_is_read_from_its_web_server(tmp_path: Path) -> None:
    (source,) = chosen(tmp_path, e4s=f"s3://spack-binaries/develop/e4s/blobs/sha256/ab/{SUM}")
    assert (source.location, source.remote) == ("https://binaries.spack.io/develop/e4s", True)


@pytest.mark.parametrize(
    "url",
    [
        "s3://spack-binaries/v0.22/e4s/build_cache/index.json",
        f"file:///etc/blobs/sha256/ab/{SUM}",
        f"ftp://h/m/blobs/sha256/ab/{SUM}",
        f"https://me:s3cret@h/m/blobs/sha256/ab/{SUM}",
        f"https://h/m\n/blobs/sha256/ab/{SUM}",
        f"https://h/m/blobs/sha256/ab/{SUM}/../../x",
        f"https://h/m?x=/blobs/sha256/ab/{SUM}",
        f"/etc/blobs/sha256/ab/{SUM}",
        f"https:///blobs/sha256/ab/{SUM}",
    ],
)
def test_other_urls_are_passed_over(tmp_path: Path, url: str) -> None:
    good = f"https://h.example/m/blobs/sha256/ab/{SUM}"
    assert [source.stack for source in chosen(tmp_path, bad=url, good=good)] == ["good"]


@pytest.mark.parametrize("label", ["\x1b[31m", "../x", "a b", "", "a\n", "é", "-x", "x" * 300])
def test_other_labels_are_passed_over(tmp_path: Path, label: str) -> None:
    good = f"https://h.example/m/blobs/sha256/ab/{SUM}"
    assert [source.stack for source in chosen(tmp_path, **{label: good, "good": good})] == ["good"]
