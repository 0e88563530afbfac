"""A problem made smaller before it is searched, without losing its best answer.

- A node that is in every answer, since each candidate of a root that is surely served has it and nothing competes with it, joins no
  roots and tells no candidates apart (``settled``).
- Of the candidates of a root that touch what other roots may touch in the same way, only the cheapest may be chosen (``undominated``).
- Where all roots can be served, each package has one of the hashes that every root allows, and what has another cannot be chosen
  (``supported``).
- Roots that share nothing that is not settled are solved apart (``parts``).
"""

from __future__ import annotations

from collections.abc import Iterable

from resolver.selection.problem import SHARED, Rows
from resolver.selection.weigher import Settled, Weigher, bits, several


class Field:
    """What the candidates of some roots reach, and what of it competes."""

    def __init__(self, weigher: Weigher, rows: Rows) -> None:
        self.weigher = weigher
        self.rows = rows
        self.reach = {root: weigher.union(row) for root, row in rows.items()}
        self.uses = {root: self._uses(root) for root in rows}
        self.present, self.twice = _gather(self.reach.values())
        self.rivals = {name: found for name, mask in weigher.rivals.items() if several(found := mask & self.present)}
        self.disputed = sum(self.rivals.values())
        self.providers = {weigher.nodes[n].package for row in rows.values() for n in row}
        self.virtuals = self._disputed_virtuals()
        self.clashing = _united(1 << a | b for a, b in weigher.clash_of.items())
        self.settled = self._settled()

    def _uses(self, root: int) -> int:
        return _united(self.weigher.used({root: number}) for number in self.rows[root])

    def _disputed_virtuals(self) -> set[str]:
        """The virtuals of which more than one provider is used, or that a root may have to provide."""
        used = _united(self.uses.values())
        found = {virtual for virtual, mask in self.weigher.by_virtual.items() if several(used & mask)}
        nodes = self.weigher.nodes
        return found | {virtual for row in self.rows.values() for n in row for virtual in nodes[n].provides}

    def is_free(self, root: int, number: int) -> bool:
        """Does the candidate go with every other answer?"""
        weigher, node = self.weigher, self.weigher.nodes[number]
        if weigher.masks[number] & (self.disputed | self.clashing) or node.package in SHARED:
            return False
        used = {weigher.pairs[place][0] for place in bits(weigher.used({root: number}))}
        return not used & self.virtuals and not self.virtuals.intersection(node.provides)

    def _settled(self) -> Settled:
        """What all candidates of a root have that has a free one, and so is served in every best answer."""
        nodes = pairs = 0
        for root, row in self.rows.items():
            if any(self.is_free(root, number) for number in row):
                nodes |= _common(self.weigher.masks[number] for number in row)
                pairs |= _common(self.weigher.used({root: number}) for number in row)
        return Settled(nodes, pairs)

    def touches(self, root: int, number: int) -> tuple[object, ...]:
        """All by which a candidate may bear on other roots; of two that are equal here the cheaper is as good in every answer."""
        weigher, node = self.weigher, self.weigher.nodes[number]
        mask = weigher.masks[number] & ~self.settled.nodes
        if (mask & self.twice) >> number & 1 or mask & self.clashing or node.package in SHARED:
            return (number,)
        private = mask & ~self.twice & self.disputed
        fought = frozenset(weigher.nodes[n].package for n in bits(private))
        role = node.package if self._plays(node.package) else ""
        return mask & self.twice, fought, weigher.used({root: number}) & ~self.settled.pairs, role, node.provides

    def _plays(self, package: str) -> bool:
        return any(pair[1] == package for pair in self.weigher.pairs)

    def private_costs(self, number: int) -> tuple[int, ...]:
        """What a candidate costs by nodes that no other root may bring, as far as it tells candidates of equal ``touches`` apart."""
        nodes, mask = self.weigher.nodes, self.weigher.masks[number]
        private = mask & ~self.twice & ~self.settled.nodes
        rows = [nodes[n].other_costs for n in bits(private) if n != number]
        own = nodes[number].root_costs
        if self.settled.nodes >> number & 1:
            own = tuple(a - b for a, b in zip(own, nodes[number].other_costs, strict=True))
        return tuple(sum(column) for column in zip(own, *rows, strict=True))


def undominated(field: Field) -> Rows:
    """For each root the candidates that may be in the best answer."""
    found: Rows = {}
    for root, row in field.rows.items():
        alike: dict[object, list[int]] = {}
        for number in row:
            alike.setdefault(field.touches(root, number), []).append(number)
        best = (min(group, key=lambda n: (field.private_costs(n), n)) if len(group) > 1 else group[0] for group in alike.values())
        found[root] = tuple(sorted(best))
    return found


def parts(field: Field) -> list[Rows]:
    """The roots parted into sets that do not bear on each other."""
    groups: list[tuple[int, set[object], set[int]]] = []
    for root in field.rows:
        mask, tokens, members = field.reach[root] & ~field.settled.nodes, _tokens(field, root), {root}
        apart = []
        for group in groups:
            if group[0] & mask or group[1] & tokens:
                mask, tokens, members = mask | group[0], tokens | group[1], members | group[2]
            else:
                apart.append(group)
        groups = [*apart, (mask, tokens, members)]
    found = [{root: field.rows[root] for root in sorted(members)} for _, _, members in groups]
    return sorted(found, key=min)


def _tokens(field: Field, root: int) -> set[object]:
    """What a root may compete for or share, nodes left out."""
    weigher, reach = field.weigher, field.reach[root]
    found: set[object] = {("package", name) for name, mask in field.rivals.items() if reach & mask}
    own = {weigher.nodes[n].package for n in field.rows[root]}
    for place in bits(field.uses[root]):
        virtual, package = weigher.pairs[place]
        if not field.settled.pairs >> place & 1 or package in field.providers:
            found.add(("virtual", virtual))
    found |= {("virtual", virtual) for virtual, package in weigher.pairs if package in own}
    found |= {("virtual", virtual) for n in field.rows[root] for virtual in weigher.nodes[n].provides}
    found |= {("shared", name) for name in own & SHARED}
    return found | ({"clash"} if reach & field.clashing else set())


def reduced(weigher: Weigher, rows: Rows) -> list[tuple[Rows, Settled]]:
    """The parts of a problem, each without the candidates that cannot be in its best answer, and what is settled beside it."""
    rows = {root: tuple(n for n in row if weigher.agrees({root: n})) for root, row in rows.items()}
    rows = {root: row for root, row in rows.items() if row}
    field = Field(weigher, rows)
    while (left := undominated(field)) != field.rows:
        field = Field(weigher, left)
    return [(part, field.settled) for part in parts(field)]


def supported(weigher: Weigher, rows: Rows) -> Rows | None:
    """The candidates that may be in an answer that serves all of these roots; None where there is no such answer.

    A root of which every candidate has a hash of a package allows no others of it.
    """
    while True:
        closures = {root: [weigher.masks[n] for n in row] for root, row in rows.items()}
        refused = 0
        for mask in weigher.rivals.values():
            allowed = mask
            for masks in closures.values():
                if all(one & mask for one in masks):
                    allowed &= _united(masks)
            refused |= mask & ~allowed
        left = {root: tuple(n for n in row if not weigher.masks[n] & refused) for root, row in rows.items()}
        if not all(left.values()):
            return None
        if left == rows:
            return rows
        rows = left


def _gather(masks: Iterable[int]) -> tuple[int, int]:
    """The members of any set, and those of at least two."""
    once = twice = 0
    for mask in masks:
        twice |= once & mask
        once |= mask
    return once, twice


def _united(masks: Iterable[int]) -> int:
    return _gather(masks)[0]


def _common(masks: Iterable[int]) -> int:
    found = -1
    for mask in masks:
        found &= mask
    return max(found, 0)
