from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import Run

from resolver.api import configuration
from resolver.errors import InputError

ARCH = ("--arch", "linux-ubuntu24.04-x86_64_v3", "--libc", "glibc@2.39")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A stack whose definitions, packages and mirrors are in what it includes."""
    write(
        tmp_path / "stacks" / "demo" / "spack.yaml",
        "spack:\n  include: [../../ci]\n  specs: [$tools, zlib]\n  packages: {all: {require: [+a]}}\n",
    )
    write(
        tmp_path / "ci" / "include.yaml",
        "include:\n- path: linux\n  when: platform == 'linux' and env.get('STAGE') == 'test'\n- base.yaml\n",
    )
    write(tmp_path / "ci" / "linux" / "packages.yaml", "packages: {all: {require: [target=x86_64_v3]}}\n")
    write(tmp_path / "ci" / "base.yaml", "definitions:\n- tools: [cmake, ninja]\nconcretizer: {unify: false}\n")
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_expand_follows_the_tree_for_the_machine(run: Run, tree: Path) -> None:
    (group,) = run("expand", tree / "stacks" / "demo", *ARCH, "--env", "STAGE=test", "--json").document["groups"]
    assert group["specs"] == ["cmake", "ninja", "zlib"]
    assert group["unify"] is False
    assert group["packages"] == {"all": {"require": ["+a", "target=x86_64_v3"]}}
    (elsewhere,) = run("expand", tree / "stacks" / "demo", "--arch", "darwin-sequoia-m1", "--env", "STAGE=test", "--json").document[
        "groups"
    ]
    assert elsewhere["packages"] == {"all": {"require": ["+a"]}}


def test_without_includes_none_is_read(run: Run, tmp_path: Path) -> None:
    stack = write(
        tmp_path / "spack.yaml",
        "spack:\n  include: [/nowhere, 'https://example.org/x.yaml']\n  include_concrete: [/gone]\n  specs: [zlib]\n",
    )
    assert run("expand", stack, *ARCH, "--no-include").out == "zlib\n"
    refused = run("expand", stack, *ARCH)
    assert refused.code == 3
    for word in ("/nowhere", "https://example.org/x.yaml", "/gone", "--include-root", "--no-include"):
        assert word in refused.err


def test_a_directory_stands_for_what_is_elsewhere(run: Run, tree: Path) -> None:
    stack = write(
        tree / "git" / "spack.yaml",
        "spack:\n  include:\n  - git: https://example.org/c.git\n    tag: v1\n    paths: [base.yaml]\n  specs: [$tools]\n",
    )
    result = run("expand", stack, *ARCH, "--include-root", f"https://example.org/c={tree / 'ci'}")
    assert result.out == "cmake\nninja\n"


@pytest.mark.parametrize(("option", "value"), [("--include-root", "https://x"), ("--include-root", "=/x"), ("--env", "x")])
def test_options_of_a_wrong_form_are_usage_errors(run: Run, tree: Path, option: str, value: str) -> None:
    assert run("expand", tree / "stacks" / "demo", *ARCH, option, value).code == 2


def test_the_hosts_configuration_counts_only_when_it_is_asked_for(run: Run, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = tree / "home" / ".spack"
    write(host / "packages.yaml", "packages: {all: {require: [+host]}}\n")
    for name, value in {"HOME": host.parent, "SPACK_USER_CONFIG_PATH": host, "SPACK_SYSTEM_CONFIG_PATH": host, "STAGE": "test"}.items():
        monkeypatch.setenv(name, str(value))
    stack = tree / "stacks" / "demo"
    (group,) = run("expand", stack, *ARCH, "--json").document["groups"]
    assert group["packages"] == {"all": {"require": ["+a"]}}
    (group,) = run("expand", stack, *ARCH, "--spack-config", host, "--json").document["groups"]
    assert group["packages"] == {"all": {"require": ["+a", "+host"]}}
    assert run("expand", stack, *ARCH, "--spack-config", tree / "stacks").code == 3


def test_a_pipe_and_a_device_are_refused(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for name in (tmp_path / "pipe.yaml", "/dev/zero"):
        result = run("expand", write(tmp_path / "spack.yaml", f"spack:\n  include: [{name}]\n  specs: [zlib]\n"), *ARCH)
        assert result.code == 3
        assert "no plain file" in result.err


def test_a_file_of_any_size_is_not_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "big.yaml", "x" * 3000)
    assert len(configuration.read_plain(str(path), 3000)) == 3000
    with pytest.raises(InputError, match="cannot be read"):
        configuration.read_plain(str(path), 2999)
    for missing in (tmp_path / "none", tmp_path, tmp_path / ("n" * 5000)):
        with pytest.raises(InputError, match="cannot be read"):
            configuration.read_plain(str(missing), 10)


def test_links_that_lead_in_circles_end(run: Run, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    write(tmp_path / "d" / "include.yaml", "include: [again]\n")
    (tmp_path / "d" / "again").symlink_to(tmp_path / "d")
    result = run("expand", write(tmp_path / "spack.yaml", "spack:\n  include: [d]\n  specs: [zlib]\n"), *ARCH)
    assert result.code in (0, 3)
    assert "Traceback" not in result.err
    assert run("expand", write(tmp_path / "spack.yaml", "spack:\n  include: [loop]\n  specs: [zlib]\n"), *ARCH).code == 3


def lock_of(path: Path, key: str) -> Path:
    node = {"name": "py-rasterio", "version": "1.4.3", "hash": key}
    lock = {"_meta": {"lockfile-version": 6}, "roots": [{"hash": key, "spec": "py-rasterio"}], "concrete_specs": {key: node}}
    return write(path, json.dumps(lock))


def test_roots_of_an_included_lockfile_are_pinned_in_a_group_of_their_own(page: Run, tmp_path: Path) -> None:
    machine = ("--arch", "linux-ubuntu24.04-x86_64_v3", "--libc", "glibc@2.39")
    found = page("find", "py-rasterio", *machine, "--json").document["records"]
    key = found[-1]["hash"]
    lock_of(tmp_path / "base" / "spack.lock", key)
    for manifest in ("include: [base/spack.lock]", "include_concrete: [base]"):
        stack = write(tmp_path / "spack.yaml", f"spack:\n  {manifest}\n  specs: []\n")
        default, locked = page("expand", stack, *machine, "--json").document["groups"]
        assert (default["specs"], locked["name"], locked["specs"]) == ([], "included-base", [f"py-rasterio/{key}"])
        (group,) = page("resolve", stack, *machine, "--json").document["groups"]
        assert [root["hash"] for root in group["roots"]] == [key]


def test_a_damaged_lockfile_is_told(run: Run, tmp_path: Path) -> None:
    stack = write(tmp_path / "spack.yaml", "spack:\n  include: [base/spack.lock]\n  specs: []\n")
    for text in ("{", '{"_meta": {"lockfile-version": 6}, "roots": [{"hash": "abc", "spec": "x"}], "concrete_specs": {}}'):
        write(tmp_path / "base" / "spack.lock", text)
        result = run("expand", stack, *ARCH)
        assert result.code == 3
        assert str(tmp_path / "base" / "spack.lock") in result.err


def test_commands_that_are_written_say_how_the_stack_was_read(page: Run, tree: Path) -> None:
    write(tree / "ci" / "base.yaml", "definitions:\n- tools: [py-rasterio]\n")
    stack = write(tree / "spack.yaml", "spack:\n  include: [$spack/base.yaml, {path: /nowhere, optional: true}]\n  specs: [$tools]\n")
    words = ("--env", "A=b", "--include-root", f"$spack={tree / 'ci'}", "--include-root", "https://me:secret@example.org=/x")
    result = page("matrix", stack, "--machine", "linux-ubuntu24.04-x86_64_v3", *words, "--json")
    (job,) = result.document["include"]
    for word in ("--env A=b", f"$spack={tree / 'ci'}", "https://***@example.org=/x"):
        assert word in job["command"]
    assert "secret" not in result.out


def test_what_spack_refuses_is_said_on_stderr_and_the_rest_is_used(run: Run, tree: Path) -> None:
    write(tree / "ci" / "linux" / "config.yaml", "config: {install_tree: /opt}\n")
    result = run("expand", tree / "stacks" / "demo", *ARCH, "--env", "STAGE=test")
    assert (result.code, result.out) == (0, "cmake\nninja\nzlib\n")
    assert f"{tree}/ci/linux/config.yaml:1:10" in result.err.replace(f"{tree}/stacks/demo/../../", f"{tree}/")


def test_what_cannot_be_read_is_told_with_what_spack_refuses(run: Run, tmp_path: Path) -> None:
    stack = write(tmp_path / "spack.yaml", "spack:\n  config: {install_tree: /opt}\n  specs: [$nowhere]\n")
    result = run("expand", stack, *ARCH)
    assert result.code == 3
    assert f"{stack}:2:12" in result.err
    assert "$nowhere" in result.err
