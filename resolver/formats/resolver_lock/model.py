"""What a lock holds: stacks, machines, sources, selections with the hashes of each root, nodes."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from resolver.arch.machine import FACTS, Libc, Machine


class LockSource(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A source that states binaries. ``url`` is its mirror's, or a path relative to the lock's folder; empty of what is no mirror.

    ``layout`` is v2, v3 or oci, ``view`` the named index of a mirror, ``signed`` None where it is not known. ``keys`` are fingerprints of
    the keys that sign. ``release`` and ``stack`` label its records; ``digest`` is of the bytes that were read.
    """

    url: str = ""
    layout: str = ""
    view: str = ""
    signed: bool | None = None
    keys: tuple[str, ...] = ()
    release: str = ""
    stack: str = ""
    digest: str = ""


class LockMachine(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A machine. ``libc`` is as ``glibc@2.39``; what is not known is empty."""

    platform: str = ""
    os: str = ""
    target: str = ""
    libc: str = ""
    cuda_arch: tuple[str, ...] = ()
    amdgpu_target: tuple[str, ...] = ()

    @staticmethod
    def of(machine: Machine) -> LockMachine:
        """What a lock says of a machine."""
        libc = str(machine.libc or "")
        return LockMachine(machine.platform or "", machine.os or "", machine.target or "", libc, machine.cuda_arch, machine.amdgpu_target)

    def machine(self, name: str) -> Machine:
        """The machine as a value. Raises ``InputError`` on a fact that nobody knows."""
        found = {fact: f"the lock's machine {name}" for fact in FACTS if getattr(self, fact)}
        libc = Libc.parse(self.libc) if self.libc else None
        facts = (self.platform or None, self.os or None, self.target or None, libc)
        return Machine(*facts, self.cuda_arch, self.amdgpu_target, name, found).check()


class LockStack(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A stack and how it was read.

    ``location`` is its name, ``label:NAME``, or with a slash in it a path relative to the lock's folder, as are ``spack_config`` and the
    directories of ``include_roots``. ``imported`` is the machine for which the hashes of an environment's ``spack.lock`` were taken over.
    """

    location: str
    environment: dict[str, str] = {}
    include: bool = True
    include_roots: dict[str, str] = {}
    spack_config: str = ""
    imported: str = ""


class LockChoices(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How was selected; the options of these names say what they mean. ``alternates`` is whether lesser targets were looked at too."""

    sources: tuple[str, ...] = ()
    os_policy: Literal["spack", "strict"] = "spack"
    labelled: Literal["prefer", "only", "ignore"] = "prefer"
    assume_externals: bool = False
    facts: str = ""
    prefer: Literal["", "newest", "closest-target", "fewest-packages"] = ""
    alternates: bool = True


class LockChoice(msgspec.Struct, frozen=True):
    """A hash for a root, and the first of the selection's targets from which on it is the root's; empty where the root then has none."""

    target: str
    hash: str


class LockRoot(msgspec.Struct, frozen=True):
    """A root: its abstract spec, and its hashes, that for the machine itself first; none at all where nothing serves it anywhere."""

    spec: str
    choices: tuple[LockChoice, ...] = ()

    @property
    def hash(self) -> str:
        """The hash for the machine itself; empty where there is none."""
        return self.choices[0].hash if self.choices else ""


class LockSelection(msgspec.Struct, frozen=True):
    """What the group of a stack was given on a machine.

    ``targets`` are the machine's and those lesser ones for which the whole group was selected too, best first. ``asked`` is a digest of
    what the stack asks for there, ``fingerprint`` the name of what the machine itself gets. ``optimal`` is False where the best was not
    proven to be so. ``view`` is the stack's.
    """

    stack: str
    group: str
    machine: str
    unify: Literal["true", "when_possible", "false"]
    asked: str
    fingerprint: str
    optimal: bool
    roots: tuple[LockRoot, ...]
    targets: tuple[str, ...] = ()
    view: Any = None

    def hashes(self, target: str) -> dict[str, str]:
        """The hash of each root on one of the targets, by spec; empty where it has none."""
        reached = self.targets[: self.targets.index(target) + 1]
        return {root.spec: next((c.hash for c in reversed(root.choices) if c.target in reached), "") for root in self.roots}


class LockNode(msgspec.Struct, frozen=True):
    """A package: the sources that have a binary of it, its node as JSON, verbatim, and whether it states its dependencies."""

    sources: tuple[str, ...]
    node: bytes
    complete: bool = True


class Lock(msgspec.Struct, frozen=True):
    """The whole lock. ``nodes`` are by hash: the link/run closure of every choice, and as far as known what it was built with."""

    stacks: dict[str, LockStack] = {}
    choices: LockChoices = LockChoices()
    machines: dict[str, LockMachine] = {}
    sources: dict[str, LockSource] = {}
    selections: tuple[LockSelection, ...] = ()
    nodes: dict[str, LockNode] = {}
