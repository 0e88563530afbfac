"""What an environment or a lock needs, checked in its mirrors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from resolver.api.bundle.plan import at_once
from resolver.api.verify.findings import Finding, Findings
from resolver.api.verify.package import Checker
from resolver.api.wanted import Wanted
from resolver.errors import FormatError, ResolverError
from resolver.selection.closures import GCC_RUNTIME
from resolver.sources.entry import Entry
from resolver.spec.concrete import ConcreteSpec

Advance = Callable[[], None]


class WantedCheck:
    """Checks the packages that are wanted. ``asked`` are the mirrors that are looked at, ``left`` is how many are not."""

    def __init__(self, wanted: Wanted, asked: Sequence[Checker], left: int, findings: Findings) -> None:
        self._wanted, self._asked, self._left, self._findings = wanted, asked, left, findings

    def run(self, jobs: int, advance: Advance) -> dict[str, set[str]]:
        """Check all. Gives the hashes that were found in each mirror, by its name and layout."""
        for sentence in self._wanted.missing:
            self._findings.add(Finding("incomplete-closure", "", "", "", self._wanted.where, sentence))
        found: dict[str, set[str]] = {}
        specs = [] if self._wanted.missing else list(self._wanted.packages.values())
        for place in at_once(lambda spec: self._one(spec, advance), specs, jobs):
            if place:
                found.setdefault(place[0], set()).add(place[1])
        return found

    def _one(self, spec: ConcreteSpec, advance: Advance) -> tuple[str, str] | None:
        """Check a package in the first mirror that has it. That one is looked at, since Spack takes it."""
        try:
            for checker in self._asked:
                entry = self._entry(checker, spec)
                if entry is None:
                    continue
                if isinstance(entry, Entry):
                    checker.check(entry, spec.name)
                    return f"{checker.cache.address.name} {entry.layout}", spec.hash
                return None
            self._absent(spec)
            return None
        finally:
            advance()

    def _entry(self, checker: Checker, spec: ConcreteSpec) -> Entry | ResolverError | None:
        """What a mirror has of a package, None where it has none or cannot be asked; an error that is a finding already."""
        try:
            return checker.cache.entry(spec)
        except FormatError as error:
            address = checker.cache.address
            self._findings.add(Finding("damaged", address.name, spec.name, spec.hash, error.where or address.shown, _short(error)))
            return error
        except ResolverError as error:
            self._findings.fail(error)
            return None

    def _absent(self, spec: ConcreteSpec) -> None:
        if self._left or self._findings.errors:
            self._findings.count(unchecked=1)
            return
        names = ", ".join(checker.cache.address.name for checker in self._asked)
        if spec.name == GCC_RUNTIME:
            self._findings.note(runtime_note(spec.name, spec.hash))
            return
        what = f"{spec.name}@{spec.wire.version} is in no mirror ({names or 'none is named'})"
        self._findings.add(Finding("missing-manifest", names, spec.name, spec.hash, self._wanted.where, what))


def _short(error: ResolverError) -> str:
    return f"{error.what}: {error.why}" if error.why else error.what


def runtime_note(name: str, key: str) -> str:
    """Of a gcc-runtime that is not there, which the rules of selection do not miss either."""
    return f"{name}/{key[:7]} is in no mirror: Spack takes or builds another one, or stops with --cache-only"
