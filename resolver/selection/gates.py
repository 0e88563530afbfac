"""The gates: may this record serve on this machine, and if not, at which gate and node does it fail?

The rules and their sources are Spack's where it has them (``solver/libc_compatibility.lp``, ``solver/os_compatibility.lp``,
``solver/input_analysis.py:candidate_targets``; ``defects`` has those that hold for all machines). On purpose stricter: what is unknown
of the machine passes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from resolver.arch import target as targets
from resolver.arch.machine import Machine, macos_runs
from resolver.errors import SpecError
from resolver.selection.closures import GCC_RUNTIME
from resolver.selection.defects import NO_BINARY, Failure
from resolver.selection.gpu import gpu_failure
from resolver.selection.model import GATES, Candidate, Policy, Rejection
from resolver.selection.pool import CandidatePool, Outline, Reach
from resolver.selection.rules import Rules
from resolver.selection.shared import Shared
from resolver.spec.abstract import EMPTY, AbstractSpec
from resolver.spec.concrete import ConcreteSpec, Dependency
from resolver.spec.satisfies import match, match_node
from resolver.spec.virtuals import COMPILERS, LANGUAGES
from resolver.versions import parse_version

OLD_FORMAT = 5
EARLY = ("platform", "os", "constraints")
"""The gates that ``fails_below`` tells of."""


class Judge:
    """Judges records for one machine under one policy and set of rules; remembers what it found of each node.

    ``shared`` is what other judges of the pool have found.
    """

    def __init__(self, pool: CandidatePool, machine: Machine, policy: Policy, rules: Rules, shared: Shared | None = None) -> None:
        self.pool = pool
        self.machine = machine
        self.policy = policy
        self.rules = rules
        self.targets = self._targets()
        self.shared = shared or Shared(pool)
        self.closures = self.shared.closures
        self.ruling = self.shared.ruling(rules, policy)
        self._seen = 0
        self._failed = dict.fromkeys(GATES[1:], 0)
        self._own: dict[str, tuple[str, Failure] | None] = {}
        self._libcs: dict[str, Failure | None] = {}
        self._unfit: dict[tuple[tuple[str, str, str | None], ...], bool] = {}
        self._fails_below: dict[str, bool] = {}
        self._sound: set[str] = set()
        self._checks: dict[str, Callable[[ConcreteSpec], Failure | None]] = {
            "binary": self._binary,
            "platform": self._platform,
            "os": self._os,
            "target": self._target,
            "gpu": lambda spec: gpu_failure(spec, self.machine),
            "constraints": self.ruling.failure,
        }

    def _targets(self) -> tuple[str, ...]:
        """The targets whose binaries run here, nearest first."""
        if self.machine.target is None:
            return ()
        found = targets.candidates(self.machine.target)
        if not self.policy.host_compatible:
            found = (*found, *targets.others_of_family(self.machine.target))
        return tuple(t for t in found if targets.is_generic(t)) if self.policy.granularity == "generic" else found

    def judge(self, spec: ConcreteSpec, want: AbstractSpec) -> Candidate | Rejection:
        """A candidate, or the rejection by the first gate that the record or a node of its link/run closure fails."""
        closure = self.closures.mask(spec)
        self._look_at(closure)
        worst = self._root_binary(spec) or self._worst(spec, closure)
        if worst is None or worst.gate == "constraints":
            worst = self._root_constraints(spec, want) or worst
        if worst:
            return worst
        nodes = tuple(node for node in self.closures.nodes(closure) if node is not spec)
        return Candidate(spec, (spec, *nodes), self.pool.statement(spec).complete, self.notes(nodes))

    def fails_itself(self, spec: ConcreteSpec, want: AbstractSpec) -> bool:
        """Does the record fail by what it states of itself? Told without looking at its dependencies; ``judge`` names the first gate."""
        if spec.platform != self.machine.platform or spec.target not in self.targets or match_node(spec, want) is not None:
            return True
        if spec.external or not self.pool.statement(spec).in_buildcache or self._os(spec) or gpu_failure(spec, self.machine):
            return True
        return any(rule.check(spec)[1] is not None for rule in self.rules.on_package(spec))

    def fails_as_root(self, spec: ConcreteSpec, want: AbstractSpec) -> bool:
        """Does the record fail as a root, whatever lies below it but what is asked of that?"""
        return bool(self._root_binary(spec) or self._root_constraints(spec, want))

    def passes_at_most(self, record: ConcreteSpec | Outline) -> int:
        """How many gates the record passes at most: those before the first that it fails by what is known without its dependencies."""
        statement = record.statement if isinstance(record, Outline) else self.pool.statement(record)
        failed = {
            "binary": not statement.in_buildcache,
            "platform": record.platform != self.machine.platform,
            "os": self.fails_by(record.reach) if isinstance(record, Outline) else self._os(record) is not None,
            "target": record.target not in self.targets,
        }
        return next((GATES.index(gate) for gate, fails in failed.items() if fails), len(GATES) - 1)

    def fails_by(self, reach: Reach | None) -> bool:
        """Does what a closure reaches tell that it cannot run here? Told without any node; ``judge`` names the one that fails."""
        if reach is None or self.machine.platform != "linux":
            return False
        if reach.libcs not in self._unfit:
            self._unfit[reach.libcs] = any(self._libc_failure(*libc) for libc in reach.libcs)
        return self._unfit[reach.libcs]

    def fails_below(self, node: ConcreteSpec) -> bool:
        """Does a node of a closure fail by what it states of itself? As ``fails_itself``, of what is no root; remembered."""
        if node.hash not in self._fails_below:
            self._fails_below[node.hash] = self._fails(node)
        return self._fails_below[node.hash]

    def _fails(self, node: ConcreteSpec) -> bool:
        if node.external:
            return self._external(node) is not None
        if not self.pool.statement(node).in_buildcache and node.name != GCC_RUNTIME:
            return True
        return node.platform != self.machine.platform or self._os(node) is not None or self.ruling.failure(node) is not None

    def sound(self, specs: Sequence[ConcreteSpec]) -> list[ConcreteSpec]:
        """Those of the specs in whose closures no node fails by what it states of itself; their closures are read side by side."""
        return self.closures.sound(specs, self.fails_below, self._sound)

    def _look_at(self, closure: int) -> None:
        """Find the failures of the nodes that were not looked at before."""
        for node in self.closures.nodes(closure & ~self._seen):
            failed = self._first_failure(node)
            if failed:
                self._failed[failed[0]] |= self.closures.bit(node)
        self._seen |= closure

    def _worst(self, spec: ConcreteSpec, closure: int) -> Rejection | None:
        """The rejection by the first gate that fails, on the record itself if it fails there, else on the node of the smallest hash."""
        for failed in self._failed.values():
            nodes = self.closures.nodes(closure & failed)
            node = min(nodes, key=lambda n: (n is not spec, n.hash), default=None)
            if node is not None and (found := self._first_failure(node)):
                return self._rejection(spec, node, *found)
        return None

    def _first_failure(self, node: ConcreteSpec) -> tuple[str, Failure] | None:
        """The first gate that this node fails on its own, and how; remembered."""
        if node.hash not in self._own:
            self._own[node.hash] = self._check(node)
        return self._own[node.hash]

    def _check(self, node: ConcreteSpec) -> tuple[str, Failure] | None:
        passed = EARLY if self._fails_below.get(node.hash) is False else ()
        for gate, check in self._checks.items():
            if gate not in passed and (failed := check(node)):
                return gate, failed
        return None

    def _rejection(self, spec: ConcreteSpec, node: ConcreteSpec, gate: str, failure: Failure) -> Rejection:
        have, want, text = failure
        return Rejection(spec, gate, node, have, want, f"{_shown(node)} {text}")

    def _root_binary(self, spec: ConcreteSpec) -> Rejection | None:
        """What a root cannot be, though a dependency can: an external, or a gcc-runtime without a binary."""
        failure = ("external", "a binary", "is an external of the machine where it was recorded, not a binary")
        if not spec.external:
            if self.pool.statement(spec).in_buildcache:
                return None
            failure = NO_BINARY
        return self._rejection(spec, spec, "binary", failure)

    def _binary(self, node: ConcreteSpec) -> Failure | None:
        if node.external:
            return self._external(node)
        return self.shared.defects.of(node)

    def _external(self, node: ConcreteSpec) -> Failure | None:
        if node.name in COMPILERS or self.policy.assume_externals or any(e.is_same(node) for e in self.rules.externals):
            return None
        path = (node.external.path if node.external else "") or "unknown"
        text = f"is an external at {path} that neither the stack nor the machine declares; declare it under packages:{node.name}:externals"
        return (f"external at {path}", "a declared external", f"{text}, or give --assume-externals")

    def _platform(self, node: ConcreteSpec) -> Failure | None:
        if self.machine.platform is None:
            return (node.platform, "unknown", f"is built for {node.platform}, and the machine's platform is not known; give --platform")
        if node.platform != self.machine.platform:
            return (node.platform, self.machine.platform, f"is built for {node.platform}, the machine is {self.machine.platform}")
        return None

    def _os(self, node: ConcreteSpec) -> Failure | None:
        if self.policy.os_policy == "strict" and node.os != self.machine.os:
            return self._other_os(node)
        if node.platform == "linux":
            return self._linux(node)
        oses = self._compatible_oses
        return None if any(macos_runs(node.os, os) for os in oses) else self._other_os(node)

    @cached_property
    def _compatible_oses(self) -> tuple[str, ...]:
        """The machine's OS and those that the stack calls compatible, step by step (Spack ``asp.py:os_defaults``, ``os_compatible``)."""
        found = [self.machine.os] if self.machine.os else []
        for os in found:
            found += [other for other in self.policy.os_compatible.get(os, ()) if other not in found]
        return tuple(found)

    def _linux(self, node: ConcreteSpec) -> Failure | None:
        edge = next((e for e in node.dependencies if "libc" in e.virtuals), None)
        if edge is not None:
            return self._libc(edge)
        if node.os == self.machine.os or node.external or not self._is_compiled(node):
            return None
        return self._other_os(node, "states no libc and ")

    def _is_compiled(self, node: ConcreteSpec) -> bool:
        """May it hold compiled code? Yes unless its dependencies are known and no compiler is among them."""
        if not self.pool.statement(node).complete or node.format < OLD_FORMAT:
            return True
        return any(LANGUAGES.intersection(edge.virtuals) or edge.name in COMPILERS for edge in node.dependencies)

    def _other_os(self, node: ConcreteSpec, prefix: str = "") -> Failure:
        if self.machine.os is None:
            return (node.os, "unknown", f"{prefix}was built on {node.os}, and the machine's OS is not known; give --os")
        return (node.os, self.machine.os, f"{prefix}was built on {node.os}, the machine runs {self.machine.os}")

    def _libc(self, edge: Dependency) -> Failure | None:
        if edge.hash not in self._libcs:
            needed = self.pool.get(edge.hash)
            if needed is None:
                text = f"needs a libc, {edge.name}/{edge.hash[:7]}, that no source has"
                self._libcs[edge.hash] = ("unknown libc", str(self.machine.libc), text)
            else:
                path = needed.external.path if needed.external else None
                self._libcs[edge.hash] = self._libc_failure(needed.name, needed.wire.version, path)
        return self._libcs[edge.hash]

    def _libc_failure(self, name: str, version: str, path: str | None) -> Failure | None:
        """Spack ``solver/libc_compatibility.lp``: same package and prefix, and the machine's version is not older."""
        ours, shown = self.machine.libc, f"{name} {version}"
        if ours is None:
            return (shown, "unknown", f"needs {shown}, and the machine's libc is not known; give --libc")
        have = f"{ours.name} {ours.version}"
        if name != ours.name or parse_version(version) > parse_version(ours.version):
            return (shown, have, f"needs {shown}, the machine has {have}")
        if path and path != ours.prefix:
            return (f"{shown} at {path}", f"{have} at {ours.prefix}", f"needs {shown} at {path}, the machine has {have} at {ours.prefix}")
        return None

    def _target(self, node: ConcreteSpec) -> Failure | None:
        if self.machine.target is None:
            return (node.target, "unknown", f"is built for {node.target}, and the machine's target is not known; give --target")
        if node.target not in self.targets:
            return (node.target, self.machine.target, self._target_text(node))
        for child in self.closures.children(node):
            if child.target != node.target and child.name != "gcc-runtime" and not targets.runs_on(child.target, node.target):
                text = (
                    f"is built for {node.target} and links to {_shown(child)}, built for {child.target}; Spack does not reuse such a pair"
                )
                return (child.target, node.target, text)
        return None

    def _target_text(self, node: ConcreteSpec) -> str:
        if targets.runs_on(node.target, self.machine.target or ""):
            return f"is built for {node.target}, and the stack takes generic targets only (concretizer:targets:granularity)"
        return f"is built for {node.target}, which does not run on {self.machine.target}"

    def failures(self, node: ConcreteSpec) -> list[tuple[str, Failure]]:
        """All gates but the last that a node fails on its own, not only the first, each with how; for explanations."""
        return [(gate, failed) for gate, check in self._checks.items() if gate != "constraints" and (failed := check(node))]

    def early_failures(self, spec: ConcreteSpec) -> list[tuple[str, Failure]]:
        """Those of a record's failures that are told without looking at its dependencies' own."""
        checks = {gate: self._checks[gate] for gate in ("platform", "os", "gpu")}
        return [(gate, failed) for gate, check in checks.items() if (failed := check(spec))]

    def as_root(self, spec: ConcreteSpec) -> list[Rejection]:
        """What a record fails only as a root: that it is no binary, that it has not the label."""
        return [found for found in (self._root_binary(spec), self._root_constraints(spec, EMPTY)) if found]

    def _root_constraints(self, spec: ConcreteSpec, want: AbstractSpec) -> Rejection | None:
        try:
            failed = match(spec, want)
        except SpecError as error:
            raise error.at(str(want)) from None
        if failed:
            return Rejection(spec, "constraints", failed.node, failed.have, failed.want, str(failed))
        label = self.policy.label
        stacks = self.pool.statement(spec).stacks
        if self.policy.labelled == "only" and label and label not in stacks:
            text = f"{_shown(spec)} is labelled {', '.join(stacks) or 'with no stack'}, asked was for {label} only"
            return Rejection(spec, "constraints", spec, ", ".join(stacks), label, text)
        return None

    def notes(self, closure: tuple[ConcreteSpec, ...]) -> tuple[str, ...]:
        """What is to be said of the nodes of a closure that passes."""
        return tuple(
            f"{_shown(node)} is in no build cache that was synced; Spack takes or builds another gcc-runtime"
            for node in closure
            if node.name == "gcc-runtime" and not node.external and not self.pool.statement(node).in_buildcache
        )


def _shown(node: ConcreteSpec) -> str:
    return f"{node.name}@{node.wire.version}/{node.hash[:7]}"
