"""Signatures, checked by GnuPG in a home of their own that holds the keys which may sign and nothing else, and is gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

import msgspec

from resolver.errors import SourceError

State = Literal["good", "expired", "bad", "unknown", "revoked"]
SECONDS = 60
COMMON = (
    "--batch",
    "--no-tty",
    "--no-autostart",
    "--lock-never",
    "--no-random-seed-file",
    "--trust-model",
    "always",
    "--no-auto-key-retrieve",
    "--no-auto-key-locate",
    "--no-options",
    "--quiet",
)
"""It starts no agent, asks no server for keys, reads no configuration, and waits for none of its own kind: all but the first only read."""
STATES: dict[str, State] = {
    "GOODSIG": "good",
    "EXPKEYSIG": "expired",
    "EXPSIG": "expired",
    "REVKEYSIG": "revoked",
    "BADSIG": "bad",
    "ERRSIG": "unknown",
}
WORST: tuple[State, ...] = ("bad", "revoked", "unknown", "expired", "good")


class Signature(msgspec.Struct, frozen=True):
    """What is to be said of a signed message.

    ``state`` is ``good``, ``expired`` (good, by a key or signature that has run out), ``bad``, ``revoked`` or ``unknown`` (by a key that is
    not there). ``key`` is the fingerprint of the primary key, or what is known of it. ``text`` is what is signed.
    """

    state: State
    key: str
    text: bytes


def gpg_program() -> str | None:
    """Where GnuPG is, None where it is not installed. ``SPACK_RESOLVER_GPG`` names another one."""
    return shutil.which(os.environ.get("SPACK_RESOLVER_GPG") or "gpg")


class Keyring:
    """Keys that may sign. It must be closed; threads may check with it at the same time.

    ``trusted`` are fingerprints in upper case: only signatures of these count, of any of the keys when there are none. Raises
    ``SourceError`` when GnuPG is not there. ``held`` are the fingerprints of each key as GnuPG took it, none of what is no key.
    """

    def __init__(self, keys: Iterable[bytes], trusted: Iterable[str] = ()) -> None:
        program = gpg_program()
        if program is None:
            raise SourceError("signatures cannot be checked", why="GnuPG (gpg) is not installed", hint="install gnupg")
        self._program = program
        self._trusted = frozenset(trusted)
        self._home = tempfile.TemporaryDirectory(prefix="spack-resolver-")
        Path(self._home.name).chmod(0o700)
        try:
            self.held = [self._take(key) for key in keys]
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the home away."""
        self._home.cleanup()

    def _take(self, key: bytes) -> tuple[str, ...]:
        rows = [line.split(" ") for line in self._run(["--import"], key)[0]]
        return tuple(dict.fromkeys(words[2].upper() for words in rows if words[0] == "IMPORT_OK" and len(words) > 2))

    def check(self, message: bytes) -> Signature:
        """What is to be said of a signed message; of several signatures the worst counts. Raises ``SourceError``."""
        told, text = self._run(["--decrypt"], message)
        found = [line.split(" ") for line in told]
        states = [STATES[words[0]] for words in found if words[0] in STATES]
        valid = [words[-1].upper() for words in found if words[0] == "VALIDSIG" and len(words) > 10]
        state: State = min(states, key=WORST.index, default="bad")
        if state == "unknown" and not any(words[0] == "NO_PUBKEY" for words in found):
            state = "bad"  # gpg met what is no signature that it knows
        if state in ("good", "expired") and (not valid or (self._trusted and not self._trusted.issuperset(valid))):
            state = "unknown"
        names = valid or [words[1] for words in found if words[0] in {*STATES, "NO_PUBKEY"} and len(words) > 1]
        return Signature(state, ", ".join(dict.fromkeys(names)), text)

    def _run(self, words: list[str], data: bytes) -> tuple[list[str], bytes]:
        """Lines of status without their mark, and what it prints."""
        command = [self._program, "--homedir", self._home.name, *COMMON, "--status-fd", "2", *words]
        try:
            done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=False, env=_environment())  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SourceError(
                "signatures cannot be checked", why=f"gpg failed: {type(error).__name__}", hint="see that gpg works"
            ) from None
        lines = done.stderr.decode("utf-8", "replace").splitlines()
        return [line.removeprefix("[GNUPG:] ") for line in lines if line.startswith("[GNUPG:] ")], done.stdout


def _environment() -> dict[str, str]:
    """Without a GNUPGHOME of the user's, and with words that can be read."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
