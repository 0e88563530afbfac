"""Environments of the small mirrors in ``tests/data/mirrors``, and folders as what is in them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from resolver.emit.spack_lock import uniform
from resolver.formats import lockfile
from resolver.formats.resolver_lock import (
    Lock,
    LockChoice,
    LockMachine,
    LockNode,
    LockRoot,
    LockSelection,
    LockSource,
    LockStack,
    write_lock,
)

MIRRORS = Path(__file__).parents[1] / "data" / "mirrors"
ROOT = "libxml2"
KEY = "AFC07ED91076590135FCCC7DBB9298E6202EDAD0"


def mirror(name: str, folder: Path) -> Path:
    """A copy of a mirror, to be damaged."""
    return Path(shutil.copytree(MIRRORS / name, folder))


def nodes_of(root: Path) -> dict[str, Any]:
    """The nodes of a mirror's index, by hash."""
    index = root / "build_cache" / "index.json"
    if not index.exists():
        (entry,) = json.loads((root / "v3" / "manifests" / "index" / "index.manifest.json").read_text())["data"]
        index = root / "blobs" / "sha256" / entry["checksum"][:2] / entry["checksum"]
    return {key: one["spec"] for key, one in json.loads(index.read_text())["database"]["installs"].items()}


def environment(folder: Path, nodes: Mapping[str, Any], mirrors: Mapping[str, Any], roots: Iterable[str] = (ROOT,)) -> Path:
    """An environment whose roots are the packages of these names, or hashes."""
    chosen = [node for name in roots for node in nodes.values() if name in (node["name"], node["hash"])]
    version, raw = uniform({key: json.dumps(node, separators=(",", ":")).encode() for key, node in nodes.items()})
    listed = [lockfile.LockRoot(node["hash"], f"{node['name']}@={node['version']}/{node['hash']}") for node in chosen]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spack.lock").write_bytes(lockfile.write_lockfile(version, listed, raw))
    body = {"specs": [root.spec for root in listed], "concretizer": {"unify": True, "reuse": True}, "mirrors": dict(mirrors)}
    (folder / "spack.yaml").write_text(json.dumps({"spack": body}))
    return folder


def files(folder: Path, *, without: str = "env") -> dict[str, bytes]:
    """All files below a folder, by path."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(f"{without}/")}


def packages(root: Path) -> list[Path]:
    """The manifests and spec files of a mirror."""
    return sorted([*root.glob("v3/manifests/spec/*/*.json"), *root.glob("build_cache/*.spec.json*")])


def blobs(root: Path, name: str) -> tuple[Path, Path]:
    """The archive and the metadata of a package in layout v3."""
    (path,) = root.glob(f"v3/manifests/spec/{name}/*.json")
    text = path.read_text()
    body = text[text.index("{") : text.rindex("}") + 1]
    found = [root / "blobs" / "sha256" / one["checksum"][:2] / one["checksum"] for one in json.loads(body)["data"]]
    return found[0], found[1]


def archive_of(root: Path, name: str) -> Path:
    """The archive of a package, in either layout."""
    found = list(root.glob(f"build_cache/*/*/{name}-*/*.spack"))
    return found[0] if found else blobs(root, name)[0]


def resolver_lock(folder: Path, nodes: Mapping[str, Any], url: str, *, roots: Iterable[str] = (ROOT,), **source: Any) -> Path:
    """A ``resolver.lock`` of one stack on two machines, of which the second gets nothing."""
    libc = "glibc@2.36"
    machines = {name: LockMachine("linux", "debian12", "x86_64_v3", libc) for name in ("github-ubuntu-24.04", "other")}
    chosen = [node for name in roots for node in nodes.values() if node["name"] == name]
    served = tuple(LockRoot(node["name"], (LockChoice("x86_64_v3", node["hash"]),)) for node in chosen)
    none = tuple(LockRoot(node["name"]) for node in chosen)
    selections = tuple(
        LockSelection("s", "default", name, "true", "0" * 64, "0" * 64, optimal=True, roots=rows, targets=("x86_64_v3",))
        for name, rows in (("github-ubuntu-24.04", served), ("other", none))
    )
    rows = {
        key: LockNode(() if "external" in node else ("m",), json.dumps(node, separators=(",", ":")).encode()) for key, node in nodes.items()
    }
    sources = {"m": LockSource(url, "v3", signed=True, **source)}
    lock = Lock({"s": LockStack("s")}, machines=machines, sources=sources, selections=selections, nodes=rows)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "resolver.lock"
    path.write_bytes(write_lock(lock))
    return path


def lay_out(folder: Path, run: Callable[..., Any]) -> None:
    """What the examples of the commands on mirrors begin with: ``env``, ``resolver.lock`` and ``bundle``."""
    root = MIRRORS / "v3-signed"
    environment(folder / "env", nodes_of(root), {"origin": {"url": root.as_uri(), "signed": True}})
    resolver_lock(folder, nodes_of(root), root.as_uri())
    assert run("bundle", folder / "env", "-o", folder / "bundle").code == 0
