"""Is a lock still good: do its stacks ask for the same, is every hash served, has every node its hash?"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from resolver.api.locks.asked import asked
from resolver.api.locks.imports import read_import
from resolver.api.locks.places import Folder
from resolver.api.locks.plan import load_lock
from resolver.api.locks.pool import LockPool
from resolver.api.resolve import fingerprint
from resolver.api.selecting import Choices, open_pool
from resolver.api.settings import Settings
from resolver.api.stacks import LABEL, load_stack
from resolver.errors import InputError
from resolver.formats.resolver_lock import Lock, LockSelection
from resolver.selection.closures import GCC_RUNTIME, Closures
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.dag_hash import HashVerdict, check_hash

if TYPE_CHECKING:
    from resolver.catalog.pool import CatalogPool

Kind = Literal["inputs", "served", "hash"]
SHOWN = 3


class Problem(msgspec.Struct, frozen=True):
    """What is wrong: ``inputs`` (a stack asks for something else), ``served`` (a hash is no longer), ``hash`` (of other bytes or hashes).

    What does not concern a root has none of it. ``mend`` is the command that makes it good.
    """

    kind: Kind
    text: str
    mend: str
    stack: str = ""
    group: str = ""
    machine: str = ""
    root: str = ""
    hash: str = ""


class CheckResult(msgspec.Struct, frozen=True):
    """What was found, what a person should know besides, and how much was looked at."""

    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    roots: int
    packages: int
    verified: int
    asked_mirrors: bool

    @property
    def exit_code(self) -> int:
        """6 where a node has not its hash or a selection not its fingerprint, 4 where anything else is wrong."""
        kinds = {problem.kind for problem in self.problems}
        return 6 if "hash" in kinds else 4 if kinds else 0


def check_lock(settings: Settings, path: Path, *, remote: bool = False) -> CheckResult:
    """Check a lock against its stacks and against the catalog, or with ``remote`` against its mirrors themselves.

    Raises ``InputError`` when the lock cannot be read or there is no catalog, ``SourceError`` when a mirror cannot be asked.
    """
    lock = load_lock(path)
    checking = _Checking(settings, lock, path)
    problems = [*checking.hashes(), *checking.fingerprints(), *checking.inputs()]
    served = checking.asked_mirrors() if remote else checking.in_catalog()
    problems += checking.unserved(served)
    notes = [] if remote else checking.sources()
    roots = sum(len(selection.roots) for selection in lock.selections)
    return CheckResult(tuple(problems), (*checking.notes, *notes), roots, len(checking.closure), checking.verified, remote)


class _Checking:
    """The parts of a check."""

    def __init__(self, settings: Settings, lock: Lock, path: Path) -> None:
        self.settings = settings
        self.lock = lock
        self.folder = Folder(path.absolute().parent)
        self.again = shlex.join(["spack-resolver", "lock", "-o", str(path)])
        self.pool = LockPool(lock, self.folder)
        self.closures = Closures(cast("Any", self.pool))
        self.notes = _unserved_then(lock)
        self.verified = 0
        self.nowhere = "in no source of the catalog any more"
        self.before = ""
        self._catalog: CatalogPool | None = None
        starts = {choice.hash for s in lock.selections for root in s.roots for choice in root.choices if choice.hash}
        self.closure = self._below(sorted(starts))

    def _below(self, keys: Iterable[str]) -> dict[str, ConcreteSpec]:
        return self.closures.union(spec for key in keys if (spec := self.pool.get(key)))

    @property
    def catalog(self) -> CatalogPool:
        """All that is synced. Raises ``InputError`` when there is no catalog."""
        if self._catalog is None:
            try:
                self._catalog = open_pool(self.settings, Choices())
            except InputError as error:
                error.hint = "`spack-resolver sync SOURCE` makes one; --remote asks the lock's mirrors themselves"
                raise
        return self._catalog

    def hashes(self) -> Iterator[Problem]:
        """The nodes whose bytes have another hash; of nodes older than format 5, and of those of pages, none can be computed."""
        for key, held in sorted(self.lock.nodes.items()):
            verdict = check_hash(msgspec.json.decode(held.node), key) if held.complete else HashVerdict.OLDER
            self.verified += verdict is HashVerdict.VERIFIED
            if verdict is HashVerdict.DIFFERENT:
                spec = cast("ConcreteSpec", self.pool.get(key))
                why = "the bytes of its node have another hash: they were changed, or their source states them wrongly"
                yield Problem("hash", f"{spec.name}@{spec.wire.version}/{key}: {why}", f"{self.again} --upgrade", hash=key)

    def fingerprints(self) -> Iterator[Problem]:
        """The selections whose hashes are not those that were locked. What the machine cannot be, ``inputs`` says."""
        for one in self.lock.selections:
            below = self._below(key for key in one.hashes(one.targets[0]).values() if key)
            with suppress(InputError):
                if fingerprint(below, self.lock.machines[one.machine].machine(one.machine)) != one.fingerprint:
                    text = "its hashes or its machine have another fingerprint: they were edited, or merged badly"
                    yield Problem("hash", text, self.again, one.stack, one.group, one.machine)

    def inputs(self) -> Iterator[Problem]:
        """The groups that are not asked for as they were."""
        machines = sorted(self.lock.machines)
        for stack in sorted(self.lock.stacks):
            imported = self.lock.stacks[stack].imported
            for machine in [imported] if imported else machines:
                had = {s.group: s for s in self.lock.selections if (s.stack, s.machine) == (stack, machine)}
                if had or not imported:
                    yield from self._inputs(stack, machine, had)

    def _inputs(self, stack: str, machine: str, had: dict[str, LockSelection]) -> Iterator[Problem]:
        try:
            now = self._asked(stack, machine, had)
        except InputError as error:
            yield Problem("inputs", f"the stack cannot be read: {error}", self.again, stack, machine=machine)
            return
        for group in sorted(had.keys() | now.keys()):
            asks, has = now.get(group), had.get(group)
            if not asks or not has or asks[0] != has.asked or set(asks[1]) != {root.spec for root in has.roots}:
                text = _difference(set(asks[1]) if asks else None, has)
                yield Problem("inputs", text, self.again, stack, group, machine)

    def _asked(self, name: str, machine: str, had: dict[str, LockSelection]) -> dict[str, tuple[str, list[str]]]:
        """For each group with roots what it asks for now, as a digest and as specs. Raises ``InputError``."""
        stack, where = self.lock.stacks[name], self.lock.machines[machine].machine(machine)
        if stack.imported:
            path = self.folder.absolute(stack.location)
            if not Path(path).exists():
                self.notes.append(f"{name} was imported from {stack.location}, which is not there")
                return {group: (s.asked, [root.spec for root in s.roots]) for group, s in had.items()}
            found = read_import(path, (name, machine), where)
            return {s.group: (s.asked, [root.spec for root in s.roots]) for s in found.selections}
        if not had and self._is_for_others(name, machine):
            return {}
        pool = self.catalog if stack.location.startswith(LABEL) else None
        loaded = load_stack(self.folder.request(stack, self.settings), where, self.settings, pool)
        return {group.name: (asked(group), [str(root) for root in group.roots]) for group in loaded.groups if group.roots}

    def _is_for_others(self, name: str, machine: str) -> bool:
        """Is the machine in the lock for the sake of an import alone?"""
        ours = {s.machine for s in self.lock.selections if not self.lock.stacks[s.stack].imported}
        return machine not in ours and any(stack.imported == machine for key, stack in self.lock.stacks.items() if key != name)

    def in_catalog(self) -> set[str]:
        """The hashes that a source of the catalog has a binary of."""
        self.catalog.prefetch(self.closure)
        specs = {key: self.catalog.get(key) for key in self.closure}
        return {key for key, spec in specs.items() if spec and self.catalog.statement(spec).in_buildcache}

    def asked_mirrors(self) -> set[str]:
        """The hashes that a mirror of the lock says it has."""
        from resolver.api.serving import served  # opens connections

        self.nowhere = "in none of the lock's mirrors any more"
        self.before = "spack-resolver sync --refresh && "  # what the catalog knows of them is old too
        mirrors = [row for row in self.pool.sources.values() if row.url]
        found = served(mirrors, self.closure.values(), self.settings) if mirrors else {}
        return {key for key, name in found.items() if name}

    def unserved(self, served: set[str]) -> Iterator[Problem]:
        """The roots of which a hash, or one of its closure, is served no more. A gcc-runtime that never was is not missed."""
        gone = {
            key
            for key, spec in self.closure.items()
            if key not in served and not spec.external and (spec.name != GCC_RUNTIME or self.lock.nodes[key].sources)
        }
        if not gone:
            return
        for selection in self.lock.selections:
            for root in selection.roots:
                for choice in root.choices:
                    missing = sorted(self._below([choice.hash] if choice.hash else []).keys() & gone)
                    if missing:
                        what = self._shown(missing, choice.hash)
                        other = "" if choice.target == selection.targets[0] else f" on {choice.target}"
                        text = f"{root.spec}{other}: {what} {self.nowhere}"
                        mend = f"{self.before}{self.again} --upgrade {shlex.quote(root.spec)}"
                        yield Problem("served", text, mend, selection.stack, selection.group, selection.machine, root.spec, choice.hash)

    def _shown(self, missing: list[str], own: str) -> str:
        if own in missing:
            return f"/{own} is"
        shown = ", ".join(f"{self.closure[key].name}/{key[:7]}" for key in missing[:SHOWN])
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        return f"it needs {shown}{more}, which {'is' if len(missing) == 1 else 'are'}"

    def sources(self) -> Iterator[str]:
        """What differs between the sources of the lock and those of the catalog."""
        rows = {row.url: row for row in self.catalog.sources.values() if row.url}
        for name, source in self.lock.sources.items():
            row = self.catalog.sources.get(name) or rows.get(self.folder.full_url(source.url))
            if row is None:
                yield f"the source {name} is not synced here"
            elif source.digest and row.digest != source.digest:
                yield f"the source {name} has changed since the lock was written"


def _unserved_then(lock: Lock) -> list[str]:
    """A sentence for each group of which roots had no hash when the lock was written."""
    counts = [(s, sum(not root.choices for root in s.roots)) for s in lock.selections]
    then = "roots had no hash when the lock was written"
    return [f"{s.stack} on {s.machine}: {count} of {len(s.roots)} {then}" for s, count in counts if count]


def _difference(now: set[str] | None, had: LockSelection | None) -> str:
    """What is asked for otherwise, in a sentence."""
    if had is None:
        return f"the stack asks for {len(now or ())} roots in a group that is not locked"
    if now is None:
        return "the stack has the group no more, or it asks for nothing"
    before = {root.spec for root in had.roots}
    parts = [f"asks for {_listed(now - before)} besides"] if now - before else []
    parts += [f"no longer asks for {_listed(before - now)}"] if before - now else []
    return f"the stack {' and '.join(parts)}" if parts else "what the stack demands of the same roots has changed"


def _listed(specs: set[str]) -> str:
    shown = sorted(specs)[:SHOWN]
    return ", ".join(shown) + (f" and {len(specs) - SHOWN} more" if len(specs) > SHOWN else "")
