"""Link/run closures as sets of bits, each node's made once of its children's.

Closures of a stack's candidates overlap nearly wholly, so walking each anew would cost their product; here each edge is followed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from resolver.selection.pool import CandidatePool
from resolver.spec.concrete import ConcreteSpec, Dependency
from resolver.spec.node import ALL_TYPES, LINK_RUN
from resolver.spec.virtuals import COMPILER_RUNTIMES, LANGUAGES, LIBCS

GCC_RUNTIME = "gcc-runtime"
FLAGGED = {name: 1 << place for place, name in enumerate([*COMPILER_RUNTIMES, *COMPILER_RUNTIMES.values()])}


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
        self._flags: dict[str, int] = {}
        self._with_runtime = 0
        self._loaded: set[str] = set()

    def bit(self, spec: ConcreteSpec) -> int:
        """The node's own bit."""
        number = self._numbers.get(spec.hash)
        if number is None:
            number = self._numbers[spec.hash] = len(self._nodes)
            self._nodes.append(spec)
            if spec.name == GCC_RUNTIME:
                self._with_runtime |= 1 << number
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
        if spec.hash not in self._masks:
            self.prefetch([spec])
            _gather(spec, self._masks, self.bit, self.children)
        return self._masks[spec.hash]

    def prefetch(self, specs: Sequence[ConcreteSpec]) -> None:
        """Have the pool load the closures of these specs, level by level."""
        self._walk(specs, lambda _: False, self._loaded)

    def sound(self, specs: Sequence[ConcreteSpec], fails: Callable[[ConcreteSpec], bool], done: set[str]) -> list[ConcreteSpec]:
        """Those of the specs in whose closures no node fails; ``done`` are hashes with sound closures, to which it adds.

        Closures are loaded level by level, side by side, and no further than to the first level that has a node that fails.
        """
        failed = self._walk(specs, fails, done)
        return [spec for spec in specs if spec.hash not in failed]

    def _walk(self, specs: Sequence[ConcreteSpec], fails: Callable[[ConcreteSpec], bool], done: set[str]) -> set[str]:
        """The hashes of the specs with a node that fails. What is ``done`` is not walked again; what was walked to its end is put there."""
        fronts = {spec.hash: [spec] for spec in specs}
        seen = {spec.hash: {spec.hash} for spec in specs}
        failed: set[str] = set()
        while fronts:
            self._pool.prefetch({key for level in fronts.values() for node in level for key in self._needed(node)} - done)
            for key, level in list(fronts.items()):
                below = {edge.hash for node in level for edge in self.links(node)} - seen[key] - done
                nodes = [node for node in map(self._pool.get, sorted(below)) if node is not None]
                if any(map(fails, nodes)):
                    failed.add(key)
                if not nodes or key in failed:
                    del fronts[key]
                else:
                    seen[key] |= below
                    fronts[key] = nodes
        done.update(*(nodes for key, nodes in seen.items() if key not in failed))
        return failed

    def _needed(self, node: ConcreteSpec) -> list[str]:
        """The hashes of what is looked up when a node is judged: what lies below it, its libc and its compiler."""
        if node.wire.external:
            return []
        return [e.hash for e in node.dependencies if e.deptypes & LINK_RUN or not LANGUAGES.isdisjoint(e.virtuals)]

    def missing_runtime(self, spec: ConcreteSpec) -> str:
        """The runtime that the node's DAG lacks though it has the compiler; empty when none (Spack ``_has_runtime_dependencies``).

        Nearly all packages link to gcc-runtime, and where gcc is the only compiler around that settles it.
        """
        if self.mask(spec) & self._with_runtime and not self._other_compilers:
            return ""
        flags = self.dag_names(spec)
        pairs = COMPILER_RUNTIMES.items()
        return next((runtime for compiler, runtime in pairs if flags & FLAGGED[compiler] and not flags & FLAGGED[runtime]), "")

    @cached_property
    def _other_compilers(self) -> bool:
        return any(self._pool.has_package(compiler) for compiler, runtime in COMPILER_RUNTIMES.items() if runtime != GCC_RUNTIME)

    def dag_names(self, spec: ConcreteSpec) -> int:
        """Which of ``FLAGGED`` are in the node's whole DAG, build dependencies included, as bits; each node is walked once."""
        if spec.hash not in self._flags:
            _gather(spec, self._flags, lambda node: FLAGGED.get(node.name, 0), self._all_children)
        return self._flags[spec.hash]

    def _all_children(self, spec: ConcreteSpec) -> list[ConcreteSpec]:
        self._pool.prefetch(edge.hash for edge in spec.dependencies)
        return list(spec.children(ALL_TYPES))

    def nodes(self, mask: int) -> Iterator[ConcreteSpec]:
        """The nodes of a set of bits, in the order in which they were met."""
        while mask:
            low = mask & -mask
            yield self._nodes[low.bit_length() - 1]
            mask ^= low


def _gather(
    spec: ConcreteSpec,
    known: dict[str, int],
    own: Callable[[ConcreteSpec], int],
    children: Callable[[ConcreteSpec], list[ConcreteSpec]],
) -> None:
    """Unite each node's own bits with those of all below it, in ``known``; depth first and without recursion."""
    known[spec.hash] = own(spec)
    stack = [(spec, iter(children(spec)))]
    while stack:
        node, left = stack[-1]
        child = next(left, None)
        if child is None:
            stack.pop()
            if stack:
                known[stack[-1][0].hash] |= known[node.hash]
        elif child.hash in known:
            known[node.hash] |= known[child.hash]
        else:
            known[child.hash] = own(child)
            stack.append((child, iter(children(child))))
