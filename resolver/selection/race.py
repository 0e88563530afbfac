"""The records of a root in the order of what they cost at least, read and judged only as far as the best may be among them."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from msgspec.structs import replace

from resolver.arch import target as targets
from resolver.errors import InputError
from resolver.selection.foretelling import Foretelling
from resolver.selection.gates import Judge
from resolver.selection.model import Candidate, Rejection
from resolver.selection.pool import Outline
from resolver.selection.providing import may_provide
from resolver.selection.ranking import Costs, Ranking
from resolver.selection.rules import Requirement
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.virtuals import VIRTUALS
from resolver.versions.ranges import ANY
from resolver.versions.version import parse_version

READ_AT_ONCE = 3
JUDGED_AT_ONCE = 1
READ_OF_ALL = 512
"""How many records are read, and judged, together where all are wanted."""
READ_FIRST, JUDGED_LAST = (0,), (1,)
"""In place of what records cost at least, where all are wanted: so all are read before the first is judged."""

# What costs at least so much: all records of a version, a record of which the outline is known, or one whose node was read. The text
# tells entries apart that cost the same.
Entry = tuple[Costs, str, Outline | ConcreteSpec | None]


def records_of(judge: Judge, root: AbstractSpec, *, thorough: bool) -> tuple[list[ConcreteSpec], AbstractSpec]:
    """The records that a root may mean by name or hash (gate ``name``), and what remains to be asked of them.

    A virtual root means the packages that were seen to provide it, where the conditions of their recipes hold; versions and variants of
    a virtual are not compared. Unless ``thorough``, only records for the machine's platform and targets are looked at. Raises
    ``InputError`` when the root names no package and no hash.
    """
    pool = judge.pool
    if root.name is None:
        if root.hash is None:
            msg = f"the spec {str(root)!r} names no package"
            raise InputError(msg, hint="begin it with a package's name, or ask for a /hash")
        return pool.with_prefix(root.hash), root
    place = () if thorough or not judge.machine.platform else (judge.machine.platform, judge.targets)
    names, want = packages_of(judge, root)
    return [spec for name in names for spec in pool.named(name, *place) if is_meant(judge, root, want, spec)], want


def packages_of(judge: Judge, root: AbstractSpec) -> tuple[list[str], AbstractSpec]:
    """The packages that a root with a name may mean, and what remains to be asked of their records."""
    pool, name = judge.pool, root.name or ""
    if name in VIRTUALS and not pool.has_package(name):
        return pool.providers(name), AbstractSpec(hash=root.hash, platform=root.platform, os=root.os, target=root.target, edges=root.edges)
    return [name], root


def is_meant(judge: Judge, root: AbstractSpec, want: AbstractSpec, spec: ConcreteSpec) -> bool:
    """Is a record of a package that a root may mean meant by it? Of a virtual root only what provides the virtual is."""
    virtual = virtual_of(root, want)
    return not virtual or may_provide(judge.policy.facts, spec, virtual)


def in_question(judge: Judge, root: AbstractSpec) -> tuple[list[ConcreteSpec], AbstractSpec]:
    """The records of a root that neither platform, target nor what they state of themselves rules out, and what is asked of them."""
    specs, want = records_of(judge, root, thorough=False)
    return [spec for spec in specs if not judge.fails_itself(spec, want)], want


def virtual_of(root: AbstractSpec, want: AbstractSpec) -> str:
    """The root's name where that is a virtual, told by what remains to be asked of its records; else empty."""
    return (root.name or "") if want is not root else ""


class Race:
    """Judges the records of one root until the best ``wanted`` are certain, or all. ``verdicts`` are of those that were judged."""

    def __init__(self, judge: Judge, ranking: Ranking, root: AbstractSpec, wanted: int | None = 2) -> None:
        self.wanted = wanted
        self.judge = judge
        self.ranking = ranking
        self.want = root
        self.virtual = ""
        self.verdicts: list[Candidate | Rejection] = []
        self._best: list[tuple[int | str, ...]] = []
        self._outlines: dict[str, Outline] = {}
        self._targets: list[str] = []
        self._heap = self._entries(root)
        heapify(self._heap)

    @property
    def whole(self) -> bool:
        """Was every record judged or ruled out?"""
        return not self._heap

    @property
    def going(self) -> bool:
        """May a record that is left be one of the best?"""
        if self.wanted is None or not self._heap:
            return bool(self._heap)
        return len(self._best) < self.wanted or self._heap[0][0] <= self._best[-1][:-1]

    def _entries(self, root: AbstractSpec) -> list[Entry]:
        platform = self.judge.machine.platform
        if root.name is None or platform is None or not self.judge.pool.has_package(root.name):
            specs, self.want = in_question(self.judge, root)
            self.virtual = virtual_of(root, self.want)
            return [(self.ranking.least(spec) if self.wanted else JUDGED_LAST, spec.hash, spec) for spec in specs]
        rules = self.judge.rules.on_outline(root.name)
        self._targets = [t for t in self.judge.targets if not any(all(_other_target(t, a) for a in want) for want in _wants(root, rules))]
        versions = self.judge.pool.versions(root.name)
        allowed = [v for v in versions if _allows(root, v)]
        return [(self.ranking.least_of_version(root.name, v) if self.wanted else READ_FIRST, v, None) for v in allowed]

    def _expand(self) -> None:
        """Put the records of a version in its place."""
        name, platform = self.want.name or "", self.judge.machine.platform or ""
        version = heappop(self._heap)[1]
        ruled_out: dict[tuple[str, str], bool] = {}
        for outline in self.judge.pool.outlines(name, version, platform, self._targets):
            place = (outline.os, outline.target)
            if place not in ruled_out:
                ruled_out[place] = self._ruled_out(outline)
            if not (ruled_out[place] or self._fails(outline)):
                self._outlines[outline.hash] = outline
                heappush(self._heap, (self.ranking.least_of(name, outline) if self.wanted else READ_FIRST, outline.hash, outline))

    def _fails(self, outline: Outline) -> bool:
        """Is the record ruled out by its hash, by having no binary, or by what its closure needs of the machine?"""
        other = self.want.hash is not None and not outline.hash.startswith(self.want.hash)
        return other or not outline.statement.in_buildcache or self.judge.fails_by(outline.reach)

    def _ruled_out(self, outline: Outline) -> bool:
        """Are all records of this version, OS and target ruled out by what is asked for or by the stack's rules?"""
        rules = self.judge.rules.on_outline(self.want.name or "")
        return any(all(rules_out(outline, a) for a in want) for want in _wants(self.want, rules))

    def to_read(self) -> list[str]:
        """The hashes of the first records whose nodes have to be read; none when the first of all can be judged, or nothing is left."""
        found: list[str] = []
        most = READ_AT_ONCE if self.wanted else READ_OF_ALL
        while self.going and len(found) < most and not isinstance(self._heap[0][2], ConcreteSpec):
            if self._heap[0][2] is None:
                self._expand()
            else:
                found.append(heappop(self._heap)[1])
        return found

    def read(self, keys: list[str]) -> None:
        """Put records back with what their nodes show that they cost, unless they fail by themselves."""
        for key in keys:
            spec = self.judge.pool.get(key)
            if spec is not None and not self.judge.fails_itself(spec, self.want):
                outline = self.outline(spec)
                least = self.ranking.least(spec, outline.reach if outline else None) if self.wanted else JUDGED_LAST
                heappush(self._heap, (least, key, spec))

    def to_judge(self) -> list[ConcreteSpec]:
        """The first records of all, taken out; none when they cannot count any more or have to be read first."""
        found: list[ConcreteSpec] = []
        most = JUDGED_AT_ONCE if self.wanted else READ_OF_ALL
        while self.going and len(found) < most and isinstance(first := self._heap[0][2], ConcreteSpec):
            heappop(self._heap)
            found.append(first)
        return found

    def decide(self, spec: ConcreteSpec) -> None:
        """Judge a record."""
        verdict = self.judge.judge(spec, self.want)
        if isinstance(verdict, Candidate) and self.virtual:
            verdict = replace(verdict, virtual=self.virtual)
        self._take(verdict)

    def _take(self, verdict: Candidate | Rejection) -> None:
        self.verdicts.append(verdict)
        if isinstance(verdict, Candidate) and self.wanted:
            self._best = sorted([*self._best, self.ranking.solo(verdict)])[: self.wanted]

    def outline(self, spec: ConcreteSpec) -> Outline | None:
        """What was known of a record before it was read, unless it is one of several packages that a root may mean."""
        return self._outlines.get(spec.hash)

    def foretell(self, spec: ConcreteSpec, foretelling: Foretelling) -> bool:
        """Decide on a record by what its closure is made of. Does that tell?"""
        outline = self.outline(spec)
        found = foretelling.candidate(spec, outline, self.want, self.virtual) if outline else "untold"
        if isinstance(found, Candidate):
            self._take(found)
        return found != "untold"

    def unwalked(self) -> ConcreteSpec | None:
        """The best candidate, where it was decided on by what its closure is made of."""
        best = min((v for v in self.verdicts if isinstance(v, Candidate)), key=self.ranking.solo, default=None)
        return None if best is None or best.closure else best.spec

    def walk(self, spec: ConcreteSpec, foretelling: Foretelling) -> None:
        """Put the nodes of its closure into a candidate; one that has more of them than was told is judged anew."""
        place = next(place for place, verdict in enumerate(self.verdicts) if verdict.spec is spec)
        closures = self.judge.closures
        nodes = tuple(node for node in closures.nodes(closures.mask(spec)) if node is not spec)
        if 1 + len(nodes) == foretelling.size(self._outlines[spec.hash]):
            self.verdicts[place] = replace(self.verdicts[place], closure=(spec, *nodes), notes=self.judge.notes(nodes))
            return
        del self.verdicts[place]
        self._best = [costs for costs in self._best if costs[-1] != spec.hash]
        self.ranking.forget(spec, self.virtual)
        self.decide(spec)


def run(judge: Judge, races: Sequence[Race], foretelling: Foretelling | None = None) -> None:
    """Run races side by side, so that what all of them need next is read together; with ``foretelling`` as far as it tells."""
    while going := [race for race in races if race.going]:
        keys = [race.to_read() for race in going]
        judge.pool.prefetch(key for row in keys for key in row)
        for race, row in zip(going, keys, strict=True):
            race.read(row)
        ready = [(race, spec) for race in going for spec in race.to_judge()]
        if foretelling:
            foretelling.prepare([outline for race, spec in ready if (outline := race.outline(spec))])
            ready = [(race, spec) for race, spec in ready if not race.foretell(spec, foretelling)]
        sound = {spec.hash for spec in judge.sound([spec for _, spec in ready])}
        for race, spec in ready:
            if spec.hash in sound:
                race.decide(spec)


def run_ahead(judge: Judge, races: Sequence[Race], foretelling: Foretelling, *, walked: bool) -> None:
    """Run races as far as what closures are made of tells, and where the best are to be ``walked``, find out the nodes of these alone."""
    run(judge, races, foretelling)
    while walked and (late := [(race, spec) for race in races if (spec := race.unwalked())]):
        judge.closures.prefetch([spec for _, spec in late])
        for race, spec in late:
            race.walk(spec, foretelling)
        run(judge, races, foretelling)


def _allows(want: AbstractSpec, version: str) -> bool:
    return want.versions is ANY or parse_version(version) in want.versions


def _wants(root: AbstractSpec, rules: Sequence[Requirement]) -> list[tuple[AbstractSpec, ...]]:
    """Of each of these a record has to keep one: the root alone, and the alternatives of each rule."""
    return [(root,), *(rule.alternatives for rule in rules)]


def rules_out(outline: Outline, want: AbstractSpec) -> bool:
    """Does the record fail what is asked, as far as its version, OS and target tell?"""
    if not _allows(want, outline.version) or (want.os not in (None, "*", outline.os) and want.platform != "*"):
        return True
    return _other_target(outline.target, want)


def _other_target(target: str, want: AbstractSpec) -> bool:
    return bool(want.target) and "*" not in (want.platform, want.os) and not targets.satisfies(target, want.target or "")
