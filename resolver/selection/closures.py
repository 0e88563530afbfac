"""Link/run closures as sets of bits, each node's made once of its children's.

Closures of a stack's candidates overlap nearly wholly, so walking each anew would cost their product; here each edge is followed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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
        self._surveys: dict[str, tuple[list[Dependency], list[str]]] = {}
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
        return self._survey(spec)[0]

    def _survey(self, spec: ConcreteSpec) -> tuple[list[Dependency], list[str]]:
        """The links, and the hashes of all that is looked up when a node is judged: what lies below it, its libc and its compiler."""
        found = self._surveys.get(spec.hash)
        if found is None:
            edges = () if spec.wire.external else spec.dependencies
            links = [edge for edge in edges if edge.deptypes & LINK_RUN and is_closure_edge(edge)]
            needed = [e.hash for e in edges if e.deptypes & LINK_RUN or (e.virtuals and not LANGUAGES.isdisjoint(e.virtuals))]
            found = self._surveys[spec.hash] = links, needed
        return found

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

    def union(self, specs: Iterable[ConcreteSpec]) -> dict[str, ConcreteSpec]:
        """The nodes of several closures by hash, sorted."""
        return dict(sorted({node.hash: node for spec in specs for node in self.nodes(self.mask(spec))}.items()))

    def prefetch(self, specs: Sequence[ConcreteSpec]) -> None:
        """Have the pool load the closures of these specs, level by level."""
        self._loaded.update(self._load(specs, lambda _: False, self._loaded))

    def sound(self, specs: Sequence[ConcreteSpec], fails: Callable[[ConcreteSpec], bool], done: set[str]) -> list[ConcreteSpec]:
        """Those of the specs in whose closures no node fails; ``done`` are hashes with sound closures, to which it adds."""
        self._load(specs, fails, done)
        return [spec for spec in specs if self._is_sound(spec, fails, done)]

    def _load(self, specs: Sequence[ConcreteSpec], fails: Callable[[ConcreteSpec], bool], done: set[str]) -> Iterable[str]:
        """Load closures level by level, side by side, each node once; what is ``done`` is there. The hashes of what was met.

        Nothing more is loaded for the sake of specs that are known to have a node that fails.
        """
        level = [spec for spec in specs if spec.hash not in done]
        owners = {spec.hash: 1 << place for place, spec in enumerate(level)}
        failed = 0
        while level:
            self._pool.prefetch({key for node in level for key in self._survey(node)[1]})
            below: dict[str, ConcreteSpec] = {}
            for node in level:
                for edge in self.links(node):
                    if edge.hash in below:
                        owners[edge.hash] |= owners[node.hash]
                    elif edge.hash not in owners and edge.hash not in done and (child := self._pool.get(edge.hash)):
                        owners[edge.hash], below[edge.hash] = owners[node.hash], child
            for key in [key for key, child in below.items() if fails(child)]:
                failed |= owners[key]
            level = [child for key, child in below.items() if owners[key] & ~failed]
        return owners

    def _is_sound(self, spec: ConcreteSpec, fails: Callable[[ConcreteSpec], bool], done: set[str]) -> bool:
        """Does no node of a closure fail, the spec itself apart? Each node that is found to be sound is walked once."""
        seen = {spec.hash}
        path = [(spec, iter(self.children(spec)))]
        while path:
            child = next(path[-1][1], None)
            if child is None:
                done.add(path.pop()[0].hash)
            elif child.hash not in seen and child.hash not in done:
                if fails(child):
                    return False
                seen.add(child.hash)
                path.append((child, iter(self.children(child))))
        return True

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
