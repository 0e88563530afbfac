"""Edits of a stack's rules: one taken out."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from resolver.selection.explain.model import Asked, Edit
from resolver.selection.rules import Requirement, Rules
from resolver.spec.abstract import AbstractSpec

TAKEN_OUT, LABEL = 3, 2


def rule_edits(rule: Requirement) -> tuple[Edit, ...]:
    """A rule of the ``packages`` section taken out."""
    text = f"take {written(rule)} out of {rule.origin}"
    return (Edit("stack", f"rule:{written(rule)}:{rule.origin}", text, TAKEN_OUT, partial(_without_rule, rule)),)


def written(rule: Requirement) -> str:
    """A rule as a person wrote it, in short."""
    kept = [str(a) for a in rule.alternatives]
    if rule.origin.endswith(("conflict", "prefer")):
        kept = kept[:-1]
    texts = f"'{kept[0]}'" if len(kept) == 1 else f"{'one_of' if rule.exactly_one else 'any_of'} [{', '.join(kept)}]"
    return f"{texts} (when {rule.when})" if not rule.when.is_empty else texts


def _without_rule(rule: Requirement, asked: Asked) -> Asked:
    return replace(asked, rules=without(asked.rules, rule))


def without(rules: Rules, rule: Requirement) -> Rules:
    """The rules without one. One of ``all`` may come softened, with fewer alternatives than it has; it is known by the rest."""
    own = {name: _thinned(kinds, rule) for name, kinds in rules.own.items()}
    return replace(rules, own=own, for_all=_thinned(rules.for_all, rule))


def _thinned(kinds: object, rule: Requirement) -> dict[str, tuple[Requirement, ...]]:
    found: dict[str, tuple[Requirement, ...]] = dict(kinds)  # type: ignore[call-overload] # a mapping of kinds
    return {kind: tuple(r for r in rows if not _is_same(r, rule)) for kind, rows in found.items()}


def _is_same(written_rule: Requirement, met: Requirement) -> bool:
    same = written_rule.origin == met.origin and written_rule.when == met.when and written_rule.message == met.message
    return same and written_rule.exactly_one == met.exactly_one and set(met.alternatives) <= set(written_rule.alternatives)


def label_edit(label: str) -> Edit:
    """Records without the stack's label taken too."""
    text = f"take records that are not labelled {label} too"
    return Edit("choice", "labelled", text, LABEL, _prefer_label, "--labelled prefer")


def _prefer_label(asked: Asked) -> Asked:
    return replace(asked, policy=replace(asked.policy, labelled="prefer"))


def include_edit() -> Edit:
    """What ``concretizer:reuse`` includes, widened to all."""
    return Edit("stack", "reuse:include", "leave out concretizer:reuse:include", TAKEN_OUT, _all_included)


def _all_included(asked: Asked) -> Asked:
    return replace(asked, policy=replace(asked.policy, reuse_include=()))


def exclude_edit(spec: AbstractSpec) -> Edit:
    """One entry of what ``concretizer:reuse`` excludes taken out."""
    text = f"take '{spec}' out of concretizer:reuse:exclude"
    return Edit("stack", f"reuse:exclude:{spec}", text, TAKEN_OUT, partial(_not_excluded, spec))


def _not_excluded(spec: AbstractSpec, asked: Asked) -> Asked:
    kept = tuple(s for s in asked.policy.reuse_exclude if s != spec)
    return replace(asked, policy=replace(asked.policy, reuse_exclude=kept))
