from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import DATA, Run
from hypothesis import given
from property.strategies import specs

from resolver import AbstractSpec
from resolver.errors import SpecError
from resolver.spec.dag_hash import HashVerdict, check_hash, computed_hash
from resolver.spec.describe import describe, tree


def test_pieces_in_plain_words() -> None:
    pieces = describe(AbstractSpec.parse("hdf5@1.14: ++mpi libs:=static target=zen3: ^mpi %[when=+x] c=gcc cflags=-O2 /abc"))
    assert [(p.depth, p.text, p.meaning) for p in pieces] == [
        (0, "hdf5", "the package hdf5"),
        (0, "@1.14:", "version 1.14 or newer"),
        (0, "libs:=static", "variant libs has exactly the values static"),
        (0, "++mpi", "variant mpi is on, here and in every dependency that has it"),
        (0, "target=zen3:", "target zen3 or a descendant of it"),
        (0, "^mpi", "a dependency at any depth (to link or run, or to build the root itself): mpi (or any package that provides it)"),
        (1, "%c=gcc", "a direct dependency: gcc, providing c; only where +x holds"),
        (2, "cflags=-O2", "built with the cflags -O2, in any order and among others"),
        (2, "/abc", "the hash begins with abc"),
    ]


def test_nothing_asked() -> None:
    assert describe(AbstractSpec.parse(""))[0].meaning == "anything: no constraint at all"


def test_a_tree_leaves_out_what_is_not_asked() -> None:
    assert tree(AbstractSpec.parse("hdf5+mpi ^mpich@4")) == {
        "name": "hdf5",
        "variants": [{"name": "mpi", "value": True, "exact": False, "propagate": False}],
        "dependencies": [{"direct": False, "spec": {"name": "mpich", "versions": "4"}}],
    }


@given(specs())
def test_every_spec_can_be_described(text: str) -> None:
    spec = AbstractSpec.parse(text)
    assert all(piece.meaning for piece in describe(spec))
    assert json.dumps(tree(spec))


def test_toolchains() -> None:
    assert str(AbstractSpec.parse("a %%tc", {"tc": "%c=gcc %cxx=gcc"})) == "a %%c,cxx=gcc"
    assert str(AbstractSpec.parse("a %tc ^b %tc", {"tc": "%gcc"})) == "a %gcc ^b %gcc"
    assert str(AbstractSpec.parse("a %c=tc", {"tc": "%gcc"})) == "a %c=tc"
    with pytest.raises(SpecError, match="only % may stand"):
        AbstractSpec.parse("a %tc", {"tc": "^gcc"})


@pytest.mark.parametrize(
    ("text", "toolchain", "what"),
    [("a %tc@2", "%gcc", "takes no constraints"), ("a %tc", [{"when": "+x"}], "without a spec"), ("a %tc", "+x %gcc", "only % may stand")],
)
def test_toolchains_of_a_wrong_shape(text: str, toolchain: Any, what: str) -> None:
    with pytest.raises(SpecError) as caught:
        AbstractSpec.parse(text, {"tc": toolchain})
    assert what in f"{caught.value.what} {caught.value.hint}"
    assert caught.value.column is not None


def test_hashes_of_real_nodes_are_verified() -> None:
    nodes = json.loads((DATA / "locks" / "host-debian12.lock").read_bytes())["concrete_specs"]
    assert {check_hash(node, key) for key, node in nodes.items()} == {HashVerdict.VERIFIED}
    key, node = next(iter(nodes.items()))
    assert check_hash({**node, "version": "0"}, key) == HashVerdict.DIFFERENT
    assert check_hash(dict(reversed(node.items())), key) == HashVerdict.DIFFERENT
    assert check_hash({**node, "annotations": {"original_specfile_version": 4}}, key) == HashVerdict.OLDER
    assert check_hash({"name": "old", "compiler": {}}, key) == HashVerdict.OLDER


def test_a_spliced_hash_ends_like_its_build_spec() -> None:
    assert computed_hash({"name": "a", "build_spec": {"name": "a", "hash": "x" * 32}}).endswith("x" * 7)


def test_against_a_lockfile(run: Run) -> None:
    lock = DATA / "locks" / "host-debian12.lock"
    result = run("spec", "zlib-ng@2:+compat", "--against", lock)
    assert result.code == 0
    assert "yes" in result.out
    assert "verified" in result.out
    missed = run("spec", "python ^zlib-ng~compat", "--against", lock, "--json")
    assert missed.code == 4
    (comparison,) = missed.document["specs"][0]["against"]
    assert comparison["reason"]["text"].endswith("has variant compat true, wanted is compat=false")
    assert comparison["hash_verdict"] == "verified"


def test_against_a_synced_hash(run: Run) -> None:
    run("sync", DATA / "mirrors" / "v3")
    key = run("find", "zlib-ng", "--arch", "linux-debian12-x86_64_v3", "--libc", "glibc@2.36", "--json").document["records"][0]["hash"]
    assert run("spec", "zlib-ng", "--against", key[:9]).code == 0
    assert run("spec", "hdf5", "--against", key[:9]).code == 4


@pytest.mark.parametrize(("against", "message"), [("zzzzzzzz", "there is nothing to hold"), ("no/such", "neither a lockfile nor a hash")])
def test_against_nothing(run: Run, against: str, message: str) -> None:
    run("sync", DATA / "mirrors" / "v3")
    result = run("spec", "hdf5", "--against", against)
    assert result.code == 3
    assert message in result.err
