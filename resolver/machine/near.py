"""Doubts about the detected CPU target: a better one that the processor seems to be, and lacks little for.

Virtual machines and kernels hide features, and one that is hidden keeps a target from being detected though the processor is of that kind.
"""

from __future__ import annotations

from resolver.arch.features import Features, features
from resolver.arch.machine import Doubt
from resolver.arch.target import candidates, family, is_known
from resolver.machine.probe import Processor

MOST_MISSING = 2
SHOWN = 6


def near_target(cpu: Processor) -> Doubt | None:
    """The nearest better target: of this part number, or with more of what it adds to the detected one than what is missing."""
    if not cpu.features or not is_known(cpu.target):
        return None
    near = []
    for name, known in features().items():
        if name in candidates(cpu.target) or cpu.target not in candidates(name):
            continue
        missing = known.features - cpu.features
        if missing and known.vendor in (cpu.vendor, "generic") and _is_doubtful(cpu, known, len(missing)):
            near.append((known.part != cpu.part, len(missing), len(candidates(name)), name))
    return _doubt(cpu, min(near)[-1]) if near else None


def _is_doubtful(cpu: Processor, known: Features, missing: int) -> bool:
    if known.part and cpu.part:
        return known.part == cpu.part
    added = known.features - features()[cpu.target].features
    return missing <= MOST_MISSING and len(added) > 2 * missing


def _doubt(cpu: Processor, better: str) -> Doubt:
    missing = tuple(sorted(features()[better].features - cpu.features))
    shown = ", ".join(missing[:SHOWN]) + (f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else "")
    flags = "flag" if len(missing) == 1 else "flags"
    text = (
        f"the CPU was detected as {cpu.target}; for {better} it lacks only the {flags} {shown}, which a virtual machine or an old "
        f"{'kernel' if family(better) == 'aarch64' else 'BIOS'} may hide; --target {better} says that it is one"
    )
    return Doubt("target", text, better, missing)
