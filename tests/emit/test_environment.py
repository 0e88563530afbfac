from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.world import World, hash_of

from resolver.emit.environment import Environment, Mirror, Root
from resolver.emit.listings import Download, emit_dot, emit_mirrors, emit_urls
from resolver.emit.packages_yaml import emit_packages
from resolver.emit.spack_lock import emit_spack_lock, uniform
from resolver.emit.spack_yaml import emit_spack_yaml
from resolver.errors import NotSatisfiedError
from resolver.spec.node import decode_node

DATA = Path(__file__).parents[1] / "data"
RECORDS: list[dict[str, Any]] = [
    {"id": "png", "spec": "libpng@=1.6.39", "libc": "glibc@2.35", "link": ["zlib-api=zl"], "build": ["cm"]},
    {"id": "zl", "spec": "zlib@=1.3", "libc": "glibc@2.35"},
    {"id": "cm", "spec": "cmake@=3.30"},
]


def environment(**more: Any) -> Environment:
    world = World(RECORDS)
    png = world.specs[hash_of("png")]
    facts: dict[str, Any] = {
        "roots": (Root(png),),
        "closure": png.closure(),
        "nodes": {key: json.dumps(node, separators=(",", ":")).encode() for key, node in world.nodes.items()},
        "mirrors": (Mirror("hub", "https://example.org/hub", "v3", True), Mirror("site", "file:///m", "v2", None)),
        "unified": True,
        "command": "spack-resolver resolve s",
        **more,
    }
    return Environment(**facts)


def test_a_lock_holds_every_node_and_its_roots_are_those_of_the_manifest() -> None:
    lock = json.loads(emit_spack_lock(environment()).content)
    manifest = yaml.safe_load(emit_spack_yaml(environment(), beside_lock=True).content)
    assert lock["_meta"] == {"file-type": "spack-lockfile", "lockfile-version": 6, "specfile-version": 5}
    assert [root["spec"] for root in lock["roots"]] == manifest["spack"]["specs"] == [f"libpng@=1.6.39/{hash_of('png')}"]
    for key, node in lock["concrete_specs"].items():
        assert node["hash"] == key
        assert all(edge["hash"] in lock["concrete_specs"] for edge in node.get("dependencies", []))


@pytest.mark.parametrize(("unified", "beside", "unify"), [(True, True, True), (False, True, "when_possible"), (True, False, False)])
def test_unify_is_what_keeps_spack_from_solving(*, unified: bool, beside: bool, unify: object) -> None:
    text = emit_spack_yaml(environment(unified=unified), beside_lock=beside).content
    assert yaml.safe_load(text)["spack"]["concretizer"]["unify"] == unify


def test_mirrors_say_signed_only_where_it_is_known() -> None:
    text = emit_mirrors(environment()).content
    assert yaml.safe_load(text) == {
        "mirrors": {
            "hub": {"url": "https://example.org/hub", "binary": True, "signed": True},
            "site": {"url": "file:///m", "binary": True},
        },
    }


def test_a_view_is_passed_through() -> None:
    view = {"default": {"root": "view", "select": ["+x"], "exclude": []}}
    assert yaml.safe_load(emit_spack_yaml(environment(view=view), beside_lock=True).content)["spack"]["view"] == view
    assert "view" not in yaml.safe_load(emit_spack_yaml(environment(), beside_lock=True).content)["spack"]


def test_a_comment_cannot_be_broken_out_of() -> None:
    text = emit_spack_yaml(environment(command="x\nspack: {evil: true}"), beside_lock=True).content
    assert "evil" not in yaml.safe_load(text)["spack"]


def test_unknown_dependencies_refuse_a_lock_with_the_way_out() -> None:
    with pytest.raises(NotSatisfiedError, match="dependencies of libpng") as caught:
        emit_spack_lock(environment(incomplete=("libpng",)))
    assert "sync the index" in caught.value.hint


def mixed() -> dict[str, bytes]:
    index = json.loads((DATA / "mirrors" / "v2" / "build_cache" / "index.json").read_bytes())
    old = {key: json.dumps(record["spec"], separators=(",", ":")).encode() for key, record in index["database"]["installs"].items()}
    return {**old, **environment().nodes}


def test_nodes_of_one_old_format_stay_as_they_are() -> None:
    old = {key: raw for key, raw in mixed().items() if b'"compiler":' in raw}
    version, nodes = uniform(old)
    assert version == 5
    assert nodes == old


def test_mixed_formats_are_upgraded_under_their_old_hashes() -> None:
    before = mixed()
    version, after = uniform(before)
    assert version == 6
    assert set(after) == set(before)
    for key, raw in after.items():
        node = json.loads(raw)
        assert node["hash"] == key
        assert "compiler" not in node
        assert "annotations" in node
        old = decode_node(before[key])
        assert [edge["hash"] for edge in node.get("dependencies", [])] == [
            edge.hash for edge in old.dependencies if not isinstance(edge, str)
        ]
        if old.compiler:
            assert node["annotations"] == {"original_specfile_version": 4, "compiler": f"gcc@={old.compiler.version}"}


@pytest.mark.parametrize(
    ("dependencies", "version"),
    [
        ([{"name": "a", "hash": "b", "type": ["link"]}], 4),
        ([{"name": "a", "hash": "b", "parameters": {"deptypes": ["link"], "virtuals": []}}], 5),
    ],
)
def test_the_lowest_version_that_holds_a_format(dependencies: list[dict[str, Any]], version: int) -> None:
    node = {"name": "x", "version": "1", "compiler": {"name": "gcc", "version": "9"}, "dependencies": dependencies, "hash": "h"}
    assert uniform({"h": json.dumps(node).encode()})[0] == version


def test_nodes_that_state_virtuals_need_the_newest_lock() -> None:
    node = {"name": "x", "version": "1", "provided_virtuals": ["mpi@3"], "annotations": {}, "hash": "h"}
    assert uniform({**environment().nodes, "h": json.dumps(node).encode()})[0] == 8


def test_a_download_list() -> None:
    text = emit_urls([Download("manifest", "h", "https://x/m"), Download("archive", "h", "https://x/a", 12, "ab")]).content.decode()
    assert text == "manifest\th\t-\t-\thttps://x/m\narchive\th\t12\tab\thttps://x/a\n"


def test_a_picture() -> None:
    text = emit_dot(environment()).content.decode()
    assert f'"{hash_of("png")}" -> "{hash_of("zl")}";' in text
    assert "cmake" not in text


def test_what_the_host_must_have_is_declared_as_spack_wants_it() -> None:
    world = World(
        [
            {"id": "app", "spec": "app@=1", "libc": "glibc@2.35", "link": ["mpi=mpich", "ssl", "rt"]},
            {"id": "mpich", "spec": "cray-mpich@=8.1.28", "external": "/opt/cray"},
            {"id": "ssl", "spec": "openssl@=3.0.2", "external": "/usr"},
            {"id": "rt", "spec": "gcc@=13.2", "external": "/usr"},
        ]
    )
    module = world.specs[hash_of("mpich")].external
    assert module
    world.specs[hash_of("mpich")].wire.external = type(module)("/opt/cray", ["cray-mpich/8.1.28"])
    found = emit_packages(environment(closure=world.specs[hash_of("app")].closure()))
    assert (found.path, yaml.safe_load(found.content)) == (
        "packages.yaml",
        {
            "packages": {
                "cray-mpich": {"externals": [{"spec": "cray-mpich@8.1.28", "prefix": "/opt/cray", "modules": ["cray-mpich/8.1.28"]}]},
                "openssl": {"externals": [{"spec": "openssl@3.0.2", "prefix": "/usr"}]},
            },
        },
    )
