"""Locks read and written: canonical, whole, and refused with the place where they are damaged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest
from conftest import ROOT
from fakes.locked import GLIBC, package

from resolver.errors import FormatError, InputError, UnsupportedError
from resolver.formats.resolver_lock import (
    MOST_BYTES,
    Lock,
    LockChoice,
    LockChoices,
    LockMachine,
    LockNode,
    LockRoot,
    LockSelection,
    LockSource,
    LockStack,
    json_schema,
    read_lock,
    write_lock,
)

ZLIB = package("zlib", "1.3")
HDF5 = package("hdf5", "1.14", ZLIB)
OLD = package("hdf5", "1.12", ZLIB)
Change = Callable[[dict[str, Any]], object]


def node(one: dict[str, Any], *sources: str) -> LockNode:
    return LockNode(sources, json.dumps(one, separators=(",", ":")).encode())


LOCK = Lock(
    {"mine": LockStack("./mine", {"CI": "1"}), "e4s": LockStack("e4s", include=False, include_roots={"https://example.org/x": "../x"})},
    LockChoices(os_policy="strict", sources=("hub",)),
    {"box": LockMachine("linux", "ubuntu24.04", "zen4", "glibc@2.39", ("80",)), "mac": LockMachine("darwin", "sequoia", "m1")},
    {"hub": LockSource("https://example.org/hub", "v3", signed=True, keys=("AB" * 20,), digest="0" * 64)},
    (
        LockSelection(
            "mine",
            "default",
            "box",
            "true",
            "a" * 64,
            "b" * 64,
            optimal=False,
            roots=(LockRoot("hdf5@1.12:", (LockChoice("zen4", HDF5["hash"]), LockChoice("x86_64_v3", OLD["hash"]))), LockRoot("none")),
            targets=("zen4", "x86_64_v3"),
            view={"default": {"root": "view"}},
        ),
    ),
    {one["hash"]: node(one, *([] if one is GLIBC else ["hub"])) for one in (GLIBC, HDF5, OLD, ZLIB)},
)
TEXT = write_lock(LOCK)


def damaged(change: Change) -> bytes:
    document = json.loads(TEXT)
    change(document)
    return json.dumps(document).encode()


def refused(data: bytes, kind: type[InputError] = FormatError) -> InputError:
    with pytest.raises(kind) as found:
        read_lock(data, "some/resolver.lock")
    assert "some/resolver.lock" in found.value.where
    assert found.value.hint
    return found.value


def test_what_is_written_is_read() -> None:
    assert read_lock(TEXT, "x") == LOCK
    assert write_lock(read_lock(TEXT, "x")) == TEXT
    assert write_lock(read_lock(write_lock(Lock()), "x")) == write_lock(Lock())


def test_parts_are_sorted_and_each_root_and_package_has_a_line() -> None:
    turned = msgspec.structs.replace(
        LOCK,
        stacks=dict(reversed(LOCK.stacks.items())),
        machines=dict(reversed(LOCK.machines.items())),
        nodes=dict(reversed(LOCK.nodes.items())),
        selections=tuple(msgspec.structs.replace(one, roots=one.roots[::-1]) for one in LOCK.selections),
    )
    assert write_lock(turned) == TEXT
    lines = TEXT.decode().splitlines()
    assert f'        "hdf5@1.12:": {{"zen4":"{HDF5["hash"]}","x86_64_v3":"{OLD["hash"]}"}},' in lines
    assert [one["node"]["name"] for one in json.loads(TEXT)["nodes"].values() if one] == ["glibc", "hdf5", "hdf5", "zlib"]
    assert sum(line.startswith('    "') and '"node":' in line for line in lines) == 4


def test_nodes_are_verbatim_whatever_their_keys_order() -> None:
    one = {"version": "1", "name": "x", "arch": {"platform": "linux"}, "unknown": [1.50, "é"]}
    text = json.dumps(one, separators=(",", ":"), ensure_ascii=False).replace("1.5", "1.50").encode()
    found = read_lock(write_lock(Lock(nodes={"abc": LockNode((), text)})), "x")
    assert found.nodes["abc"].node == text


def test_a_lock_that_was_formatted_anew_is_read() -> None:
    for text in (json.dumps(json.loads(TEXT), indent=4), json.dumps(json.loads(TEXT)), TEXT.decode().replace("\n", "\r\n")):
        assert write_lock(read_lock(text.encode(), "x")) == TEXT


def test_hashes_on_a_target_are_the_last_ones_before_it() -> None:
    (selection,) = LOCK.selections
    assert selection.hashes("zen4") == {"hdf5@1.12:": HDF5["hash"], "none": ""}
    assert selection.hashes("x86_64_v3") == {"hdf5@1.12:": OLD["hash"], "none": ""}
    assert [root.hash for root in selection.roots] == [HDF5["hash"], ""]


def test_machines_are_values() -> None:
    machine = LOCK.machines["box"].machine("box")
    assert (str(machine), machine.cuda_arch, machine.name) == ("linux-ubuntu24.04-zen4 glibc@2.39", ("80",), "box")
    assert LockMachine.of(machine) == LOCK.machines["box"]
    with pytest.raises(InputError, match="unknown target"):
        LockMachine("linux", "x", "zen99").machine("box")


def test_the_published_schema_is_that_of_the_program_and_holds() -> None:
    published = json.loads((ROOT / "resolver" / "resolver.lock.schema.json").read_text())
    assert published == json.loads(msgspec.json.encode(json_schema()))
    jsonschema.Draft202012Validator.check_schema(published)
    validator = jsonschema.Draft202012Validator(published)
    validator.validate(json.loads(TEXT))
    validator.validate(json.loads(write_lock(Lock())))
    for change in BAD_SHAPES.values():
        assert list(validator.iter_errors(json.loads(damaged(change)))), change


def selection(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["selections"][0]
    return found


def put(document: dict[str, Any], *path: str | int, value: object) -> None:
    inner: Any = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value


BAD_SHAPES: dict[str, Change] = {
    "no machines": lambda d: d.pop("machines"),
    "an unknown key": lambda d: d.update(more=1),
    "an unknown key of a stack": lambda d: put(d, "stacks", "mine", "x", value=1),
    "a selection without roots": lambda d: put(d, "selections", 0, "roots", value=[]),
    "a text for a mapping": lambda d: put(d, "nodes", value="all"),
    "no roots": lambda d: d["selections"][0].pop("roots"),
    "a choice that is none": lambda d: put(d, "choices", "os_policy", value="lax"),
    "a digest that is none": lambda d: put(d, "selections", 0, "asked", value="abc"),
    "a hash of capitals": lambda d: put(d, "selections", 0, "roots", "none", value={"zen4": "ABC"}),
    "a hash that is a path": lambda d: put(d, "selections", 0, "roots", "none", value={"zen4": "../../etc/passwd"}),
    "a node under a path": lambda d: put(d, "nodes", "../x", value=d["nodes"][ZLIB["hash"]]),
    "a node that is a list": lambda d: put(d, "nodes", ZLIB["hash"], "node", value=[]),
}

CASES: dict[str, tuple[Change, str]] = {
    **{name: (change, "") for name, change in BAD_SHAPES.items()},
    "missing node of a root": (lambda d: d["nodes"].pop(OLD["hash"]), f"root 'hdf5@1.12:': hash {OLD['hash']} has no node"),
    "missing node of a closure": (lambda d: d["nodes"].pop(ZLIB["hash"]), f"the node zlib/{ZLIB['hash']} is missing"),
    "missing libc": (lambda d: d["nodes"].pop(GLIBC["hash"]), "the node glibc/"),
    "another node's hash": (
        lambda d: put(d, "nodes", ZLIB["hash"], "node", value=d["nodes"][OLD["hash"]]["node"]),
        f"the node states another hash, {OLD['hash']}",
    ),
    "no node": (lambda d: put(d, "nodes", ZLIB["hash"], value=None), "nothing in place of a node"),
    "a package name that is a path": (
        lambda d: put(d, "nodes", ZLIB["hash"], "node", "name", value="../x"),
        "'../x' is not the name of a package",
    ),
    "an unknown stack": (lambda d: put(d, "selections", 0, "stack", value="other"), "stack 'other' is not in the lock"),
    "an unknown machine": (lambda d: put(d, "selections", 0, "machine", value="other"), "machine 'other' is not in the lock"),
    "an unknown source": (lambda d: put(d, "nodes", ZLIB["hash"], "sources", value=["other"]), "source 'other' is not in the lock"),
    "an unknown target": (lambda d: put(d, "selections", 0, "targets", value=["zen4"]), "target 'x86_64_v3' is not in the lock"),
    "no target": (lambda d: put(d, "selections", 0, "targets", value=[]), "the targets are none"),
    "a target twice": (lambda d: put(d, "selections", 0, "targets", value=["zen4", "zen4", "x86_64_v3"]), "twice"),
    "another unify": (lambda d: put(d, "selections", 0, "unify", value="yes"), "yes"),
    "a cell twice": (lambda d: d["selections"].append(d["selections"][0]), "is there twice"),
    "a stack that is a path": (lambda d: put(d, "stacks", "../x", value={"location": "x"}), "'../x' cannot be a name"),
    "a machine with a line break": (lambda d: put(d, "machines", "a\nb", value={}), "cannot be a name"),
    "an empty group": (lambda d: put(d, "selections", 0, "group", value=""), "'' cannot be a name"),
    "an absolute path": (lambda d: put(d, "stacks", "mine", "location", value="/etc/x"), "'/etc/x' is no path that a lock may name"),
    "a path from a home": (lambda d: put(d, "stacks", "mine", "spack_config", value="~/.spack"), "is no path that a lock may name"),
    "a path on a drive": (lambda d: put(d, "stacks", "mine", "location", value="C:\\x"), "is no path that a lock may name"),
    "a mirror at an absolute path": (lambda d: put(d, "sources", "hub", "url", value="/mnt/x"), "is no path that a lock may name"),
    "a mirror with a line break": (
        lambda d: put(d, "sources", "hub", "url", value="https://x/\ny: z"),
        "cannot be the address of a mirror",
    ),
    "a mirror beside what ships": (lambda d: put(d, "sources", "hub", "url", value="shipped:../../x"), "cannot be the address of a mirror"),
    "an import for no machine": (lambda d: put(d, "stacks", "mine", "imported", value="other"), "machine 'other' is not in the lock"),
}


@pytest.mark.parametrize("name", CASES)
def test_damage_is_refused_with_its_place(name: str) -> None:
    change, said = CASES[name]
    error = refused(damaged(change))
    assert said in str(error)
    assert "\n" not in error.where


@pytest.mark.parametrize(
    ("schema", "kind", "said"),
    [
        ("spack-resolver/lock/2", UnsupportedError, "a lock of version 2, known is 1"),
        ("spack-resolver/lock/99", UnsupportedError, "use a newer spack-resolver"),
        ("spack-resolver/lock/one", FormatError, "not a lock of spack-resolver"),
        ("spack-resolver/lock/" + "9" * 5000, FormatError, "not a lock of spack-resolver"),
        ("spack-resolver/resolve/1", FormatError, "its schema is 'spack-resolver/resolve/1'"),
    ],
)
def test_other_versions_and_documents_are_told_apart(schema: str, kind: type[InputError], said: str) -> None:
    assert said in str(refused(damaged(lambda d: d.update(schema=schema)), kind))


def test_a_newer_version_is_refused_whatever_else_it_holds() -> None:
    assert "version 3" in str(refused(b'{"schema":"spack-resolver/lock/3","stacks":7}', UnsupportedError))


def test_a_lockfile_of_spack_is_told_where_it_goes() -> None:
    text = (Path(__file__).parents[1] / "data" / "locks" / "host-debian12.lock").read_bytes()
    assert "--import" in refused(text).hint


def test_a_merge_conflict_is_called_so() -> None:
    text = TEXT.replace(b'  "choices"', b'<<<<<<< ours\n  "choices"')
    assert "marks of a merge conflict" in str(refused(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"mine": {', b'"mine": {"location":"./other"},\n"mine": {'),
        (b'"none": {}', b'"none": {}, "none": {}'),
        (b'"zen4":', b'"zen4":null,"zen4":'),
        (f'    "{ZLIB["hash"]}"'.encode(), f'    "{ZLIB["hash"]}": {{"sources":[],"node":{{"name":"x"}}}}, "{ZLIB["hash"]}"'.encode()),
    ],
)
def test_keys_that_stand_twice_are_refused(old: bytes, new: bytes) -> None:
    assert old in TEXT
    assert "stands twice" in str(refused(TEXT.replace(old, new, 1)))


def test_what_is_cut_short_is_refused_wherever_it_is_cut() -> None:
    for end in range(0, len(TEXT) - 2, 37):
        refused(TEXT[:end])


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"\xff\xfe", b"{" * 100_000, b"[" * 100_000, b'{"schema":1}', b"\x00" * 100])
def test_what_is_no_document_is_refused(data: bytes) -> None:
    refused(data)


def test_deep_values_are_refused_or_read_but_never_fatal() -> None:
    for levels in (100, 900, 5000):
        deep = b"[" * levels + b"]" * levels
        refused(TEXT.replace(b'"view": {"default":{"root":"view"}}', b'"view": ' + deep))


def test_what_is_too_large_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_BYTES == 256 << 20
    monkeypatch.setattr("resolver.formats.resolver_lock.reader.MOST_BYTES", 1000)
    assert "more than" in str(refused(TEXT))


def test_messages_hold_no_more_of_hostile_text_than_they_need() -> None:
    error = refused(damaged(lambda d: put(d, "selections", 0, "stack", value="x" * 5000)))
    assert len(str(error)) < 500
    error = refused(damaged(lambda d: put(d, "nodes", "z" * 5000, value=d["nodes"][ZLIB["hash"]])))
    assert len(str(error)) < 500
    assert not re.search(r"z{200}", str(error))
