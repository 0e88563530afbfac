"""Prebuilt hashes of packages: those that run on the machine, best first, and why the others do not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from resolver.api.selecting import Choices, make_judge, open_pool
from resolver.api.settings import Settings
from resolver.arch.machine import Machine
from resolver.catalog.pool import CatalogPool
from resolver.errors import InputError
from resolver.selection.facts import skipped_criteria
from resolver.selection.gates import Judge
from resolver.selection.model import Candidate, Rejection, Row
from resolver.selection.pool import Statement
from resolver.selection.ranking import Ranking
from resolver.selection.refusals import judged, refused
from resolver.selection.select import leading
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.virtuals import LANGUAGES

SHOWN = LANGUAGES | {"libc"}
"""Virtuals whose providers are shown with a record, so they are read together."""


class Found(msgspec.Struct, frozen=True):
    """A record that answers to the spec: what is stated of it, and the rejection when it does not run.

    ``twins`` is the number of records, this one included, that differ in nothing that is stated.
    """

    spec: ConcreteSpec
    statement: Statement
    rejection: Rejection | None
    twins: int = 1


class FindResult(msgspec.Struct, frozen=True):
    """Records that run, best first, then, when asked for, those that do not.

    ``rejected`` is how many do not run; None where no more were judged than were asked for.
    """

    machine: Machine
    records: tuple[Found, ...]
    rejected: int | None
    notes: tuple[str, ...]
    skipped_criteria: tuple[str, ...] = ()


def find(
    settings: Settings,
    texts: Sequence[str],
    machine: Machine,
    choices: Choices,
    *,
    everything: bool = False,
    limit: int | None = None,
) -> FindResult:
    """Find records for specs: all, or of each spec the best ``limit``. Raises ``InputError`` on a spec that is none or names no package."""
    specs = list(dict.fromkeys(spec for text in texts for spec in AbstractSpec.parse_all(text)))
    if not specs:
        msg = "no spec is given"
        raise InputError(msg, hint="name a package, as in `spack-resolver find hdf5+mpi`")
    if choices.labelled == "only":
        msg = "`find` has no stack whose label could be asked for"
        raise InputError(msg, hint="leave --labelled out, or `resolve label:NAME`")
    pool = open_pool(settings, choices)
    judge = make_judge(pool, machine, choices)
    ranking = Ranking(judge)
    rows = _rows(judge, ranking, specs, everything=everything, limit=limit)
    rejections = [rejection for row in rows for rejection in row.rejections]
    records = [found for row in rows for found in _found(ranking.sorted(row.candidates)[:limit], pool)]
    judged_all = limit is None or all(row.whole and len(row.candidates) <= limit for row in rows)
    rejected = sum(_count(pool, spec) for spec in specs) - len(records) if judged_all else None
    if everything:
        records += [Found(r.spec, pool.statement(r.spec), r) for r in rejections]
    pool.prefetch(edge.hash for found in records for edge in found.spec.dependencies if not SHOWN.isdisjoint(edge.virtuals))
    notes = _notes(records, specs, pool, rejections)
    pool.release()
    return FindResult(machine, tuple(records), rejected, notes, skipped_criteria(judge.policy.facts))


def _rows(judge: Judge, ranking: Ranking, specs: Sequence[AbstractSpec], *, everything: bool, limit: int | None) -> list[Row]:
    if everything:
        return [judged(judge, spec) for spec in specs]
    rows = leading(judge, ranking, specs, limit, walked="none")
    return [row if row.candidates else refused(judge, spec) for spec, row in zip(specs, rows, strict=True)]


def _count(pool: CatalogPool, spec: AbstractSpec) -> int:
    """How many records a spec may mean, those included that were not looked at."""
    if spec.name is None:
        return len(pool.with_prefix(spec.hash or ""))
    names = [spec.name] if pool.has_package(spec.name) else pool.providers(spec.name)
    return sum(map(pool.count, names))


def _found(candidates: Sequence[Candidate], pool: CatalogPool) -> list[Found]:
    groups: dict[object, int] = {}
    for candidate in candidates:
        key = _stated(candidate)
        groups[key] = groups.get(key, 0) + 1
    return [Found(c.spec, pool.statement(c.spec), None, groups[_stated(c)]) for c in candidates]


def _stated(candidate: Candidate) -> object:
    """All that is stated of a record without dependencies but its hash; records with dependencies are each their own."""
    return candidate.spec.hash if candidate.complete else _twin(candidate.spec)


def _twin(spec: ConcreteSpec) -> object:
    variants = tuple(sorted((name, str(value)) for name, value in spec.variants.items()))
    return (spec.name, spec.wire.version, spec.platform, spec.os, spec.target, spec.compiler, variants)


def _notes(records: list[Found], specs: list[AbstractSpec], pool: CatalogPool, rejections: list[Rejection]) -> tuple[str, ...]:
    twins = {_twin(f.spec): f for f in records if f.twins > 1 and not f.rejection}
    notes = [
        f"{f.twins} hashes of {f.spec.name}@{f.spec.wire.version} for {f.spec.target} are equal in all that their sources state: only "
        "their dependencies, which a page does not state, tell them apart. Sync the index of their build cache to choose between them."
        for f in twins.values()
    ]
    unknown = [spec.name for spec in specs if spec.name and not pool.has_package(spec.name) and not pool.providers(spec.name)]
    unknown += [f"/{spec.hash}" for spec in specs if not spec.name and spec.hash and not pool.with_prefix(spec.hash)]
    notes += [f"no source has a record of {name}. `spack-resolver sources` lists what is synced." for name in unknown]
    if rejections and all(f.rejection for f in records):
        count = sum(_count(pool, spec) for spec in specs)
        more = "" if records else " --all lists each with its reason."
        notes.append(f"none of {count} records runs: {rejections[0].text}.{more}")
    return tuple(notes)
