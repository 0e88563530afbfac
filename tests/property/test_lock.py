"""Laws of locks: what is written is read; what is kept stays; a change of one root touches no line but its own."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from fakes.indexes import index_of
from fakes.locked import GLIBC, V3, ZEN4, changed_lines, package
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from resolver.api.locks.plan import LockRequest
from resolver.api.locks.update import LockResult, update_lock
from resolver.api.settings import Settings
from resolver.api.sync import SyncRequest, sync
from resolver.arch.machine import parse_triple
from resolver.errors import InputError
from resolver.formats.resolver_lock import (
    Lock,
    LockChoice,
    LockChoices,
    LockMachine,
    LockNode,
    LockRoot,
    LockSelection,
    LockSource,
    LockStack,
    read_lock,
    write_lock,
)
from resolver.selection.problem import SHARED
from resolver.spec.concrete import ConcreteSpec

EXAMPLES = int(os.environ.get("LOCK_EXAMPLES", "6"))
TARGETS = ("x86_64_v3", "x86_64_v3", "x86_64_v4", "zen4")
ROOTS = ("app", "app@1", "lib", "tool", "tool@2")
names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12).filter(
    lambda text: text.isprintable() and not {"/", "\\"} & set(text) and text not in (".", "..")
)
ADDRESSES = ("", "./hub", "../far/hub", "https://example.org/a", "s3://bucket/x", "shipped:e4s")
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    max_leaves=5,
)


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    """Any lock, with nodes that depend on nothing."""
    nodes = {one["hash"]: one for one in (package(f"p{n}", "1") for n in range(draw(st.integers(0, 4))))} | {GLIBC["hash"]: GLIBC}
    sources = draw(
        st.dictionaries(
            names, st.builds(LockSource, url=st.sampled_from(ADDRESSES), signed=st.none() | st.booleans(), digest=digests), max_size=2
        )
    )
    stacks = draw(
        st.dictionaries(
            names,
            st.builds(LockStack, location=names, environment=st.dictionaries(st.text(), st.text()), include=st.booleans()),
            max_size=2,
        )
    )
    machines = draw(st.dictionaries(names, st.builds(LockMachine, platform=names, os=names, cuda_arch=st.just(("80",))), max_size=2))
    held = {
        key: LockNode(tuple(sorted(draw(st.sets(st.sampled_from(sorted(sources)))) if sources else ())), _json(one))
        for key, one in sorted(nodes.items())
    }
    cells = (
        draw(st.sets(st.tuples(st.sampled_from(sorted(stacks)), st.sampled_from(sorted(machines)), names), max_size=3))
        if stacks and machines
        else set()
    )
    selections = tuple(draw(_selection(cell, sorted(held))) for cell in sorted(cells))
    choices = draw(
        st.builds(LockChoices, sources=st.tuples(names), os_policy=st.sampled_from(["spack", "strict"]), alternates=st.booleans())
    )
    return Lock(stacks, choices, machines, sources, selections, held)


def _json(one: Mapping[str, Any]) -> bytes:
    return json.dumps(one, separators=(",", ":")).encode()


@st.composite
def _selection(draw: st.DrawFn, cell: tuple[str, str, str], hashes: Sequence[str]) -> LockSelection:
    targets = tuple(draw(st.lists(names, min_size=1, max_size=3, unique=True)))
    roots = []
    for spec in sorted(draw(st.sets(st.text(max_size=8), max_size=3))):
        row = [LockChoice(target, draw(st.sampled_from([*hashes, ""]))) for target in targets[: draw(st.integers(0, len(targets)))]]
        roots.append(LockRoot(spec, tuple(row)))
    unify: Any = draw(st.sampled_from(["true", "when_possible", "false"]))
    stack, machine, group = cell
    return LockSelection(
        stack, group, machine, unify, draw(digests), draw(digests), draw(st.booleans()), tuple(roots), targets, draw(values)
    )


@given(locks())
@settings(max_examples=EXAMPLES * 4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read(lock: Lock) -> None:
    text = write_lock(lock)
    assert read_lock(text, "x") == lock
    assert write_lock(read_lock(text, "x")) == text


@given(locks(), st.lists(st.tuples(st.integers(0, 1 << 20), st.sampled_from(b'"{}[]:,\\0a/\x00\xff\n')), min_size=1, max_size=3))
@settings(max_examples=EXAMPLES * 4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_bytes_that_were_changed_are_read_or_refused_but_never_fatal(lock: Lock, changes: list[tuple[int, int]]) -> None:
    data = bytearray(write_lock(lock))
    for place, byte in changes:
        data[place % len(data)] = byte
    with suppress(InputError):
        read_lock(bytes(data), "x")


@st.composite
def worlds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Applications and tools over some builds of a library."""

    def made(name: str, *children: dict[str, Any]) -> dict[str, Any]:
        return package(
            name, str(draw(st.integers(1, 3))), *children, target=draw(st.sampled_from(TARGETS)), note=str(draw(st.integers(0, 9)))
        )

    libs = [made("lib") for _ in range(draw(st.integers(1, 3)))]
    users = [made(name, draw(st.sampled_from(libs))) for name in ("app", "tool") for _ in range(draw(st.integers(1, 3)))]
    return [*libs, *users]


class Place:
    """A folder with a catalog, a stack, and the lock that was last made."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.settings = Settings(self.folder / "catalog.sqlite")
        self.path = self.folder / "resolver.lock"

    def know(self, nodes: Sequence[Mapping[str, Any]]) -> None:
        (self.folder / "index.json").write_bytes(index_of([GLIBC, *nodes]))
        assert not sync(self.settings, [SyncRequest(str(self.folder / "index.json"), "all")]).errors

    def ask(self, roots: Sequence[str], unify: str) -> None:
        body = {"spack": {"specs": list(roots), "concretizer": {"unify": json.loads(unify) if unify != "when_possible" else unify}}}
        (self.folder / "spack.yaml").write_text(json.dumps(body))

    def lock(self, *upgrade: str, **more: Any) -> LockResult:
        machines = [parse_triple(text) for text in (ZEN4, V3)]
        stacks = (str(self.folder / "spack.yaml"),)
        result = update_lock(self.settings, LockRequest(self.path, stacks, machines, partial=True, upgrade=upgrade or None, **more))
        self.path.write_bytes(result.data)
        return result


unifies = st.sampled_from(["true", "when_possible", "false"])
asked = st.lists(st.sampled_from(ROOTS), min_size=1, max_size=4, unique=True)


@given(worlds(), worlds(), asked, asked, unifies)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_kept_stays_and_an_upgrade_touches_its_own_lines(
    first: list[dict[str, Any]], second: list[dict[str, Any]], before: list[str], after: list[str], unify: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder)
        place.know(first)
        place.ask(before, unify)
        old = place.lock().lock
        assert place.lock().lock == old
        place.know([*first, *second])
        _check_kept(old, place.lock().lock)
        _check_upgrade(place, before[0])
        was = read_lock(place.path.read_bytes(), "x")
        place.ask(after, unify)
        now = place.lock().lock
        _check_kept(was, now)
        for lock in (old, now):
            _check_together(lock)


def _check_upgrade(place: Place, root: str) -> None:
    """Only the root that is selected anew may change, and the lines that say so."""
    text, was = place.path.read_text(), read_lock(place.path.read_bytes(), "x")
    now = place.lock(root).lock
    names = {root} if "@" in root else {spec for spec in ROOTS if spec.partition("@")[0] == root}
    for old, new in zip(was.selections, now.selections, strict=True):
        for mine, other in zip(old.roots, new.roots, strict=True):
            assert mine.spec in names or not mine.hash or mine.hash == other.hash
    gone, new_lines = changed_lines(text, place.path.read_text())
    starts = {line.strip().split(":")[0].strip('"') for line in [*gone, *new_lines]}
    hashes = was.nodes.keys() ^ now.nodes.keys()
    assert starts <= {*ROOTS, "fingerprint", "targets", "all", *hashes}


def _check_kept(was: Lock, now: Lock) -> None:
    """What is asked for as before has its hash as before, unless it had none."""
    had = {s.machine: s.hashes(s.targets[0]) for s in was.selections}
    for selection in now.selections:
        for root, key in selection.hashes(selection.targets[0]).items():
            if before := had.get(selection.machine, {}).get(root):
                assert key == before


def _check_together(lock: Lock) -> None:
    """Every tier of a unified group has one hash for each package, and each of its nodes runs on the tier's target."""
    specs = {key: json.loads(node.node) for key, node in lock.nodes.items()}
    for selection in lock.selections:
        for target in selection.targets:
            found: dict[str, set[str]] = {}
            for key in filter(None, selection.hashes(target).values()):
                for one in ConcreteSpec.from_nodes(specs, key).closure().values():
                    found.setdefault(one.name, set()).add(one.hash)
            if selection.unify == "true":
                assert all(len(keys) == 1 for name, keys in found.items() if name not in SHARED)


@given(worlds(), asked, st.randoms(use_true_random=False))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_order_of_what_is_given_does_not_matter(nodes: list[dict[str, Any]], roots: list[str], random: Any) -> None:
    texts = set()
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            place = Place(folder)
            shuffled = random.sample(nodes, len(nodes))
            place.know(shuffled)
            place.ask(random.sample(roots, len(roots)), "true")
            assume(nodes)
            place.lock()
            document = json.loads(place.path.read_text())
            document["sources"], document["stacks"] = {}, {}
            texts.add(json.dumps([{**one, "stack": ""} for one in document["selections"]]) + json.dumps(document["nodes"]))
    assert len(texts) == 1
