"""The order among what passes the gates: Spack's criteria among reusable specs, then our own tie-breaks.

Source: Spack ``solver/concretize.lp`` (``opt_criterion``), ``solver/asp.py`` (``pkg_version_rules``, ``os_defaults``,
``target_defaults``). All are numbers to be kept small, compared in the order of ``CRITERIA``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cached_property

import msgspec

from resolver.selection.composition import Composition, Kind, sketched
from resolver.selection.gates import Judge
from resolver.selection.model import Candidate
from resolver.selection.pool import Outline, Reach, Statement
from resolver.selection.versions import UNRANKED
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.satisfies import match_variant
from resolver.spec.virtuals import COMPILER_RUNTIMES, LANGUAGES

CRITERIA = (
    "weight of the requirements' alternatives",
    "label of the stack",
    "repeated packages",
    "deprecated versions",
    "version of the root",
    "variant preferences of the root",
    "provider preferences of the root",
    "unused defaults of the root",
    "variant preferences of other packages",
    "provider preferences",
    "OS label",
    "version of other packages",
    "unusual variants",
    "unused defaults of other packages",
    "edges that change target",
    "target distance",
    "version of runtimes",
    "target distance of runtimes",
    "hashes of needed groups",
    "newer compiler",
    "fewest packages",
    "source order",
    "hash",
)
REPEATED = CRITERIA.index("repeated packages")
ROOT_PROVIDERS = CRITERIA.index("provider preferences of the root")
PROVIDERS = CRITERIA.index("provider preferences")
PREFERENCES = {
    "newest": ("version of the root", "version of other packages", "version of runtimes"),
    "closest-target": ("target distance", "target distance of runtimes"),
    "fewest-packages": ("fewest packages",),
}
"""What ``--prefer`` moves up: these criteria, in this order, come right behind repeated packages."""
RUNTIME_NAMES = frozenset(COMPILER_RUNTIMES.values())
Costs = tuple[int, ...]

DEFAULT_PROVIDERS = {
    "mpi": ("openmpi", "mpich"),
    "blas": ("openblas", "amdblis"),
    "lapack": ("openblas", "amdlibflame"),
    "fftw-api": ("fftw", "amdfftw"),
    "zlib-api": ("zlib-ng", "zlib"),
    "jpeg": ("libjpeg-turbo", "libjpeg"),
    "iconv": ("libiconv",),
    "pkgconfig": ("pkgconf", "pkg-config"),
    "tbb": ("intel-tbb",),
    "uuid": ("util-linux-uuid", "libuuid"),
    "yacc": ("bison", "byacc"),
    "java": ("openjdk", "jdk"),
    "libllvm": ("llvm",),
    "gl": ("glx", "osmesa"),
}
"""Order of providers where the stack says nothing (Spack ``etc/spack/defaults/base/packages.yaml``)."""


class NodeCosts(msgspec.Struct, frozen=True):
    """What a node costs by each criterion, as a root and as another package; what it uses of providers costs once in a whole answer."""

    as_root: Costs
    as_other: Costs


class Sums(msgspec.Struct, frozen=True):
    """What all closures of one composition cost wherever they run, by what is counted; ``uses`` are the virtuals used in them."""

    nodes: int
    runtimes: int
    versions: int
    runtime_versions: int
    variants: int
    unusual: int
    compilers: int
    uses: frozenset[tuple[str, str]]


class Ranking:
    """Computes costs for one judge's machine, rules and pool; remembers them by node."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.pool = judge.pool
        self.facts = judge.policy.facts
        self.order = arrangement(judge.policy.prefer)
        self.criteria = tuple(CRITERIA[place] for place in self.order)
        self.versions = judge.shared.order(judge.rules, judge.policy)
        self._costs: dict[str, NodeCosts] = {}
        self._kinds: dict[int, tuple[int, ...]] = {}
        self._solo: dict[tuple[str, str], tuple[int | str, ...]] = {}
        self._uses: dict[str, frozenset[tuple[str, str]]] = {}
        self.provider_rank = cache(self._provider_rank)
        # Many records reach the same providers and are served by the same sources.
        self._source_rank = cache(self._make_source_rank)
        self._reached_rank = cache(self.providers_rank)

    @cached_property
    def os_ranks(self) -> dict[str, int]:
        """The machine's OS first, then the others in reverse alphabetical order, as Spack does."""
        ours = self.judge.machine.os
        others = sorted((os for os in self.pool.oses() if os != ours), reverse=True)
        return {os: rank for rank, os in enumerate([*([ours] if ours else []), *others])}

    def target_rank(self, target: str) -> int:
        """How far the target is from the machine's."""
        places = self.judge.targets
        return places.index(target) if target in places else UNRANKED

    def arranged(self, costs: Costs) -> Costs:
        """Costs by ``CRITERIA`` in the order in which they are compared, the hash left out."""
        return tuple(costs[place] for place in self.order[:-1]) if self.judge.policy.prefer else costs

    def node(self, spec: ConcreteSpec) -> NodeCosts:
        """The costs of one node."""
        if spec.hash not in self._costs:
            self._costs[spec.hash] = self._node(spec)
        return self._costs[spec.hash]

    def _node(self, spec: ConcreteSpec) -> NodeCosts:
        statement = self.pool.statement(spec)
        weight = self.judge.ruling.weight(spec)
        deprecated, version = self.versions.costs(spec.name, spec.wire.version, external=bool(spec.external))
        variants, unused = self._variant_costs(spec)
        tail = (*self._target_costs(spec), *self._runtime_costs(spec), self._not_needed(spec), self._compiler_rank(spec), 1)
        other_version = 0 if spec.name in RUNTIME_NAMES else version
        place, odd = self.os_ranks.get(spec.os, UNRANKED), self._unusual(spec.name, self.pool.unusual(spec))
        source = self._source_rank(statement.served_by)
        root = (weight, self._unlabelled(statement), 0, deprecated, version, variants, 0, unused, 0, 0, place, 0, odd, 0)
        other = (weight, 0, 0, deprecated, 0, 0, 0, 0, variants, 0, place, other_version, odd, unused)
        return NodeCosts((*root, *tail, source, 0), (*other, *tail, 0, 0))

    def least(self, spec: ConcreteSpec, reach: Reach | None = None) -> Costs:
        """What the record costs at least as a candidate: no more than ``solo``, and computed without looking at any dependency."""
        known = reach or Reach(providers=tuple(sorted(self.uses(spec))), oses=(spec.os,))
        statement = self.pool.statement(spec)
        variants = (*self._variant_costs(spec, deep=False), self._unusual(spec.name, self.pool.unusual(spec)))
        return self._least(spec.name, spec.wire.version, spec.target, statement, variants, known)

    def least_of(self, name: str, outline: Outline) -> Costs:
        """As ``least``, of a record of which no more than its outline is known."""
        reach = outline.reach or Reach(oses=(outline.os,))
        variants = (0, 0, self._unusual(name, outline.unusual))
        return self._least(name, outline.version, outline.target, outline.statement, variants, reach)

    def least_of_version(self, name: str, version: str) -> Costs:
        """As ``least``, of all records of a version."""
        deprecated, badness = self.versions.costs(name, version)
        runtime = self.versions.rank(name, version) if name in RUNTIME_NAMES else 0
        return self.arranged((0, 0, 0, deprecated, badness, *[0] * 11, runtime, 0, 0, 0, 1, 0))

    def _least(self, name: str, version: str, target: str, statement: Statement, variants: tuple[int, int, int], reach: Reach) -> Costs:
        rank = self.versions.rank(name, version)
        deprecated, badness = self.versions.costs(name, version)
        misses, unused, odd = variants
        providers, systems = self._reached_rank(reach.providers), self._oses_rank(reach)
        runtime = (rank, self.target_rank(target)) if name in RUNTIME_NAMES else (0, 0)
        distance = 0 if name in RUNTIME_NAMES else self.target_rank(target)
        head = (0, self._unlabelled(statement), 0, deprecated, badness, misses, 0, unused, 0, providers, systems, 0, odd, 0, 0, distance)
        return self.arranged((*head, *runtime, 0, 0, reach.packages, self._source_rank(statement.served_by)))

    def _oses_rank(self, reach: Reach) -> int:
        """Of each OS label there is at least one node, and none of the others costs less than the least."""
        ranks = [self.os_ranks.get(os, UNRANKED) for os in reach.oses]
        return sum(ranks) + (reach.packages - len(ranks)) * min(ranks)

    def _unlabelled(self, statement: Statement) -> int:
        label = self.judge.policy.label
        return int(bool(label) and self.judge.policy.labelled != "ignore" and label not in statement.stacks)

    def _make_source_rank(self, served_by: tuple[str, ...]) -> int:
        """Place of the first source, by name, that serves the record."""
        order = self.pool.source_names()
        return min((order.index(name) for name in served_by), default=len(order))

    @cached_property
    def _needed_names(self) -> frozenset[str]:
        """The packages of which needed groups have a hash."""
        return frozenset(spec.name for key in self.judge.policy.offered if (spec := self.pool.get(key)))

    def _not_needed(self, spec: ConcreteSpec) -> int:
        """Is the node another one of a package that a needed group has? Spack offers it theirs; ours prefers it among equals."""
        return int(spec.name in self._needed_names and spec.hash not in self.judge.policy.offered)

    def _target_costs(self, spec: ConcreteSpec) -> tuple[int, int]:
        if spec.name in RUNTIME_NAMES or spec.external:
            return 0, 0
        children = self.judge.closures.children(spec)
        changes = sum(1 for c in children if c.target != spec.target and c.name not in RUNTIME_NAMES and not c.wire.external)
        return changes, self.target_rank(spec.target)

    def _runtime_costs(self, spec: ConcreteSpec) -> tuple[int, int]:
        """Version and target of a compiler's runtime, which Spack compares after those of all other packages."""
        if spec.name not in RUNTIME_NAMES:
            return 0, 0
        return self.versions.rank(spec.name, spec.wire.version), self.target_rank(spec.target)

    def _variant_costs(self, spec: ConcreteSpec, *, deep: bool = True) -> tuple[int, int]:
        """The penalty of values that neither stack nor recipe has as default, and the number of defaults that are not among the values.

        Unless ``deep``, no more than these: what hangs on dependencies is left out.
        """
        wanted = self.judge.rules.variants.get(spec.name)
        variants = wanted.variants if wanted else ()
        if self.facts and self.facts.has_variants(spec.name):
            return self.facts.variant_costs(spec, variants, self.judge.rules, deep=deep)
        return sum(1 for v in variants if v.name in spec.variants and match_variant(spec, v) is not None), 0

    def _unusual(self, name: str, count: int) -> int:
        """The values that most records of the package do not have, in place of its defaults where no recipe states them. Not Spack's."""
        return 0 if self.facts and self.facts.has_variants(name) else count

    def uses(self, spec: ConcreteSpec) -> frozenset[tuple[str, str]]:
        """The virtuals that a node uses below it, each with the package that provides it."""
        if spec.hash not in self._uses:
            edges = [(edge.name, edge.virtuals) for edge in self.judge.closures.links(spec) if edge.virtuals]
            self._uses[spec.hash] = frozenset((v, name) for name, virtuals in edges for v in virtuals if v not in LANGUAGES)
        return self._uses[spec.hash]

    def providers_rank(self, uses: Iterable[tuple[str, str]]) -> int:
        """The ranks of all providers; each counts once for a virtual, however many use it (Spack ``concretize.lp:provider_weight``)."""
        return sum(self.provider_rank(virtual, name) for virtual, name in uses)

    def _provider_rank(self, virtual: str, name: str) -> int:
        """Place of a package in the order of a virtual's providers; 0 where nobody prefers any."""
        own = [a.name for rule in self.judge.rules.on_virtual(virtual) for a in rule.alternatives if a.name]
        order = [*own, *self.judge.rules.providers.get(virtual, DEFAULT_PROVIDERS.get(virtual, ()))]
        return order.index(name) if name in order else UNRANKED if order else 0

    def _compiler_rank(self, spec: ConcreteSpec) -> int:
        """Place among the versions of the same compiler that the pool knows, newest first; 0 where none is stated."""
        name, _, version = spec.compiler.partition("@")
        if not version:
            return 0
        return self.versions.rank(name, version)

    def sorted(self, candidates: list[Candidate]) -> list[Candidate]:
        """The candidates of one root, the best first."""
        return sorted(candidates, key=self.solo) if len(candidates) > 1 else candidates

    def solo(self, candidate: Candidate) -> tuple[int | str, ...]:
        """The costs of a candidate that is served alone, the hash last, so that no two are equal."""
        key = (candidate.spec.hash, candidate.virtual)
        if key not in self._solo:
            self._solo[key] = self._sum(candidate)
        return self._solo[key]

    def sums(self, composition: Composition) -> Sums:
        """What the kinds of a closure cost together."""
        rows = [self._kinds.get(kind.number) or self._kind(kind) for kind in composition]
        runtimes, versions, of_runtimes, variants, unusual, compilers = map(sum, zip(*rows, strict=True))
        uses = frozenset(pair for kind in composition for pair in kind.traits.uses)
        return Sums(len(rows), runtimes, versions, of_runtimes, variants, unusual, compilers, uses)

    def _kind(self, kind: Kind) -> tuple[int, ...]:
        """What a node of a kind costs, in the order of ``Sums``: is it a runtime, its version apart from and as one, and so on."""
        rank = self.versions.rank(kind.name, kind.version)
        compiler = kind.compiler
        versions = (1, 0, rank) if kind.name in RUNTIME_NAMES else (0, rank, 0)
        of_compiler = self.versions.rank(compiler.name, compiler.version) if compiler else 0
        found = (*versions, self._kind_variants(kind), self._unusual(kind.name, kind.unusual), of_compiler)
        self._kinds[kind.number] = found
        return found

    def of_sums(self, spec: ConcreteSpec, kind: Kind, sums: Sums, weight: int, virtual: str) -> Costs:
        """As ``solo`` without the hash, of a record whose closure is of its own OS and target and is known by its sums alone."""
        statement = self.pool.statement(spec)
        is_runtime = spec.name in RUNTIME_NAMES
        version = self.versions.rank(spec.name, spec.wire.version)
        variants = self._kind_variants(kind)
        used = sums.uses | {(v, spec.name) for v in [virtual] if v}
        own = {pair for pair in used if pair[1] == spec.name}
        place, distance = self.os_ranks.get(spec.os, UNRANKED), self.target_rank(spec.target)
        root = (weight, self._unlabelled(statement), 0, 0, version, variants, self.providers_rank(own), 0)
        others = sums.versions - (0 if is_runtime else version)
        below = (sums.variants - variants, self.providers_rank(used - own), place * sums.nodes, others, sums.unusual, 0)
        targets = (0, distance * (sums.nodes - sums.runtimes), sums.runtime_versions, distance * sums.runtimes)
        return self.arranged((*root, *below, *targets, 0, sums.compilers, sums.nodes, self._source_rank(statement.served_by)))

    def foretell(self, spec: ConcreteSpec, virtual: str, costs: Costs) -> None:
        """From now on these are the costs of a candidate that is served alone."""
        self._solo[spec.hash, virtual] = (*costs, spec.hash)

    def forget(self, spec: ConcreteSpec, virtual: str) -> None:
        """The costs of a candidate are to be computed anew."""
        self._solo.pop((spec.hash, virtual), None)

    def _kind_variants(self, kind: Kind) -> int:
        """The penalty of values that the stack has not as default."""
        return self._variant_costs(sketched(kind))[0] if kind.name in self.judge.rules.variants else 0

    def _sum(self, candidate: Candidate) -> tuple[int | str, ...]:
        rows = [self.node(candidate.spec).as_root, *(self.node(node).as_other for node in candidate.closure[1:])]
        *sums, _ = map(sum, zip(*rows, strict=True))
        used = frozenset().union(*map(self.uses, candidate.closure), {(v, candidate.spec.name) for v in [candidate.virtual] if v})
        own = {(virtual, name) for virtual, name in used if name == candidate.spec.name}
        sums[ROOT_PROVIDERS], sums[PROVIDERS] = self.providers_rank(own), self.providers_rank(used - own)
        return (*self.arranged(tuple(sums)), candidate.spec.hash)


def arrangement(prefer: str) -> tuple[int, ...]:
    """The places of criteria in ``CRITERIA`` in the order in which they are compared."""
    moved = [CRITERIA.index(name) for name in PREFERENCES.get(prefer, ())]
    places = [place for place in range(len(CRITERIA)) if place not in moved]
    return (*places[: REPEATED + 1], *moved, *places[REPEATED + 1 :])
