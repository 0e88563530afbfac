"""``explain`` as a whole: what it prints, its document, its exit codes, under a stack and without."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run
from fakes.indexes import index_of
from fakes.world import hash_of, nodes_of

ZEN4 = ("--arch", "linux-ubuntu24.04-zen4", "--libc", "glibc@2.39")
README = (ROOT / "README.md").read_text("utf-8")
LIBC = "glibc@2.35"
RECORDS: list[dict[str, Any]] = [
    {"id": "h1", "spec": "hdf5@=1.12.3~mpi", "libc": LIBC, "link": ["zlib-api=z1"]},
    {"id": "h2", "spec": "hdf5@=1.14.3~mpi target=zen5", "libc": LIBC, "link": ["zlib-api=z1"]},
    {"id": "p1", "spec": "libpng@=1.6.43", "libc": LIBC, "link": ["zlib-api=z2"]},
    {"id": "z1", "spec": "zlib-ng@=2.2.3", "libc": LIBC},
    {"id": "z2", "spec": "zlib-ng@=2.3.0", "libc": LIBC},
]
STACK = """\
spack:
  specs: [hdf5, libpng]
  packages:
    hdf5: {require: ['@1.12']}
"""


@pytest.fixture
def world(run: Run, tmp_path: Path) -> Run:
    """The program with the records above synced, and a stack of two roots that disagree."""
    index = tmp_path / "index.json"
    index.write_bytes(index_of(nodes_of(RECORDS).values()))
    assert run("sync", index, "--name", "site").code == 0
    (tmp_path / "spack.yaml").write_text(STACK)
    return run


def test_what_serves_is_explained_with_0(world: Run) -> None:
    result = world("explain", "hdf5", *ZEN4)
    assert result.code == 0
    assert result.out.startswith("hdf5@1.12.3/h100000 serves hdf5 on linux-ubuntu24.04-zen4 glibc@2.39.\n")
    assert "It is the only record that serves." in result.out
    assert "machine: linux-ubuntu24.04-zen4" in result.err


def test_what_does_not_is_explained_with_4(world: Run) -> None:
    result = world("explain", "hdf5+mpi", *ZEN4)
    assert result.code == 4
    assert "leave out +mpi\n    spec: hdf5\n    gains 1 record, best hdf5@1.12.3/h100000\n" in result.out


def test_the_document_says_all(world: Run) -> None:
    result = world("explain", "hdf5@1.14:", *ZEN4, "--json")
    assert result.code == 4
    document = result.document
    assert document["schema"] == "spack-resolver/explain/1"
    assert [step["left"] for step in document["funnel"]] == [2, 2, 2, 2, 1, 1, 0]
    assert document["nearest"][0]["hash"] == hash_of("h1")
    assert {"gate", "node", "have", "want"} < set(document["nearest"][0]["misses"][0])
    assert [(edit["edit"], edit["gains"]) for edit in document["edits"]] == [
        ("ask for @=1.12.3 in place of @1.14:", 1),
        ("use a machine of target zen5 or a descendant", 1),
        ("take binaries for all CPUs of the family, to be run on other machines than this one", 1),
    ]
    assert document["chosen"] is None


def test_options_of_edits_work_when_pasted(world: Run, tmp_path: Path) -> None:
    for edit in world("explain", "hdf5@1.14:", *ZEN4, "--json").document["edits"]:
        (part,) = edit["parts"]
        spec, more = (part["option"], "") if part["of"] == "spec" else ("hdf5@1.14:", part["option"])
        if part["of"] == "stack":
            (tmp_path / "edited").mkdir()
            (tmp_path / "edited" / "spack.yaml").write_text(stack_with(part["option"]))
            more = f"--stack {tmp_path / 'edited'} --target zen4"
        words = ["--platform", "linux", "--os", "ubuntu24.04", "--libc", "glibc@2.39", *(shlex.split(more) or ["--target", "zen4"])]
        result = world("explain", *shlex.split(spec), *words, "--json")
        assert result.code == 0
        assert result.document["chosen"]["hash"] == edit["best"]


def stack_with(option: str) -> str:
    """A stack that has an entry, which is written as `section:key: value`."""
    keys, _, value = option.partition(": ")
    for key in reversed(keys.split(":")):
        value = f"{{{key}: {value}}}"
    return f"spack: {value}"


@pytest.mark.parametrize("text", ["/h2", "h200000", hash_of("h2")])
def test_a_hash_is_explained_by_its_beginning(world: Run, text: str) -> None:
    result = world("explain", text, *ZEN4)
    assert result.code == 4
    assert "hdf5@1.14.3/h200000 does not serve" in result.out
    assert "In its place hdf5@1.12.3/h100000 serves." in result.out
    document = world("explain", text, *ZEN4, "--json").document
    assert (document["hash"], document["serves"], document["sources"]) == (hash_of("h2"), False, ["site"])
    assert document["nearest"][0]["misses"][0]["gate"] == "target"


def test_the_beginning_of_several_hashes_lists_them(world: Run) -> None:
    result = world("explain", "/h", *ZEN4)
    assert result.code == 3
    assert f"2 records have hashes that begin with h: {hash_of('h1')} hdf5@1.12.3 and {hash_of('h2')} hdf5@1.14.3" in result.err
    assert world("explain", "/abc", *ZEN4).code == 3


def test_of_an_unknown_name_it_says_what_is_near_and_what_is_synced(world: Run) -> None:
    result = world("explain", "zlibng", *ZEN4)
    assert result.code == 4
    assert result.out.startswith("No source has a record of zlibng.\nDid you mean zlib-ng or libpng or libc?\nSynced: site (")
    assert "records, today). If it was built since, sync again" in result.out


def test_other_sources_are_told_of(world: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_bytes(index_of(nodes_of([{"id": "x", "spec": "xz@=5.6", "libc": LIBC}]).values()))
    assert world("sync", other, "--name", "other").code == 0
    result = world("explain", "xz", *ZEN4, "--source", "site")
    assert result.code == 4
    assert "Only site was looked at; without --source, 1 record of xz are known." in result.out.replace("\n", " ")


def test_a_stack_s_rules_and_other_roots_count(world: Run, tmp_path: Path) -> None:
    served = world("explain", "libpng", "--stack", tmp_path, *ZEN4)
    assert served.code == 0
    assert "Together with it hdf5 of group default cannot be served: `explain` tells why of each." in served.out.replace("\n", " ")
    result = world("explain", "hdf5", "--stack", tmp_path, *ZEN4)
    assert result.code == 4
    text = result.out.replace("\n", " ")
    assert "hdf5 and libpng cannot be served together (group default, unify: true), though each can alone." in text
    assert "They disagree on zlib-ng: hdf5 takes zlib-ng@2.2.3/z100000, libpng takes zlib-ng@2.3.0/z200000." in text
    assert "leave out libpng     gains 1 root" in text
    assert "Alone: hdf5@1.12.3/h100000 serves hdf5" in text
    conflict = world("explain", "hdf5", "--stack", tmp_path, *ZEN4, "--json").document["conflict"]
    assert conflict["roots"] == ["hdf5", "libpng"]
    assert conflict["package"] == "zlib-ng"
    assert conflict["hashes"] == [f"zlib-ng/{hash_of('z1')}", f"zlib-ng/{hash_of('z2')}"]
    broken = world("explain", "hdf5@1.14:", "--stack", tmp_path, "--arch", "linux-ubuntu24.04-zen5", "--libc", "glibc@2.39")
    assert "take '@1.12' out of packages:hdf5:require" in broken.out


def test_a_bare_name_is_the_stack_s_own_root(world: Run, tmp_path: Path) -> None:
    (tmp_path / "spack.yaml").write_text("spack: {specs: [hdf5@1.12 ~mpi], concretizer: {unify: false}}")
    result = world("explain", "hdf5", "--stack", tmp_path, *ZEN4)
    assert result.code == 0
    assert "Of the roots of group default this is hdf5@1.12~mpi." in result.out
    assert "The group default has no root zlib-ng" in world("explain", "zlib-ng", "--stack", tmp_path, *ZEN4).out


def test_groups_are_named(world: Run, tmp_path: Path) -> None:
    assert world("explain", "hdf5", "--group", "x", *ZEN4).code == 2
    unknown = world("explain", "hdf5", "--stack", tmp_path, "--group", "x", *ZEN4)
    assert (unknown.code, "its groups are default" in unknown.err) == (3, True)


def test_nothing_to_explain_is_an_error(world: Run) -> None:
    assert world("explain", " ", *ZEN4).code == 3
    assert world("explain", "hdf5@@", *ZEN4).code == 3


def test_the_readme_shows_a_real_explanation(shipped: Run) -> None:
    block = next(b for b in re.findall(r"```console\n(.*?)```", README, re.DOTALL) if "$ spack-resolver explain" in b)
    line, shown = block.split("\n", 1)
    result = shipped(*shlex.split(line.removeprefix("$ "))[1:])
    parts = [part.strip("\n") for part in shown.split("...\n")]
    assert len(parts) > 1
    assert all(part in result.out for part in parts)


def keys_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


def test_all_keys_are_documented(world: Run, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "json.md").read_text("utf-8")
    asked = [("hdf5@1.14:",), ("hdf5",), ("/h1",), ("/h2",), ("hdf5", "--stack", str(tmp_path))]
    found = set().union(*(keys_of(world("explain", *words, *ZEN4, "--json").document) for words in asked))
    assert len(found) > 50
    assert not {key for key in found - {"schema"} if f"`{key}`" not in text}
