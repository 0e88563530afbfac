"""The GPU gate: a CUDA build for capability X.y runs on X.z with z not less than y; AMD targets must be the same."""

from __future__ import annotations

import re

from resolver.arch.machine import Machine
from resolver.spec.concrete import ConcreteSpec

CAPABILITY = re.compile(r"(\d+)(\d)([a-z]?)")


def gpu_failure(spec: ConcreteSpec, machine: Machine) -> tuple[str, str, str] | None:
    """What a build for GPUs has, what the machine has, and a sentence; None when it runs or the machine states no GPU."""
    if not machine.cuda_arch and not machine.amdgpu_target:
        return None
    for variant, ours, runs in (
        ("cuda_arch", machine.cuda_arch, _cuda_runs),
        ("amdgpu_target", machine.amdgpu_target, str.__eq__),
    ):
        built = _values(spec, variant)
        if built and not any(runs(b, o) for b in built for o in ours):
            have, want = ",".join(built), ",".join(ours) or "none such"
            return have, want, f"is built for {variant}={have}, the machine has {want}"
    return None


def _values(spec: ConcreteSpec, variant: str) -> list[str]:
    value = spec.variants.get(variant)
    values = (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ()
    return [v for v in values if v not in ("none", "auto")]


def _cuda_runs(built: str, ours: str) -> bool:
    """``80`` runs on ``86``; a build for ``90a`` uses what only that capability has."""
    one, other = CAPABILITY.fullmatch(built), CAPABILITY.fullmatch(ours)
    if not one or not other or one[3]:
        return built == ours
    return one[1] == other[1] and int(one[2]) <= int(other[2])
