"""Packages with sound hashes in mirrors of their own, stacks over them, and locks made of both."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fakes.indexes import hashed
from fakes.mirrors import index, put_v3

GLIBC = hashed(
    {
        "name": "glibc",
        "version": "2.39",
        "arch": {"platform": "linux", "platform_os": "ubuntu24.04", "target": "x86_64_v3"},
        "external": {"path": "/usr", "module": None, "extra_attributes": {}},
    }
)
OLD_GLIBC = hashed({**{k: v for k, v in GLIBC.items() if k not in ("hash", "annotations")}, "version": "2.28"})
ZEN4 = "linux-ubuntu24.04-zen4-glibc@2.39"
V3 = "linux-ubuntu24.04-x86_64_v3-glibc@2.39"


def package(
    name: str,
    version: str,
    *children: Mapping[str, Any],
    target: str = "x86_64_v3",
    libc: Mapping[str, Any] = GLIBC,
    build: Sequence[Mapping[str, Any]] = (),
    note: str = "",
) -> dict[str, Any]:
    """A node with its hash, linked to its children and a C library."""
    edges = [_edge(child, "link") for child in children] + [_edge(child, "build") for child in build]
    edges.append({**_edge(libc, "link"), "parameters": {"deptypes": ["link"], "virtuals": ["libc"]}})
    arch = {"platform": "linux", "platform_os": "ubuntu24.04", "target": target}
    parameters = {"note": note} if note else {}
    return hashed({"name": name, "version": version, "arch": arch, "namespace": "builtin", "parameters": parameters, "dependencies": edges})


def _edge(child: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"name": child["name"], "hash": child["hash"], "parameters": {"deptypes": [kind], "virtuals": []}}


def mirror(folder: Path, nodes: Iterable[Mapping[str, Any]]) -> Path:
    """A mirror of layout v3 with an index of these nodes and of what they need of the host."""
    rows = {one["hash"]: dict(one) for one in (GLIBC, OLD_GLIBC, *nodes)}
    data = json.loads(index(*rows.values()))
    for entry in data["database"]["installs"].values():
        entry["in_buildcache"] = "external" not in entry["spec"]
    put_v3(folder, json.dumps(data).encode())
    return folder


def stack(folder: Path, *specs: str, unify: bool | str = True, more: str = "") -> Path:
    """A stack definition that asks for these."""
    folder.mkdir(parents=True, exist_ok=True)
    body = {"spack": {"specs": list(specs), "concretizer": {"unify": unify}, **(json.loads(more) if more else {})}}
    (folder / "spack.yaml").write_text(json.dumps(body, indent=1))
    return folder


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that are gone and those that are new."""
    rows = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return [row[2:] for row in rows if row.startswith("- ")], [row[2:] for row in rows if row.startswith("+ ")]


def hashes(text: str, machine: str = "") -> dict[str, dict[str, str | None]]:
    """The hashes of each root by target, as a lock's text has them."""
    document = json.loads(text)
    return {
        spec: choices
        for selection in document["selections"]
        if machine in ("", selection["machine"])
        for spec, choices in selection["roots"].items()
    }
