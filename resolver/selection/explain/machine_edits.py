"""Edits of the machine and of the user's choices that do away with what a node fails at the gates before ``constraints``."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from resolver.arch import target as targets
from resolver.arch.machine import MACOS, Libc
from resolver.errors import InputError
from resolver.selection.explain.model import LAST_RESORT, Asked, Edit
from resolver.selection.gates import Judge
from resolver.selection.rules import External
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.versions import VersionSet

FACT, DECLARED, CHOICE = 2, 2, 3
FOREIGN = "take binaries for all CPUs of the family, to be run on other machines than this one"


def machine_edits(judge: Judge, gate: str, node: ConcreteSpec, have: str) -> tuple[Edit, ...]:
    """The edits for what a node fails at a gate by what it has, the smallest first; none where only another binary helps."""
    if gate == "platform":
        return () if judge.machine.platform else (fact("platform", node.platform, f"say that the platform is {node.platform}"),)
    if gate == "os":
        return _os(judge, node, have)
    if gate == "target":
        return _target(judge, node)
    return _gpu(judge, node) if gate == "gpu" else ()


def fact(name: str, value: str | Libc, text: str) -> Edit:
    """The edit that gives the machine another value of a fact."""
    return Edit("machine", name, text, FACT, partial(_apply_fact, name, value), f"--{name} {value}")


def _apply_fact(name: str, value: str | Libc, asked: Asked) -> Asked:
    return replace(asked, machine=replace(asked.machine, **{name: value}))


def _os(judge: Judge, node: ConcreteSpec, have: str) -> tuple[Edit, ...]:
    """For its libc another; for its OS label that OS, or libc in place of labels."""
    libc = node.libc
    if have != node.os:
        return tuple(_libc(judge, libc)) if libc is not None else ()
    newer = " or newer" if node.os in MACOS and judge.policy.os_policy != "strict" else ""
    text = f"use a machine with {node.os}{newer}" if judge.machine.os else f"say that the OS is {node.os}"
    found = [fact("os", node.os, text)]
    if judge.policy.os_policy == "strict":
        found.append(Edit("choice", "os-policy", "let libc decide, not the OS label", CHOICE, _loosen, "--os-policy spack"))
    elif judge.machine.os and node.platform != "linux":
        found.append(_compatible(judge, judge.machine.os, node.os))
    return tuple(found)


def _compatible(judge: Judge, ours: str, other: str) -> Edit:
    """Off Linux, where no libc tells, the stack may vouch for another OS's binaries."""
    others = (*judge.policy.os_compatible.get(ours, ()), other)
    option = f"concretizer:os_compatible: {{{ours}: [{', '.join(others)}]}}"
    text = f"say that {ours} runs what was built on {other}, if it does"
    return Edit("stack", "os_compatible", text, CHOICE, partial(_vouch, ours, other), option)


def _vouch(ours: str, other: str, asked: Asked) -> Asked:
    known = asked.policy.os_compatible
    return replace(asked, policy=replace(asked.policy, os_compatible={**known, ours: (*known.get(ours, ()), other)}))


def _loosen(asked: Asked) -> Asked:
    return replace(asked, policy=replace(asked.policy, os_policy="spack"))


def _libc(judge: Judge, libc: ConcreteSpec) -> list[Edit]:
    """The libc that the node needs; another kind of libc is another machine."""
    ours = judge.machine.libc
    path = (libc.external.path if libc.external else None) or (ours.prefix if ours else "/usr")
    if ours is not None and (ours.name != libc.name or ours.prefix != path):
        return []
    try:
        needed = Libc.parse(f"{libc.name}@{libc.wire.version}:{path}")
    except InputError:
        return []
    shown = f"{needed.name} {needed.version} or newer"
    return [fact("libc", needed, f"use a machine with {shown}" if ours else f"say which libc the machine has ({shown})")]


def _target(judge: Judge, node: ConcreteSpec) -> tuple[Edit, ...]:
    """Another target of the machine's family; with generic targets only, the rule lifted."""
    ours = judge.machine.target
    if node.target in judge.targets or not targets.is_known(node.target):
        return ()
    if ours is None:
        return (fact("target", node.target, f"say that the target is {node.target}"),)
    if targets.runs_on(node.target, ours):
        option = "concretizer:targets:granularity: microarchitectures"
        return (Edit("stack", "granularity", "take targets of vendors too, not generic ones only", CHOICE, _finer, option),)
    if targets.family(node.target) != targets.family(ours):
        return ()
    other = fact("target", node.target, f"use a machine of target {node.target} or a descendant")
    generic_only = judge.policy.granularity == "generic" and not targets.is_generic(node.target)
    if generic_only or node.target not in targets.others_of_family(ours):
        return (other,)
    return other, Edit("stack", "host_compatible", FOREIGN, LAST_RESORT, _foreign, "concretizer:targets:host_compatible: false")


def _foreign(asked: Asked) -> Asked:
    return replace(asked, policy=replace(asked.policy, host_compatible=False))


def _finer(asked: Asked) -> Asked:
    return replace(asked, policy=replace(asked.policy, granularity="microarchitectures"))


def _gpu(judge: Judge, node: ConcreteSpec) -> tuple[Edit, ...]:
    """A GPU that the build is for."""
    found = []
    for variant, option in (("cuda_arch", "--cuda-arch"), ("amdgpu_target", "--amdgpu-target")):
        value = node.variants.get(variant)
        values = [value] if isinstance(value, str) else list(value) if isinstance(value, tuple) else []
        usable = [v for v in values if v not in ("none", "auto") and v not in getattr(judge.machine, variant)]
        for one in usable[:1]:
            text = f"use a machine with a GPU of {variant}={one}"
            found.append(Edit("machine", variant, text, FACT, partial(_add_gpu, variant, one), f"{option} {one}"))
    return tuple(found)


def _add_gpu(variant: str, value: str, asked: Asked) -> Asked:
    values = (*getattr(asked.machine, variant), value)
    return replace(asked, machine=replace(asked.machine, **{variant: values}))


def external_edits(node: ConcreteSpec) -> tuple[Edit, ...]:
    """An external that is not declared: declare it, or vouch for all."""
    found = node.external
    if found is None:
        return ()
    module = found.module if isinstance(found.module, list) else [found.module] if found.module else []
    spec = AbstractSpec(name=node.name, versions=VersionSet.parse(f"={node.wire.version}"))
    declared = External(spec, found.path, tuple(module))
    more = f", modules: [{', '.join(module)}]" if module else ""
    entry = f"packages:{node.name}:externals: [{{spec: {node.name}@{node.wire.version}, prefix: {found.path}{more}}}]"
    text = f"declare the external {node.name} {node.wire.version} at {found.path}"
    assume = Edit("choice", "externals", "vouch for all externals", CHOICE, _assume, "--assume-externals")
    return (Edit("stack", f"external:{node.name}:{found.path}", text, DECLARED, partial(_declare, declared), entry), assume)


def _declare(external: External, asked: Asked) -> Asked:
    return replace(asked, rules=replace(asked.rules, externals=(*asked.rules.externals, external)))


def _assume(asked: Asked) -> Asked:
    return replace(asked, policy=replace(asked.policy, assume_externals=True))
