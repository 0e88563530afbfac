"""Indexes that were made to do harm, or by a broken tool: they are refused with a word on what and where, or read, and nothing breaks.

What memory may be taken is stated in docs/performance.md; here the bounds are wide enough for any machine.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import UBUNTU, Result, Run
from fakes.catalogs import said
from fakes.children import MB, run_child, start
from fakes.indexes import KEY, hashed, index_of, lone, zoo

MACHINE = (*UBUNTU, "--target", "zen4")
OTHER = "b" * 32
DEEP = 100_000
LINK = {"deptypes": ["link"], "virtuals": []}
QUESTIONS = (
    ("find", "zlib", *MACHINE),
    ("find", "zlib", *MACHINE, "--all", "--json"),
    ("find", f"/{KEY[:7]}", *MACHINE),
    ("resolve", "spack.yaml", *MACHINE),
    ("resolve", "spack.yaml", *MACHINE, "--emit", "json"),
    ("catalog", "check", "--hashes"),
)


class Site:
    """A catalog into which a sound index of zlib was synced, from a place where a hostile one will lie."""

    def __init__(self, run: Run, catalog: Path, folder: Path) -> None:
        self.run = run
        self.catalog = catalog
        self.place = folder / "site.json"
        self.stack = folder / "spack.yaml"
        self.stack.write_text("spack: {specs: [zlib]}")
        libc, animal = zoo(1)
        sound = hashed({**{key: value for key, value in animal.items() if key != "hash"}, "name": "zlib"})
        self.place.write_bytes(index_of([libc, sound]))
        assert run("sync", self.place).code == 0
        self.before = said(catalog)

    def sync(self, content: str | bytes) -> Result:
        self.place.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.run("sync", self.place)

    def refuses(self, content: str | bytes, *words: str) -> None:
        """It is refused, where is said, and what was there stays."""
        result = self.sync(content)
        assert result.code in (3, 5), result.err
        assert f"error: {self.place}: " in result.err
        assert "internal" not in result.err
        assert len(result.err) < 2000
        for word in words:
            assert word in result.err
        self.stays()

    def stays(self) -> None:
        assert said(self.catalog) == self.before
        assert self.run("find", "zlib", *MACHINE, "--json").document["records"]

    def takes(self, content: str | bytes) -> None:
        """It is read, and whatever is asked then has an answer."""
        result = self.sync(content)
        assert result.code == 0, result.err
        self.answers()

    def answers(self) -> None:
        for question in QUESTIONS:
            result = self.run(*(self.stack if word == "spack.yaml" else word for word in question))
            assert result.code in (0, 3, 4, 6), (question, result.err, result.out)
            assert "internal" not in result.err + result.out
            assert "\x1b" not in result.err + result.out
            assert result.code != 3 or KEY in result.err + result.out, "the record is named"

    def survives(self, content: str | bytes) -> None:
        """It is refused or taken, and nothing breaks."""
        result = self.sync(content)
        if result.code:
            self.refuses(content)
        else:
            self.answers()


@pytest.fixture
def site(run: Run, catalog: Path, tmp_path: Path) -> Iterator[Site]:
    made = Site(run, catalog, tmp_path)
    yield made
    made.place.unlink()  # some are large, and the folders of the last runs are kept


def noded(field: str, value: str) -> str:
    """An index of one record with something in a field of its node."""
    return lone(f'{{"name":"zlib","version":"1","{field}":{value}}}')


def keyed(nodes: Mapping[str, Mapping[str, Any]]) -> str:
    return json.dumps(
        {"database": {"version": "8", "installs": {key: {"spec": node, "in_buildcache": True} for key, node in nodes.items()}}}
    )


def zlib_node(**more: Any) -> dict[str, Any]:
    return {"name": "zlib", "version": "1", "arch": {"platform": "linux", "platform_os": "ubuntu24.04", "target": "x86_64"}, **more}


def edge(key: str, name: str = "zlib", **more: Any) -> dict[str, Any]:
    return {"name": name, "hash": key, "parameters": {**LINK, **more}}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "5"),
        ("name", '"../x"'),
        ("name", '""'),
        ("name", f'"{"p" * 300}"'),
        ("name", '"a b"'),
        ("name", '"a\\u0000b"'),
        ("version", "5"),
        ("version", "null"),
        ("arch", "[]"),
        ("arch", '"linux-ubuntu24.04-zen4"'),
        ("arch", '{"target":5}'),
        ("arch", '{"target":{"name":5}}'),
        ("arch", '{"target":{}}'),
        ("arch", '{"platform_os":[]}'),
        ("parameters", "[]"),
        ("parameters", '"x"'),
        ("parameters", "null"),
        ("dependencies", '"x"'),
        ("dependencies", "null"),
        ("provided_virtuals", '"x"'),
        ("provided_virtuals", "[5]"),
        ("hash", "5"),
        ("hash", "null"),
    ],
)
def test_a_node_of_a_wrong_shape(site: Site, field: str, value: str) -> None:
    site.refuses(noded(field, value), f"record {KEY}: ")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("external", "[]"),
        ("external", '"x"'),
        ("external", '{"path":5}'),
        ("external", '{"module":5}'),
        ("namespace", "5"),
        ("annotations", "[]"),
        ("annotations", '{"original_specfile_version":"x"}'),
        ("annotations", '{"original_specfile_version":99999999999999999999}'),
        ("compiler", "5"),
        ("compiler", '{"name":"x"}'),
        ("build_spec", "[]"),
        ("build_spec", '{"hash":"x"}'),
        ("parameters", '{"x":{"a":1}}'),
        ("parameters", '{"x":[1]}'),
        ("parameters", '{"patches":"x"}'),
        ("parameters", '{"cflags":5}'),
        ("dependencies", '["x"]'),
        ("dependencies", '{"a":5}'),
        ("dependencies", '[{"name":"q","parameters":[]}]'),
        ("dependencies", '[{"hash":5}]'),
        ("dependencies", '[{"name":"q","hash":"b","parameters":{"deptypes":[],"virtuals":["a",5]}}]'),
        ("dependencies", '[{"name":"q","hash":"b","parameters":{"deptypes":[],"virtuals":["a"'),
        ("dependencies", '[{"parameters":{"virtuals":["a"]}}]'),
        ("dependencies", '[{"name":"a\\"b","parameters":{"virtuals":["a\\"],[\\"b"]}}]'),
        ("dependencies", '[{"name":"q","parameters":{"virtuals":["a\\u0022,\\ud83d\\ude00"]}}]'),
        ("dependencies", '[{"name":"q","parameters":{"virtuals":[5,"a"]}},{"name":"r","virtuals":["b"]}]'),
        ("odd", '{"virtuals":["a",5]}'),
        ("odd", '{"name":"q","virtuals":["a",5]}'),
        ("odd", '"\\"virtuals\\":[\\""'),
        ("dependencies", "[{}]"),
        ("dependencies", '[{"name":"q","hash":"b","type":"link"}]'),
        ("dependencies", '[{"name":"q","hash":"b","parameters":{"deptypes":["nosuch"]}}]'),
        ("arch", "{}"),
        ("version", '""'),
        ("version", '"@:"'),
        ("version", '"1 2"'),
        ("version", '"=1"'),
        ("version", '"1\\n- x: \\u001b[31m"'),
        ("namespace", '"a\\nb"'),
        ("hash", '""'),
    ],
)
def test_a_node_with_something_odd_in_it(site: Site, field: str, value: str) -> None:
    site.survives(noded(field, value))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"database":[]}',
        '{"database":{}}',
        '{"database":{"version":[]}}',
        '{"database":{"version":"8","installs":[]}}',
        '{"database":{"version":"8","installs":null}}',
        f'{{"database":{{"version":"8","installs":{{"{KEY}":"x"}}}}}}',
        f'{{"database":{{"version":"8","installs":{{"{KEY}":{{}}}}}}}}',
        lone('"x"'),
        lone("[]"),
        lone("null"),
        lone("5"),
        lone("{}"),
        lone(binary='"yes"'),
        lone(binary="1"),
        lone(binary="null"),
    ],
)
def test_an_index_of_a_wrong_shape(site: Site, text: str) -> None:
    site.refuses(text)


@pytest.mark.parametrize("version", ["99999999999999999999999", f'"{"9" * 5000}"', '"\u00b2"', '"8 "', '""', f'"{"x" * 100_000}"'])
def test_a_version_of_the_database_that_is_none(site: Site, version: str) -> None:
    site.refuses(f'{{"database":{{"version":{version},"installs":{{}}}}}}', "database version")


HASHES = ["../../x", "a\\u0000b", "a\\nb", "a" * 65, "A" * 32, "\u00e9" * 32, "a b"]


@pytest.mark.parametrize("key", [*HASHES, ""])
def test_a_key_that_is_no_hash(site: Site, key: str) -> None:
    site.refuses(lone(key=key), "is not a DAG hash")


@pytest.mark.parametrize("key", HASHES)
def test_a_hash_in_a_node_that_is_none(site: Site, key: str) -> None:
    site.refuses(noded("hash", f'"{key}"'), "is not a DAG hash", KEY)


@pytest.mark.parametrize("key", [*HASHES, ""])
def test_a_key_that_is_no_hash_of_a_node_that_states_its_own(site: Site, key: str) -> None:
    site.refuses(lone(f'{{"name":"zlib","version":"1","hash":"{KEY}"}}', key=key), "is not a DAG hash")


def test_a_key_that_is_there_twice(site: Site) -> None:
    twin = f',"{KEY}":{{"spec":{{"name":"other","version":"2"}}}}'
    site.refuses(lone(more=twin), KEY)
    site.refuses(lone(more=f"{twin},{twin[1:]}"), KEY)


def test_a_field_that_is_there_twice(site: Site) -> None:
    site.survives(lone('{"name":"other","version":"2","name":"zlib","version":"1"}'))


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"])
def test_bytes_that_are_no_utf8(site: Site, bad: bytes) -> None:
    site.refuses(lone().encode().replace(b"zlib", b"zl" + bad + b"ib"), KEY)
    site.refuses(noded("odd", '"@@"').encode().replace(b"@@", bad), KEY)
    site.refuses(noded("odd", '{"@@":1}').encode().replace(b"@@", bad), KEY)
    site.refuses(lone(key="@@").encode().replace(b"@@", bad))
    site.survives(lone().replace('"version":"8"', '"version":"8","odd":"@@"').encode().replace(b"@@", bad))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "0x10", "01", "+1", "1.", ".5"])
def test_numbers_that_are_none(site: Site, number: str) -> None:
    site.refuses(noded("odd", number), "byte ")
    site.refuses(noded("parameters", f'{{"x":{number}}}'), "byte ")


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 5000, "1e-999", "-0", "18446744073709551616"])
def test_numbers_that_are_too_large(site: Site, number: str) -> None:
    site.survives(noded("odd", number))
    site.survives(noded("parameters", f'{{"x":{number}}}'))


def test_an_edge_that_leads_to_itself(site: Site) -> None:
    site.takes(keyed({KEY: zlib_node(dependencies=[edge(KEY)])}))
    site.takes(keyed({KEY: zlib_node(dependencies=[edge(KEY, virtuals=["libc", "c", "cxx"], deptypes=["build", "link", "run"])])}))


def test_edges_that_lead_in_a_circle(site: Site) -> None:
    for virtuals in ([], ["libc", "c"]):
        there = zlib_node(dependencies=[edge(OTHER, "other", virtuals=virtuals)])
        back = zlib_node(dependencies=[edge(KEY, virtuals=virtuals, deptypes=["build", "link", "run", "test"])])
        nodes = {KEY: there, OTHER: {**back, "name": "other"}}
        site.takes(keyed(nodes))


@pytest.mark.parametrize("key", ["", "../../etc", "a\x00b", "A" * 32, "x" * 10_000, "%s", "\u00e9"])
def test_edges_to_what_is_no_hash(site: Site, key: str) -> None:
    site.takes(keyed({KEY: zlib_node(dependencies=[edge(key, virtuals=["libc"]), edge(key, "other")])}))


def test_a_long_chain_and_a_wide_fan(site: Site) -> None:
    count = 3000
    keys = [KEY, *(f"c{number:031d}" for number in range(1, count))]
    chain = {
        key: {**zlib_node(dependencies=[edge(after)]), "name": "zlib" if key == KEY else "link"}
        for key, after in zip(keys, [*keys[1:], ""], strict=True)
    }
    site.takes(keyed(chain))
    site.takes(keyed({KEY: zlib_node(dependencies=[edge(f"c{number:031d}") for number in range(5000)])}))


@pytest.mark.parametrize("count", [2, 1200])
def test_hashes_that_stand_for_each_other(site: Site, tmp_path: Path, count: int) -> None:
    keys = [f"h{number:031d}" for number in range(count)]
    ring = {key: zlib_node(hash=before) for key, before in zip(keys, [keys[-1], *keys[:-1]], strict=True)}
    site.survives(keyed(ring))
    (tmp_path / "other.json").write_text(keyed({KEY: zlib_node(dependencies=[edge(keys[-1], virtuals=["libc"])])}))
    assert site.run("sync", tmp_path / "other.json").code == 0
    for sources in ((), ("--source", "other")):
        result = site.run("find", "zlib", *MACHINE, *sources, "--all", "--json")
        assert result.code == 0, result.out
        assert KEY in result.out


def test_many_records_of_one_hash_end_in_time(site: Site) -> None:
    nodes = {f"k{number:031d}": zlib_node(version=str(number), hash=KEY) for number in range(9000)}
    site.place.write_text(keyed(nodes))
    began = time.perf_counter()
    with start(site.catalog, "sync", site.place) as child:
        try:
            _, err = child.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            pytest.fail(f"9000 records of one hash took more than {time.perf_counter() - began:.0f} s")
    assert child.returncode in (0, 5), err
    site.stays() if child.returncode else site.answers()


def nested(begin: str, end: str, inner: str = "") -> str:
    return begin * DEEP + inner + end * DEEP


@pytest.mark.parametrize(
    "text",
    [
        noded("odd", nested("[", "]")),
        noded("odd", nested('{"a":', "}", "1")),
        noded("parameters", f'{{"x":{nested("[", "]")}}}'),
        noded("dependencies", nested("[", "]")),
        lone(nested('{"zlib":', "}", "1")),
        lone().replace('"version":"8"', f'"version":"8","odd":{nested("[", "]")}'),
        nested("[", "]"),
        nested('{"database":', "}", "1"),
        nested("[", ""),
    ],
    ids=["lists", "mappings", "parameters", "edges", "wrapped", "beside", "whole", "databases", "open"],
)
def test_what_is_nested_too_deep(site: Site, text: str) -> None:
    site.place.write_text(text)
    result = run_child(site.catalog, "sync", site.place)
    assert result.code == 5, result
    assert f"error: {site.place}: " in result.err
    site.stays()


@pytest.mark.parametrize("depth", [100, 900])
def test_what_is_nested_deep(site: Site, depth: int) -> None:
    site.survives(noded("odd", "[" * depth + "]" * depth))
    site.survives(lone(f'{{ "name": "zlib", "version": "1", "odd": {"[" * depth}{"]" * depth}}}'))
    site.survives(noded("parameters", f'{{"x":{"[" * depth}{"]" * depth}}}'))


def bomb(size: int) -> bytes:
    """Blanks as gzip. Each part is packed for itself, so that one of them stands for all; the sum at the end is never looked at."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    part = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + part * (size >> 20)


def test_gzip_that_grows_without_end(site: Site) -> None:
    whole = bomb(1 << 30)
    for content in (whole[: 1 << 16], whole):
        site.place.write_bytes(content)
        result = run_child(site.catalog, "sync", site.place)
        assert result.code in (3, 5), result.err
        assert f"error: {site.place}: " in result.err
        assert result.peak < 400 * MB
    site.stays()


def test_three_hundred_thousand_records(site: Site) -> None:
    with site.place.open("w") as file:
        file.writelines(joined(f'"k{number:031d}":{{"spec":{{"name":"p{number % 1000}","version":"1"}}}}' for number in range(300_000)))
    result = run_child(site.catalog, "sync", site.place)
    assert result.code == 0, result.err
    assert result.peak < 3 * site.place.stat().st_size + 200 * MB
    result = run_child(site.catalog, "find", "p7", *MACHINE, "--json")
    assert (result.code, json.loads(result.out)["rejected"]) == (0, 300)
    assert result.peak < 100 * MB


def joined(records: Iterable[str]) -> Iterator[str]:
    """The text of an index, piece by piece."""
    yield '{"database":{"version":"8","installs":{'
    for number, record in enumerate(records):
        yield f",{record}" if number else record
    yield "}}}"


LONG: dict[str, Callable[[str], str]] = {
    "key": lambda text: lone(key=text),
    "other key": lambda text: lone(f'{{"name":"zlib","version":"1","hash":"{KEY}"}}', key=text),
    "version": lambda text: lone(f'{{"name":"zlib","version":"{text}"}}'),
    "unknown": lambda text: noded("odd", f'"{text}"'),
}


@pytest.mark.parametrize("field", LONG)
def test_a_text_of_a_hundred_megabytes(site: Site, field: str) -> None:
    site.place.write_text(LONG[field]("x" * (100 * MB)))
    result = run_child(site.catalog, "sync", site.place)
    assert result.code in (0, 3, 5), result.err[:2000]
    assert len(result.err) < 2000
    assert result.peak < 3 * 100 * MB + 200 * MB
    if result.code:
        assert f"error: {site.place}: " in result.err
        site.stays()
        return
    for question in (("find", "zlib", *MACHINE), ("resolve", site.stack, *MACHINE), ("catalog", "check")):
        result = run_child(site.catalog, *question)
        assert result.code in (0, 3, 4, 6), result.err[:2000]
        assert len(result.err) < 2000
        assert result.peak < 3 * 100 * MB + 200 * MB
