"""A package page of cache.spack.io: front matter that lists the hashes of one package, without dependencies.

Shapes since 2023 (``spec_details``) are read. Pages of 2021 and 2022 name spec files in place of hashes, so they hold no record.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from resolver.errors import FormatError, UnsupportedError
from resolver.formats.record import Record, check_hash
from resolver.formats.yaml_tree import load_yaml
from resolver.spec.node import decode_facts

FENCE = "---"
UNION = "root"
"""The label of the index that is the union of all stacks of a release; it names no stack."""


class _Detail(msgspec.Struct):
    hash: str
    versions: list[str | int | float]
    platform: str
    os: str
    target: str
    variants: list[str] = []
    compiler: str = "none"
    stacks: list[str] = []


class _Page(msgspec.Struct):
    title: str
    categories: list[str | int | float] = []
    spec_details: list[_Detail] | None = None
    spec_files: list[str] | None = None


class Page(msgspec.Struct, frozen=True):
    """An opened page: the package's name, the release it is of, and its records."""

    package: str
    release: str
    size: int
    records: Iterator[Record]


def is_page(text: bytes) -> bool:
    """Does it begin like a page?"""
    return text.lstrip(b"\xef\xbb\xbf \r\n").startswith(FENCE.encode())


def read_page(data: bytes, where: str = "") -> Page:
    """Open a page. Raises ``FormatError`` when its front matter is broken or names no hashes."""
    page = _convert(load_yaml(_front_matter(data, where), where), where)
    if page.spec_details is None:
        msg = f"the page of {page.title!r} lists no hashes"
        files = f"it names {len(page.spec_files)} spec files instead, as pages did until 2022" if page.spec_files else ""
        raise UnsupportedError(msg, why=files, where=where, hint="sync a newer page, or the index of the cache")
    releases = [str(c) for c in page.categories if c != "package"]
    release = releases[0] if releases else ""
    return Page(page.title, release, len(page.spec_details), _records(page, page.spec_details, release, where))


def _front_matter(data: bytes, where: str) -> str:
    try:
        lines = data.decode("utf-8-sig").lstrip().splitlines(keepends=True)
    except UnicodeDecodeError as error:
        msg = "a page that is not UTF-8"
        raise FormatError(msg, why=str(error), where=where) from None
    ends = (number for number, line in enumerate(lines) if number and line.rstrip() == FENCE)
    end = next(ends, None)
    if not lines or lines[0].rstrip() != FENCE or end is None:
        msg = "a page whose front matter has no end"
        why = f"the line {FENCE!r} after it is missing"
        raise FormatError(msg, why=why, where=where, hint="fetch it again; it may have been cut short")
    return "".join(lines[1:end])


def _convert(value: object, where: str) -> _Page:
    try:
        return msgspec.convert(value, _Page, strict=False)
    except msgspec.ValidationError as error:
        msg = "the front matter is not that of a package page"
        raise FormatError(msg, why=str(error), where=where, hint="fetch it again; it may be damaged") from None


def _records(page: _Page, details: list[_Detail], release: str, where: str) -> Iterator[Record]:
    for number, detail in enumerate(details):
        try:
            yield _record(page.title, detail, release)
        except FormatError as error:
            raise error.at(f"{where}: spec_details[{number}]") from None


def _record(package: str, detail: _Detail, release: str) -> Record:
    """A record with a node of our own making, since a page states facts but no node; it never reaches a lockfile."""
    compiler = None if detail.compiler == "none" else detail.compiler
    node = {
        "name": package,
        "version": str(detail.versions[0]) if detail.versions else "",
        "arch": {"platform": detail.platform, "platform_os": detail.os, "target": detail.target},
        "parameters": dict(map(_parameter, detail.variants)),
        "annotations": {"original_specfile_version": 5, "compiler": compiler},
        "hash": check_hash(detail.hash),
    }
    raw = msgspec.json.encode(node, order="sorted")
    stacks = tuple(sorted({stack for stack in detail.stacks if stack != UNION}))
    return Record(detail.hash, decode_facts(raw), raw, in_buildcache=True, complete=False, stacks=stacks, release=release)


def _parameter(text: str) -> tuple[str, bool | str | list[str]]:
    if text[:1] in ("+", "~"):
        return text[1:], text[0] == "+"
    name, _, value = text.partition("=")
    if name.endswith(":") or "," in value or name == "patches":
        return name.removesuffix(":"), value.split(",")
    return name, value
