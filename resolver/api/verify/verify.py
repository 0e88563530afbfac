"""The use case: from an environment, a lock or a mirror on this machine to what is wrong with the binaries."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import msgspec

from resolver.api.bundle.environment import FOLDER
from resolver.api.bundle.model import AT_ONCE, Tell, tell_nobody
from resolver.api.bundle.plan import local_cache
from resolver.api.serving import open_caches
from resolver.api.settings import Settings
from resolver.api.verify.findings import Finding, Findings
from resolver.api.verify.indexes import check_index
from resolver.api.verify.package import Checker
from resolver.api.verify.signatures import Signatures, Trust
from resolver.api.verify.tree import TreeCheck, manifests
from resolver.api.verify.wanted import WantedCheck
from resolver.api.wanted import LOCKFILE, Part, Wanted, is_mirror, load_wanted
from resolver.errors import InputError, ResolverError, SourceError
from resolver.formats import keys as key_format
from resolver.formats.clearsign import is_signed
from resolver.selection.closures import GCC_RUNTIME
from resolver.sources.build_cache import BuildCache
from resolver.sources.caches import TreeCache

CHECKING = "checking"
MOST_KEY_BYTES = 1 << 22


class VerifyRequest(msgspec.Struct, frozen=True):
    """What to verify: an environment, a part of a lock or a mirror on this machine.

    ``mirrors`` stand in place of those that it names. With ``remote`` mirrors elsewhere are asked too, with ``deep`` what they have is
    read. ``keys`` are files of keys, ``trust`` fingerprints, ``signed`` whether packages are to be signed; see ``Trust``.
    """

    path: str
    part: Part = Part()
    mirrors: Sequence[str] = ()
    remote: bool = False
    deep: bool = False
    keys: Sequence[str] = ()
    trust: Sequence[str] = ()
    signed: bool | None = None
    jobs: int = AT_ONCE


class Verified(msgspec.Struct, frozen=True):
    """What was found, what could not be looked at, and how much was looked at (bytes as read or as told).

    ``signed_by`` is how many packages each key has signed, by its fingerprint, as far as signatures were checked and hold.
    """

    findings: tuple[Finding, ...]
    errors: tuple[ResolverError, ...]
    notes: tuple[str, ...]
    packages: int
    files: int
    bytes: int
    unchecked: int
    signed_by: dict[str, int] = {}


def verify(settings: Settings, request: VerifyRequest, tell: Tell = tell_nobody) -> Verified:
    """Check it. Raises ``InputError`` for what is none of the three; what is wrong with a mirror is no error but a finding."""
    findings = Findings()
    path = Path(os.path.expanduser(request.path))  # noqa: PTH111 - leaves the name of an unknown user as it is
    with ExitStack() as stack:
        run = _Run(request, findings, tell, stack)
        if path.is_dir() and is_mirror(path):
            run.mirror(path, settings)
        else:
            needed = load_wanted(request.path, settings, request.part, request.mirrors)
            run.wanted(needed, open_caches(needed.mirrors, settings))
    counts = (findings.packages, findings.files, findings.bytes, findings.unchecked)
    return Verified(findings.found, findings.errors, findings.notes, *counts, findings.signed_by)


class _Run:
    """One verification; what it opens is closed with the stack."""

    def __init__(self, request: VerifyRequest, findings: Findings, tell: Tell, stack: ExitStack) -> None:
        self._request, self._findings, self._tell, self._stack = request, findings, tell, stack
        self._trust = _trust(request)

    def wanted(self, wanted: Wanted, caches: Sequence[BuildCache]) -> None:
        """Check what is wanted in its mirrors."""
        for note in wanted.notes:
            self._findings.note(note)
        asked = [cache for cache in caches if self._request.remote or not cache.address.remote]
        left = [cache.address.name for cache in caches if cache not in asked]
        if left:
            self._findings.note(f"not asked: {', '.join(left)}; --remote asks mirrors that are elsewhere")
        if left and not asked and wanted.packages:
            msg = f"none of the {len(wanted.packages)} packages was looked at"
            self._findings.fail(SourceError(msg, why="all mirrors are elsewhere", hint="--remote asks them, --deep reads what they have"))
        checkers = [self._checker(cache, cache.address.signed) for cache in asked]
        total = len(wanted.packages) if not wanted.missing else 0
        found = WantedCheck(wanted, checkers, len(left), self._findings).run(self._request.jobs, lambda: self._tell(CHECKING, 1, total))
        for checker in checkers:
            self._indexes(checker, wanted, found)

    def mirror(self, path: Path, settings: Settings) -> None:
        """Check all that a mirror holds, and whether that is all that the environment beside it wants."""
        if self._request.mirrors or self._request.part != Part():
            raise InputError(f"{path} is a mirror itself", hint="leave --mirror and --machine out, or give the environment")
        cache = local_cache(path.absolute())
        beside = self._beside(path / FOLDER, cache.address.name, settings)
        stated = next((mirror.signed for mirror in beside.mirrors), None) if beside else None
        signed = _has_signed(cache) if stated is None else stated
        checker = self._checker(cache, signed)
        total = sum(1 for _ in manifests(cache.place))
        there = TreeCheck(cache, checker, self._findings).run(self._request.jobs, lambda: self._tell(CHECKING, 1, total))
        for sentence in beside.missing if beside else ():
            self._findings.add(Finding("incomplete-closure", cache.address.name, "", "", beside.where if beside else "", sentence))
        for key, spec in beside.packages.items() if beside and not beside.missing else ():
            if key not in there and spec.name != GCC_RUNTIME:
                what = f"{spec.name}@{spec.wire.version} is in the environment beside it, and not in the mirror"
                self._findings.add(Finding("missing-manifest", cache.address.name, spec.name, key, cache.place.url, what))

    def _beside(self, folder: Path, mirror: str, settings: Settings) -> Wanted | None:
        """What the environment in a bundle wants, None without one, or where it is damaged."""
        if not (folder / LOCKFILE).is_file():
            return None
        try:
            return load_wanted(str(folder), settings)
        except ResolverError as error:
            self._findings.add(Finding("damaged", mirror, "", "", error.where or str(folder), str(error)))
            return None

    def _checker(self, cache: BuildCache, signed: bool | None) -> Checker:  # noqa: FBT001 - a fact of the mirror
        signatures = self._stack.enter_context(closing(Signatures(cache, self._trust, self._findings, signed=signed)))
        return Checker(cache, signatures, self._findings, deep=self._request.deep or not cache.address.remote)

    def _indexes(self, checker: Checker, wanted: Wanted, found: dict[str, set[str]]) -> None:
        """Are the packages in the indexes of the mirrors that have them; those elsewhere are read with ``deep`` only."""
        if not (checker.deep and isinstance(checker.cache, TreeCache)):
            return
        for layout in ("v3", "v2"):
            there = {key: wanted.packages[key].name for key in found.get(f"{checker.cache.address.name} {layout}", ())}
            if there and check_index(checker.cache.place, checker.cache.address, layout, there, self._findings, whole=False) is None:
                self._findings.note(f"{checker.cache.address.name} has no index of layout {layout} that can be read")


def _trust(request: VerifyRequest) -> Trust:
    fingerprints = tuple(text.replace(" ", "").upper().removeprefix("0X") for text in request.trust)
    for text in fingerprints:
        if not key_format.FINGERPRINT.fullmatch(text):
            raise InputError(
                f"{text[:80]!r} is no fingerprint", hint="give --trust all 40 hexadecimal digits: `gpg --fingerprint` shows them"
            )
    return Trust(tuple(_key(Path(path)) for path in request.keys), fingerprints, request.signed)


def _key(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read", why=error.strerror or "", hint="give --key a file with a public key") from None
    if not data or len(data) > MOST_KEY_BYTES:
        raise InputError(f"{path} is no public key", hint="`gpg --export --armor NAME` writes one")
    return data


def _has_signed(cache: TreeCache) -> bool | None:
    """Is any package signed? Then all are to be; None where there is no package."""
    found: bool | None = None
    for path in manifests(cache.place):
        with suppress(SourceError):  # what cannot be read is told when it is checked
            if fetched := cache.place.read(path):
                found = is_signed(fetched.data)
        if found:
            break
    return found
