"""Users, passwords and queries in the URLs of mirrors open them, and stand in nothing that is printed or written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Result, Run
from fakes.environments import MIRRORS, environment, files, mirror, nodes_of
from fakes.faulty_server import FaultyServer, spoiled
from fakes.http_server import body

V3 = MIRRORS / "v3-signed"
KEYS = "v3/manifests/key/keys.manifest.json"
HIDDEN = "h1dden"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with spoiled(V3) as found:
        yield found


def secret_url(server: FaultyServer) -> str:
    return server.url.replace("//", f"//me:{HIDDEN}@")


def env_at(url: str, folder: Path, **more: Any) -> Path:
    return environment(folder / "env", nodes_of(V3), {"origin": {"url": url, "signed": True, **more}})


def is_quiet(result: Result) -> bool:
    return HIDDEN not in result.out + result.err


@pytest.mark.parametrize("form", ["", "/", f"?token={HIDDEN}"])
@pytest.mark.parametrize(
    "words", [["urls"], ["urls", "--offline"], ["verify"], ["verify", "--deep"], ["bundle", "-o", "out"]], ids=" ".join
)
def test_a_mirror_given_by_a_url_with_secrets(
    run: Run, server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], form: str
) -> None:
    monkeypatch.chdir(tmp_path)
    env = env_at(V3.as_uri(), tmp_path)
    for more in ([], ["--json"]):
        result = run(*words, env, "--mirror", secret_url(server) + form, *more)
        assert (result.code, is_quiet(result)) == (5 if words == ["verify"] else 0, True)
    assert not any(HIDDEN.encode() in data for data in files(tmp_path, without="-").values())


def test_what_is_wrong_with_a_mirror_is_told_without_its_secrets(run: Run, server: FaultyServer, tmp_path: Path) -> None:
    env = env_at(secret_url(server), tmp_path)
    assert is_quiet(run("urls", env, "--offline", "--json"))
    server.spoil(KEYS, body(b"{"), forever=True)
    for more in ([], ["--json"]):
        result = run("verify", env, "--deep", *more)
        assert (result.code, is_quiet(result)) == (6, True)
    (xz,) = V3.glob("v3/manifests/spec/xz/*")
    server.spoil(xz.relative_to(V3).as_posix(), body(b"{"), forever=True)
    assert is_quiet(run("verify", env, "--deep", "--json"))


def test_without_gnupg_the_mirror_is_told_without_its_secrets(
    run: Run, server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACK_RESOLVER_GPG", "no-such-program")
    result = run("verify", env_at(secret_url(server), tmp_path), "--remote", "--json")
    assert (result.code, is_quiet(result)) == (6, True)


def test_a_mirror_that_cannot_be_opened_is_told_without_its_secrets(run: Run, server: FaultyServer, tmp_path: Path) -> None:
    pair = {"id": "me", "secret_variable": "NOT_SET_HERE"}
    env = env_at(server.url.replace("//", f"//{HIDDEN}@"), tmp_path, access_pair=pair)
    for words in (["urls"], ["urls", "--offline"], ["verify", "--deep"], ["bundle", "-o", tmp_path / "out"]):
        assert is_quiet(run(*words, env, "--json"))
    holed = mirror("v3-signed", tmp_path / "m")
    next(holed.glob("blobs/sha256/98/*")).unlink()
    two = {"holed": {"url": holed.as_uri()}, "origin": {"url": secret_url(server), "access_pair": pair}}
    result = run("bundle", environment(tmp_path / "two", nodes_of(V3), two), "-o", tmp_path / "out")
    assert (result.code, is_quiet(result)) == (6, True)
