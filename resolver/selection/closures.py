"""Link/run closures as sets of bits, each node's made once of its children's.

Closures of a stack's candidates overlap nearly wholly, so walking each anew would cost their product; here each edge is followed once.
"""

from __future__ import annotations

from collections.abc import Iterator

from resolver.selection.pool import CandidatePool
from resolver.spec.concrete import ConcreteSpec, Dependency
from resolver.spec.node import LINK_RUN
from resolver.spec.virtuals import LIBCS


def is_closure_edge(edge: Dependency) -> bool:
    """Does the edge belong to the closure? Link and run edges do, but for libc, which is the machine's own."""
    return bool(edge.deptypes & LINK_RUN) and "libc" not in edge.virtuals and edge.name not in LIBCS


class Closures:
    """Numbers nodes in the order they are met and keeps each one's closure as an integer with their bits set."""

    def __init__(self, pool: CandidatePool) -> None:
        self._pool = pool
        self._nodes: list[ConcreteSpec] = []
        self._numbers: dict[str, int] = {}
        self._masks: dict[str, int] = {}
        self._links: dict[str, list[Dependency]] = {}
        self._children: dict[str, list[ConcreteSpec]] = {}

    def bit(self, spec: ConcreteSpec) -> int:
        """The node's own bit."""
        number = self._numbers.get(spec.hash)
        if number is None:
            number = self._numbers[spec.hash] = len(self._nodes)
            self._nodes.append(spec)
        return 1 << number

    def links(self, spec: ConcreteSpec) -> list[Dependency]:
        """The edges that belong to the closure; of an external none, since it is not installed."""
        links = self._links.get(spec.hash)
        if links is None:
            links = [edge for edge in spec.dependencies if is_closure_edge(edge)] if not spec.wire.external else []
            self._links[spec.hash] = links
        return links

    def children(self, spec: ConcreteSpec) -> list[ConcreteSpec]:
        """The direct dependencies in the closure that are in the pool."""
        children = self._children.get(spec.hash)
        if children is None:
            found = [self._pool.get(edge.hash) for edge in self.links(spec)]
            children = self._children[spec.hash] = [child for child in found if child is not None]
        return children

    def mask(self, spec: ConcreteSpec) -> int:
        """The bits of the node's closure, itself included. A cycle, which no sound source has, is cut where it closes."""
        if spec.hash in self._masks:
            return self._masks[spec.hash]
        self._prefetch(spec)
        stack = [(spec, iter(self.children(spec)))]
        self._masks[spec.hash] = self.bit(spec)
        while stack:
            node, left = stack[-1]
            child = next(left, None)
            if child is None:
                stack.pop()
                if stack:
                    self._masks[stack[-1][0].hash] |= self._masks[node.hash]
            elif child.hash in self._masks:
                self._masks[node.hash] |= self._masks[child.hash]
            else:
                self._masks[child.hash] = self.bit(child)
                stack.append((child, iter(self.children(child))))
        return self._masks[spec.hash]

    def _prefetch(self, spec: ConcreteSpec) -> None:
        """Have the pool load the closure level by level."""
        level = [spec]
        while level:
            fresh = [node for node in level if node.hash not in self._children]
            self._pool.prefetch(edge.hash for node in fresh for edge in self.links(node))
            level = list({child.hash: child for node in fresh for child in self.children(node)}.values())

    def nodes(self, mask: int) -> Iterator[ConcreteSpec]:
        """The nodes of a set of bits, in the order in which they were met."""
        while mask:
            low = mask & -mask
            yield self._nodes[low.bit_length() - 1]
            mask ^= low
