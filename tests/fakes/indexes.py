"""Build cache indexes made up for a test: sound ones of any size, and the smallest ones to go wrong in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from resolver.spec.dag_hash import computed_hash

PACKAGES = 40
KEY = "a" * 32
LIBC = {"name": "glibc", "version": "2.39", "arch": {"platform": "linux", "platform_os": "ubuntu24.04", "target": "x86_64"}}


def hashed(node: Mapping[str, Any]) -> dict[str, Any]:
    """The node with its hash by Spack's rule."""
    whole = {**node, "annotations": {"original_specfile_version": 5}}
    return {**whole, "hash": computed_hash(whole)}


def zoo(count: int, edition: int = 1) -> list[dict[str, Any]]:
    """So many sound nodes besides their C library, of several packages, all of another version in another edition."""
    libc = hashed({**LIBC, "external": {"path": "/usr", "module": None}})
    edge = {"name": "glibc", "hash": libc["hash"], "parameters": {"deptypes": ["link"], "virtuals": ["libc"]}}
    return [libc, *(animal(number, edition, edge) for number in range(count))]


def animal(number: int, edition: int, edge: Mapping[str, Any]) -> dict[str, Any]:
    """One node of the zoo."""
    target = ("x86_64_v3", "x86_64_v2")[number % 2]
    return hashed(
        {
            "name": f"p{number % PACKAGES}",
            "version": f"{edition}.{number}",
            "arch": {"platform": "linux", "platform_os": "ubuntu24.04", "target": target},
            "namespace": "builtin",
            "parameters": {"shared": True, "cflags": []},
            "dependencies": [edge],
        },
    )


def index_of(nodes: Iterable[Mapping[str, Any]]) -> bytes:
    """An index of these nodes by their hashes; all but externals are in the build cache."""
    installs = {node["hash"]: {"spec": node, "in_buildcache": "external" not in node} for node in nodes}
    return json.dumps({"database": {"version": "8", "installs": installs}}).encode()


def lone(node: str = '{"name":"zlib","version":"1"}', *, key: str = KEY, binary: str = "true", more: str = "") -> str:
    """An index of one record, as text: what its node, its key in quotes and its flag are is for the test to say."""
    return f'{{"database":{{"version":"8","installs":{{"{key}":{{"spec":{node},"in_buildcache":{binary}}}{more}}}}}}}'
