"""Bundles from registries and buckets, and credentials that a list of mirrors has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from fakes.environments import MIRRORS, blobs, environment, files, nodes_of, packages
from fakes.faulty_server import spoiled
from fakes.mirrors import put
from fakes.registry import CONFIG, Blob, digest, manifest_of
from fakes.registry_answers import Answer, Asked, Server, answering

V3 = MIRRORS / "v3-signed"
NODES = nodes_of(V3)


class Registry:
    """A repository below ``org/cache`` with the packages of the small mirror."""

    server: Server

    def __init__(self, layout: int = 3, **changes: Any) -> None:
        self.found: dict[str, bytes] = {}
        self.broken: dict[str, list[Answer]] = {}
        for node in NODES.values():
            if "external" not in node and list(V3.glob(f"v3/manifests/spec/{node['name']}/*")):
                self._push(node, layout, **changes)

    def _push(self, node: dict[str, Any], layout: int, **changes: Any) -> None:
        archive = blobs(V3, node["name"])[0].read_bytes()
        checksum = {"hash_algorithm": "sha256", "hash": digest(archive).removeprefix("sha256:")}
        spec = {"_meta": {"version": 5}, "nodes": [node, *(other for other in NODES.values() if other is not node)]}
        document = {"architecture": "amd64", "spec": spec, "buildcache_layout_version": layout, "binary_cache_checksum": checksum}
        parts = (Blob(json.dumps({**document, **changes}).encode(), CONFIG), Blob(b"a base image"), Blob(archive))
        self.found[f"/v2/org/cache/manifests/{node['name']}-{node['version']}-{node['hash']}.spack"] = manifest_of(*parts)
        self.found.update({f"/v2/org/cache/blobs/{digest(part.data)}": part.data for part in parts})

    def answer(self, asked: Asked) -> Answer:
        path = asked.path.partition("?")[0]
        if self.broken.get(path):
            return self.broken[path].pop(0)
        return Answer(200, self.found[path]) if path in self.found else Answer(404, b"{}")

    def env(self, folder: Path) -> Path:
        return environment(folder / "env", NODES, {"hub": {"url": f"oci+http://{self.server.host}/org/cache"}})


@pytest.fixture
def registry() -> Iterator[Registry]:
    found = Registry()
    with answering(found.answer) as found.server:
        yield found


def test_a_registry_becomes_a_mirror_of_layout_v3(run: Run, registry: Registry, tmp_path: Path) -> None:
    env = registry.env(tmp_path)
    result = run("bundle", env, "-o", tmp_path / "out")
    assert (result.code, "add --unsigned" in result.out) == (0, True)
    origin = files(V3)
    found = files(tmp_path / "out")
    assert len(packages(tmp_path / "out")) == 5
    for name in ("xz", "libxml2"):
        archive, metadata = blobs(tmp_path / "out", name)
        assert archive.read_bytes() == origin[archive.relative_to(tmp_path / "out").as_posix()]
        document = json.loads(metadata.read_bytes())
        assert (set(document), document["buildcache_layout_version"]) == ({"spec", "buildcache_layout_version"}, 2)
        assert document["spec"]["nodes"][0] == next(node for node in NODES.values() if node["name"] == name)
    assert nodes_of(tmp_path / "out") == NODES
    assert run("verify", tmp_path / "out").code == 0
    assert run("verify", env, "--remote").code == 0
    assert run("verify", env, "--deep").code == 0
    run("bundle", env, "-o", tmp_path / "again", "-j", "1")
    assert files(tmp_path / "again") == found
    assert run("bundle", env, "-o", tmp_path / "out", "--json").document["kept"]["files"] == 15


def test_what_a_registry_has_is_listed(run: Run, registry: Registry, tmp_path: Path) -> None:
    rows = run("urls", registry.env(tmp_path), "--json").document["files"]
    assert len(rows) == 15
    for row in rows:
        data = registry.found[row["url"].removeprefix(registry.server.url)]
        assert row["sha256"] in {None, digest(data).removeprefix("sha256:")}
        assert row["size"] in {None, len(data)}
    assert {row["kind"]: row["sha256"] is None for row in rows} == {"manifest": True, "config": False, "archive": False}
    offline = run("urls", registry.env(tmp_path), "--offline", "--json").document["files"]
    assert {row["url"] for row in offline} == {row["url"] for row in rows if row["kind"] == "manifest"}


def test_a_registry_that_breaks_off_or_lies(run: Run, registry: Registry, tmp_path: Path) -> None:
    archive = blobs(V3, "xz")[0].read_bytes()
    path = f"/v2/org/cache/blobs/{digest(archive)}"
    registry.broken[path] = [Answer(503), Answer(200, archive[:99], {"Content-Length": str(len(archive))})]
    assert run("bundle", registry.env(tmp_path), "-o", tmp_path / "out").code == 0
    registry.found[path] = b"x" * len(archive)
    assert {one["kind"] for one in run("verify", registry.env(tmp_path), "--deep", "--json").document["findings"]} == {"checksum"}
    result = run("bundle", registry.env(tmp_path), "-o", tmp_path / "two")
    assert (result.code, "xz/mxjilyf" in result.err) == (6, True)
    del registry.found[path]
    assert {one["kind"] for one in run("verify", registry.env(tmp_path), "--remote", "--json").document["findings"]} == {"missing-blob"}


@pytest.mark.parametrize("layout", [0, 1])
def test_archives_of_another_kind_are_refused(run: Run, tmp_path: Path, layout: int) -> None:
    old = Registry(layout)
    with answering(old.answer) as old.server:
        result = run("bundle", old.env(tmp_path), "-o", tmp_path / "out")
    assert result.code == 3
    assert f"a package of layout version {layout}" in result.err
    assert "take it from another mirror" in result.err


def test_nodes_of_an_older_format_are_brought_up_to_date(run: Run, tmp_path: Path) -> None:
    nodes = nodes_of(MIRRORS / "v2-signed")
    (gmp,) = (node for node in nodes.values() if node["name"] == "gcc-runtime")
    (libc,) = (node for node in nodes.values() if node["name"] == "glibc")
    spec = {"_meta": {"version": 4}, "nodes": [gmp, libc]}
    old = Registry()
    old.found.clear()
    parts = (Blob(json.dumps({"spec": spec, "buildcache_layout_version": 2}).encode(), CONFIG), Blob(b"\x1f\x8b"))
    old.found[f"/v2/org/cache/manifests/gcc-runtime-12.2.0-{gmp['hash']}.spack"] = manifest_of(*parts)
    old.found.update({f"/v2/org/cache/blobs/{digest(part.data)}": part.data for part in parts})
    with answering(old.answer) as old.server:
        url = f"oci+http://{old.server.host}/org/cache"
        env = environment(tmp_path / "env", {node["hash"]: node for node in (gmp, libc)}, {"hub": url}, ["gcc-runtime"])
        assert run("bundle", env, "-o", tmp_path / "out").code == 0
    document = json.loads(blobs(tmp_path / "out", "gcc-runtime")[1].read_bytes())["spec"]
    assert document["_meta"]["version"] == 5
    assert document["nodes"][0]["annotations"] == {"original_specfile_version": 4, "compiler": "gcc@=12.2.0"}
    assert document["nodes"][0]["hash"] == gmp["hash"]
    assert set(nodes_of(tmp_path / "out")) == {gmp["hash"], libc["hash"]}


def test_credentials_of_a_configured_list_open_the_mirror(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_SECRET", "h1dden")
    monkeypatch.chdir(tmp_path)
    with spoiled(V3) as server:
        pair = {"id": "me", "secret_variable": "THE_SECRET"}
        put(tmp_path / "lists" / "mirrors.yaml", json.dumps({"mirrors": {"site": {"url": f"{server.url}/", "access_pair": pair}}}).encode())
        put(tmp_path / "spack-resolver.yaml", b"sources: [lists/mirrors.yaml, 'https://example.org/x']\n")
        env = environment(tmp_path / "env", NODES, {"origin": {"url": server.url}})
        assert run("verify", env, "--remote").code == 0
        assert all(seen.headers.get("authorization", "").startswith("Basic ") for seen in server.seen)
        server.seen.clear()
        put(tmp_path / "spack-resolver.yaml", b"sources: []\n")
        assert run("verify", env, "--remote").code == 0
        assert all("authorization" not in seen.headers for seen in server.seen)


def test_a_variable_that_is_not_set_keeps_no_other_mirror_from_being_asked(run: Run, tmp_path: Path) -> None:
    entry = {"url": "https://mirror.example/m", "access_pair": {"id_variable": "NOBODY_SET_THIS", "secret": "x"}}
    env = environment(tmp_path / "env", NODES, {"locked": entry, "origin": {"url": V3.as_uri()}})
    assert run("bundle", env, "-o", tmp_path / "out").code == 0
    assert run("urls", env, "--offline").code == 0
    alone = environment(tmp_path / "alone", NODES, {"locked": entry})
    assert run("verify", alone).code == 5
    result = run("bundle", alone, "-o", tmp_path / "two")
    assert (result.code, "NOBODY_SET_THIS is not set" in result.err) == (3, True)


@pytest.mark.skipif(find_spec("moto") is None, reason="moto is not installed")
def test_a_bucket_is_bundled_and_a_changed_rest_is_read_anew(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.s3.models import s3_backends
    from moto.server import ThreadedMotoServer

    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "S3_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        backend = s3_backends["123456789012"]["aws"]
        backend.create_bucket("cache", "us-east-1")
        for name, data in files(V3).items():
            backend.put_object("cache", f"m/{name}", data)
        entry = {"url": "s3://cache/m", "endpoint_url": f"http://{host}:{port}", "access_pair": {"id": "AKIAEXAMPLE", "secret": "none"}}
        env = environment(tmp_path / "env", NODES, {"bucket": {**entry, "signed": True}})
        half(tmp_path / "out", blobs(V3, "xz")[0])
        assert run("bundle", env, "-o", tmp_path / "out").code == 0
        assert files(tmp_path / "out") == files(V3)
        assert run("verify", env, "--remote").code == 0
        assert run("verify", env, "--deep").code == 0
        backend.delete_object("cache", f"m/{blobs(V3, 'xz')[0].relative_to(V3).as_posix()}")
        assert {one["kind"] for one in run("verify", env, "--remote", "--json").document["findings"]} == {"missing-blob"}
    finally:
        server.stop()


def half(out: Path, blob: Path) -> None:
    """What an earlier run would have left, had the object been another one then."""
    from resolver.sources.folder import Folder

    name = blob.relative_to(V3).as_posix()
    part = Folder(out).part(name, None, blob.name)
    part.begin(f"s3://cache/m/{name}", '"another"')
    part.add(b"x" * 20)
    part.close()
