"""Servers that die, cut short, lie and lead elsewhere: a bundle goes on or fails clearly, and no bad file ever has its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from fakes.environments import MIRRORS, blobs, environment, files, nodes_of
from fakes.faulty_server import FaultyServer, spoiled, untagged
from fakes.http_server import HANG_UP, Answer, body, cut, head, raw, redirect, resumable, status
from fakes.http_server import running as running_server

V3 = MIRRORS / "v3-signed"
ARCHIVE = blobs(V3, "xz")[0]
DATA = ARCHIVE.read_bytes()
PATH = ARCHIVE.relative_to(V3).as_posix()
TAG = '"t"'


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with spoiled(V3) as found:
        yield found


def env_at(url: str, folder: Path, **more: Any) -> Path:
    return environment(folder / "env", nodes_of(V3), {"origin": {"url": url, "signed": True, **more}})


def is_sound(folder: Path) -> bool:
    """Has every file below it the bytes of the origin."""
    origin = files(V3)
    return all(origin.get(name) == data for name, data in files(folder, without=".incomplete").items() if not name.startswith("env/"))


def test_a_body_that_breaks_off_is_continued(run: Run, server: FaultyServer, tmp_path: Path) -> None:
    server.spoil(PATH, resumable(DATA, TAG, after=100), resumable(DATA, TAG))
    assert run("bundle", env_at(server.url, tmp_path), "-o", tmp_path / "out").code == 0
    first, second = server.asked(PATH)
    assert "range" not in first.headers
    assert (second.headers["range"], second.headers["if-range"]) == ("bytes=100-", TAG)
    assert files(tmp_path / "out") == files(V3)


@pytest.mark.parametrize("tagged", [True, False])
def test_another_run_continues_what_broke_off(run: Run, server: FaultyServer, tmp_path: Path, tagged: bool) -> None:
    env = env_at(server.url, tmp_path)
    dying = resumable(DATA, TAG, after=100) if tagged else cut(DATA, 100)
    server.spoil(PATH, dying, status(503), status(503))
    result = run("bundle", env, "-o", tmp_path / "out")
    assert result.code == 5
    assert "503 Service Unavailable" in result.err
    assert not (tmp_path / "out" / PATH).exists()
    assert not (tmp_path / "out" / "v3" / "manifests" / "index").exists()
    assert is_sound(tmp_path / "out")
    server.seen.clear()
    server.spoil(PATH, resumable(DATA, TAG) if tagged else untagged(DATA))
    assert run("bundle", env, "-o", tmp_path / "out").code == 0
    (seen,) = server.asked(PATH)
    assert seen.headers["range"] == "bytes=100-"
    assert seen.headers.get("if-range") == (TAG if tagged else None)
    assert files(tmp_path / "out") == files(V3)


def test_what_is_left_of_another_file_is_dropped(run: Run, server: FaultyServer, tmp_path: Path) -> None:
    env = env_at(server.url, tmp_path)
    server.spoil(PATH, cut(b"x" * len(DATA), 100), status(503), status(503))
    assert run("bundle", env, "-o", tmp_path / "out").code == 5
    server.spoil(PATH, untagged(DATA), untagged(DATA))
    assert run("bundle", env, "-o", tmp_path / "out").code == 0
    assert [seen.headers.get("range", "") for seen in server.asked(PATH)][-2:] == ["bytes=100-", ""]
    assert files(tmp_path / "out") == files(V3)


def test_a_server_without_ranges_sends_it_all_again(run: Run, server: FaultyServer, tmp_path: Path) -> None:
    server.spoil(PATH, cut(DATA, 100), untagged(DATA, ranges=False))
    assert run("bundle", env_at(server.url, tmp_path), "-o", tmp_path / "out").code == 0
    assert files(tmp_path / "out") == files(V3)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([status(500), status(502)], 0),
        ([status(429, Retry_After=0)], 0),
        ([cut(DATA, 0)], 0),
        ([raw(HANG_UP)], 0),
        ([raw(head(206, Content_Length=5, Content_Range="bytes 0-4/5") + b"xxxxx")], 0),
        ([raw(head(200, Content_Length=len(DATA) + 9) + DATA, HANG_UP)], 6),
        ([raw(head(200, Content_Length=len(DATA) - 9) + DATA)], 0),
        ([raw(head(200, Transfer_Encoding="chunked") + b"5\r\nxx", HANG_UP)], 0),
    ],
    ids=["500", "429", "nothing", "hangs up", "part of another", "announces more", "announces less", "chunks"],
)
def test_what_may_pass_is_tried_again(run: Run, server: FaultyServer, tmp_path: Path, answers: list[Answer], code: int) -> None:
    server.spoil(PATH, *answers)
    assert run("bundle", env_at(server.url, tmp_path), "-o", tmp_path / "out").code == code
    assert is_sound(tmp_path / "out")
    assert run("bundle", env_at(server.url, tmp_path), "-o", tmp_path / "out").code == 0
    assert files(tmp_path / "out") == files(V3)


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (body(DATA[:50]), 6, "is cut short"),
        (body(b"x" * len(DATA)), 6, "is not what it should be"),
        (body(DATA + b"x"), 6, f"more than the {len(DATA)} bytes"),
        (body(b""), 6, "is cut short"),
        (status(404), 6, "is missing"),
        (status(403), 5, "403 Forbidden"),
        (status(500), 5, "500 Internal Server Error"),
        (cut(DATA, 100), 5, "connection"),
        (redirect("file:///etc/passwd"), 5, "no URL of a web server"),
        (redirect(f"/{PATH}"), 5, "in a circle"),
        (raw(head(200, Content_Length=1 << 50) + DATA), 6, f"more than the {len(DATA)} bytes"),
        (raw(head(200, Content_Length=len(DATA), Content_Encoding="gzip") + b"x" * len(DATA)), 6, "is not what it should be"),
    ],
    ids=["truncated", "another", "longer", "empty", "missing", "forbidden", "500", "dies", "to a file", "circle", "huge", "encoded"],
)
def test_what_stays_wrong_fails_clearly(run: Run, server: FaultyServer, tmp_path: Path, answer: Answer, code: int, message: str) -> None:
    server.spoil(PATH, answer, forever=True)
    result = run("bundle", env_at(server.url, tmp_path), "-o", tmp_path / "out")
    assert result.code == code
    assert message in result.err
    assert "xz/mxjilyf" in result.err
    assert PATH in result.err
    assert not (tmp_path / "out" / PATH).exists()
    assert not list((tmp_path / "out").glob("v3/manifests/spec/xz/*"))
    assert not (tmp_path / "out" / "v3" / "manifests" / "index").exists()
    assert is_sound(tmp_path / "out")


def test_another_mirror_helps_out(run: Run, server: FaultyServer, tmp_path: Path) -> None:
    server.spoil(PATH, body(b"x" * len(DATA)), forever=True)
    urls = {"one": {"url": server.url, "signed": True}, "two": {"url": V3.as_uri(), "signed": True}}
    env = environment(tmp_path / "env", nodes_of(V3), urls)
    assert run("bundle", env, "-o", tmp_path / "out").code == 0
    assert files(tmp_path / "out") == files(V3)


def test_a_redirect_to_another_server_gets_no_credentials(run: Run, server: FaultyServer, tmp_path: Path) -> None:
    with running_server() as other:
        other.on("/stored", body(DATA))
        server.spoil(PATH, redirect(f"{other.url}/stored?signature=s3cr3t"))
        env = env_at(server.url, tmp_path, access_pair={"id": "me", "secret": "h1dden"})
        assert run("bundle", env, "-o", tmp_path / "out").code == 0
        assert all("authorization" not in seen.headers for seen in other.seen)
    assert all("authorization" in seen.headers for seen in server.seen)
    assert files(tmp_path / "out") == files(V3)
    assert not any(b"h1dden" in data for name, data in files(tmp_path / "out", without="-").items() if name != "env/spack.yaml")
    assert b"h1dden" not in (tmp_path / "out" / "env" / "spack.yaml").read_bytes()


def test_no_secret_is_in_an_error_or_left_behind(run: Run, server: FaultyServer, tmp_path: Path) -> None:
    with running_server() as other:
        other.on("/stored", cut(DATA, 100))
        server.spoil(PATH, redirect(f"{other.url}/stored?signature=s3cr3t"), forever=True)
        result = run("bundle", env_at(server.url, tmp_path, access_pair={"id": "me", "secret": "h1dden"}), "-o", tmp_path / "out")
    assert result.code == 5
    assert "s3cr3t" not in result.err + result.out
    assert not any(b"s3cr3t" in data or b"h1dden" in data for data in files(tmp_path / "out", without="-").values())


HOSTILE: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "name": lambda node: {**node, "name": "../../evil"},
    "dots": lambda node: {**node, "name": ".."},
    "hash": lambda node: {**node, "hash": "../../../evil"},
    "control": lambda node: {**node, "version": "1\n2"},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_names_in_a_lockfile_lead_nowhere(run: Run, tmp_path: Path, kind: str) -> None:
    nodes = {key: HOSTILE[kind](node) if node["name"] == "xz" else node for key, node in nodes_of(V3).items()}
    (tmp_path / "deep" / "er").mkdir(parents=True)
    folder = tmp_path / "env"
    folder.mkdir()
    lock = {"_meta": {"file-type": "spack-lockfile", "lockfile-version": 6, "specfile-version": 5}, "concrete_specs": nodes}
    (root,) = (key for key, node in nodes.items() if node["name"] == "libxml2")
    (folder / "spack.lock").write_text(json.dumps({**lock, "roots": [{"hash": root, "spec": "libxml2"}]}))
    result = run("bundle", folder, "-o", tmp_path / "deep" / "er" / "out", "--mirror", V3)
    assert result.code == 3
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".sqlite"] == ["deep", "env"] or not list(tmp_path.rglob("*evil*"))
    assert not (tmp_path / "deep" / "er" / "out").exists()


@pytest.mark.parametrize("version", ["../../../evil", "/etc/passwd", "git.a/b=1", "..", "v" * 900])
def test_versions_stay_inside_of_file_names(run: Run, tmp_path: Path, version: str) -> None:
    from fakes.mirrors import node, put_v3_spec

    one = {**node("zlib"), "version": version}
    path = put_v3_spec(tmp_path / "m" / "deep", {**one, "version": "1.0"})
    polite = "".join(c if c.isalnum() or c in "_+.-" else "_" for c in version)
    if len(polite) < 200:
        path.rename(path.with_name(path.name.replace("-1.0-", f"-{polite}-")))
    env = environment(tmp_path / "env", {one["hash"]: one}, {"m": (tmp_path / "m" / "deep").as_uri()}, ["zlib"])
    before = {name for name in files(tmp_path, without="-") if ".sqlite" not in name}
    result = run("bundle", env, "-o", tmp_path / "out")
    assert result.code == (0 if len(polite) < 200 else 5)
    new = {name for name in files(tmp_path, without="-") if ".sqlite" not in name} - before
    assert all(name.startswith("out/") for name in new)
    assert bool(new) == (result.code == 0)


@pytest.mark.parametrize("where", ["v3", "blobs", ".incomplete", "v3/manifests/spec"])
def test_a_link_out_of_the_directory_is_not_followed(run: Run, tmp_path: Path, where: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = tmp_path / "out" / where
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    result = run("bundle", env_at(V3.as_uri(), tmp_path), "-o", tmp_path / "out")
    assert result.code == 3
    assert "is a link" in result.err
    assert not list(outside.iterdir())


def test_a_link_in_the_place_of_a_file_is_replaced(run: Run, tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.write_text("mine")
    link = tmp_path / "out" / PATH
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    assert run("bundle", env_at(V3.as_uri(), tmp_path), "-o", tmp_path / "out").code == 0
    assert outside.read_text() == "mine"
    assert files(tmp_path / "out") == files(V3)


def test_a_list_of_keys_names_no_files_elsewhere(run: Run, server: FaultyServer, tmp_path: Path) -> None:
    names: dict[str, dict[str, str]] = {"../../../evil": {}, "AFC07ED91076590135FCCC7DBB9298E6202EDAD0": {}}
    data = json.dumps({"keys": names}).encode()
    from fakes.mirrors import manifest

    from resolver.emit.build_cache import KEY_INDEX_TYPE, blob_of

    blob = blob_of(data, KEY_INDEX_TYPE)
    entry = {"contentLength": len(data), "mediaType": KEY_INDEX_TYPE, "compression": "none", "checksumAlgorithm": "sha256"}
    server.spoil("v3/manifests/key/keys.manifest.json", body(manifest({**entry, "checksum": blob.checksum})))
    server.spoil(blob.path, body(data))
    assert run("bundle", env_at(server.url, tmp_path), "-o", tmp_path / "out").code == 0
    assert files(tmp_path / "out") == files(V3)


def test_a_package_under_anothers_name_is_refused(run: Run, server: FaultyServer, tmp_path: Path) -> None:
    (xz,) = V3.glob("v3/manifests/spec/xz/*")
    (zlib,) = V3.glob("v3/manifests/spec/zlib-ng/*")
    server.spoil(xz.relative_to(V3).as_posix(), body(zlib.read_bytes()), forever=True)
    result = run("bundle", env_at(server.url, tmp_path), "-o", tmp_path / "out")
    assert result.code == 6
    assert "it is of zlib-ng/" in result.err
    assert not (tmp_path / "out" / "v3" / "manifests" / "index").exists()


def test_keys_that_cannot_be_had_are_a_note(run: Run, server: FaultyServer, tmp_path: Path) -> None:
    server.spoil("v3/manifests/key/keys.manifest.json", body(b"{"), forever=True)
    result = run("bundle", env_at(server.url, tmp_path), "-o", tmp_path / "out")
    assert result.code == 0
    assert "note: the keys of origin cannot be had" in result.err
    assert run("verify", tmp_path / "out").code == 6
