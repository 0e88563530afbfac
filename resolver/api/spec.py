"""Reading a spec, and holding it against concrete ones."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from resolver.api.selecting import Choices, open_pool
from resolver.api.settings import Settings
from resolver.errors import InputError
from resolver.formats.lockfile import read_lockfile
from resolver.formats.record import HASH_CHARACTERS
from resolver.sources.directory import DirectoryPlace
from resolver.sources.files import plain
from resolver.sources.place import MOST_BYTES
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec, NodeGraph
from resolver.spec.dag_hash import HashVerdict, check_hash
from resolver.spec.satisfies import Mismatch, match


class Comparison(msgspec.Struct, frozen=True):
    """A concrete spec held against an abstract one: what fails first, or None; and what its recomputed hash says."""

    spec: ConcreteSpec
    mismatch: Mismatch | None
    hash_verdict: HashVerdict


def compare(settings: Settings, spec: AbstractSpec, against: str) -> list[Comparison]:
    """Hold a spec against a lockfile (or a directory with one), or against the synced records whose hash begins so.

    Of a lockfile the packages of the spec's name are looked at, of an anonymous spec all. Raises ``InputError`` when there is nothing.
    """
    path = Path(os.path.expanduser(against))  # noqa: PTH111 - leaves the name of an unknown user as it is
    if path.is_dir():
        path /= "spack.lock"
    found = list(_of_lockfile(path, spec) if path.is_file() else _of_catalog(settings, against))
    if not found:
        msg = f"there is nothing to hold {str(spec)!r} against in {against!r}"
        raise InputError(msg, hint="give a lockfile that has the package, or the beginning of a synced hash")
    return [Comparison(one, match(one, spec), check_hash(node, one.hash)) for one, node in found]


def _of_lockfile(path: Path, spec: AbstractSpec) -> Iterator[tuple[ConcreteSpec, Mapping[str, Any]]]:
    try:
        fetched = DirectoryPlace(path.parent).read(path.name, most=MOST_BYTES)
        lock = read_lockfile(plain(fetched.data if fetched else b"", str(path)))
        nodes: dict[str, dict[str, Any]] = {key: json.loads(bytes(raw)) for key, raw in sorted(lock.nodes.items())}
        graph = NodeGraph(nodes)
        for key, node in nodes.items():
            one = graph.get(key)
            if one and (spec.name is None or one.name == spec.name):
                yield one, node
    except InputError as error:
        raise error.at(str(path)) from None


def _of_catalog(settings: Settings, prefix: str) -> Iterator[tuple[ConcreteSpec, Mapping[str, Any]]]:
    text = prefix.removeprefix("/")
    if not text or not HASH_CHARACTERS.issuperset(text):
        msg = f"{prefix!r} is neither a lockfile nor a hash"
        raise InputError(msg, hint="name an existing spack.lock, or a hash of a synced record")
    pool = open_pool(settings, Choices())
    for one in pool.with_prefix(text):
        yield one, json.loads(pool.node(one))
