"""What judges of one pool share, whatever machines they judge for: what is found for one is there for the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from resolver.selection.defects import Defects
from resolver.selection.model import Policy
from resolver.selection.pool import CandidatePool
from resolver.selection.rules import Rules
from resolver.selection.ruling import Ruling
from resolver.selection.versions import VersionOrder


class Shared:
    """Closures, defects, and by ``packages`` section what its rules say of nodes and how it orders versions."""

    def __init__(self, pool: CandidatePool) -> None:
        self.defects = Defects(pool)
        self.closures = self.defects.closures
        self._pool = pool
        self._rules: dict[bytes, Rules] = {}
        self._rulings: dict[object, Ruling] = {}
        self._orders: dict[object, VersionOrder] = {}

    def rules(self, packages: Mapping[str, Any]) -> Rules:
        """A ``packages`` section, read; equal ones give one object. Raises ``InputError`` as ``Rules.read`` does."""
        key = msgspec.json.encode(packages)
        if key not in self._rules:
            self._rules[key] = Rules.read(packages)
        return self._rules[key]

    def ruling(self, rules: Rules, policy: Policy) -> Ruling:
        """What these rules say; the same for the same object and the same ``reuse``."""
        key = (id(rules), policy.reuse_include, policy.reuse_exclude, policy.offered)
        if key not in self._rulings:
            self._rulings[key] = Ruling(self._pool, rules, policy)  # which keeps the rules, so that their id stays theirs
        return self._rulings[key]

    def order(self, rules: Rules, policy: Policy) -> VersionOrder:
        """The order of versions by these rules and by what is known of recipes; stacks without preferences have one."""
        key = (id(rules) if rules.versions else None, id(policy.facts))
        if key not in self._orders:
            self._orders[key] = VersionOrder(self._pool, rules.versions, policy.facts)
        return self._orders[key]
