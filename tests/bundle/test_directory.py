"""What lies in a bundle's directory already, and where that is: links, pipes, odd names, rests of another run."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from conftest import Run
from fakes.environments import MIRRORS, blobs, environment, files, mirror, nodes_of

from resolver.sources.folder import Folder

V3 = MIRRORS / "v3-signed"
ARCHIVE = blobs(V3, "xz")[0].relative_to(V3).as_posix()


def env_in(folder: Path, url: str = "") -> Path:
    return environment(folder / "env", nodes_of(V3), {"origin": {"url": url or V3.as_uri(), "signed": True}})


def test_a_link_in_the_place_of_the_lock_is_not_followed(run: Run, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    link = tmp_path / "out" / ".incomplete" / "lock"
    link.parent.mkdir(parents=True)
    link.symlink_to(precious)
    assert run("bundle", env_in(tmp_path), "-o", tmp_path / "out").code == 3
    assert precious.read_text() == "mine"


@pytest.mark.parametrize(("name", "code"), [(".incomplete/lock", 3), ("v3/manifests/index/index.manifest.json", 0), (ARCHIVE, 0)])
def test_a_pipe_is_not_waited_for(run: Run, tmp_path: Path, name: str, code: int) -> None:
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert run("bundle", env_in(tmp_path), "-o", tmp_path / "out").code == code


def test_a_link_in_another_bundle_is_taken_as_its_file(run: Run, tmp_path: Path) -> None:
    run("bundle", env_in(tmp_path), "-o", tmp_path / "january")
    archive = tmp_path / "january" / ARCHIVE
    archive.rename(tmp_path / "kept")
    archive.symlink_to(os.path.relpath(tmp_path / "kept", archive.parent))
    assert run("bundle", env_in(tmp_path), "-o", tmp_path / "february", "--from", tmp_path / "january", "--offline").code == 0
    assert not (tmp_path / "february" / ARCHIVE).is_symlink()
    assert files(tmp_path / "february") == files(V3)


def test_a_path_of_any_letters_is_told_as_a_url(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "with blank é %41 #x?y"
    result = run("bundle", env_in(tmp_path), "-o", out)
    (line,) = (line for line in result.out.splitlines() if "mirror add" in line)
    parts = urlsplit(shlex.split(line)[-1])
    assert (unquote(parts.path), parts.query, parts.fragment) == (str(out), "", "")
    assert run("verify", out).code == 0


def test_a_bundle_has_a_name(run: Run, tmp_path: Path) -> None:
    result = run("bundle", env_in(tmp_path), "-o", "")
    assert (result.code, "give its path with -o" in result.err) == (3, True)


def test_what_has_come_already_needs_no_room(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = {**nodes_of(V3)}
    whole = sum(len(data) for name, data in files(V3).items() if name.startswith("blobs/"))
    own = Folder(tmp_path / "out")
    part = own.part(ARCHIVE, len((V3 / ARCHIVE).read_bytes()), "")
    part.add((V3 / ARCHIVE).read_bytes())
    part.close()
    document = run("bundle", env_in(tmp_path), "-o", tmp_path / "out", "--dry-run", "--json").document
    monkeypatch.setattr(Folder, "free", lambda _: document["fetched"]["bytes"] + (16 << 20) - part.held)
    assert run("bundle", env_in(tmp_path), "-o", tmp_path / "out").code == 0
    assert json.loads((tmp_path / "out" / "env" / "spack.lock").read_text())["concrete_specs"].keys() == nodes.keys()
    assert whole >= document["fetched"]["bytes"]


def test_a_number_that_nobody_can_read_is_bad_input(run: Run, tmp_path: Path) -> None:
    env = env_in(tmp_path)
    lock = (env / "spack.lock").read_text()
    (env / "spack.lock").write_text(lock.replace('"parameters":', f'"more":{"9" * 5000},"parameters":', 1))
    assert run("bundle", env, "-o", tmp_path / "out").code == 3


def test_what_is_wrong_in_a_delta_and_right_in_the_other_bundle_is_taken_away(run: Run, tmp_path: Path) -> None:
    run("bundle", env_in(tmp_path), "-o", tmp_path / "january")
    for path in blobs(V3, "xz"):
        wrong = tmp_path / "delta" / path.relative_to(V3)
        wrong.parent.mkdir(parents=True)
        wrong.write_bytes(b"x" * path.stat().st_size)
    assert run("bundle", env_in(tmp_path), "-o", tmp_path / "delta", "--from", tmp_path / "january", "--delta").code == 0
    assert not any((tmp_path / "delta" / path.relative_to(V3)).exists() for path in blobs(V3, "xz"))


def test_a_mirror_that_packages_are_taken_from_is_not_pruned(run: Run, tmp_path: Path) -> None:
    root = mirror("v3-signed", tmp_path / "site")
    env = environment(tmp_path / "env", nodes_of(V3), {"origin": {"url": root.as_uri()}}, ["xz"])
    result = run("bundle", env, "-o", root, "--prune")
    assert (result.code, "is a mirror that packages are taken from" in result.err) == (3, True)
    assert files(root) == files(V3)


def test_what_would_be_pruned_is_said_before(run: Run, tmp_path: Path) -> None:
    run("bundle", env_in(tmp_path), "-o", tmp_path / "out")
    env = environment(tmp_path / "env", nodes_of(V3), {"origin": {"url": V3.as_uri()}}, ["xz"])
    assert "packages that --prune would take away: 3" in run("bundle", env, "-o", tmp_path / "out", "--prune", "--dry-run").err
    assert files(tmp_path / "out") == files(V3)
