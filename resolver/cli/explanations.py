"""The body of the JSON document of ``explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.cli.documents import machine_body

if TYPE_CHECKING:
    from resolver.api.explain import Explained
    from resolver.selection.explain.model import Chosen, Conflict, Cost, Explanation, Gain, HashExplanation, Near
    from resolver.spec.concrete import ConcreteSpec


def explained_body(found: Explained) -> dict[str, Any]:
    """The document: of a spec or of a hash."""
    body = root_body(found.root) if found.root else hash_body(found.hash) if found.hash else {}
    return {
        "machine": machine_body(found.machine),
        "stack": found.stack or None,
        "group": found.group or None,
        "serves": found.serves,
        **body,
        "skipped_criteria": list(found.skipped_criteria),
        "unified": found.unified.hash if found.unified else None,
        "conflict": _conflict(found.conflict) if found.conflict else None,
    }


def root_body(found: Explanation) -> dict[str, Any]:
    """What is said of a spec."""
    return {
        "spec": str(found.asked.root),
        "text": found.headline,
        "chosen": _chosen(found.chosen),
        "total": found.total,
        "judged": found.judged,
        "unsure": found.unsure,
        "funnel": [{"gate": step.gate, "left": step.left, "stopped": step.lost, "mostly": step.reason or None} for step in found.funnel],
        "nearest": [near_body(near) for near in found.nearest],
        "edits": [gain_body(gain) for gain in found.gains],
        "edits_tried": found.tried,
        "edits_not_tried": found.proposed,
        "places": [
            {"platform": place.platform, "os": place.os, "target": place.target, "records": place.records} for place in found.places
        ],
        "notes": list(found.notes),
    }


def hash_body(found: HashExplanation) -> dict[str, Any]:
    """What is said of a hash; its own failures stand under ``nearest``."""
    spec, stated = found.spec, found.statement
    return {
        "hash": spec.hash,
        "name": spec.name,
        "version": spec.wire.version,
        "spec": spec.text,
        "text": found.headline,
        "platform": spec.platform,
        "os": spec.os,
        "target": spec.target,
        "compiler": spec.compiler or None,
        "packages": found.packages,
        "sources": list(stated.sources),
        "served_by": list(stated.served_by),
        "stacks": list(stated.stacks),
        "releases": list(stated.releases),
        "chosen": _chosen(found.best),
        "decided_by": found.criterion or None,
        "costs": [_cost(cost) for cost in found.costs],
        "funnel": [],
        "nearest": [near_body(found.near)] if found.near else [],
        "edits": [gain_body(gain) for gain in found.gains],
    }


def near_body(near: Near) -> dict[str, Any]:
    """A rejected record with all that it fails."""
    misses = [
        {
            "gate": miss.gate,
            "node": _node(miss.node),
            "have": miss.have,
            "want": miss.want,
            "text": miss.text,
            "advice": miss.advice or None,
            "nodes": miss.nodes,
            "weight": miss.weight,
        }
        for miss in near.misses
    ]
    return {"hash": near.spec.hash, "name": near.spec.name, "version": near.spec.wire.version, "misses": misses}


def gain_body(gain: Gain) -> dict[str, Any]:
    """An edit, or several that help together, and what they gain."""
    return {
        "edit": gain.text,
        "gains": gain.records,
        "exact": gain.exact,
        "best": gain.best.hash,
        "parts": [{"of": edit.of, "subject": edit.subject, "text": edit.text, "option": edit.option or None} for edit in gain.edits],
    }


def _chosen(chosen: Chosen | None) -> dict[str, Any] | None:
    if chosen is None:
        return None
    return {
        "hash": chosen.candidate.spec.hash,
        "runner_up": chosen.runner_up.hash if chosen.runner_up else None,
        "decided_by": chosen.criterion or None,
        "equals": chosen.equals,
        "costs": [_cost(cost) for cost in chosen.costs],
    }


def _cost(cost: Cost) -> dict[str, Any]:
    return {"criterion": cost.criterion, "cost": cost.cost, "other": cost.other, "text": cost.text}


def _conflict(found: Conflict) -> dict[str, Any]:
    between = found.disagreement
    return {
        "roots": [str(root) for root in found.roots],
        "package": between.package if between else None,
        "virtual": between.virtual if between else None,
        "hashes": [_node(between.one), _node(between.other)] if between else [],
        "edits": [{"edit": text, "gains": gained} for text, gained in found.gains],
    }


def _node(spec: ConcreteSpec) -> str:
    return f"{spec.name}/{spec.hash}"
