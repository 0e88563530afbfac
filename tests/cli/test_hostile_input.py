"""Wrong shapes in stacks, configurations and arguments end in an error that names the place, never in a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import DATA, ROOT, UBUNTU, Run

MACHINE = (*UBUNTU, "--target", "zen4")


@pytest.mark.parametrize(
    "text",
    [
        "packages: [a]",
        "packages: {p: foo}",
        "packages: {p: {require: 3}}",
        "packages: {p: {require: [{nothing: x}]}}",
        "packages: {p: {require: [[a]]}}",
        "packages: {p: {require: ['@@']}}",
        "packages: {p: {externals: foo}}",
        "packages: {p: {externals: [foo]}}",
        "packages: {p: {externals: [{prefix: /usr}]}}",
        "packages: {p: {externals: {spec: x}}}",
        "packages: {p: {version: ['a b [']}}",
        "packages: {p: {variants: {a: b}}}",
        "packages: {all: {providers: foo}}",
        "packages: {all: {providers: {mpi: {a: b}}}}",
        "concretizer: true",
        "concretizer: {targets: foo}",
        "concretizer: {targets: {granularity: genric}}",
        "concretizer: {reuse: {exclude: {a: b}}}",
        "concretizer: {reuse: {from: 3}}",
        "concretizer: {reuse: {from: [{type: buildcache, exclude: ['@@']}]}}",
        "definitions: foo",
        "definitions: {x: [a]}",
        "mirrors: [a]",
    ],
)
def test_sections_of_a_wrong_shape(shipped: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "spack.yaml"
    path.write_text(f"spack:\n  specs: [py-torch]\n  {text}\n")
    result = shipped("resolve", path, *MACHINE)
    assert (result.code, result.out) == (3, ""), result.err
    assert str(path) in result.err
    assert "internal" not in result.err


@pytest.mark.parametrize(
    "text",
    [
        "{a: 1}",
        "[{group: g, specs: 3}]",
        "[{group: g, specs: py-torch}]",
        "[{group: g, needs: x, specs: [a]}]",
        "[{group: [a], needs: [{x: y}], specs: [a]}]",
    ],
)
def test_specs_of_a_wrong_shape(run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "spack.yaml"
    path.write_text(f"spack:\n  specs: {text}\n")
    result = run("expand", path, *MACHINE)
    assert result.code == 3, result.out
    assert "specs" in result.err
    assert "internal" not in result.err


@pytest.mark.parametrize(
    "words",
    [
        ("sync", "s3://k:secret@[bad/x"),
        ("sync", "HTTPS://me:secret@h/x", "--offline"),
        ("sync", " https://me:secret@h/x", "--offline"),
        ("sync", "https:/me:secret@h/x", "--offline"),
        ("resolve", "https://me:secret@h/x", *MACHINE),
        ("resolve", "~nosuchuser/x", *MACHINE),
        ("resolve", "x" * 5000, *MACHINE),
        ("sync", "x" * 5000),
        ("--catalog", "~nosuch/x", "sources"),
        ("--catalog", "x" * 5000, "sources"),
        ("machine", "--machine", "x" * 5000 + ".yaml"),
        ("find", "py-torch", *MACHINE, "--labelled", "only"),
    ],
)
def test_arguments(shipped: Run, words: tuple[str, ...]) -> None:
    result = shipped(*words)
    assert result.code in (3, 5)
    assert "secret" not in result.err + result.out
    assert "internal" not in result.err


@pytest.mark.parametrize("pattern", ["(a|aa)+$", "(a?){100}a{100}x", "(a+)+b", "a*a*a*a*a*b"])
def test_conditions_cannot_hang(run: Run, tmp_path: Path, pattern: str) -> None:
    path = tmp_path / "spack.yaml"
    path.write_text(f"spack:\n  definitions: [{{a: [x], when: \"re.match('{pattern}', '{'a' * 100}b')\"}}]\n  specs: [$a]\n")
    start = time.perf_counter()
    assert run("expand", path, *MACHINE).code == 3
    assert time.perf_counter() - start < 5


def test_labelled_only_without_such_a_label(shipped: Run, tmp_path: Path) -> None:
    (tmp_path / "spack.yaml").write_text("spack: {specs: [py-torch]}")
    assert shipped("resolve", tmp_path, *MACHINE, "--labelled", "only").code == 4


def test_no_roots_is_no_success(shipped: Run, tmp_path: Path) -> None:
    (tmp_path / "spack.yaml").write_text("spack: {specs: []}")
    result = shipped("resolve", tmp_path, *MACHINE, "-o", tmp_path / "env")
    assert result.code == 4
    assert "asks for no root" in result.err
    assert not (tmp_path / "env").exists()


def test_one_broken_source_of_a_tree_leaves_the_others(run: Run, tmp_path: Path) -> None:
    import shutil

    tree = shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    (tree / "ml-darwin-aarch64-mps" / "v3" / "manifests" / "index" / "index.manifest.json").write_text('{"version": 3,')
    result = run("sync", tree, "--json")
    assert result.code == 5
    assert len(result.document["sources"]) == 3
    assert "ml-darwin-aarch64-mps" in result.document["errors"][0]["where"]


def test_many_may_make_the_catalog_at_once(tmp_path: Path) -> None:
    environment = {**os.environ, "SPACK_RESOLVER_CATALOG": str(tmp_path / "c.sqlite")}
    command = [sys.executable, "-m", "resolver", "sync", str(DATA / "mirrors" / "v3")]
    children = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(5)]
    errors = [child.communicate()[1] for child in children]
    assert [(child.returncode, text) for child, text in zip(children, errors, strict=True) if child.returncode] == []


def test_a_garbled_catalog_is_an_error(shipped: Run, catalog: Path) -> None:
    data = bytearray(catalog.read_bytes())
    data[8192:] = b"\xaa" * (len(data) - 8192)
    catalog.write_bytes(data)
    for words in (("find", "py-torch", *MACHINE), ("resolve", "ml-linux-x86_64-cpu", *MACHINE)):
        result = shipped(*words)
        assert result.code == 3, result.err
        assert "cannot be read" in result.err


def test_a_mirror_that_moved_keeps_its_name(run: Run, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(DATA / "mirrors" / "v3", tmp_path / "x" / "m")
    assert run("sync", tmp_path / "x" / "m").code == 0
    (tmp_path / "x").rename(tmp_path / "y")
    assert run("sync", tmp_path / "y" / "m").code == 0
    assert [s["location"] for s in run("sources", "--json").document["sources"]] == [str(tmp_path / "y" / "m")]


def test_mirrors_of_one_name_in_a_tree_are_told_apart(run: Run, tmp_path: Path) -> None:
    import shutil

    for folder in ("p", "q"):
        shutil.copytree(DATA / "mirrors" / "v3", tmp_path / folder / "e4s")
    assert run("sync", tmp_path).code == 0
    assert [s["name"] for s in run("sources", "--json").document["sources"]] == ["p-e4s", "q-e4s"]


def test_one_source_alone_is_all_there_is(run: Run) -> None:
    run("sync", DATA / "mirrors" / "v3", DATA / "pages" / "py-rasterio.md")
    result = run("resolve", "label:ml-linux-x86_64-cpu", *MACHINE, "--source", "v3")
    assert result.code == 3
    assert "no record is labelled" in result.err
    assert "no source has a record of py-rasterio" in run("find", "py-rasterio", *MACHINE, "--source", "v3").err


def test_jobs_say_all_that_they_were_made_with(shipped: Run) -> None:
    words = ("matrix", "ml-linux-x86_64-cpu", "--machine", "github-ubuntu-24.04", "--split", "root", "--os-policy", "strict", "--json")
    rows = shipped(*words).document["include"]
    assert len({row["id"] for row in rows}) == len(rows)
    assert rows[0]["command"].endswith("--machine github-ubuntu-24.04 --os-policy strict --partial -o env --root py-botorch")


def test_a_root_alone_is_chosen_as_among_all(shipped: Run) -> None:
    whole = shipped("resolve", "ml-linux-x86_64-cpu", *MACHINE, "--json").document["groups"][0]["roots"]
    one = shipped("resolve", "ml-linux-x86_64-cpu", *MACHINE, "--root", "py-torch", "--json").document["groups"][0]["roots"]
    assert one == [root for root in whole if root["spec"] == "py-torch"]
    assert "did you mean py-torch" in shipped("resolve", "ml-linux-x86_64-cpu", *MACHINE, "--root", "py-torhc").err


def test_stdout_takes_one_document(shipped: Run) -> None:
    for words in (("--emit", "dot", "--json"), ("--emit", "dot", "--emit", "json"), ("--emit", "dot=a", "--emit", "json=a")):
        assert shipped("resolve", "ml-linux-x86_64-cpu", *MACHINE, *words).code == 2


def test_the_libc_of_this_host_is_said(shipped: Run) -> None:
    if sys.platform == "linux":
        assert "is this host's" in shipped("find", "py-torch", "--arch", "linux-ubuntu24.04-zen4").err


def test_one_broken_source_does_not_keep_the_others_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "index.json").write_text('{"database')
    (tmp_path / "worse" / "build_cache").mkdir(parents=True)
    (tmp_path / "worse" / "build_cache" / "index.json").write_bytes(b"\x00\xff")
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "spack.lock").write_bytes((DATA / "locks" / "host-debian12.lock").read_bytes())
    result = run("sync", tmp_path)
    assert result.code == 5
    assert result.err.startswith("good: lockfile")
    assert str(tmp_path / "bad" / "index.json") in result.err
    assert str(tmp_path / "worse") in result.err


def test_a_source_keeps_its_name_when_another_of_that_name_appears(run: Run, tmp_path: Path) -> None:
    lock = (DATA / "locks" / "host-debian12.lock").read_bytes()
    for place in ("x/cpu", "y/cpu"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "spack.lock").write_bytes(lock)
        assert run("sync", tmp_path).code == 0
    lines = run("sync", tmp_path).err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["cpu: lockfile", "y-cpu: lockfile"]
    assert all(line.endswith("unchanged") for line in lines)


def test_a_file_named_by_both_output_options(shipped: Run, tmp_path: Path) -> None:
    env = tmp_path / "env"
    result = shipped("resolve", "ml-linux-x86_64-cpu", *MACHINE, "-o", env, "--emit", f"dot={env / 'spack.yaml'}")
    assert result.code == 2
    assert not env.exists()
