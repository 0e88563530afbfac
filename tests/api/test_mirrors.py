"""Mirrors of equal worth are taken in the order of the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from fakes.mirrors import index, node, put, put_v2, put_v3

from resolver.api.configured import configured_places
from resolver.api.settings import Settings
from resolver.catalog.store import SourceRow
from resolver.formats.config import Config, SourceConfig

MACHINE = ("--platform", "linux", "--os", "ubuntu24.04", "--target", "x86_64_v3", "--libc", "glibc@2.39")


def mirrors(run: Run, *words: str | Path) -> list[dict[str, object]]:
    result = run(*words, "resolve", "stack", *MACHINE, "--json")
    assert result.code == 0, result.err
    return list(result.document["mirrors"])


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "stack" / "spack.yaml", b"spack: {specs: [zlib, hdf5]}\n")


@pytest.mark.usefixtures("stack")
def test_the_first_of_the_configuration_is_taken(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        put_v3(tmp_path / "m" / name, index(node("zlib"), node("hdf5")))
    put(tmp_path / "list.yaml", f"mirrors: {{y: {tmp_path}/m/c, z: m/b}}\n".encode())
    assert run("sync", tmp_path / "m").code == 0
    for sources, first in (("[m/b, m/a]", "b"), ("[m]", "a"), ("[nowhere, list.yaml, m/a]", "c"), ("[m/a, m]", "a"), ("[]", "a")):
        put(tmp_path / "spack-resolver.yaml", f"sources: {sources}\n".encode())
        assert [row["name"] for row in mirrors(run)] == [first]


@pytest.mark.usefixtures("stack")
def test_a_mirror_with_both_layouts_is_one_and_rolling_ones_are_told(run: Run, tmp_path: Path) -> None:
    put_v3(tmp_path / "develop" / "e4s", index(node("zlib")))
    put_v2(tmp_path / "develop" / "e4s", index(node("hdf5")))
    put_v3(tmp_path / "v1.0" / "e4s", index(node("zlib")))
    for folder in ("develop", "v1.0"):
        assert run("sync", tmp_path / folder / "e4s", "--name", folder).code == 0
    result = run("resolve", "stack", *MACHINE, "--json")
    (row,) = result.document["mirrors"]
    assert row == {
        "name": "develop",
        "url": (tmp_path / "develop" / "e4s").as_uri(),
        "signed": None,
        "keys": [],
        "view": "",
        "release": "develop",
        "durability": "rolling",
    }
    assert [note for note in result.document["notes"] if "rolling" in note]
    assert "1 of 2 packages are in rolling mirrors alone (hdf5/" in result.err


def row(name: str, location: str, **more: str) -> SourceRow:
    facts: dict[str, Any] = {
        "kind": "mirror",
        "layout": "v3",
        "view": "",
        "stack": "",
        "release": "",
        "digest": "",
        "tag": "",
        "synced_at": "",
        **more,
    }
    return SourceRow(name=name, location=location, url=location, signed=None, records=0, **facts)


@pytest.mark.parametrize(
    ("sources", "location", "more", "place"),
    [
        (["https://X.org:443/a/", "https://x.org/b"], "https://x.org/a", {}, (0, 0)),
        (["https://user:word@x.org/a"], "https://x.org/a", {}, (0, 0)),
        (["https://x.org/a/v3/manifests/index/index.manifest.json"], "https://x.org/a", {}, (0, 0)),
        (["https://x.org/a/build_cache/index.json"], "https://x.org/a", {"layout": "v2"}, (0, 0)),
        (["https://x.org/a"], "https://x.org/a/b", {}, None),
        (["s3://bucket/a/", "oci://ghcr.io/O/r"], "oci://ghcr.io/o/r", {"layout": "oci"}, (1, 0)),
        (["not://known", "https://[", "\0", "https://x.org/a"], "https://x.org/a", {}, (3, 0)),
        (["https://x.org/a", SourceConfig("https://x.org/a", view="n")], "https://x.org/a", {"view": "n"}, (1, 0)),
        ([SourceConfig("https://x.org/a", view="n")], "https://x.org/a", {}, None),
        (
            [SourceConfig("https://x.org/cache_spack_io_index.json", release=r, stacks=s) for r, s in (("v*", []), ("develop", ["e*"]))],
            "https://x.org/develop/e4s",
            {"release": "develop", "stack": "e4s"},
            (1, 0),
        ),
        (["/nowhere/m"], "/nowhere/m/a", {}, (0, 0)),
        (["m"], "/base/m", {}, (0, 0)),
        (["file:///base/m"], "/base/m", {}, (0, 0)),
    ],
)
def test_a_source_is_found_in_the_configuration(
    sources: Sequence[str | SourceConfig], location: str, more: dict[str, str], place: tuple[int, int] | None
) -> None:
    settings = Settings(Path("c"), Config(sources=list(sources)), Path("/base"))
    assert configured_places(settings, [row("m", location, **more)]).get("m") == place
