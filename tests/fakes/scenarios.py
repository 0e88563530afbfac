"""What all kinds of scenarios ask alike, and what holds of every environment that comes out."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import yaml
from fakes.facts import facts_of

from resolver.arch.machine import Libc, Machine, parse_triple
from resolver.emit.environment import Environment
from resolver.emit.spack_lock import emit_spack_lock
from resolver.emit.spack_yaml import emit_spack_yaml
from resolver.formats.lockfile import read_lockfile
from resolver.selection.model import Policy
from resolver.spec.abstract import AbstractSpec


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """The part of a request that says for which machine and by which policy.

    ``machine`` is an architecture with a libc behind a blank, a ``?`` for what is not known. ``recipes`` are facts of recipes.
    """

    machine: str = "linux-ubuntu24.04-zen4 glibc@2.39"
    label: str = ""
    labelled: str = "prefer"
    os_policy: str = "spack"
    assume_externals: bool = False
    granularity: str = "microarchitectures"
    cuda_arch: list[str] = []
    amdgpu_target: list[str] = []
    packages: dict[str, Any] = {}
    reuse_exclude: list[str] = []
    prefer: str = ""
    os_compatible: dict[str, list[str]] = {}
    recipes: dict[str, Any] = {}


def machine(ask: Ask) -> Machine:
    triple, _, libc = ask.machine.partition(" ")
    known = Machine(libc=Libc.parse(libc) if libc else None, cuda_arch=tuple(ask.cuda_arch), amdgpu_target=tuple(ask.amdgpu_target))
    if "?" in triple:
        platform, os, target = (part if part != "?" else None for part in triple.split("-"))
        return known.over(Machine(platform, os, target))
    return known.over(parse_triple(triple))


def policy(ask: Ask, **more: Any) -> Policy:
    return Policy(
        os_policy=ask.os_policy,  # type: ignore[arg-type] # as written in the file
        assume_externals=ask.assume_externals,
        label=ask.label,
        labelled=ask.labelled,  # type: ignore[arg-type] # as written in the file
        granularity=ask.granularity,
        reuse_exclude=tuple(map(AbstractSpec.parse, ask.reuse_exclude)),
        prefer=ask.prefer,
        os_compatible={os: tuple(others) for os, others in ask.os_compatible.items()},
        facts=facts_of(ask.recipes),
        **more,
    )


def check_files(environment: Environment) -> None:
    """The lockfile can be read, holds its roots, the closure and every node that a node refers to, and has the manifest's texts."""
    content = emit_spack_lock(environment).content
    document = json.loads(content)
    manifest = yaml.safe_load(emit_spack_yaml(environment, beside_lock=True).content)["spack"]
    nodes = document["concrete_specs"]
    assert {root.hash for root in read_lockfile(content).roots} == {root.spec.hash for root in environment.roots}
    assert [root["spec"] for root in document["roots"]] == manifest["specs"]
    assert manifest["concretizer"]["unify"] in (True, "when_possible")
    assert all(node["hash"] == key for key, node in nodes.items())
    assert {edge["hash"] for node in nodes.values() for edge in node.get("dependencies", [])} <= nodes.keys()
    assert environment.closure.keys() <= nodes.keys()
    assert {key: msgspec.json.encode(node) for key, node in nodes.items()} == dict(environment.nodes)
