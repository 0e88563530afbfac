"""Nothing that a gate refuses appears in any artifact, and every lockfile is whole; over random worlds and every way to unify."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fakes.scenarios import check_files
from fakes.world import World, hash_of
from fakes.worlds import worlds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolver.api.resolve import Resolution, ResolveRequest, resolve
from resolver.api.settings import Settings
from resolver.api.stacks import StackRequest
from resolver.arch import target as targets
from resolver.arch.machine import Libc, Machine
from resolver.catalog.store import SourceRow, Store
from resolver.emit.listings import emit_dot, emit_mirrors
from resolver.emit.packages_yaml import emit_packages
from resolver.emit.spack_lock import emit_spack_lock
from resolver.emit.spack_yaml import emit_spack_yaml
from resolver.errors import NotSatisfiedError
from resolver.formats.record import Record, read_record
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import LINK_RUN
from resolver.versions import Version

MACHINE = Machine("linux", "ubuntu24.04", "zen4", Libc.parse("glibc@2.39"))
NEWER = Machine("linux", "ubuntu24.04", "zen5", Libc.parse("glibc@2.41"))
STACK = "spack:\n  concretizer: {unify: UNIFY}\n  specs: [app, lib, blas]\n"
ROW = SourceRow("all", "index", "v3", "", "all", "https://example.org/all", None, "", "", "d", "", 0, "")


def records(rows: list[dict[str, Any]], world: World) -> list[Record]:
    served = {hash_of(row["id"]): row["in_buildcache"] for row in rows}
    nodes = {key: msgspec.json.encode(node) for key, node in world.nodes.items()}
    return [read_record(key, msgspec.Raw(node), in_buildcache=served.get(key, False)) for key, node in nodes.items()]


def runs(spec: ConcreteSpec, rows: Mapping[str, dict[str, Any]], machine: Machine) -> bool:
    """May a node of a closure stand in an answer? Said anew, without the program's gates."""
    row = rows.get(spec.hash)
    libc = next(edge for edge in spec.dependencies if "libc" in edge.virtuals)
    needed = spec.graph.get(libc.hash)
    return bool(
        row
        and row["in_buildcache"]
        and machine.libc
        and spec.target in targets.candidates(machine.target or "")
        and needed
        and needed.version <= Version(machine.libc.version)
        and all(spec.graph.get(edge.hash) for edge in spec.dependencies if edge.deptypes & LINK_RUN)
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds(), st.sampled_from(["true", "when_possible", "false"]), st.sampled_from([MACHINE, NEWER, NEWER]))
def test_artifacts_hold_what_runs(tmp_path: Path, rows: list[dict[str, Any]], unify: str, machine: Machine) -> None:
    world = World(rows)
    catalog, stack = tmp_path / "catalog.sqlite", tmp_path / "spack.yaml"
    catalog.unlink(missing_ok=True)
    stack.write_text(STACK.replace("UNIFY", unify))
    with Store(catalog, write=True) as store:
        store.replace(ROW, records(rows, world))
    found = resolve(Settings(catalog), ResolveRequest(StackRequest(str(stack)), machine, nodes=True))
    environment = found.environment
    known = {hash_of(row["id"]): row for row in rows}
    assert all(runs(world.specs[key], known, machine) for key in environment.closure)
    check_unified(found, unify)
    emitted = [emit_mirrors(environment), emit_packages(environment), emit_dot(environment), emit_spack_yaml(environment, beside_lock=True)]
    refused = {key for key in world.specs if key in known and not runs(world.specs[key], known, machine)}
    assert not [(a.path, key) for a, key in itertools.product(emitted, sorted(refused)) if key in a.content.decode()]
    check_files(environment)


def check_unified(found: Resolution, unify: str) -> None:
    names = [spec.name for spec in found.environment.closure.values()]
    assert unify != "true" or len(names) == len(set(names))


def test_a_page_gives_no_lockfile(tmp_path: Path) -> None:
    world = World([{"id": "app", "spec": "app@=1", "libc": "glibc@2.28"}])
    (tmp_path / "spack.yaml").write_text("spack: {specs: [app]}\n")
    record = msgspec.structs.replace(records([{"id": "app", "in_buildcache": True}], world)[0], complete=False)
    with Store(tmp_path / "catalog.sqlite", write=True) as store:
        store.replace(ROW, [record])
    found = resolve(Settings(tmp_path / "catalog.sqlite"), ResolveRequest(StackRequest(str(tmp_path / "spack.yaml")), MACHINE, nodes=True))
    if found.environment.roots:
        with pytest.raises(NotSatisfiedError):
            emit_spack_lock(found.environment)
