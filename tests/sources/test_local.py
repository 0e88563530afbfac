from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from resolver.errors import FormatError, InputError, ResolverError, SourceError, UnsupportedError, VerificationError
from resolver.formats.record import Record
from resolver.sources.find import find_sources
from resolver.sources.place import no_report
from resolver.sources.source import Opened, Seen, Source
from resolver.spec.node import decode_node

DATA = Path(__file__).parents[1] / "data"
INDEX = json.dumps({"database": {"version": "8", "installs": {"a" * 32: {"spec": {"name": "zlib", "version": "1"}}}}}).encode()


def opened(source: Source, seen: Seen = Seen()) -> Opened:  # noqa: B008 - a frozen value
    return source.open(seen, no_report)


def records(source: Source) -> list[Record]:
    return list(opened(source).read().records)


@pytest.fixture
def v3(tmp_path: Path) -> Path:
    return shutil.copytree(DATA / "mirrors" / "v3", tmp_path / "v3")


def test_kinds_are_found_by_content(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(INDEX)
    (tmp_path / "b").write_bytes(gzip.compress(INDEX))
    shutil.copy(DATA / "locks" / "host-debian12.lock", tmp_path / "c")
    shutil.copy(DATA / "pages" / "py-rasterio.md", tmp_path / "d")
    kinds = [opened(find_sources(str(tmp_path / name))[0]).kind for name in ("a.txt", "b", "c", "d")]
    assert kinds == ["index", "index", "lockfile", "page"]
    assert opened(find_sources(str(tmp_path / "b"))[0]).read().size == 1


def test_a_v3_mirror(v3: Path) -> None:
    (source,) = find_sources(str(v3))
    assert (source.layout, source.name, source.url) == ("v3", "v3", v3.as_uri())
    assert (opened(source).kind, opened(source).signed) == ("mirror", False)
    assert len(records(source)) == 52
    assert sum(record.in_buildcache for record in records(source)) == 50


def test_a_v2_mirror() -> None:
    (source,) = find_sources(str(DATA / "mirrors" / "v2"))
    assert (source.layout, opened(source).signed) == ("v2", False)
    assert {decode_node(record.node).original_format for record in records(source)} == {4}


def test_both_layouts_in_one_mirror_count(v3: Path) -> None:
    shutil.copytree(DATA / "mirrors" / "v2" / "build_cache", v3 / "build_cache")
    assert [(s.name, s.layout) for s in find_sources(str(v3))] == [("v3", "v3"), ("v3-v2", "v2")]


def test_a_directory_of_sources_is_walked_in_order(tmp_path: Path, v3: Path) -> None:
    shutil.copytree(v3, tmp_path / "z" / "v1.1.0" / "e4s")
    shutil.copy(DATA / "pages" / "py-rasterio.md", tmp_path / "a.md")
    (tmp_path / "notes.md").write_text("# no page\n")
    found = find_sources(str(tmp_path))
    assert [s.name for s in found] == ["a", "v3", "e4s"]
    assert (found[2].release, found[2].stack) == ("v1.1.0", "e4s")


def test_a_file_url(v3: Path) -> None:
    assert find_sources(v3.as_uri())[0].location == str(v3)


def test_a_wrong_checksum_is_told_from_a_missing_blob(v3: Path) -> None:
    (blob,) = [p for p in (v3 / "blobs").rglob("*") if p.is_file() and p.stat().st_size > 20_000]
    blob.write_bytes(blob.read_bytes()[:-1] + b" ")
    with pytest.raises(VerificationError, match="is not what its manifest says"):
        opened(find_sources(str(v3))[0])
    blob.write_bytes(blob.read_bytes()[:-9])
    with pytest.raises(VerificationError, match="bytes with sha256"):
        opened(find_sources(str(v3))[0])
    blob.unlink()
    with pytest.raises(VerificationError, match="is missing"):
        opened(find_sources(str(v3))[0])


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (INDEX[:50], FormatError, "cut short"),
        (gzip.compress(INDEX, mtime=0)[:30], FormatError, "gzip"),
        (b"", FormatError, "neither a package page nor whole JSON"),
        (b"\x00\x01", FormatError, "neither"),
        (b'{"a":1}', UnsupportedError, "JSON with the keys a is no source"),
        (b'{"version":3,"data":[]}', UnsupportedError, "a manifest of a mirror"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Path, content: bytes, error: type[ResolverError], message: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(error) as caught:
        records(find_sources(str(path))[0])
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_directory_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("hello")
    with pytest.raises(InputError, match="nothing to sync"):
        find_sources(str(tmp_path))


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no file or directory"):
        find_sources(str(tmp_path / "x"))


def test_remote_places_are_refused_without_their_password() -> None:
    with pytest.raises(UnsupportedError) as caught:
        find_sources("sftp://me:secret@example.org/cache")
    assert "secret" not in str(caught.value)
    assert "example.org" in str(caught.value)


def test_links_that_go_round_end(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to(tmp_path)
    with pytest.raises(InputError):
        find_sources(str(tmp_path))


def test_a_directory_reached_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "spack.lock").write_text('{"_meta": {}, "roots": [], "concrete_specs": {}}')
    (tmp_path / "env" / "self").symlink_to("../env")
    assert [source.name for source in find_sources(str(tmp_path))] == ["env"]


def test_sources_of_one_name_are_told_apart_by_the_folders_above(tmp_path: Path) -> None:
    for place in ("x/cpu", "y/cpu", "y/gpu"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "spack.lock").write_text('{"_meta": {}, "roots": [], "concrete_specs": {}}')
    assert [source.name for source in find_sources(str(tmp_path))] == ["x-cpu", "y-cpu", "gpu"]


def test_a_stack_without_binaries_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "spack.yaml").write_text("spack: {}")
    with pytest.raises(InputError, match="it is not synced"):
        find_sources(str(tmp_path))
