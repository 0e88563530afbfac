"""The bodies of JSON documents: keys and their order, as documented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resolver.api.find import Found
    from resolver.api.resolve import Resolution
    from resolver.arch.machine import Machine
    from resolver.emit.environment import Mirror
    from resolver.selection.model import GroupAnswer, Rejection, RootAnswer


def machine_body(machine: Machine) -> dict[str, Any]:
    """A machine: unknown facts are null."""
    return {
        "name": machine.name,
        "platform": machine.platform,
        "os": machine.os,
        "target": machine.target,
        "libc": str(machine.libc) if machine.libc else None,
        "cuda_arch": list(machine.cuda_arch),
        "amdgpu_target": list(machine.amdgpu_target),
        "found_by": dict(sorted(machine.found_by.items())),
        "unknown": dict(sorted(machine.unknown.items())),
        "doubts": [{"fact": d.fact, "better": d.better, "missing": list(d.missing), "text": d.text} for d in machine.doubts],
    }


def reason_body(rejection: Rejection | None) -> dict[str, str] | None:
    """Why a record does not run, or null."""
    if rejection is None:
        return None
    node = f"{rejection.node.name}/{rejection.node.hash}"
    return {"gate": rejection.gate, "node": node, "have": rejection.have, "want": rejection.want, "text": rejection.text}


def found_body(found: Found) -> dict[str, Any]:
    """A record of ``find``."""
    spec, statement = found.spec, found.statement
    libc = spec.libc
    return {
        "hash": spec.hash,
        "name": spec.name,
        "version": spec.wire.version,
        "spec": spec.text,
        "platform": spec.platform,
        "os": spec.os,
        "target": spec.target,
        "libc": f"{libc.name}@{libc.wire.version}" if libc else None,
        "compiler": spec.compiler or None,
        "sources": list(statement.sources),
        "stacks": list(statement.stacks),
        "releases": list(statement.releases),
        "runs": found.rejection is None,
        "reason": reason_body(found.rejection),
        "equal": found.twins,
    }


def root_body(answer: RootAnswer) -> dict[str, Any]:
    """A root of ``resolve``."""
    spec = answer.chosen.spec if answer.chosen else None
    runner_up = answer.runner_up
    return {
        "spec": str(answer.root),
        "hash": spec.hash if spec else None,
        "name": spec.name if spec else answer.root.name,
        "version": spec.wire.version if spec else None,
        "runner_up": {"hash": runner_up.spec.hash, "decided_by": runner_up.criterion} if runner_up else None,
        "reason": _reason(answer),
        "candidates": answer.candidates,
    }


def _reason(answer: RootAnswer) -> dict[str, str | None]:
    """Why this hash, or why none: the gate is null where no single record's failure is the reason."""
    nearest = answer.nearest
    if answer.chosen is None and answer.candidates == 0 and nearest:
        return {**(reason_body(nearest) or {}), "text": answer.text}
    return {"gate": None, "node": None, "text": answer.text}


def group_body(group: GroupAnswer) -> dict[str, Any]:
    """A group of ``resolve``."""
    return {
        "name": group.name,
        "unify": {"true": True, "false": False}.get(group.unify, group.unify),
        "optimal": group.optimal,
        "roots": [root_body(answer) for answer in group.roots],
        "closure": list(group.closure),
    }


def mirror_body(mirror: Mirror) -> dict[str, Any]:
    """A mirror that is to be used."""
    return {
        "name": mirror.name,
        "url": mirror.url,
        "signed": mirror.signed,
        "keys": list(mirror.keys),
        "view": mirror.view,
        "release": mirror.release,
        "durability": mirror.durability,
    }


def resolution_body(resolution: Resolution) -> dict[str, Any]:
    """The document of ``resolve``."""
    return {
        "stack": resolution.stack.name,
        "machine": machine_body(resolution.machine),
        "satisfied": resolution.satisfied,
        "fingerprint": resolution.fingerprint,
        "groups": [group_body(group) for group in resolution.groups],
        "mirrors": [mirror_body(mirror) for mirror in resolution.environment.mirrors],
        "host_requirements": list(resolution.host_requirements),
        "skipped_criteria": list(resolution.skipped_criteria),
        "notes": list(resolution.notes),
    }
