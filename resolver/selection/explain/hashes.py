"""Why one record is chosen for its package on a machine, or passed over, and what it would need."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from resolver.selection.explain.explain import USUAL, Limits, chosen_of
from resolver.selection.explain.misses import Misses
from resolver.selection.explain.model import Asked, Edit, Gain, HashExplanation, Near
from resolver.selection.explain.proposals import proposals, whole_cure
from resolver.selection.explain.shown import short
from resolver.selection.explain.trial import Trials
from resolver.selection.explain.words import costs, decided
from resolver.selection.model import Candidate
from resolver.selection.pool import CandidatePool
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.parts import Edge
from resolver.versions import VersionSet

BY_CRITERION = {
    "version of the root": "versions",
    "OS label": "os",
    "target distance": "target",
    "newer compiler": "compiler",
}
"""The criteria that a constraint of the root itself can overrule, and the constraint."""


def explain_hash(pool: CandidatePool, asked: Asked, spec: ConcreteSpec, limits: Limits = USUAL) -> HashExplanation:
    """Why a record is taken for its package, or not. Of ``asked`` the root is its package's name alone."""
    trials = Trials(pool, limits.closures, limits.counted)
    judge = trials.judge(asked)
    near = Misses(judge, asked, asked.root).whole(spec)
    answer = trials.answer(asked)
    best = chosen_of(answer)
    verdict = judge.judge(spec, asked.root)
    about = partial(HashExplanation, asked, spec=spec, statement=pool.statement(spec), best=best)
    if not isinstance(verdict, Candidate):
        gains = _cured(trials, asked, near, limits)
        text = f"{short(spec)} does not serve on {asked.machine}: {_reasons(len(near.misses))}."
        return about(headline=text, packages=_packages(judge.closures.mask(spec)), near=near, gains=gains)
    packages = len(verdict.closure)
    if best is None or best.candidate.spec is spec:
        return about(headline=f"{short(spec)} is chosen for {asked.root} on {asked.machine}.", packages=packages, near=None)
    criterion = decided(answer.ranking, best.candidate, verdict)
    text = f"{short(spec)} runs on {asked.machine}, but {short(best.candidate.spec)} is taken before it, by {criterion}."
    gains = _preferred(trials, asked, spec, criterion, limits)
    rows = costs(answer.ranking, verdict, best.candidate)
    return about(headline=text, packages=packages, near=None, criterion=criterion, costs=rows, gains=gains)


def _reasons(number: int) -> str:
    return "for the reason below" if number == 1 else f"for the {number} reasons below"


def _packages(mask: int) -> int:
    return mask.bit_count()


def _pinned(asked: Asked, spec: ConcreteSpec) -> Asked:
    return replace(asked, root=AbstractSpec(name=spec.name, hash=spec.hash))


def _cured(trials: Trials, asked: Asked, near: Near, limits: Limits) -> tuple[Gain, ...]:
    """The edits with which the record itself serves."""
    pinned = _pinned(asked, near.spec)
    found = proposals([near]) or [whole_cure(near)]
    gains = [trials.gain(pinned, edits, [near.spec]) for edits in found[: limits.tried] if edits]
    smallest = min((len(gain.edits) for gain in gains if gain), default=0)
    kept = [gain for gain in gains if gain and len(gain.edits) == smallest]
    return tuple(sorted(kept, key=lambda gain: (gain.size, gain.text))[: limits.edits])


def _preferred(trials: Trials, asked: Asked, spec: ConcreteSpec, criterion: str, limits: Limits) -> tuple[Gain, ...]:
    """What to ask for so that this record is taken: the constraint that decides, where it suffices, and the hash, which always does."""
    wanted = [_constraint(asked, spec, criterion), AbstractSpec(name=spec.name, hash=spec.hash)]
    gains = []
    for root in wanted:
        if root is not None:
            edit = Edit("spec", "root", f"ask for {_shortened(root)}", 1, partial(_asking, root), str(root))
            gain = trials.gain(asked, [edit], [spec])
            if gain and gain.best is spec:
                gains.append(gain)
    return tuple(gains[: limits.edits])


def _shortened(root: AbstractSpec) -> str:
    return str(replace(root, hash=root.hash[:7])) if root.hash else str(root)


def _asking(root: AbstractSpec, asked: Asked) -> Asked:
    return replace(asked, root=root)


def _constraint(asked: Asked, spec: ConcreteSpec, criterion: str) -> AbstractSpec | None:
    field = BY_CRITERION.get(criterion)
    if field == "versions":
        return replace(asked.root, versions=VersionSet.parse(f"={spec.wire.version}"))
    if field in ("os", "target"):
        return replace(asked.root, **{field: getattr(spec, field)})
    name, _, version = spec.compiler.partition("@")
    if field == "compiler" and version:
        compiler = AbstractSpec(name=name, versions=VersionSet.parse(f"={version}"))
        return replace(asked.root, edges=(Edge(compiler, direct=True),))
    return None
