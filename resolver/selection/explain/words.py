"""The sentences that answer why: what serves, or what keeps all records from it; and what the order's criteria cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from resolver.arch import target as targets
from resolver.selection.explain.model import Asked, Chosen, Cost, Near, Place, Step
from resolver.selection.explain.shown import counted, joined, short
from resolver.selection.model import GATES, Candidate
from resolver.selection.ranking import Ranking
from resolver.spec.abstract import AbstractSpec
from resolver.spec.virtuals import VIRTUALS
from resolver.versions import Version, parse_version

MEANINGS = {
    "weight of the requirements' alternatives": "later alternatives of the stack's rules were taken",
    "label of the stack": "it is not labelled with the stack",
    "repeated packages": "packages that are there in another hash already",
    "version of the root": "versions that are preferred to it or newer",
    "deprecated versions": "packages in a version that their recipe calls deprecated",
    "variant preferences of the root": "preferred variants that it does not have",
    "provider preferences of the root": "places that it stands behind the preferred providers",
    "unused defaults of the root": "default values that its variants do not have",
    "provider preferences": "places that its providers stand behind the preferred ones",
    "OS label": "places that its packages' OS labels stand behind the machine's, summed",
    "version of other packages": "versions that are newer than those of its other packages, summed",
    "unusual variants": "variants of its packages with another value than most records of the package have, summed",
    "variant preferences of other packages": "preferred variants that its other packages do not have",
    "unused defaults of other packages": "default values that the variants of its other packages do not have",
    "edges that change target": "dependencies built for another target than what uses them",
    "target distance": "steps from the machine's target to those of its packages, summed",
    "version of runtimes": "versions that are newer than its compiler runtimes, summed",
    "target distance of runtimes": "steps from the machine's target to its runtimes' own",
    "hashes of needed groups": "packages that the groups it needs have in another hash",
    "newer compiler": "versions that are newer than the compilers of its packages, summed",
    "fewest packages": "packages in its closure",
    "source order": "places that its source stands behind the first",
    "hash": "its place by hash, where all else is equal",
}
"""What a criterion's number counts."""


FAILED = (
    ("spec", "is not what is asked for", "is what is asked for"),
    ("rules", "breaks the stack's rules", "keeps the stack's rules"),
    ("label", "has not the stack's label", "has the stack's label"),
)
"""What is said of one record and of several that are stopped at the last gate."""


def headline(asked: Asked, steps: Sequence[Step], where: Sequence[Place], nearest: Sequence[Near], chosen: Chosen | None) -> str:
    """The answer in one sentence."""
    root = str(asked.root)
    if chosen is not None:
        return f"{short(chosen.candidate.spec)} serves {root} on {asked.machine}."
    if steps[0].left == 0:
        return _unknown(asked.root)
    emptied = next((step for step in steps if step.left == 0), steps[-1])
    stopped = [near for near in nearest if near.misses and near.misses[0].gate == emptied.gate]
    return _NONE[emptied.gate](asked, steps, where, stopped or nearest)


def _unknown(root: AbstractSpec) -> str:
    if root.name is None:
        return f"No source has a record whose hash begins with {root.hash}."
    if root.name in VIRTUALS:
        return f"No source has a record that provides {root.name}, as far as edges and recipes tell."
    return f"No source has a record of {root.name}."


def _named(asked: Asked) -> str:
    return asked.root.name or f"/{asked.root.hash}"


def _no_binary(asked: Asked, steps: Sequence[Step], _where: Sequence[Place], nearest: Sequence[Near]) -> str:
    total = counted(steps[0].left, "record")
    kinds = {miss.have for near in nearest for miss in near.misses if miss.gate == "binary"}
    if kinds == {"no binary"} and all(near.misses[0].node.hash == near.spec.hash for near in nearest):
        return f"{_named(asked)} is known by {total}, but no build cache that was synced has a binary of it."
    if kinds <= {"external"}:
        return f"{_named(asked)} is known only as an external of other machines ({total}), never as a binary."
    if "incomplete" in kinds:
        return f"None of the binaries of {_named(asked)} is complete: each lacks something that it links to or runs with ({total})."
    if any(kind.startswith("external at") for kind in kinds):
        return f"The binaries of {_named(asked)} need external packages that neither the stack nor the machine declares ({total})."
    return f"No binary of {_named(asked)} can be reused whole ({total}); the nearest misses say why."


def _platform(asked: Asked, steps: Sequence[Step], where: Sequence[Place], _nearest: Sequence[Near]) -> str:
    ours, found = asked.machine.platform, sorted({place.platform for place in where})
    if ours is None:
        return f"The machine's platform is not known, so no binary of {_named(asked)} can be vouched for."
    kind = "binary" if _left(steps, "binary") == 1 else "binaries"
    return f"{_named(asked)} exists, but not for {ours}: {_left(steps, 'binary')} {kind}, for {joined(found)} only."


def _os(asked: Asked, steps: Sequence[Step], where: Sequence[Place], nearest: Sequence[Near]) -> str:
    left, machine = counted(_left(steps, "platform"), "binary", "binaries"), asked.machine
    needs = [{miss.have for miss in near.misses if miss.gate == "os"} for near in nearest]
    libcs = [found for found in needs if any(need.startswith(("glibc", "musl")) for need in found)]
    if libcs and machine.libc is None:
        return f"{_named(asked)} exists ({left}), but the machine's libc is not known; {_needed(libcs)} is needed."
    if libcs and machine.libc:
        has = f"{machine.libc.name} {machine.libc.version}"
        return f"{_named(asked)} exists ({left}), but {_needed(libcs)} is needed, and the machine has {has}."
    oses = sorted({place.os for place in where if place.platform == machine.platform})
    return f"{_named(asked)} exists, but only for {joined(oses)} ({left}); the machine has {machine.os or 'an unknown OS'}."


def _needed(needs: Sequence[set[str]]) -> str:
    """The libc that is needed at least: by each record the newest that its closure needs, and of these the oldest."""
    newest = [max(found, key=_libc_order) for found in needs]
    least, most = min(newest, key=_libc_order), max(newest, key=_libc_order)
    if _libc_order(least)[0] != _libc_order(most)[0]:
        return joined(sorted(set(newest)), "or")
    return least if least == most else f"at least {least}, for some {most},"


def _libc_order(text: str) -> tuple[str, Version]:
    name, _, rest = text.partition(" ")
    return name, parse_version(rest.partition(" ")[0])


def _target(asked: Asked, steps: Sequence[Step], where: Sequence[Place], nearest: Sequence[Near]) -> str:
    ours, number = asked.machine.target, _left(steps, "os")
    left = counted(number, "binary", "binaries")
    if ours is None:
        return f"{_named(asked)} exists ({left}), but the machine's target is not known."
    failed = [miss for near in nearest for miss in near.misses if miss.gate == "target"]
    if failed and all(miss.want != ours for miss in failed):
        return f"{_named(asked)} exists ({left}), but with dependencies built for more than its own target, which Spack does not reuse."
    there = Counter[str]()
    for place in where:
        if place.platform == asked.machine.platform and (not targets.runs_on(place.target, ours) or asked.policy.granularity == "generic"):
            there[place.target] += place.records
    if there and targets.family(ours) not in {targets.family(target) for target in there}:
        families = sorted({targets.family(target) for target in there})
        return f"{_named(asked)} exists, but only for {joined(families)} CPUs; the machine's is {targets.family(ours)} ({ours})."
    rows = [target if number == 1 else f"{target} ({n})" for target, n in sorted(there.items(), key=lambda pair: (-pair[1], pair[0]))]
    if number == 1:
        return f"{_named(asked)} exists, but its only binary is for {joined(rows)}, and the machine is {_takes(asked)}."
    return f"{_named(asked)} exists, but its {left} are for {joined(rows)}, and the machine is {_takes(asked)}."


def _takes(asked: Asked) -> str:
    generic = asked.policy.granularity == "generic"
    return f"{asked.machine.target}{', of which the stack takes generic ancestors only' if generic else ''}"


def _gpu(asked: Asked, steps: Sequence[Step], _where: Sequence[Place], _nearest: Sequence[Near]) -> str:
    gpus = joined([*(f"cuda_arch={v}" for v in asked.machine.cuda_arch), *(f"amdgpu_target={v}" for v in asked.machine.amdgpu_target)])
    left = counted(_left(steps, "target"), "binary", "binaries")
    return f"{_named(asked)} exists, but {left} that would else run {_is(steps, 'target')} built for other GPUs than {gpus}."


def _constraints(asked: Asked, steps: Sequence[Step], _where: Sequence[Place], nearest: Sequence[Near]) -> str:
    left = _left(steps, "gpu")
    kinds = {miss.subject.partition(":")[0] for near in nearest for miss in near.misses if miss.gate == "constraints"}
    told = [kind if kind in ("spec", "label") else "rules" for kind in sorted(kinds)]
    phrases = [(one, other) for kind, one, other in FAILED if kind in told]
    if left == 1:
        return f"One binary of {_named(asked)} runs on {asked.machine}, but it {joined([one for one, _ in phrases])}."
    return f"{left} binaries of {_named(asked)} run on {asked.machine}, but none {joined([other for _, other in phrases])}."


def _left(steps: Sequence[Step], gate: str) -> int:
    return steps[GATES.index(gate)].left


def _is(steps: Sequence[Step], gate: str) -> str:
    return "is" if _left(steps, gate) == 1 else "are"


_NONE = {
    "binary": _no_binary,
    "platform": _platform,
    "os": _os,
    "target": _target,
    "gpu": _gpu,
    "constraints": _constraints,
}


def costs(ranking: Ranking, candidate: Candidate, other: Candidate | None) -> tuple[Cost, ...]:
    """The criteria that cost the candidate or the other something, in their order."""
    ours, theirs = ranking.solo(candidate), ranking.solo(other) if other else None
    found = []
    for place, criterion in enumerate(ranking.criteria[:-1]):
        cost, rival = ours[place], theirs[place] if theirs else None
        if (cost or rival) and isinstance(cost, int) and not isinstance(rival, str):
            found.append(Cost(criterion, cost, rival, MEANINGS[criterion]))
    return tuple(found)


def decided(ranking: Ranking, one: Candidate, other: Candidate) -> str:
    """The first criterion by which two candidates differ."""
    pairs = zip(ranking.criteria, ranking.solo(one), ranking.solo(other), strict=True)
    return next((criterion for criterion, a, b in pairs if a != b), ranking.criteria[-1])


def same_but_hash(ranking: Ranking, candidates: Sequence[Candidate]) -> int:
    """How many candidates equal the first in all but the hash."""
    best = ranking.solo(candidates[0])[:-1]
    return sum(1 for candidate in candidates if ranking.solo(candidate)[:-1] == best)
