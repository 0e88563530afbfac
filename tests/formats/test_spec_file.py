from __future__ import annotations

import json
from typing import Any

import pytest

from resolver.errors import FormatError, ResolverError, UnsupportedError
from resolver.formats.record import Record
from resolver.formats.spec_file import VERSIONS, read_spec_file
from resolver.spec.node import decode_node

ZLIB = "z" * 32
PNG = "p" * 32
SUM = "ab" * 32
ARCH = {"platform": "linux", "platform_os": "debian12", "target": "x86_64"}
YAML = f"""\
buildinfo:
  relative_rpaths: false
spec:
- libpng:
    version: '1.10'
    arch: {{platform: linux, platform_os: debian12, target: x86_64}}
    compiler: {{name: gcc, version: 9.3.0}}
    parameters:
      shared: true
      cflags: []
    dependencies:
      zlib:
        hash: {ZLIB}
        type: [build, link]
    hash: {PNG}
    build_hash: {"b" * 32}
- zlib:
    version: 1.2.11
    arch: {{platform: linux, platform_os: debian12, target: x86_64}}
    external: {{path: /usr, module: , extra_attributes: {{}}}}
    hash: {ZLIB}
binary_cache_checksum:
  hash_algorithm: sha256
  hash: {SUM}
"""


def document(version: int) -> dict[str, Any]:
    """A spec file of two nodes as that version is written."""
    if version == 1:
        edges: Any = {"zlib": {"hash": ZLIB, "type": ["link"]}}
        png = {"libpng": {"version": "1.6", "arch": ARCH, "dependencies": edges, "hash": PNG}}
        return {"spec": [png, {"zlib": {"version": "1.3", "arch": ARCH, "hash": ZLIB}}]}
    edge: dict[str, Any] = {"name": "zlib", "hash": ZLIB, "parameters": {"deptypes": ["link"], "virtuals": []}}
    if version == 2:
        edge = {"name": "zlib", "build_hash": ZLIB, "type": ["link"]}
    elif version == 3:
        edge = {"name": "zlib", "hash": ZLIB, "type": ["link"]}
    nodes = [
        {"name": "libpng", "version": "1.6", "arch": ARCH, "dependencies": [edge], "hash": PNG},
        {"name": "zlib", "version": "1.3", "arch": ARCH, "hash": ZLIB},
    ]
    return {"spec": {"_meta": {"version": version}, "nodes": nodes}}


def records(text: str | dict[str, Any]) -> list[Record]:
    data = (text if isinstance(text, str) else json.dumps(text)).encode()
    return list(read_spec_file(data, "f").records(in_buildcache=True))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_known_version_is_read(version: int) -> None:
    png, zlib = records(document(version))
    assert (png.hash, png.wire.name, png.in_buildcache) == (PNG, "libpng", True)
    assert (zlib.hash, zlib.wire.name, zlib.in_buildcache) == (ZLIB, "zlib", False)
    assert len(decode_node(png.node).dependencies) == 1


def test_yaml_of_old_spack() -> None:
    png, zlib = records(YAML)
    assert (png.wire.version, png.hash, png.alias, png.archive) == ("1.10", PNG, "b" * 32, SUM)
    assert (zlib.wire.version, zlib.archive) == ("1.2.11", "")
    assert b'"shared":true' in png.node


def test_what_it_says_of_the_archive() -> None:
    whole = {**document(4), "binary_cache_checksum": {"hash_algorithm": "sha256", "hash": SUM}, "archive_size": 7}
    png, zlib = records(whole)
    assert (png.archive, png.size, zlib.archive, zlib.size) == (SUM, 7, "", 0)
    assert records({**whole, "binary_cache_checksum": {"hash_algorithm": "md5", "hash": "x"}})[0].archive == ""
    for digest in ("", "../x", SUM.upper(), SUM + "\n"):
        with pytest.raises(FormatError, match="states the checksum"):
            records({**whole, "binary_cache_checksum": {"hash_algorithm": "sha256", "hash": digest}})


def test_a_newer_one_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="version 7, known are 1, 2, 3, 4, 5, 6"):
        records({"spec": {**document(5)["spec"], "_meta": {"version": 7}}})
    for layout in (4, "10", -1):
        with pytest.raises(UnsupportedError, match="build cache layout"):
            records({**document(5), "buildcache_layout_version": layout})
    assert records({**document(5), "buildcache_layout_version": 3})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        '{"spec": null}',
        '{"spec": []}',
        '{"spec": {"nodes": []}}',
        '{"spec": {"nodes": [1]}}',
        '{"spec": {"nodes": [{}]}}',
        '{"spec": {"nodes": [{"name": "a", "version": "1"}]}}',
        '{"spec": {"nodes": [{"name": "a", "version": "1", "hash": "../../x"}]}}',
        '{"spec": {"nodes": [{"name": "../a", "version": "1", "hash": "aa"}]}}',
        '{"spec": {"nodes": [{"name": "a", "version": "1", "hash": "aa", "build_hash": "/x"}]}}',
        '{"spec": {"nodes": [{"name": "a", "version": NaN, "hash": "aa"}]}}',
        '{"spec": {"nodes": [{"name": "a", "hash": "aa", "x": ' + "[" * 100_000,
        "spec: []",
        "spec:\n- a: {version: 1.0, hash: aa}\n",
        "spec:\n- a: {hash: aa, hash: bb}\n",
        "spec:\n- &a {a: *a}\n",
        "spec:\n- a: {version: .nan}\n",
        "spec:\n- " + "[" * 50_000,
        "-----BEGIN PGP SIGNED MESSAGE-----\n",
        "-----BEGIN PGP SIGNED MESSAGE-----\n\n{}\n-----BEGIN PGP SIGNATURE-----\n",
        "-----BEGIN PGP SIGNATURE-----\n-----BEGIN PGP SIGNED MESSAGE-----\n",
    ],
)
def test_damage_is_an_error(text: str) -> None:
    with pytest.raises(ResolverError):
        records(text)


def test_aliases_that_multiply_are_an_error() -> None:
    levels = ["- &a0 [x, x, x, x, x, x, x, x, x, x]", *(f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))]
    with pytest.raises(FormatError, match="its aliases may multiply"):
        records("\n".join(["spec:", *levels]))
