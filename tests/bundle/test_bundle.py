"""Bundles of the small mirrors: the origin's bytes for the closure, an index of just that, and what is beside it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Run
from fakes.environments import KEY, MIRRORS, blobs, environment, files, mirror, nodes_of, packages
from fakes.file_server import serving

from resolver.sources.folder import Folder

LAYOUTS = ("v3-signed", "v2-signed")


def signed(url: str) -> dict[str, Any]:
    return {"origin": {"url": url, "signed": True}}


def env_of(name: str, folder: Path, url: str = "") -> Path:
    root = MIRRORS / name
    return environment(folder / "env", nodes_of(root), signed(url or root.as_uri()))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("place", ["file", "http"])
def test_a_bundle_has_the_bytes_of_its_origin(run: Run, tmp_path: Path, layout: str, place: str) -> None:
    with serving(MIRRORS / layout) as server:
        env = env_of(layout, tmp_path, server.url if place == "http" else "")
        assert run("bundle", env, "-o", tmp_path / "out").code == 0
    assert files(tmp_path / "out") == files(MIRRORS / layout)
    assert run("verify", tmp_path / "out").code == 0
    assert (tmp_path / "out" / "env" / "spack.lock").read_bytes() == (env / "spack.lock").read_bytes()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_part_of_a_mirror_has_an_index_of_just_that(run: Run, tmp_path: Path, layout: str) -> None:
    nodes = nodes_of(MIRRORS / layout)
    env = environment(tmp_path / "env", nodes, signed((MIRRORS / layout).as_uri()), ["xz"])
    assert run("bundle", env, "-o", tmp_path / "out").code == 0
    found = files(tmp_path / "out")
    origin = files(MIRRORS / layout)
    of_xz = {name for name in origin if "/xz" in name or "-xz-" in name}
    assert {name: origin[name] for name in of_xz} == {name: found[name] for name in of_xz}
    listed = nodes_of(tmp_path / "out")
    assert listed == {key: nodes[key] for key in listed}
    assert {"xz", "gcc-runtime", "glibc"} <= {node["name"] for node in listed.values()}
    assert "libxml2" not in {node["name"] for node in listed.values()}
    assert len(packages(tmp_path / "out")) == 2
    assert run("verify", tmp_path / "out").code == 0
    assert run("sync", tmp_path / "out").code == 0
    assert [r["name"] for r in run("find", "xz", "--arch", "linux-debian12-x86_64_v3-glibc@2.36", "--json").document["records"]] == ["xz"]


def test_only_what_has_a_binary_is_said_to_have_one(run: Run, tmp_path: Path) -> None:
    run("bundle", env_of("v3-signed", tmp_path), "-o", tmp_path / "out")
    (entry,) = json.loads((tmp_path / "out" / "v3/manifests/index/index.manifest.json").read_text())["data"]
    blob = tmp_path / "out" / "blobs" / "sha256" / entry["checksum"][:2] / entry["checksum"]
    database = json.loads(blob.read_bytes())["database"]
    assert (database["version"], entry["mediaType"]) == ("8", "application/vnd.spack.db.v8+json")
    there = {record["spec"]["name"] for record in database["installs"].values() if record["in_buildcache"]}
    assert there == {"libxml2", "libiconv", "xz", "zlib-ng", "gcc-runtime"}
    assert database["installs"].keys() == nodes_of(MIRRORS / "v3-signed").keys()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_two_runs_and_other_orders_give_the_same_bytes(run: Run, tmp_path: Path, layout: str) -> None:
    env = env_of(layout, tmp_path)
    run("bundle", env, "-o", tmp_path / "one", "-j", "1")
    lock = json.loads((env / "spack.lock").read_text())
    shuffled = {**lock, "concrete_specs": dict(reversed(lock["concrete_specs"].items()))}
    other = Path(shutil.copytree(env, tmp_path / "other"))
    (other / "spack.lock").write_text(json.dumps(shuffled))
    run("bundle", other, "-o", tmp_path / "two", "-j", "7")
    assert files(tmp_path / "one") == files(tmp_path / "two")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*") if path.is_file()}
    result = run("bundle", env, "-o", tmp_path / "one", "--json")
    assert result.document["fetched"]["files"] == 0
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*") if path.is_file()}


def test_both_layouts_in_one_environment(run: Run, tmp_path: Path) -> None:
    nodes = {**nodes_of(MIRRORS / "v3-signed"), **nodes_of(MIRRORS / "v2-signed")}
    urls = {name: {"url": (MIRRORS / name).as_uri(), "signed": True} for name in LAYOUTS}
    env = environment(tmp_path / "env", nodes, urls)
    assert run("bundle", env, "-o", tmp_path / "out").code == 0
    assert files(tmp_path / "out") == files(MIRRORS / "v3-signed") | files(MIRRORS / "v2-signed")
    assert run("verify", tmp_path / "out").code == 0
    assert run("verify", env).code == 0


def test_the_environment_beside_it_has_the_bundle_as_its_mirror(run: Run, tmp_path: Path) -> None:
    env = env_of("v3-signed", tmp_path)
    result = run("bundle", env, "-o", tmp_path / "out", "--name", "carried")
    body = yaml.safe_load((tmp_path / "out" / "env" / "spack.yaml").read_text())["spack"]
    assert body["mirrors"] == {"carried": {"url": "$env/..", "binary": True, "signed": True}}
    assert body["specs"] == json.loads((env / "spack.yaml").read_text())["spack"]["specs"]
    trust, add, install = result.out.splitlines()
    assert trust.startswith("spack gpg trust ")
    assert "BEGIN PGP PUBLIC KEY" in Path(trust.rpartition(" ")[2]).read_text()
    assert add == f"spack mirror add --signed carried {(tmp_path / 'out').as_uri()}"
    assert install == f"spack -e {tmp_path / 'out' / 'env'} install --cache-only"
    moved = (tmp_path / "out").rename(tmp_path / "moved")
    assert run("verify", moved / "env").code == 0
    assert run("urls", moved / "env", "--json").document["packages"] == 5


def test_where_a_bundle_will_lie_can_be_said(run: Run, tmp_path: Path) -> None:
    env = env_of("v3-signed", tmp_path)
    (env / "spack.yaml").unlink()
    result = run("bundle", env, "-o", tmp_path / "out", "--url", "file:///mnt/b", "--mirror", MIRRORS / "v3-signed")
    assert "spack mirror add --signed bundle file:///mnt/b" in result.out
    body = yaml.safe_load((tmp_path / "out" / "env" / "spack.yaml").read_text())["spack"]
    assert (body["mirrors"]["bundle"]["url"], body["concretizer"]["unify"], len(body["specs"])) == ("file:///mnt/b", True, 1)
    assert run("bundle", env, "-o", tmp_path / "bare", "--no-env", "--mirror", MIRRORS / "v3-signed").code == 0
    assert not (tmp_path / "bare" / "env").exists()


def test_without_a_mirror_there_is_a_way_out(run: Run, tmp_path: Path) -> None:
    env = env_of("v3-signed", tmp_path)
    (env / "spack.yaml").unlink()
    result = run("bundle", env, "-o", tmp_path / "out")
    assert result.code == 3
    assert "--mirror URL" in result.err
    assert not (tmp_path / "out").exists()
    lost = run("bundle", env, "-o", tmp_path / "out", "--mirror", tmp_path / "nowhere")
    assert lost.code == 5
    assert "is its disk mounted?" in lost.err


def test_mirrors_of_a_list_take_the_place_of_the_environments(run: Run, tmp_path: Path) -> None:
    env = env_of("v3-signed", tmp_path, "https://mirror.example/none")
    shutil.copytree(MIRRORS / "v3-signed", tmp_path / "lists" / "here")
    (tmp_path / "lists" / "mirrors.yaml").write_text("mirrors:\n  near: here\n")
    assert run("bundle", env, "-o", tmp_path / "out", "--mirror", tmp_path / "lists" / "mirrors.yaml", "--json").document["by_mirror"] == {
        "near": 5
    }


def test_the_mirrors_are_tried_in_order_and_a_damaged_package_is_taken_from_the_next(run: Run, tmp_path: Path) -> None:
    first = mirror("v3-signed", tmp_path / "first")
    shutil.rmtree(first / "v3" / "manifests" / "spec" / "xz")
    (path,) = (first / "v3" / "manifests" / "spec" / "zlib-ng").iterdir()
    path.write_text("{")
    urls = {"first": {"url": first.as_uri()}, "second": {"url": (MIRRORS / "v3-signed").as_uri()}}
    env = environment(tmp_path / "env", nodes_of(MIRRORS / "v3-signed"), urls)
    result = run("bundle", env, "-o", tmp_path / "out", "--json")
    assert result.document["by_mirror"] == {"first": 3, "second": 2}
    assert files(tmp_path / "out") == files(MIRRORS / "v3-signed")


def test_an_unsigned_package_of_a_signed_mirror_is_refused(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    (path,) = (root / "v3" / "manifests" / "spec" / "xz").iterdir()
    text = path.read_text()
    path.write_text(text[text.index("{") : text.rindex("}") + 1])
    env = environment(tmp_path / "env", nodes_of(root), signed(root.as_uri()))
    result = run("bundle", env, "-o", tmp_path / "out")
    assert result.code == 6
    assert "xz/mxjilyf is not signed" in result.err
    loose = environment(tmp_path / "loose", nodes_of(root), {"origin": {"url": root.as_uri(), "signed": False}})
    mixed = run("bundle", loose, "-o", tmp_path / "out")
    assert (mixed.code, "4 of 5 packages are signed" in mixed.err, "add --unsigned" in mixed.out) == (0, True, True)
    assert run("verify", tmp_path / "out").code == 0
    assert run("verify", tmp_path / "out", "--trust", KEY).code == 6


def test_another_bundle_gives_what_it_has(run: Run, tmp_path: Path) -> None:
    nodes = nodes_of(MIRRORS / "v3-signed")
    with serving(MIRRORS / "v3-signed") as server:
        old = environment(tmp_path / "old-env", nodes, signed(server.url), ["xz", "zlib-ng"])
        run("bundle", old, "-o", tmp_path / "old")
        asked = len(server.log)
        new = environment(tmp_path / "new-env", nodes, signed(server.url))
        result = run("bundle", new, "-o", tmp_path / "new", "--from", tmp_path / "old", "--json")
        sent = {path for path, status in server.log[asked:] if status == 200}
    assert files(tmp_path / "new") == files(MIRRORS / "v3-signed")
    assert (result.document["taken"]["files"], result.document["fetched"]["files"]) == (9, 6)
    assert not any("/xz/" in path or "/zlib-ng/" in path for path in sent)
    shared = [path for path in (tmp_path / "new" / "blobs").rglob("*") if path.is_file() and path.stat().st_nlink > 1]
    assert len(shared) == 6


def test_a_damaged_file_of_another_bundle_is_fetched(run: Run, tmp_path: Path) -> None:
    old = mirror("v3-signed", tmp_path / "old")
    for path in (old / "blobs").rglob("*"):
        if path.is_file():
            path.write_bytes(b"x" * path.stat().st_size)
    assert run("bundle", env_of("v3-signed", tmp_path), "-o", tmp_path / "new", "--from", old).code == 0
    assert files(tmp_path / "new") == files(MIRRORS / "v3-signed")


def test_a_bundle_that_was_damaged_is_mended(run: Run, tmp_path: Path) -> None:
    env = env_of("v3-signed", tmp_path)
    run("bundle", env, "-o", tmp_path / "out")
    archive, metadata = blobs(tmp_path / "out", "xz")
    archive.write_bytes(b"x" * archive.stat().st_size)
    metadata.unlink()
    (tmp_path / "out" / "v3" / "manifests" / "spec" / "zlib-ng").rename(tmp_path / "gone")
    assert run("bundle", env, "-o", tmp_path / "out", "--json").document["fetched"]["files"] == 3
    assert files(tmp_path / "out") == files(MIRRORS / "v3-signed")


def test_a_delta_and_what_it_is_against_make_the_whole_offline(run: Run, tmp_path: Path) -> None:
    nodes = nodes_of(MIRRORS / "v3-signed")
    with serving(MIRRORS / "v3-signed") as server:
        old = environment(tmp_path / "old-env", nodes, signed(server.url), ["xz", "zlib-ng"])
        new = environment(tmp_path / "new-env", nodes, signed(server.url))
        run("bundle", old, "-o", tmp_path / "old")
        assert run("bundle", new, "-o", tmp_path / "delta", "--from", tmp_path / "old", "--delta").code == 0
    delta = files(tmp_path / "delta")
    assert {name for name in files(tmp_path / "old") if name in delta and delta[name] == files(tmp_path / "old")[name]} <= {
        name for name in delta if "/key" in name or name == "v3/layout.json" or name.startswith(("blobs/sha256/88", "blobs/sha256/25"))
    }
    env = tmp_path / "delta" / "env"
    words = ("--from", tmp_path / "old", "--from", tmp_path / "delta", "--offline")
    assert run("bundle", env, "-o", tmp_path / "joined", *words).code == 0
    assert files(tmp_path / "joined") == files(MIRRORS / "v3-signed")
    assert run("verify", tmp_path / "joined").code == 0
    assert run("bundle", env, "-o", tmp_path / "part", "--from", tmp_path / "delta", "--offline").code == 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--delta"], "nothing that a delta is against"),
        (["--from", "."], "is no bundle"),
        (["--from", "out"], "cannot be filled from itself"),
    ],
)
def test_bundles_that_cannot_be_taken_from(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    env = env_of("v3-signed", tmp_path)
    run("bundle", env, "-o", "out")
    result = run("bundle", env, "-o", "out", *words)
    assert result.code == 3
    assert message in result.err


def test_packages_of_another_closure_are_not_left_beside_the_index(run: Run, tmp_path: Path) -> None:
    env = env_of("v3-signed", tmp_path)
    run("bundle", env, "-o", tmp_path / "out")
    small = environment(tmp_path / "small", nodes_of(MIRRORS / "v3-signed"), signed((MIRRORS / "v3-signed").as_uri()), ["xz"])
    before = files(tmp_path / "out")
    result = run("bundle", small, "-o", tmp_path / "out")
    assert result.code == 3
    assert "holds 3 other packages" in result.err
    assert files(tmp_path / "out") == before
    assert run("bundle", small, "-o", tmp_path / "out", "--prune").code == 0
    run("bundle", small, "-o", tmp_path / "fresh")
    assert files(tmp_path / "out", without="-") == files(tmp_path / "fresh", without="-")
    assert run("bundle", env, "-o", tmp_path / "out").code == 0
    assert files(tmp_path / "out") == before


def test_a_damaged_manifest_is_the_fault_of_its_mirror(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    packages(root)[0].write_text("{")
    env = environment(tmp_path / "env", nodes_of(root), {"origin": {"url": root.as_uri()}})
    result = run("bundle", env, "-o", tmp_path / "out")
    assert result.code == 5
    assert "not a manifest of a layout v3 mirror" in result.err
    assert not (tmp_path / "out" / "v3").exists()


def test_a_dry_run_says_sizes_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    result = run("bundle", env_of("v2-signed", tmp_path), "-o", tmp_path / "out", "--dry-run")
    assert (result.code, result.out) == (0, "")
    assert "to fetch: 10 files, 21.0 kB" in result.err
    assert not (tmp_path / "out").exists()


def test_a_disk_without_room_is_said_before_anything_is_fetched(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Folder, "free", lambda _: 1000)
    result = run("bundle", env_of("v3-signed", tmp_path), "-o", tmp_path / "out")
    assert result.code == 3
    assert "has room for 1000 bytes" in result.err
    assert not (tmp_path / "out").exists()


def test_one_run_at_a_time(run: Run, tmp_path: Path) -> None:
    with Folder(tmp_path / "out").alone():
        result = run("bundle", env_of("v3-signed", tmp_path), "-o", tmp_path / "out")
    assert result.code == 3
    assert "is being written by another run" in result.err


def test_a_gcc_runtime_that_nobody_has_is_only_said(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    shutil.rmtree(root / "v3" / "manifests" / "spec" / "gcc-runtime")
    env = environment(tmp_path / "env", nodes_of(root), signed(root.as_uri()))
    result = run("bundle", env, "-o", tmp_path / "out")
    assert result.code == 0
    assert "note: gcc-runtime/ivkcqei is in no mirror" in result.err
    for checked in (tmp_path / "out", env):
        verified = run("verify", checked)
        assert (verified.code, "note: gcc-runtime/ivkcqei is in no mirror" in verified.err) == (0, True)
    shutil.rmtree(root / "v3" / "manifests" / "spec" / "xz")
    assert run("bundle", env, "-o", tmp_path / "out2").code == 6


def test_a_closure_with_a_hole_is_refused(run: Run, tmp_path: Path) -> None:
    nodes = nodes_of(MIRRORS / "v3-signed")
    hole = {key: node for key, node in nodes.items() if node["name"] != "xz"}
    env = environment(tmp_path / "env", hole, signed((MIRRORS / "v3-signed").as_uri()))
    result = run("bundle", env, "-o", tmp_path / "out")
    assert result.code == 3
    assert "needs xz/mxjilyf, of which there is no node" in result.err


def test_of_a_spliced_package_the_binary_that_was_built_is_fetched(run: Run, tmp_path: Path) -> None:
    nodes = nodes_of(MIRRORS / "v3-signed")
    (xml,) = (node for node in nodes.values() if node["name"] == "libxml2")
    spliced = {**xml, "hash": f"{'s' * 25}{xml['hash'][-7:]}", "build_spec": {"name": xml["name"], "hash": xml["hash"]}}
    env = environment(tmp_path / "env", {**nodes, spliced["hash"]: spliced}, signed((MIRRORS / "v3-signed").as_uri()), [spliced["hash"]])
    assert run("bundle", env, "-o", tmp_path / "out").code == 0
    assert len(packages(tmp_path / "out")) == 5
    listed = nodes_of(tmp_path / "out")
    assert listed[spliced["hash"]] == spliced
    assert run("verify", tmp_path / "out").code == 0
    assert run("verify", env).code == 0


def test_nodes_of_the_newest_format_have_the_index_that_holds_them(run: Run, tmp_path: Path) -> None:
    from fakes.mirrors import node, put_v3_spec

    one = {**node("zlib"), "provided_virtuals": ["zlib-api"], "annotations": {"original_specfile_version": 6}}
    put_v3_spec(tmp_path / "m", one)
    env = environment(tmp_path / "env", {one["hash"]: one}, {"m": (tmp_path / "m").as_uri()}, ["zlib"])
    assert run("bundle", env, "-o", tmp_path / "out").code == 0
    (entry,) = json.loads((tmp_path / "out" / "v3/manifests/index/index.manifest.json").read_text())["data"]
    assert entry["mediaType"] == "application/vnd.spack.db.v9+json"
    assert nodes_of(tmp_path / "out") == {one["hash"]: one}
