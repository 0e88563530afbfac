"""A ``resolver.lock`` in place of an environment: its machine's closure, its mirrors, the keys that it knows."""

from __future__ import annotations

from pathlib import Path

import yaml
from conftest import Run
from fakes.environments import KEY, MIRRORS, files, mirror, nodes_of, resolver_lock

V3 = MIRRORS / "v3-signed"
MACHINE = ("--machine", "github-ubuntu-24.04")


def test_a_machines_environment_is_bundled(run: Run, tmp_path: Path) -> None:
    lock = resolver_lock(tmp_path, nodes_of(V3), V3.as_uri())
    assert run("bundle", lock, *MACHINE, "-o", tmp_path / "out").code == 0
    assert files(tmp_path / "out") == files(V3)
    body = yaml.safe_load((tmp_path / "out" / "env" / "spack.yaml").read_text())["spack"]
    assert (body["mirrors"]["bundle"]["signed"], len(body["specs"])) == (True, 1)
    assert run("verify", tmp_path / "out").code == 0
    assert run("verify", tmp_path, *MACHINE).code == 0
    assert run("urls", lock, *MACHINE, "--json").document["packages"] == 5


def test_a_machine_must_be_named_where_there_are_several(run: Run, tmp_path: Path) -> None:
    lock = resolver_lock(tmp_path, nodes_of(V3), V3.as_uri())
    result = run("urls", lock)
    assert result.code == 3
    assert "the lock has several machines" in result.err
    assert run("urls", lock, "--machine", "nobody").code == 3
    assert run("urls", lock, "--machine", "other").code == 4
    assert run("urls", lock, *MACHINE, "--stack", "t").code == 3
    assert run("urls", lock, *MACHINE, "--stack", "s").code == 0


def test_an_environment_has_no_machines(run: Run, tmp_path: Path) -> None:
    lock = resolver_lock(tmp_path, nodes_of(V3), V3.as_uri())
    run("bundle", lock, *MACHINE, "-o", tmp_path / "out")
    assert "leave --machine" in run("urls", tmp_path / "out" / "env", *MACHINE).err


def test_the_keys_that_a_lock_knows_are_those_that_count(run: Run, tmp_path: Path) -> None:
    lock = resolver_lock(tmp_path / "a", nodes_of(V3), V3.as_uri(), keys=(KEY,))
    assert run("verify", lock, *MACHINE).code == 0
    other = resolver_lock(tmp_path / "b", nodes_of(V3), V3.as_uri(), keys=("A" * 40,))
    findings = run("verify", other, *MACHINE, "--json").document["findings"]
    assert {one["kind"] for one in findings} == {"unknown-key"}


def test_a_mirror_beside_the_lock_is_found_from_anywhere(run: Run, tmp_path: Path) -> None:
    mirror("v3-signed", tmp_path / "deep" / "m")
    lock = resolver_lock(tmp_path / "deep", nodes_of(V3), "./m")
    assert run("verify", lock, *MACHINE).code == 0
