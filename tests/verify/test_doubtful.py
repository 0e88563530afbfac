"""Faults that look right at a glance: keys under other names, more than is signed, an index that tells another story, what nobody wrote."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from fakes.environments import KEY, MIRRORS, blobs, environment, mirror, nodes_of
from fakes.mirrors import SPEC5, blob, blob_file, index, manifest, put_v3

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not installed")
KEYS = "application/pgp-keys"
OTHER = "B" * 40


def kinds(run: Run, *words: object) -> set[str]:
    result = run("verify", *words, "--json")
    found = {one["kind"] for one in result.document["findings"]}
    assert result.code == (6 if found else 0)
    return found


def package(root: Path, name: str = "xz") -> Path:
    (path,) = root.glob(f"v3/manifests/spec/{name}/*")
    return path


def unsigned(root: Path) -> Path:
    """Take the signatures off."""
    for path in root.glob("v3/manifests/spec/*/*"):
        text = path.read_text()
        path.write_text(text[text.index("{") : text.rindex("}") + 1])
    return root


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "more\n",
        lambda text: text + "-----BEGIN PGP SIGNATURE-----\n",
        lambda text: text + text,
        lambda text: text.replace("Hash: SHA512", "Hash: SHA512\nHash: SHA512", 1),
        lambda text: re.sub(r"\n\{", '\n{"version":3,"data":[],', text, count=1),
        lambda text: re.sub(r"Hash: \w+\n", "", text, count=1),
    ],
    ids=["text after", "mark after", "twice", "two heads", "a key more", "no head"],
)
def test_more_than_is_signed(run: Run, tmp_path: Path, change: Callable[[str], str]) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    package(root).write_text(change(package(root).read_text()))
    assert kinds(run, root) == {"signature"}


def test_line_ends_of_another_system_are_no_fault(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    package(root).write_bytes(package(root).read_bytes().replace(b"\n", b"\r\n"))
    assert kinds(run, root) == set()


def test_a_key_under_the_name_of_another(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    listed = json.dumps({"keys": {OTHER: {}}}).encode()
    (root / "v3/manifests/key/keys.manifest.json").write_bytes(manifest(blob(root, listed, KEYS)))
    (root / f"v3/manifests/key/{KEY}.key.manifest.json").rename(root / f"v3/manifests/key/{OTHER}.key.manifest.json")
    result = run("verify", root, "--json")
    (found,) = result.document["findings"]
    assert (found["kind"], KEY in found["what"], OTHER in found["what"]) == ("keys", True, True)


def test_a_key_that_is_none(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    (root / f"v3/manifests/key/{KEY}.key.manifest.json").write_bytes(manifest(blob(root, b"no key", KEYS)))
    assert kinds(run, root) == {"keys", "unknown-key"}
    (tmp_path / "key").write_text("no key")
    result = run("verify", MIRRORS / "v3-signed", "--key", tmp_path / "key")
    assert (result.code, "no key that GnuPG takes" in result.err) == (5, True)


def another(spec: dict[str, Any]) -> None:
    spec.update(name="evil")


def another_variant(spec: dict[str, Any]) -> None:
    spec["parameters"]["pic"] = "maybe"


def without_dependencies(spec: dict[str, Any]) -> None:
    spec["dependencies"] = []


def as_another_spack_writes_it(spec: dict[str, Any]) -> None:
    flags = {key: value for key, value in spec["parameters"].items() if value != []}
    spec.update(dependencies=spec["dependencies"][::-1], parameters=dict(reversed(flags.items())), provided_virtuals=[], more=1)


@pytest.mark.parametrize(
    ("change", "wrong"), [(another, True), (another_variant, True), (without_dependencies, True), (as_another_spack_writes_it, False)]
)
def test_an_index_that_states_another_spec(run: Run, tmp_path: Path, change: Callable[[dict[str, Any]], None], wrong: bool) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    pointer = root / "v3/manifests/index/index.manifest.json"
    (entry,) = json.loads(pointer.read_text())["data"]
    document = json.loads(blob_file(root, entry).read_text())
    (record,) = (one for one in document["database"]["installs"].values() if one["spec"]["name"] == "libxml2")
    change(record["spec"])
    pointer.write_bytes(manifest(blob(root, json.dumps(document).encode(), entry["mediaType"])))
    assert kinds(run, root) == ({"index"} if wrong else set())


@pytest.mark.parametrize(
    ("old", "new"),
    [('"original_specfile_version":5', '"original_specfile_version":"x"'), ('"parameters":', f'"more":{"9" * 5000},"parameters":')],
    ids=["a version that is no number", "a number that nobody can read"],
)
def test_a_spec_that_spack_never_wrote(run: Run, tmp_path: Path, old: str, new: str) -> None:
    root = unsigned(mirror("v3-signed", tmp_path / "m"))
    text = gzip.decompress(blobs(root, "xz")[1].read_bytes()).decode()
    compact = json.dumps(json.loads(text), separators=(",", ":"))
    stated = json.loads(package(root).read_text())
    stated["data"][1] = blob(root, gzip.compress(compact.replace(old, new, 1).encode()), SPEC5)
    package(root).write_text(json.dumps(stated))
    assert {"dag-hash", "damaged"} <= kinds(run, root)


def test_of_two_statements_of_a_blob_the_first_counts(run: Run, tmp_path: Path) -> None:
    root = unsigned(mirror("v3-signed", tmp_path / "m"))
    stated = json.loads(package(root).read_text())
    stated["data"].insert(0, {**stated["data"][0], "contentLength": 5})
    package(root).write_text(json.dumps(stated))
    assert kinds(run, root) == {"length"}


def test_a_manifest_that_is_a_pipe_hides_no_other_fault(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    path = package(root, "libxml2")
    path.unlink()
    os.mkfifo(path)
    blobs(root, "xz")[0].unlink()
    assert {"damaged", "missing-blob"} <= kinds(run, root)


def test_a_mirror_without_packages_is_not_sound(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m" / "v3" / "manifests").mkdir(parents=True)
    assert kinds(run, tmp_path / "m") == {"missing-manifest"}


def test_a_bundle_that_was_carried_over_in_part(run: Run, tmp_path: Path) -> None:
    root = MIRRORS / "v3-signed"
    env = environment(tmp_path / "env", nodes_of(root), {"origin": {"url": root.as_uri(), "signed": True}})
    out = tmp_path / "out"
    run("bundle", env, "-o", out)
    (out / "env" / "spack.lock").write_text("{")
    assert kinds(run, out) == {"damaged"}
    shutil.copyfile(env / "spack.lock", out / "env" / "spack.lock")
    shutil.rmtree(out / "v3")
    assert kinds(run, out) == {"missing-manifest"}


def test_what_nobody_looked_at_is_not_said_to_be_sound(run: Run, tmp_path: Path) -> None:
    root = MIRRORS / "v3-signed"
    env = environment(tmp_path / "env", nodes_of(root), {"origin": {"url": "http://127.0.0.1:9"}})
    assert run("verify", env).err.splitlines()[-1].endswith("5 not found where was looked: nothing is wrong with these")


def test_the_index_of_a_view_is_not_said_to_be_useless(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "m")
    put_v3(root, index(*nodes_of(root).values()), view="mine")
    assert run("verify", root, "--json").document["notes"] == []
