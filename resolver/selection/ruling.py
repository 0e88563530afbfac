"""What the stack's rules say of the nodes of a pool: which of them break one, and at what weight the others keep them."""

from __future__ import annotations

from resolver.selection.defects import Failure
from resolver.selection.model import Policy
from resolver.selection.pool import CandidatePool
from resolver.selection.rules import Requirement, Rules
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.satisfies import match


class Ruling:
    """The rules of one ``packages`` section and one ``reuse``, held against each node once, whatever machine it is judged for."""

    def __init__(self, pool: CandidatePool, rules: Rules, policy: Policy) -> None:
        self.rules = rules
        self._pool = pool
        self._policy = policy
        self._virtuals = frozenset(name for name in rules.own if rules.on_virtual(name))
        self._of_kind: dict[tuple[str, ...], list[Requirement]] = {}
        self._found: dict[str, tuple[int, Failure | None]] = {}

    def failure(self, node: ConcreteSpec) -> Failure | None:
        """How a node, or what provides a virtual to it, breaks a rule; None where it breaks none."""
        return self._of(node)[1]

    def weight(self, node: ConcreteSpec) -> int:
        """The weight of the alternatives by which a node keeps the stack's rules; 0 for one that does not."""
        return self._of(node)[0]

    def _of(self, node: ConcreteSpec) -> tuple[int, Failure | None]:
        if node.hash not in self._found:
            self._found[node.hash] = self._check(node)
        return self._found[node.hash]

    def _check(self, node: ConcreteSpec) -> tuple[int, Failure | None]:
        total = 0
        for subject, rule in self._applying(node):
            weight, failed = rule.check(subject)
            total += weight
            if failed is not None:
                have = getattr(failed, "have", "") or subject.wire.version
                return 0, (have, getattr(failed, "want", str(failed)), f"breaks {rule.origin}: {failed}")
        return total, self._reuse(node)

    def broken(self, node: ConcreteSpec) -> list[tuple[ConcreteSpec, Requirement | None, Failure]]:
        """All of the rules that a node breaks, each with the node it is on and how; no rule where ``reuse`` leaves it out."""
        found: list[tuple[ConcreteSpec, Requirement | None, Failure]] = []
        for subject, rule in self._applying(node):
            failed = rule.check(subject)[1]
            if failed is not None:
                have = getattr(failed, "have", "") or subject.wire.version
                told = str(failed).replace(f"{subject.name}/{subject.hash[:7]} ", "it ", 1)
                found.append((subject, rule, (have, getattr(failed, "want", str(failed)), f"breaks {rule.origin}: {told}")))
        left_out = self._reuse(node)
        return [*found, (node, None, left_out)] if left_out else found

    def _applying(self, node: ConcreteSpec) -> list[tuple[ConcreteSpec, Requirement]]:
        """The rules that bear on a node: on its package, and on the providers of the virtuals that it uses."""
        kind = self.rules.kind_of(node)
        if kind not in self._of_kind:
            self._of_kind[kind] = self.rules.on_package(node)
        found = [(node, rule) for rule in self._of_kind[kind]]
        for edge in node.dependencies if self._virtuals else ():
            for virtual in edge.virtuals:
                if virtual in self._virtuals and (child := self._pool.get(edge.hash)):
                    found += [(child, rule) for rule in self.rules.on_virtual(virtual)]
        return found

    def _reuse(self, node: ConcreteSpec) -> Failure | None:
        """Spack ``solver/reuse.py:SpecFilter``: ``concretizer:reuse`` may include and exclude records, but not those of needed groups."""
        if node.hash in self._policy.offered:
            return None
        included = self._policy.reuse_include
        if included and all(match(node, spec) for spec in included):
            return (node.name, "concretizer:reuse:include", "is not among what concretizer:reuse includes")
        for spec in self._policy.reuse_exclude:
            if match(node, spec) is None:
                return (node.name, f"not {spec}", f"is excluded by concretizer:reuse ({spec})")
        return None
