"""Asking mirrors what they have."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fakes.environments import MIRRORS, mirror, nodes_of
from fakes.faulty_server import spoiled
from fakes.http_server import status

from resolver.api.serving import NamedMirror, served
from resolver.emit.environment import Mirror
from resolver.errors import InputError, SourceError
from resolver.sources.build_cache import CacheAddress
from resolver.spec.concrete import ConcreteSpec, NodeGraph

pytestmark = pytest.mark.usefixtures("impatient")
V3 = MIRRORS / "v3-signed"


def specs(root: Path = V3) -> dict[str, ConcreteSpec]:
    graph = NodeGraph(nodes_of(root))
    return {spec.name: spec for key in nodes_of(root) if (spec := graph.get(key)) and list(root.rglob(f"*{spec.name}-[0-9]*{key}*"))}


def test_the_first_mirror_that_has_it_is_named(tmp_path: Path) -> None:
    part = mirror("v3-signed", tmp_path / "part")
    shutil.rmtree(part / "v3" / "manifests" / "spec" / "xz")
    found = specs()
    with spoiled(V3) as server:
        mirrors: list[NamedMirror] = [CacheAddress("part", part.as_uri()), Mirror("all", server.url, "v3", signed=True)]
        names = served(mirrors, found.values())
        assert {name: names[spec.hash] for name, spec in found.items()} == {name: "all" if name == "xz" else "part" for name in found}
        assert served(mirrors[:1], [found["xz"]]) == {found["xz"].hash: None}
        assert len(server.seen) == 1


@pytest.mark.parametrize("layout", ["", "v2", "v3"])
def test_either_layout_is_found_whatever_is_expected(layout: str) -> None:
    old = MIRRORS / "v2-signed"
    for root in (V3, old):
        assert set(served([CacheAddress("m", str(root), layout)], specs(root).values()).values()) == {"m"}
    assert set(served([CacheAddress("m", str(old), view="x")], specs(old).values()).values()) == {None}


def test_what_cannot_be_asked_is_no_answer() -> None:
    found = specs()
    with spoiled(V3) as server:
        for path in V3.glob("v3/manifests/spec/xz/*"):
            server.spoil(path.relative_to(V3).as_posix(), status(403), forever=True)
        refusing = CacheAddress("refusing", server.url)
        with pytest.raises(SourceError, match="403"):
            served([refusing], found.values())
        assert served([refusing, CacheAddress("other", str(V3))], found.values())[found["xz"].hash] == "other"
    with pytest.raises(SourceError, match="there is no directory"):
        served([CacheAddress("gone", "/no/such/place")], found.values())
    with pytest.raises(InputError, match="has no URL"):
        served([CacheAddress("none", "")], found.values())


def test_externals_and_spliced_ones() -> None:
    nodes = nodes_of(V3)
    xz = specs()["xz"]
    new = {**next(node for node in nodes.values() if node["name"] == "xz"), "hash": "s" * 32, "build_spec": {"name": "xz", "hash": xz.hash}}
    libc = next(key for key, node in nodes.items() if node["name"] == "glibc")
    graph = NodeGraph({**nodes, "s" * 32: new})
    spliced, external = graph.get("s" * 32), graph.get(libc)
    assert spliced
    assert external
    assert served([CacheAddress("m", str(V3))], [spliced, external]) == {"s" * 32: "m"}
    alone = NodeGraph({"s" * 32: new}).get("s" * 32)
    assert alone
    with pytest.raises(InputError, match="whose node is missing"):
        served([CacheAddress("m", str(V3))], [alone])
