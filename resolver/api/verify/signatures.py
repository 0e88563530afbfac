"""Are packages signed by whom they are to be signed: the policy; GnuPG does the work."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from threading import Lock

import msgspec

from resolver.api.verify.findings import Finding, Findings
from resolver.errors import ResolverError, SourceError
from resolver.formats.clearsign import unsigned
from resolver.sources.build_cache import BuildCache
from resolver.sources.entry import Entry
from resolver.sources.gpg import Keyring, Signature, gpg_program
from resolver.sources.keyring import Key

HEAD = re.compile(rb"-----BEGIN PGP SIGNED MESSAGE-----\r?\nHash: [^\r\n]+\s+")


class Trust(msgspec.Struct, frozen=True):
    """Whose signatures count.

    ``keys`` are armored keys that stand in place of those which mirrors publish; ``fingerprints`` narrow down which of the keys count.
    ``signed`` says whether packages are to be signed, in place of what is known of the mirror.
    """

    keys: tuple[bytes, ...] = ()
    fingerprints: tuple[str, ...] = ()
    signed: bool | None = None


class Signatures:
    """Checks the signatures of the packages of one mirror; it must be closed.

    Where they are to be signed (``signed``), one without, one by a key that does not count, and the want of GnuPG are findings. Elsewhere
    only a signature that does not hold is one.
    """

    def __init__(self, cache: BuildCache, trust: Trust, findings: Findings, *, signed: bool | None) -> None:
        self._cache, self._trust, self._findings = cache, trust, findings
        # whoever says whose signatures count wants them
        self._demanded = trust.signed if trust.signed is not None else bool(trust.keys or trust.fingerprints) or signed
        self._lock = Lock()
        self._rings: dict[str, Keyring | None] = {}

    def close(self) -> None:
        """Let go of the keys."""
        for ring in self._rings.values():
            if ring:
                ring.close()

    def check(self, entry: Entry, name: str) -> None:
        """Look at one package."""
        if not entry.signed:
            if self._demanded:
                self._find("unsigned", entry, name, "its manifest is not signed, and the mirror is to be")
            return
        if self._trust.signed is False:
            return
        ring = self._ring(entry.layout)
        if ring is None:
            return
        try:
            self._judge(ring.check(entry.document), entry, name)
        except ResolverError as error:
            self._findings.fail(error.at(entry.origin))

    def _judge(self, signature: Signature, entry: Entry, name: str) -> None:
        if signature.state == "bad" or not _is_same(signature.text, entry.document):
            self._find("signature", entry, name, f"its signature does not hold{_by(signature)}")
        elif not _is_alone(entry.document):
            self._find("signature", entry, name, "there is more in it than the text that is signed")
        elif signature.state == "revoked":
            self._find("revoked-key", entry, name, f"it is signed with a key that was revoked{_by(signature)}")
        elif signature.state == "unknown" and self._demanded:
            self._find("unknown-key", entry, name, f"no key that counts has signed it{_by(signature)}")
        elif signature.state in ("good", "expired"):
            self._findings.signed(signature.key)
        if signature.state == "expired":
            self._findings.note(f"{self._cache.address.name}: packages are signed with a key that has run out{_by(signature)}")

    def _ring(self, layout: str) -> Keyring | None:
        """The keys that count in a layout, None where signatures cannot be checked, which is said once."""
        with self._lock:
            if layout not in self._rings:
                self._rings[layout] = self._made(layout)
            return self._rings[layout]

    def _made(self, layout: str) -> Keyring | None:
        address = self._cache.address
        if gpg_program() is None:
            what = "signatures are not checked, since GnuPG (gpg) is not installed"
            if self._demanded:
                self._findings.add(Finding("no-gpg", address.name, "", "", address.shown, what))
            else:
                self._findings.note(f"{address.name}: {what}")
            return None
        trusted = self._trust.fingerprints or (() if self._trust.keys else address.keys)
        try:
            return self._given(trusted) if self._trust.keys else self._ring_of(self._published(layout), trusted)
        except SourceError as error:
            self._findings.fail(error)
            return None

    def _given(self, trusted: Sequence[str]) -> Keyring:
        ring = Keyring(self._trust.keys, trusted)
        if () in ring.held:
            ring.close()
            raise SourceError("what was given with --key is no key that GnuPG takes", hint="`gpg --export --armor NAME` writes one")
        return ring

    def _ring_of(self, keys: Sequence[Key], trusted: Sequence[str]) -> Keyring:
        ring = Keyring([key.armored for key in keys], trusted)
        for key, held in zip(keys, ring.held, strict=True):
            if held != (key.fingerprint,):
                self._bad_keys(f"what it publishes as the key {key.fingerprint} is {' and '.join(held) or 'no key'}")
        return ring

    def _published(self, layout: str) -> Sequence[Key]:
        try:
            return self._cache.keys(layout).keys
        except ResolverError as error:
            self._bad_keys(str(error))
            return ()

    def _bad_keys(self, what: str) -> None:
        address = self._cache.address
        self._findings.add(Finding("keys", address.name, "", "", address.shown, what))

    def _find(self, kind: str, entry: Entry, name: str, what: str) -> None:
        self._findings.add(Finding(kind, self._cache.address.name, name, entry.hash, entry.origin, what))


def _by(signature: Signature) -> str:
    return f" ({signature.key})" if signature.key else ""


def _is_same(text: bytes, document: bytes) -> bool:
    """Is what is signed what is read out of the message?"""
    try:
        read: Callable[[bytes], object] = msgspec.json.decode
        return read(text) == read(unsigned(document))
    except (msgspec.MsgspecError, ResolverError, UnicodeDecodeError, RecursionError):
        return False


def _is_alone(document: bytes) -> bool:
    """Is a signed message all that there is?

    Spack takes what lies between the first header and the last signature (``Spec.extract_json_from_clearsig``), gpg the first message.
    """
    head = document.partition(b"{")[0]
    marks = document.count(b"-----BEGIN PGP "), document.count(b"-----END PGP ")
    return bool(HEAD.fullmatch(head)) and marks == (2, 1) and document.rstrip().endswith(b"-----END PGP SIGNATURE-----")
