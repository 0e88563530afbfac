from __future__ import annotations

from pathlib import Path

import pytest

from resolver.errors import FormatError, UnsupportedError
from resolver.formats.page import read_page
from resolver.spec.node import decode_node

PAGE = (Path(__file__).parents[1] / "data" / "pages" / "py-rasterio.md").read_bytes()

OLD = b"""---
title: "dealii"
layout: cache
categories: [package, v0.20.1]
spec_details: [{"hash": "7sdc2pvdepxeslyyugmc65plyufjlvsx", "compiler": "gcc@=11.1.0", "versions": ["9.4.2"], "os": "ubuntu20.04",
 "platform": "linux", "target": "x86_64_v3", "variants": ["+adol-c", "cxxstd=17", "~doc", "patches=7869dfa,8a1f7b9", "libs:=a"],
 "stacks": ["root", "e4s"], "size": "-", "tarball": "https://example.org/x.spack"}]
---
"""


def test_the_page_this_began_with() -> None:
    page = read_page(PAGE)
    records = list(page.records)
    assert (page.package, page.release, page.size, len(records)) == ("py-rasterio", "develop", 44, 44)
    first = records[0]
    assert first.stacks == ("ml-linux-aarch64-cpu", "ml-linux-aarch64-cuda")
    assert not first.complete
    assert first.in_buildcache
    assert (first.wire.version, first.wire.target) == ("1.4.3", "aarch64")


def test_a_page_of_2023() -> None:
    (record,) = read_page(OLD).records
    assert record.release == "v0.20.1"
    assert decode_node(record.node).compiler_text == "gcc@=11.1.0"
    assert decode_node(record.node).parameters == {
        "adol-c": True,
        "cxxstd": "17",
        "doc": False,
        "patches": ("7869dfa", "8a1f7b9"),
        "libs": ("a",),
    }


def test_a_page_that_names_files_in_place_of_hashes() -> None:
    with pytest.raises(UnsupportedError, match="it names 2 spec files instead"):
        read_page(b"---\ntitle: cinch\nspec_files:\n - a.json\n - b.json\n---\n")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (PAGE[:2000], "front matter has no end"),
        (b"---\ntitle: [\n---\n", "not YAML"),
        (b"---\ntitle: a\ntitle: b\n---\n", "given twice"),
        (b"---\nnothing: 1\n---\n", "not that of a package page"),
        (b"---\ntitle: a\nspec_details: [{hash: x}]\n---\n", "missing required field"),
        (b"---\n\xff\n---\n", "not UTF-8"),
        (PAGE.replace(b"3xvbpriqrqyhst37ut3zpfn27kqjz3vd", b"../../../../../../../etc/passwd_"), "not a DAG hash"),
    ],
)
def test_damage_is_named(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        list(read_page(data, "page.md").records)
