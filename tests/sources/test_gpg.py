"""What GnuPG says, in our words: of its own, and of a program in its place that says what a test wants."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fakes.environments import KEY, MIRRORS

from resolver.errors import SourceError
from resolver.sources.gpg import Keyring, State, gpg_program

PUBLIC = (MIRRORS / "v2-signed" / "build_cache" / "_pgp" / f"{KEY}.pub").read_bytes()
(SIGNED,) = [path.read_bytes() for path in MIRRORS.glob("v3-signed/v3/manifests/spec/xz/*")]
real = pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not installed")
VALID = f"VALIDSIG {'B' * 40} 2026-11-22 1795338960 0 4 0 1 10 01 {KEY}"


@real
@pytest.mark.parametrize(
    ("message", "state"),
    [
        (SIGNED, "good"),
        (SIGNED.replace(b'"version":3', b'"version":4'), "bad"),
        (SIGNED.replace(b"SHA512", b"SHA256"), "bad"),
        (SIGNED[: len(SIGNED) // 2], "bad"),
        (b"{}", "bad"),
        (b"", "bad"),
    ],
    ids=["whole", "changed", "another digest", "cut", "plain", "empty"],
)
def test_signatures(message: bytes, state: State) -> None:
    with Keyring([PUBLIC]) as ring:
        assert ring.check(message).state == state


@real
def test_only_keys_that_are_there_and_trusted_count() -> None:
    with Keyring([PUBLIC], [KEY]) as ring:
        found = ring.check(SIGNED)
    assert (found.state, found.key, b'"version":3' in found.text) == ("good", KEY, True)
    for keys, trusted in (([], ()), ([PUBLIC], ["A" * 40]), ([b"no key"], ())):
        with Keyring(keys, trusted) as ring:
            assert ring.check(SIGNED).state == "unknown"


@real
def test_its_home_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Keyring([PUBLIC]) as ring:
        (home,) = tmp_path.iterdir()
        assert home.stat().st_mode & 0o777 == 0o700
        ring.check(SIGNED)
    assert not list(tmp_path.iterdir())


def says(folder: Path, *lines: str) -> str:
    path = folder / "gpg"
    path.write_text("#!/bin/sh\ncat > /dev/null\n" + "".join(f"echo '[GNUPG:] {line}' >&2\n" for line in lines) + "echo text\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("lines", "state", "key"),
    [
        ([f"GOODSIG {KEY[-16:]} somebody", VALID], "good", KEY),
        ([f"EXPKEYSIG {KEY[-16:]} somebody", VALID], "expired", KEY),
        ([f"REVKEYSIG {KEY[-16:]} somebody", VALID], "revoked", KEY),
        ([f"BADSIG {KEY[-16:]} somebody"], "bad", KEY[-16:]),
        ([f"ERRSIG {KEY[-16:]} 1 10 01 1 9", f"NO_PUBKEY {KEY[-16:]}"], "unknown", KEY[-16:]),
        ([f"GOODSIG {KEY[-16:]} somebody"], "unknown", KEY[-16:]),
        ([f"GOODSIG {KEY[-16:]} one", VALID, "BADSIG 00 another"], "bad", KEY),
        (["NODATA 1"], "bad", ""),
        ([], "bad", ""),
    ],
)
def test_what_is_said_of_a_signature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], state: State, key: str) -> None:
    monkeypatch.setenv("SPACK_RESOLVER_GPG", says(tmp_path, *lines))
    with Keyring([]) as ring:
        found = ring.check(b"message")
    assert (found.state, found.key, found.text) == (state, key, b"text\n")


def test_want_of_the_program_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPACK_RESOLVER_GPG", "no-such-program")
    assert gpg_program() is None
    with pytest.raises(SourceError, match="not installed"):
        Keyring([])
    broken = tmp_path / "gpg"
    broken.write_text("no program")
    broken.chmod(0o755)
    monkeypatch.setenv("SPACK_RESOLVER_GPG", str(broken))
    with pytest.raises(SourceError, match="gpg failed"):
        Keyring([b"key"])
