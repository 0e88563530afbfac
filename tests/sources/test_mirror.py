"""Mirrors in all their layouts, in a directory: by their indexes, views, and without any by their spec files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.mirrors import (
    DB8,
    INDEX_MANIFEST,
    blob,
    hash_of,
    index,
    manifest,
    node,
    old_node,
    put,
    put_v2,
    put_v2_spec,
    put_v3,
    put_v3_spec,
)

from resolver.errors import FormatError, InputError, ResolverError, SourceError, UnsupportedError, VerificationError
from resolver.sources.find import NOTHING_SPECIAL, find_sources
from resolver.sources.place import no_report
from resolver.sources.source import Opened, Seen, Source, Wanted

ZLIB, PNG = node("zlib"), node("libpng")


def opened(source: Source, seen: Seen = Seen()) -> Opened:  # noqa: B008 - a frozen value
    return source.open(seen, no_report)


def binaries(source: Source) -> list[str]:
    return sorted(record.wire.name for record in opened(source).read().records if record.in_buildcache)


def found(root: Path, wanted: Wanted = NOTHING_SPECIAL) -> dict[str, list[str]]:
    return {f"{source.layout}:{source.view}": binaries(source) for source in find_sources(str(root), wanted)}


def test_each_layout_counts_with_or_without_its_index(tmp_path: Path) -> None:
    put_v3_spec(tmp_path, ZLIB)
    put_v2(tmp_path, index(old_node("libpng"), version="7"))
    assert found(tmp_path) == {"v3:": ["zlib"], "v2:": ["libpng"]}
    (tmp_path / "build_cache" / "index.json").unlink()
    put_v2_spec(tmp_path, old_node("hdf5"))
    put_v3(tmp_path, index(PNG))
    assert found(tmp_path) == {"v3:": ["libpng"], "v2:": ["hdf5"]}
    assert [source.name for source in find_sources(str(tmp_path))] == [tmp_path.name, f"{tmp_path.name}-v2"]


def test_views_stand_in_the_place_of_a_missing_default_index(tmp_path: Path) -> None:
    put_v3(tmp_path, index(ZLIB), view="one")
    put_v3(tmp_path, index(PNG), view="team/two")
    put_v2(tmp_path, index(old_node("hdf5"), version="7"))
    assert found(tmp_path) == {"v3:one": ["zlib"], "v3:team/two": ["libpng"], "v2:": ["hdf5"]}
    assert [source.ending for source in find_sources(str(tmp_path))] == ["-one", "-team-two", "-v2"]
    put_v3(tmp_path, index(ZLIB, PNG))
    assert found(tmp_path) == {"v3:": ["libpng", "zlib"], "v2:": ["hdf5"]}
    assert found(tmp_path, Wanted(view="team/two")) == {"v3:team/two": ["libpng"]}


def test_the_file_of_an_index_is_its_mirror(tmp_path: Path) -> None:
    put_v3(tmp_path, index(ZLIB))
    put_v3(tmp_path, index(PNG), view="team/two")
    assert found(tmp_path / INDEX_MANIFEST) == {"v3:": ["zlib"]}
    assert found(tmp_path / "v3" / "manifests" / "index" / "team" / "two" / "index.manifest.json") == {"v3:team/two": ["libpng"]}
    put_v2(tmp_path / "old", index(old_node("hdf5"), version="7"))
    (source,) = find_sources(str(tmp_path / "old" / "build_cache" / "index.json"))
    assert (source.layout, source.url) == ("v2", (tmp_path / "old").as_uri())


@pytest.mark.parametrize("view", ["../x", "/etc", "a//b", "a/../b", "a b", "a\n", "..", "a\\b", "x" * 200, "é"])
def test_a_view_that_is_no_path(tmp_path: Path, view: str) -> None:
    put_v3(tmp_path, index(ZLIB))
    (source,) = find_sources(str(tmp_path), Wanted(view=view))
    with pytest.raises(InputError, match="is not the name of a view"):
        opened(source)


def test_a_view_of_an_odd_name_does_not_keep_the_others_out(tmp_path: Path) -> None:
    put_v3(tmp_path, index(ZLIB), view="a b")
    put_v3(tmp_path, index(PNG), view="good")
    odd, good = find_sources(str(tmp_path))
    assert binaries(good) == ["libpng"]
    with pytest.raises(InputError, match="not the name of a view"):
        opened(odd)


def test_a_view_that_is_not_there(tmp_path: Path) -> None:
    put_v3(tmp_path, index(ZLIB))
    with pytest.raises(SourceError, match="there is no such index"):
        opened(find_sources(str(tmp_path), Wanted(view="other"))[0])


def test_the_newest_known_database_is_taken(tmp_path: Path) -> None:
    entries = [
        blob(tmp_path, index(*nodes, version=str(v)), DB8.replace("v8", f"v{v}")) for v, nodes in ((7, [PNG]), (8, [ZLIB]), (12, [PNG]))
    ]
    put(tmp_path / INDEX_MANIFEST, manifest(*entries))
    assert found(tmp_path) == {"v3:": ["zlib"]}
    put(tmp_path / INDEX_MANIFEST, manifest(entries[2]))
    with pytest.raises(UnsupportedError, match=r"index.manifest.json: the package index is of version 12, known are up to 9"):
        found(tmp_path)


@pytest.mark.parametrize("signed", [False, True])
def test_without_an_index_spec_manifests_are_read(tmp_path: Path, signed: bool) -> None:
    put_v3_spec(tmp_path, PNG, ZLIB, signed=signed)
    put_v3_spec(tmp_path, node("hdf5"), PNG, ZLIB, signed=signed)
    (source,) = find_sources(str(tmp_path))
    first = opened(source)
    assert (first.kind, first.signed, "2 spec files were read one by one" in first.note) == ("mirror", signed, True)
    records = {record.wire.name: record for record in first.read().records}
    assert {name: record.in_buildcache for name, record in records.items()} == {"libpng": True, "zlib": False, "hdf5": True}
    assert (len(records["libpng"].archive), records["libpng"].size, records["zlib"].archive) == (64, len(f"archive of {PNG['hash']}"), "")
    again = opened(source, Seen(first.digest, first.tag))
    assert (again.unchanged, again.note) == (True, "")
    put_v3_spec(tmp_path, ZLIB, signed=signed)
    assert not opened(find_sources(str(tmp_path))[0], Seen(first.digest)).unchanged


@pytest.mark.parametrize("signed", [False, True])
def test_without_an_index_spec_files_are_read(tmp_path: Path, signed: bool) -> None:
    put_v2_spec(tmp_path, old_node("zlib"), signed=signed)
    (source,) = find_sources(str(tmp_path))
    assert (opened(source).signed, source.layout, binaries(source)) == (signed, "v2", ["zlib"])
    (record,) = opened(source).read().records
    assert record.archive == "ab" * 32


def test_a_signed_spec_file_counts_before_one_that_is_not(tmp_path: Path) -> None:
    put_v2_spec(tmp_path, old_node("zlib"), signed=True)
    put_v2_spec(tmp_path, old_node("zlib")).write_text("{")
    assert opened(find_sources(str(tmp_path))[0]).signed
    put_v2(tmp_path, index(old_node("zlib"), version="7"))
    assert opened(find_sources(str(tmp_path))[0]).signed


def test_yaml_spec_files_are_read(tmp_path: Path) -> None:
    text = f"spec:\n- zlib:\n    version: '1.10'\n    arch: {{platform: linux, platform_os: x, target: y}}\n    hash: {hash_of('zlib')}\n"
    put(tmp_path / "build_cache" / f"linux-zlib-1.10-{hash_of('zlib')}.spec.yaml", text.encode())
    (record,) = opened(find_sources(str(tmp_path))[0]).read().records
    assert (record.wire.version, record.hash, record.in_buildcache) == ("1.10", hash_of("zlib"), True)


def damage_manifest(path: Path) -> None:
    path.write_text("{")


def damage_blob(path: Path) -> None:
    spec = json.loads(path.read_text())["data"][1]["checksum"]
    file = path.parents[4] / "blobs" / "sha256" / spec[:2] / spec
    file.write_bytes(file.read_bytes()[:-1] + b"x")


def rename(path: Path) -> None:
    path.rename(path.with_name(path.name.replace(hash_of("zlib"), hash_of("other"))))


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (damage_manifest, FormatError, "not a manifest"),
        (damage_blob, VerificationError, "is not what its manifest says"),
        (rename, FormatError, "not of the binary it is named after"),
    ],
)
def test_a_damaged_spec_file_is_named(tmp_path: Path, spoil: object, error: type[ResolverError], message: str) -> None:
    put_v3_spec(tmp_path, PNG)
    spoil(put_v3_spec(tmp_path, ZLIB))  # type: ignore[operator]
    with pytest.raises(error, match=message) as caught:
        opened(find_sources(str(tmp_path))[0])
    assert "v3/manifests/spec/zlib/zlib-1.0-" in str(caught.value)


def test_a_blob_that_is_larger_than_its_manifest_says_is_not_read_whole(tmp_path: Path) -> None:
    file = put_v3(tmp_path, index(ZLIB))
    file.write_bytes(b"x" * (1 << 18))
    with pytest.raises(SourceError, match="has more than the"):
        found(tmp_path)


@pytest.mark.parametrize(
    "entry",
    [
        {"checksum": "../../../../etc/passwd"},
        {"checksum": "/etc/passwd"},
        {"checksum": "a" * 63 + "\n"},
        {"checksum": "A" * 64},
        {"checksumAlgorithm": "../sha256"},
        {"checksumAlgorithm": "md5"},
        {"contentLength": -1},
        {"contentLength": 10**30},
        {"contentLength": 1 << 60},
        {"mediaType": f"application/vnd.spack.db.v{'9' * 5000}+json"},
        {"mediaType": "application/vnd.spack.db.v٨+json"},
    ],
)
def test_what_a_manifest_says_is_checked_before_it_is_used(tmp_path: Path, entry: dict[str, object]) -> None:
    good = blob(tmp_path, index(ZLIB), DB8)
    put(tmp_path / INDEX_MANIFEST, manifest({**good, **entry}))
    with pytest.raises(ResolverError) as caught:
        found(tmp_path)
    assert str(tmp_path) in str(caught.value)
