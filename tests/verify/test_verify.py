"""Every planted fault is found and named; what is whole is not complained of."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from fakes.environments import KEY, MIRRORS, archive_of, blobs, environment, files, mirror, nodes_of
from fakes.faulty_server import spoiled
from fakes.http_server import status
from fakes.mirrors import blob, manifest, put

ARCHIVE = "application/vnd.spack.install.v2.tar+gzip"
SPEC = "application/vnd.spack.spec.v5+json"
Plant = Callable[[Path], None]
gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not installed")
pytestmark = gpg


def one(root: Path, name: str) -> Path:
    (path,) = [*root.glob(f"v3/manifests/spec/{name}/*"), *root.glob(f"build_cache/*-{name}-[0-9]*.spec.json*")]
    return path


def archive(root: Path) -> Path:
    return archive_of(root, "xz")


def body_of(path: Path) -> str:
    text = path.read_text()
    return text[text.index("{") : text.rindex("}") + 1]


def no_archive(root: Path) -> None:
    archive(root).unlink()


def no_metadata(root: Path) -> None:
    blobs(root, "xz")[1].unlink()


def flipped(root: Path) -> None:
    data = archive(root).read_bytes()
    archive(root).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def longer(root: Path) -> None:
    archive(root).write_bytes(archive(root).read_bytes() + b"x")


def shorter(root: Path) -> None:
    archive(root).write_bytes(archive(root).read_bytes()[:-20])


def no_manifest(root: Path) -> None:
    one(root, "xz").unlink()


def not_signed(root: Path) -> None:
    path = one(root, "xz")
    text = body_of(path)
    path.unlink()
    path.with_name(path.name.removesuffix(".sig")).write_text(text)


def changed_after_signing(root: Path) -> None:
    path = one(root, "xz")
    path.write_text(path.read_text().replace('"version":', '"version": ', 1))


def no_key(root: Path) -> None:
    for path in [*root.glob("v3/manifests/key/*"), *root.glob("build_cache/_pgp/*")]:
        path.unlink()


def another_package(root: Path) -> None:
    shutil.copyfile(one(root, "zlib-ng"), one(root, "xz"))


def damaged_manifest(root: Path) -> None:
    one(root, "xz").write_text("{")


def index_of(root: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the records of the index, and what is stated of it."""
    path = root / "build_cache" / "index.json"
    if path.exists():
        document = json.loads(path.read_text())
        change(document["database"]["installs"])
        put(path, json.dumps(document).encode())
        put(path.with_name("index.json.hash"), hashlib.sha256(path.read_bytes()).hexdigest().encode())
        return
    pointer = root / "v3" / "manifests" / "index" / "index.manifest.json"
    (entry,) = json.loads(pointer.read_text())["data"]
    document = json.loads((root / "blobs" / "sha256" / entry["checksum"][:2] / entry["checksum"]).read_text())
    change(document["database"]["installs"])
    put(pointer, manifest(blob(root, json.dumps(document).encode(), entry["mediaType"])))


def unlisted(root: Path) -> None:
    def change(installs: dict[str, Any]) -> None:
        for record in installs.values():
            record["in_buildcache"] &= record["spec"]["name"] != "xz"

    index_of(root, change)


def listed_in_vain(root: Path) -> None:
    def change(installs: dict[str, Any]) -> None:
        for record in installs.values():
            record["in_buildcache"] |= record["spec"]["name"] == "glibc"

    index_of(root, change)


def no_index(root: Path) -> None:
    for path in [*root.glob("v3/manifests/index/*"), *root.glob("build_cache/index.json")]:
        path.unlink()


def damaged_index(root: Path) -> None:
    path = root / "build_cache" / "index.json"
    if path.exists():
        path.write_bytes(path.read_bytes() + b" ")
    else:
        no_blob_of_index(root)


def no_blob_of_index(root: Path) -> None:
    (entry,) = json.loads((root / "v3" / "manifests" / "index" / "index.manifest.json").read_text())["data"]
    (root / "blobs" / "sha256" / entry["checksum"][:2] / entry["checksum"]).unlink()


def repacked(root: Path, change: Callable[[bytes, dict[str, Any]], tuple[bytes, dict[str, Any]]]) -> None:
    """A package of layout v3 made anew by somebody who states what is there; it is not signed."""
    files = blobs(root, "xz")
    tar, document = change(files[0].read_bytes(), json.loads(gzip.decompress(files[1].read_bytes())))
    text = manifest(blob(root, tar, ARCHIVE), blob(root, gzip.compress(json.dumps(document).encode(), mtime=0), SPEC))
    one(root, "xz").write_bytes(text)


def other_node(root: Path) -> None:
    def change(tar: bytes, document: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
        document["spec"]["nodes"][0]["parameters"]["pic"] = not document["spec"]["nodes"][0]["parameters"]["pic"]
        return tar, document

    repacked(root, change)


def cut_before_it_was_pushed(root: Path) -> None:
    repacked(root, lambda tar, document: (tar[:-20], document))


def no_gzip(root: Path) -> None:
    repacked(root, lambda _, document: (b"a tar that is none", document))


def gone_key_blob(root: Path) -> None:
    (path,) = root.glob(f"v3/manifests/key/{KEY}*")
    path.unlink()


BOTH: dict[Plant, set[str]] = {
    no_archive: {"missing-blob"},
    flipped: {"checksum"},
    longer: {"length"},
    shorter: {"truncated"},
    no_manifest: {"index-dangling", "incomplete-closure"},
    not_signed: {"unsigned"},
    changed_after_signing: {"signature"},
    no_key: {"unknown-key"},
    damaged_manifest: {"damaged", "index-dangling", "incomplete-closure"},
    unlisted: {"index-lacks"},
    listed_in_vain: {"index-dangling"},
    no_index: {"index"},
    damaged_index: {"index"},
}
V3_ONLY: dict[Plant, set[str]] = {
    no_metadata: {"missing-blob"},
    another_package: {"wrong-package"},
    other_node: {"dag-hash", "unsigned"},
    cut_before_it_was_pushed: {"truncated", "unsigned"},
    no_gzip: {"damaged", "unsigned"},
    gone_key_blob: {"keys", "unknown-key"},
}
V2_ALIKE: dict[Plant, set[str]] = {
    flipped: {"checksum"},
    longer: {"checksum"},
    shorter: {"truncated"},
    another_package: {"wrong-package"},
}
CASES = [("v3-signed", plant, kinds) for plant, kinds in {**BOTH, **V3_ONLY}.items()]
CASES += [("v2-signed", plant, kinds) for plant, kinds in {**BOTH, **V2_ALIKE}.items()]


@pytest.mark.parametrize(("layout", "plant", "kinds"), CASES, ids=[f"{layout} {plant.__name__}" for layout, plant, _ in CASES])
def test_every_planted_fault_is_found(run: Run, tmp_path: Path, layout: str, plant: Plant, kinds: set[str]) -> None:
    root = mirror(layout, tmp_path / "m")
    plant(root)
    result = run("verify", root, "--json")
    assert result.code == 6
    document = result.document
    assert {one["kind"] for one in document["findings"]} == kinds
    assert all(one["remedy"] and one["what"] and one["mirror"] == "m" for one in document["findings"])
    assert document["schema"] == "spack-resolver/verify/1"


@pytest.mark.parametrize(
    ("plant", "kinds"),
    [
        (no_archive, {"missing-blob"}),
        (flipped, {"checksum"}),
        (shorter, {"truncated"}),
        (no_manifest, {"missing-manifest"}),
        (not_signed, {"unsigned"}),
        (changed_after_signing, {"signature"}),
        (no_key, {"unknown-key"}),
        (another_package, {"wrong-package"}),
        (damaged_manifest, {"damaged"}),
        (unlisted, {"index-lacks"}),
        (listed_in_vain, set()),
        (no_index, set()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_of_an_environment_what_it_needs_is_looked_at(run: Run, tmp_path: Path, plant: Plant, kinds: set[str]) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    env = environment(tmp_path / "env", nodes_of(root), {"origin": {"url": root.as_uri(), "signed": True}})
    other = environment(tmp_path / "other", nodes_of(root), {"origin": {"url": root.as_uri(), "signed": True}}, ["zlib-ng"])
    plant(root)
    result = run("verify", env, "--json")
    assert {one["kind"] for one in result.document["findings"]} == kinds
    assert result.code == (6 if kinds else 0)
    assert run("verify", other).code == (6 if plant is no_key else 0)


def test_the_table_names_package_place_and_remedy(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    flipped(root)
    result = run("verify", root)
    assert result.out.splitlines()[1].split()[:2] == ["checksum", "xz/mxjilyf"]
    assert archive(root).as_uri() in result.out
    assert "checksum (1): fetch the file again" in result.err
    assert "5 packages are signed by AFC07ED91076590135FCCC7DBB9298E6202EDAD0" in result.err
    assert result.err.splitlines()[-1].startswith("5 packages, 15 files, 11.5 kB checked: 1 finding")


def test_whose_signatures_count_can_be_said(run: Run, tmp_path: Path) -> None:
    root = MIRRORS / "v3-signed"
    assert run("verify", root, "--trust", "AFC0 7ED9 1076 5901 35FC  CC7D BB92 98E6 202E DAD0").code == 0
    other = run("verify", root, "--trust", "A" * 40, "--json").document["findings"]
    assert {(one["kind"], KEY in one["what"]) for one in other} == {("unknown-key", True)}
    key = tmp_path / "key"
    key.write_bytes((MIRRORS / "v2-signed" / "build_cache" / "_pgp" / f"{KEY}.pub").read_bytes())
    bare = mirror("v3-signed", tmp_path / "m")
    no_key(bare)
    assert run("verify", bare, "--key", key).code == 0
    assert run("verify", bare, "--key", key, "--trust", "A" * 40).code == 6
    assert run("verify", root, "--trust", "A7").code == 3
    assert run("verify", root, "--key", tmp_path / "none").code == 3


def test_who_names_a_key_wants_signatures(run: Run, tmp_path: Path) -> None:
    from fakes.mirrors import index, node, put_v3, put_v3_spec

    zlib = node("zlib")
    put_v3_spec(tmp_path / "m", zlib)
    put_v3(tmp_path / "m", index(zlib))
    kinds = [one["kind"] for one in run("verify", tmp_path / "m", "--json", "--trust", KEY).document["findings"]]
    assert kinds == ["damaged", "unsigned"]
    assert [one["kind"] for one in run("verify", tmp_path / "m", "--json").document["findings"]] == ["damaged"]
    assert [one["kind"] for one in run("verify", tmp_path / "m", "--json", "--signed").document["findings"]] == ["damaged", "unsigned"]


def test_without_gnupg_only_those_who_want_signatures_fail(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACK_RESOLVER_GPG", "no-such-program")
    root = MIRRORS / "v3-signed"
    result = run("verify", root)
    assert (result.code, result.out.count("no-gpg")) == (6, 1)
    assert "install GnuPG (gpg)" in result.err
    assert run("verify", root, "--unsigned").code == 0
    env = environment(tmp_path / "env", nodes_of(root), {"origin": {"url": root.as_uri(), "signed": False}})
    loose = run("verify", env)
    assert (loose.code, "signatures are not checked, since GnuPG (gpg) is not installed" in loose.err) == (0, True)


def test_what_is_signed_is_what_is_read(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    path = one(root, "xz")
    evil = json.loads(body_of(one(root, "zlib-ng")))
    text = path.read_text()
    begin = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
    path.write_text(f"{begin}{json.dumps(evil)}\n-----BEGIN PGP SIGNATURE-----\n\n{text.replace('- ', '')}")
    assert "signature" in {one["kind"] for one in run("verify", root, "--json").document["findings"]}


def test_a_bundle_is_checked_against_the_environment_in_it(run: Run, tmp_path: Path) -> None:
    nodes = nodes_of(MIRRORS / "v3-signed")
    env = environment(tmp_path / "env", nodes, {"origin": {"url": (MIRRORS / "v3-signed").as_uri(), "signed": True}})
    run("bundle", env, "-o", tmp_path / "out")
    run(
        "bundle",
        environment(tmp_path / "small", nodes, {"origin": {"url": (tmp_path / "out").as_uri()}}, ["xz"]),
        "-o",
        tmp_path / "part",
        "--no-env",
    )
    shutil.copytree(tmp_path / "out" / "env", tmp_path / "part" / "env")
    findings = run("verify", tmp_path / "part", "--json").document["findings"]
    assert sorted((one["kind"], one["name"]) for one in findings) == [
        ("missing-manifest", name) for name in ("libiconv", "libxml2", "zlib-ng")
    ]


def test_what_nothing_needs_is_only_noted(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    put(root / "blobs" / "sha256" / "ab" / ("ab" * 32), b"left over")
    put(root / ".incomplete" / "x", b"half")
    result = run("verify", root)
    assert result.code == 0
    assert "1 blobs (9 bytes) are of no manifest" in result.err
    assert "were never fetched whole" in result.err


def test_remote_mirrors_are_asked_when_it_is_said(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    with spoiled(root) as server:
        env = environment(tmp_path / "env", nodes_of(root), {"origin": {"url": server.url, "signed": True}})
        quiet = run("verify", env)
        assert (quiet.code, server.seen) == (5, [])
        assert "none of the 5 packages was looked at: all mirrors are elsewhere" in quiet.err
        assert "not asked: origin; --remote asks mirrors that are elsewhere" in quiet.err
        assert quiet.err.splitlines()[-1].startswith("0 packages")
        assert run("verify", env, "--remote").code == 0
        assert not [seen for seen in server.seen if "blobs" in seen.target and "88f878" not in seen.target and "range" not in seen.headers][
            1:
        ]
        flipped(root)
        assert run("verify", env, "--remote").code == 0
        assert {one["kind"] for one in run("verify", env, "--deep", "--json").document["findings"]} == {"checksum"}
        shorter(root)
        assert {one["kind"] for one in run("verify", env, "--remote", "--json").document["findings"]} == {"truncated"}
        no_archive(root)
        assert {one["kind"] for one in run("verify", env, "--remote", "--json").document["findings"]} == {"missing-blob"}
        no_manifest(root)
        assert {one["kind"] for one in run("verify", env, "--remote", "--json").document["findings"]} == {"missing-manifest"}
        unlisted(root)
        assert {one["kind"] for one in run("verify", env, "--deep", "--json").document["findings"]} == {"missing-manifest"}


def test_a_mirror_that_cannot_be_asked_is_an_error_and_no_finding(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    with spoiled(root) as server:
        env = environment(tmp_path / "env", nodes_of(root), {"origin": {"url": server.url, "signed": True}})
        path = one(root, "xz").relative_to(root).as_posix()
        server.spoil(path, status(403), forever=True)
        result = run("verify", env, "--remote", "--json")
    assert result.code == 5
    assert (result.document["findings"], len(result.document["errors"]), result.document["checked"]["unchecked"]) == ([], 1, 1)
    gone = environment(tmp_path / "gone", nodes_of(root), {"origin": {"url": (tmp_path / "nowhere").as_uri()}})
    assert run("verify", gone).code == 5


def test_a_closure_with_a_hole_is_a_finding(run: Run, tmp_path: Path) -> None:
    root = MIRRORS / "v3-signed"
    hole = {key: node for key, node in nodes_of(root).items() if node["name"] != "xz"}
    env = environment(tmp_path / "env", hole, {"origin": {"url": root.as_uri()}})
    (found,) = run("verify", env, "--json").document["findings"]
    assert (found["kind"], "needs xz/mxjilyf" in found["what"]) == ("incomplete-closure", True)


@pytest.mark.parametrize("words", [["--mirror", "x"], ["--machine", "x"]])
def test_a_mirror_has_no_other_mirrors(run: Run, words: list[str]) -> None:
    assert run("verify", MIRRORS / "v3-signed", *words).code == 3


def test_what_is_none_of_these(run: Run, tmp_path: Path) -> None:
    result = run("verify", tmp_path)
    assert result.code == 3
    assert "no environment and no lock" in result.err
    assert "it is a mirror itself" in run("urls", MIRRORS / "v3-signed").err
    assert files(tmp_path, without="-").keys() <= {"catalog.sqlite"}
