"""Single documents in files and folders: told by their content, read within bounds, and refused in words."""

from __future__ import annotations

import gzip
import io
import json
import os
from pathlib import Path

import pytest
from conftest import DATA, Result, Run
from fakes.mirrors import PGP, index, node, put, put_v2_spec, put_v3

from resolver.errors import FormatError, ResolverError
from resolver.sources import files
from resolver.sources.find import find_sources
from resolver.sources.place import no_report
from resolver.sources.source import Opened, Seen


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


LOCK = (DATA / "locks" / "host-debian12.lock").read_bytes()
PAGE = (DATA / "pages" / "py-rasterio.md").read_bytes()
ZLIB = node("zlib")
SPEC = json.dumps({"spec": {"_meta": {"version": 5}, "nodes": [ZLIB]}}, indent=1)
RECORD = {"spec": ZLIB, "path": "/opt/zlib", "installed": True, "explicit": True, "ref_count": 0, "in_buildcache": False}
DATABASE = json.dumps({"database": {"version": "8", "installs": {ZLIB["hash"]: RECORD}}}).encode()
YAML = f"spec:\n- zlib:\n    version: '1.10'\n    hash: {ZLIB['hash']}\n"


def opened(path: Path | str) -> Opened:
    (source,) = find_sources(str(path))
    return source.open(Seen(), no_report)


def refused(path: Path | str) -> ResolverError:
    with pytest.raises(ResolverError) as caught:
        list(opened(path).read().records)
    return caught.value


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (index(ZLIB), "index"),
        (json.dumps(json.loads(index(ZLIB)), indent=4).encode(), "index"),
        (b'{"comment": 1, "database"' + index(ZLIB)[len(b'{"database"') :], "index"),
        (DATABASE, "database"),
        (json.dumps(json.loads(DATABASE), indent=4).encode(), "database"),
        (b'{"comment": 1, "database"' + DATABASE[len(b'{"database"') :], "database"),
        (SPEC.encode(), "spec"),
        (PGP.format(SPEC).encode(), "spec"),
        (YAML.encode(), "spec"),
        (f"buildinfo:\r\n  x: 1\r\n{YAML}".replace("\n", "\r\n").replace("\r\r", "\r").encode(), "spec"),
        (packed(SPEC.encode()), "spec"),
        (packed(SPEC[:50].encode()) + packed(SPEC[50:].encode()), "spec"),
        (LOCK, "lockfile"),
        (PAGE, "page"),
    ],
)
def test_a_document_is_told_by_its_content(tmp_path: Path, data: bytes, kind: str) -> None:
    found = opened(put(tmp_path / "x", data))
    content = found.read()
    assert (found.kind, len(list(content.records))) == (kind, content.size)


def test_a_spec_file_is_of_a_binary_when_it_says_of_an_archive(tmp_path: Path) -> None:
    (record,) = opened(put(tmp_path / "zlib.spec.json", SPEC.encode())).read().records
    assert not record.in_buildcache
    (record,) = opened(put_v2_spec(tmp_path, ZLIB, signed=True)).read().records
    assert (record.in_buildcache, record.archive) == (True, "ab" * 32)


def test_a_store_is_read_by_its_database(run: Run, tmp_path: Path) -> None:
    put(tmp_path / "opt" / "store" / ".spack-db" / "index.json", DATABASE)
    for path in (tmp_path, tmp_path / "opt" / "store", tmp_path / "opt" / "store" / ".spack-db"):
        assert run("sync", path).err.startswith("store: database, 1 records")


def test_an_environment_with_what_it_includes(run: Run, tmp_path: Path) -> None:
    part = {"roots": [{"hash": ZLIB["hash"], "spec": "zlib"}], "concrete_specs": {ZLIB["hash"]: ZLIB}}
    document = {"_meta": {"lockfile-version": 5}, "roots": [], "concrete_specs": {}, "include_concrete": {"/other": part}}
    put(tmp_path / "env" / "spack.lock", json.dumps(document).encode())
    put(tmp_path / "env" / "spack.yaml", b"spack: {include_concrete: [/other]}")
    assert run("sync", tmp_path / "env").err == "env: lockfile, 1 records, read\n"


def test_pages_of_a_directory(run: Run, tmp_path: Path) -> None:
    put(tmp_path / "pages" / "a.md", PAGE)
    put(tmp_path / "pages" / "b.md", PAGE)
    put(tmp_path / "pages" / "readme.md", b"# nothing")
    assert [line.partition(",")[0] for line in run("sync", tmp_path / "pages").err.splitlines()] == ["a: page", "b: page"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"spack:\n  specs: [a]\n", "the definition of a stack"),
        (b"mirrors:\n  a: x\n", "a list of mirrors. Hint: sync it as a file"),
        (b"a: b\n", "neither a package page nor whole JSON"),
        (b"[]", "neither"),
        (b"5", "neither"),
        (b"\xff\xfe{}", "neither"),
        (b'{"database": NaN}', "not a build cache index"),
        (b'{"database":{"version":"8","installs":{"x":' + b"[" * 200_000, "not a build cache index"),
        (b'{"\x1b[31m": 1}', "neither"),
        (b'{"keys": {}}', "JSON with the keys keys is no source"),
        (b'{"version": 3, "data": []}', "sync the mirror itself"),
        (index(ZLIB) + b"x", "not a build cache index"),
        (index(ZLIB).replace(b"zlib", b"zl\xffib"), "not a build cache index that can be read"),
        (index(ZLIB)[:-30], "cut short"),
        (packed(index(ZLIB))[:-9], "gzip"),
        (packed(index(ZLIB))[:20] + b"xxxx", "gzip"),
        (packed(index(ZLIB)) + b"rest", "damaged gzip"),
        (PGP.format(SPEC).encode()[:90], "cut short"),
        (YAML.replace("1.10", "1.10', version: '2").encode(), "not YAML"),
        (f"{YAML}    hash: x\n".encode(), "given twice"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    error = str(refused(put(tmp_path / "x", data)))
    assert message in error
    assert str(tmp_path / "x") in error


def test_gzip_that_grows_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FREE_BYTES", 1 << 20)
    path = put(tmp_path / "index.json.gz", packed(b" " * (4 << 20)))
    assert "gzip data that grows beyond 1 MiB" in str(refused(path))


def test_gzip_in_many_pieces() -> None:
    many = io.BytesIO()
    for number in range(3000):
        many.write(packed(str(number).encode()))
    assert files.plain(many.getvalue() + b"\0" * 512) == "".join(map(str, range(3000))).encode()
    with pytest.raises(FormatError, match="beyond 0 MiB"):
        files.plain(many.getvalue(), most=1000)


def assert_clear(result: Result, *codes: int) -> None:
    assert result.code in codes, result.err
    assert "internal" not in result.err
    assert "Traceback" not in result.err
    assert "\x1b" not in result.err


def test_what_is_no_file(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "loose").symlink_to("nowhere")
    for place in (tmp_path / "pipe", "/dev/zero", tmp_path / "circle", tmp_path / "loose", "file:///dev/null"):
        assert_clear(run("sync", place), 5)


def test_links_in_a_circle_inside_a_mirror(run: Run, tmp_path: Path) -> None:
    put_v3(tmp_path / "m", index(ZLIB))
    (tmp_path / "m" / "v3" / "manifests" / "spec").mkdir()
    (tmp_path / "m" / "v3" / "manifests" / "spec" / "up").symlink_to(tmp_path)
    (tmp_path / "m" / "again").symlink_to(tmp_path / "m")
    result = run("sync", tmp_path)
    assert (result.code, result.err) == (0, "m: mirror v3, 1 records, read\n")


@pytest.mark.parametrize("name", [b"\xff\xfe", b"a\nb", b"\x1b[31m", "é".encode()])
def test_letters_of_names(run: Run, tmp_path: Path, name: bytes) -> None:
    folder = tmp_path / os.fsdecode(name)
    put(folder / "spack.lock", LOCK)
    put_v2_spec(folder, ZLIB).rename(folder / "build_cache" / os.fsdecode(name + ZLIB["hash"].encode() + b".spec.json"))
    expected = 0 if name == "é".encode() else 3
    assert_clear(run("sync", tmp_path), expected)
    assert_clear(run("sync", tmp_path, "--json"), expected)
    assert_clear(run("sync", folder), expected)


@pytest.mark.parametrize(
    "location",
    ["file:///a%00b", "file://elsewhere/a", "file://me:s3cret@elsewhere/a", "a\0b", "", "file:", "s3://[x", "https://h:99999/x", "s3:/x"],
)
def test_what_is_no_place(run: Run, location: str) -> None:
    result = run("sync", location)
    assert_clear(result, 3, 5)
    assert "s3cret" not in result.err


def test_the_file_of_this_computer(run: Run, tmp_path: Path) -> None:
    put_v3(tmp_path / "a b", index(ZLIB))
    assert run("sync", f"file://localhost{tmp_path}/a%20b").code == 0
    assert run("sync", f"FILE://{tmp_path}/a%20b").err.endswith("unchanged\n")
