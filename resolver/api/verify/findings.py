"""What can be wrong with a mirror, each kind with what to do about it, and the gathering of what is."""

from __future__ import annotations

from collections import Counter
from threading import Lock

import msgspec

from resolver.errors import ResolverError

REMEDIES = {
    "missing-manifest": "push the package again, take it from another mirror (--mirror), or select anew",
    "missing-blob": "fetch the mirror again, or push the package again; `bundle` fetches what is missing",
    "truncated": "fetch the file again: a copy was cut short",
    "length": "fetch the file again: it is not the one that the manifest states",
    "checksum": "fetch the file again; if it comes like this, do not use it: it was changed after its manifest was written",
    "damaged": "fetch the file again, or push the package again",
    "wrong-package": "do not use it: take the package from another mirror",
    "dag-hash": "do not use it before you know why: push the package again, or take it from another mirror",
    "incomplete-closure": "push the dependency too, or take the package from a mirror that has it",
    "unsigned": "push the package again with a key; or, if nobody is to sign, say `signed: false` of the mirror",
    "signature": "do not use it: it was changed after it was signed. Fetch it again from where it was signed",
    "unknown-key": "find out whose key it is; then give it with --key FILE, or trust it with --trust FINGERPRINT",
    "revoked-key": "do not use it: its key was taken back. Let the package be signed anew",
    "no-gpg": "install GnuPG (gpg), or say --unsigned if signatures do not matter",
    "keys": "let `spack gpg publish --rebuild-index` write the keys again",
    "index": "let `spack buildcache update-index` write the index again",
    "index-lacks": "let `spack buildcache update-index` write the index again; without, Spack installs it from a lockfile only",
    "index-dangling": "push the package again, or let `spack buildcache update-index` write the index again",
}
"""What to do about each kind. Kinds are never renamed."""


class Finding(msgspec.Struct, frozen=True, order=True):
    """Something that is wrong: its kind, the mirror, the package (its name and hash, empty of a mirror as a whole), where, and what."""

    kind: str
    mirror: str
    name: str
    hash: str
    where: str
    what: str

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REMEDIES[self.kind]


class Findings:
    """Gathers what is found. Threads may add at the same time; the order in which they do is not seen."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: set[Finding] = set()
        self._errors: dict[str, ResolverError] = {}
        self._notes: set[str] = set()
        self._signed: Counter[str] = Counter()
        self.packages = self.files = self.bytes = self.unchecked = 0

    def add(self, finding: Finding) -> None:
        """Something is wrong."""
        with self._lock:
            self._found.add(finding)

    def fail(self, error: ResolverError) -> None:
        """Something could not be looked at."""
        with self._lock:
            self._errors.setdefault(str(error), error)

    def note(self, text: str) -> None:
        """Something that a person should know."""
        with self._lock:
            self._notes.add(text)

    def signed(self, key: str) -> None:
        """A package is signed by this key, and the signature holds."""
        with self._lock:
            self._signed[key] += 1

    @property
    def signed_by(self) -> dict[str, int]:
        """How many packages each key has signed, by fingerprint."""
        return dict(sorted(self._signed.items()))

    def count(self, *, packages: int = 0, files: int = 0, size: int = 0, unchecked: int = 0) -> None:
        """So much more was looked at; ``unchecked`` are packages that nobody was asked for."""
        with self._lock:
            self.packages += packages
            self.files += files
            self.bytes += size
            self.unchecked += unchecked

    @property
    def found(self) -> tuple[Finding, ...]:
        """All that is wrong, by kind."""
        order = {kind: place for place, kind in enumerate(REMEDIES)}
        return tuple(sorted(self._found, key=lambda one: (order[one.kind], one)))

    @property
    def errors(self) -> tuple[ResolverError, ...]:
        """What could not be looked at."""
        return tuple(self._errors[text] for text in sorted(self._errors))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know."""
        return tuple(sorted(self._notes))
