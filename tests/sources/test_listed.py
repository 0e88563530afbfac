"""Mirrors that a ``mirrors.yaml`` lists, and what opens them: it is used, and never shown or stored."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Result, Run
from fakes.file_server import FileServer, serving
from fakes.mirrors import index, node, old_node, put, put_v2, put_v3

from resolver.sources.credentials import NO_CREDENTIALS, configured

pytestmark = pytest.mark.usefixtures("impatient")

SECRET = "s3cr3t-of-nobody"  # noqa: S105 - a word to look for
ZLIB, PNG = node("zlib"), node("libpng")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    with serving(tmp_path / "served") as found:
        put_v3(found.root / "m", index(ZLIB))
        yield found


def synced(run: Run, tmp_path: Path, text: str, *words: str) -> Result:
    return run("sync", put(tmp_path / "mirrors.yaml", f"mirrors:\n{text}\n".encode()), *words)


def basic(user: str, secret: str = SECRET) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def authorizations(server: FileServer) -> set[str]:
    return {seen.headers.get("authorization", "") for seen in server.seen}


def assert_never_told(result: Result, catalog: Path) -> None:
    """Is the secret neither said nor stored, plain or encoded?"""
    stored = b"".join(path.read_bytes() for path in catalog.parent.glob(f"{catalog.name}*"))
    for secret in (SECRET, base64.b64encode(SECRET.encode())[:12].decode(), basic("me")):
        assert secret.encode() not in stored
        assert secret not in result.out + result.err


def test_all_mirrors_of_a_list_are_read_by_its_names(run: Run, tmp_path: Path, server: FileServer) -> None:
    put_v3(tmp_path / "here", index(PNG))
    put_v2(tmp_path / "here", index(old_node("hdf5"), version="7"))
    put_v3(server.root / "m", index(PNG), view="team/two")
    text = f"""\
  near: here
  far: {server.url}/m
  view: {{fetch: {{url: {server.url}/m, view: team/two}}}}
  sources: {{url: {server.url}/none, binary: false}}
  tree: {{url: {tmp_path / "tree"}}}"""
    put_v3(tmp_path / "tree" / "x", index(ZLIB))
    put_v3(tmp_path / "tree" / "y", index(ZLIB))
    result = synced(run, tmp_path, text)
    assert (result.code, len(result.err.splitlines())) == (0, 6), result.err
    names = [line.partition(",")[0] for line in result.err.splitlines()]
    expected = [
        "near: mirror v3",
        "near-v2: mirror v2",
        "far: mirror v3",
        "view-team-two: mirror v3",
        "tree-x: mirror v3",
        "tree-y: mirror v3",
    ]
    assert names == expected


def test_one_that_cannot_be_read_leaves_the_others(run: Run, tmp_path: Path, server: FileServer) -> None:
    text = f"""\
  pushed: {{push: {server.url}/m}}
  unset: {{url: {server.url}/m, access_token_variable: NOT_SET_ANYWHERE}}
  strange: sftp://me:{SECRET}@h/m
  bad: https://me:{SECRET}@h:port/m
  lost: {server.url}/none
  missing: none
  good: {server.url}/m"""
    result = synced(run, tmp_path, text, "--json")
    assert [row["name"] for row in result.document["sources"]] == ["good"]
    errors = result.document["errors"]
    assert [error["exit_code"] for error in errors] == [3, 3, 3, 3, 5, 5]
    for error, name in zip(errors, ("pushed", "unset", "strange", "bad", "lost", "missing"), strict=True):
        assert f"mirrors:{name}" in error["where"]
    assert "NOT_SET_ANYWHERE is not set" in errors[1]["what"]
    assert SECRET not in result.out


def test_offline_no_secret_is_needed(run: Run, tmp_path: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"  m: {{url: {server.url}/m, access_token_variable: THE_TOKEN}}"
    monkeypatch.setenv("THE_TOKEN", SECRET)
    assert synced(run, tmp_path, text).code == 0
    monkeypatch.delenv("THE_TOKEN")
    result = synced(run, tmp_path, text, "--offline")
    assert (result.code, result.err) == (0, "m: mirror v3, 1 records, unchanged\n")


def test_a_path_may_begin_with_a_variable(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_v3(tmp_path / "home" / "m", index(ZLIB))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLACE", str(tmp_path / "home"))
    text = f"  a: ~/m\n  b: $PLACE/m\n  c: file://{tmp_path / 'home' / 'm'}"
    for state in ("read", "unchanged"):
        assert synced(run, tmp_path, text).err.splitlines() == [f"{name}: mirror v3, 1 records, {state}" for name in "abc"]


def test_what_a_list_says_of_signatures_counts_where_nothing_tells(run: Run, tmp_path: Path, server: FileServer) -> None:
    assert synced(run, tmp_path, f"  m: {{url: {server.url}/m, signed: false}}").code == 0
    assert [row["signed"] for row in run("sources", "--json").document["sources"]] == [False]


def test_a_list_of_nothing(run: Run, tmp_path: Path) -> None:
    for text in ("  a: {url: x, binary: false}", "  {}"):
        result = synced(run, tmp_path, text)
        assert result.code == 3
        assert "lists no mirror of binaries" in result.err


@pytest.mark.parametrize(
    "text", ["mirrors: [", "mirrors: &a {m: *a}", "mirrors: {m: [x]}", "mirrors: {m: 'a\\0b'}", 'mirrors: {m: "a\\0b"}']
)
def test_a_list_that_cannot_be_used(run: Run, tmp_path: Path, text: str) -> None:
    result = run("sync", put(tmp_path / "mirrors.yaml", text.encode()))
    assert result.code in (3, 5)
    assert "internal" not in result.err
    assert str(tmp_path) in result.err


@pytest.mark.parametrize(
    ("entry", "sent"),
    [
        ("access_pair: [me, {0}]", basic("me")),
        ("access_pair: {{id: me, secret: {0}}}", basic("me")),
        ("access_pair: {{id: me, secret_variable: THE_SECRET}}", basic("me")),
        ("access_pair: {{id_variable: THE_USER, secret_variable: THE_SECRET}}", basic("me")),
        ("fetch: {{access_pair: [me, {0}]}}, push: {{access_pair: [you, other]}}", basic("me")),
        ("access_token: {0}", f"Bearer {SECRET}"),
        ("access_token_variable: THE_SECRET", f"Bearer {SECRET}"),
    ],
)
def test_what_opens_a_mirror_is_used_and_not_told(
    run: Run, tmp_path: Path, server: FileServer, catalog: Path, monkeypatch: pytest.MonkeyPatch, entry: str, sent: str
) -> None:
    monkeypatch.setenv("THE_USER", "me")
    monkeypatch.setenv("THE_SECRET", SECRET)
    text = f"  m: {{url: {server.url}/m, {entry.format(SECRET)}}}"
    assert synced(run, tmp_path, text).code == 0
    assert authorizations(server) == {sent}
    server.refuse["m/v3/manifests/index/index.manifest.json"] = 401
    result = synced(run, tmp_path, text)
    assert result.code == 5
    assert_never_told(result, catalog)
    assert_never_told(run("sources", "--json"), catalog)


def test_user_and_password_of_a_url(run: Run, server: FileServer, catalog: Path) -> None:
    url = server.url.replace("://", f"://me:{SECRET}@")
    put(server.root / "index.json", index(ZLIB))
    result = run("sync", f"{url}/m", f"{url}/index.json?token={SECRET}", f"{url}/none", f"{url}/none.json", "--json")
    assert [error["exit_code"] for error in result.document["errors"]] == [5, 5]
    assert authorizations(server) == {basic("me")}
    assert_never_told(result, catalog)
    assert_never_told(run("sync", f"{url}/m", f"{url}/new", "--offline"), catalog)
    assert_never_told(run("sync", f"{url}/m", "--view", "none"), catalog)
    assert_never_told(
        run("sync", url.replace("127.0.0.1", "[::1"), url.replace("127.0.0.1", "127.0.0.1:x"), f"https:/me:{SECRET}@h/x"), catalog
    )


def test_netrc(run: Run, tmp_path: Path, server: FileServer, catalog: Path) -> None:
    put(tmp_path / "netrc", f"machine 127.0.0.1 login me password {SECRET}\n".encode()).chmod(0o600)
    result = run("sync", f"{server.url}/m")
    assert (result.code, authorizations(server)) == (0, {basic("me")})
    assert_never_told(result, catalog)


def test_what_opens_a_public_manifest_opens_nothing_elsewhere(run: Run, tmp_path: Path, server: FileServer, catalog: Path) -> None:
    with serving(tmp_path / "elsewhere") as other:
        mine = put_v3(server.root / "develop" / "a", index(ZLIB)).relative_to(server.root)
        theirs = put_v3(other.root / "develop" / "b", index(PNG)).relative_to(other.root)
        entries = [{"label": "a", "url": f"{server.url}/{mine}"}, {"label": "b", "url": f"{other.url}/{theirs}"}]
        put(server.root / "cache_spack_io_index.json", json.dumps({"develop": entries}).encode())
        url = server.url.replace("://", f"://me:{SECRET}@")
        result = run("sync", f"{url}/cache_spack_io_index.json", "--release", "develop")
        assert result.code == 0, result.err
        assert (authorizations(server), authorizations(other)) == ({basic("me")}, {""})
        assert_never_told(result, catalog)


def test_credentials_are_read_as_spack_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("V", SECRET)
    assert configured({}, "w") == NO_CREDENTIALS
    assert configured({"access_pair": [None, None]}, "w") == NO_CREDENTIALS
    found = configured({"access_pair": {"id": "a", "secret_variable": "V"}, "profile": "p", "endpoint_url": "e"}, "w")
    assert (found.user, found.secret, found.profile, found.endpoint_url) == ("a", SECRET, "p", "e")
    assert SECRET not in repr(found)
