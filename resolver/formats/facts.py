"""Facts of package recipes as a JSON document (``docs/facts.md``), read and written.

{"schema": "spack-resolver/facts/1", "platform": "linux", "packages": {NAME: {"versions": [...], "preferred": [...], ...}}}
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from resolver.errors import FormatError, InputError, UnsupportedError
from resolver.spec.abstract import AbstractSpec
from resolver.versions.version import is_version

FAMILY, VERSION = "spack-resolver/facts/", 1
SCHEMA = f"{FAMILY}{VERSION}"
MOST_BYTES = 256 << 20
MOST_PACKAGES = 200_000
MOST_ENTRIES = 20_000
HINT = "docs/facts.md has the form; `spack-resolver facts import` writes it"


class VariantFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A definition of a variant. A list as default tells that it takes several values; without ``values`` it takes any.

    ``values`` are in the recipe's order, which is that of preference; a boolean variant has none.
    """

    name: str
    default: bool | str | list[str]
    values: list[str] | None = None
    when: str = ""


class ProvidedFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A virtual that a package provides, with its versions if they are limited (``mpi@:3``), where a condition holds."""

    virtual: str
    when: str = ""


class PackageFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What a recipe says. ``preferred`` and ``deprecated`` are among the versions, whether or not ``versions`` repeats them."""

    versions: list[str] = []
    preferred: list[str] = []
    deprecated: list[str] = []
    variants: list[VariantFact] = []
    provides: list[ProvidedFact] = []

    @property
    def size(self) -> int:
        """How many entries it has."""
        return len(self.versions) + len(self.preferred) + len(self.deprecated) + len(self.variants) + len(self.provides)


class FactsDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """A whole document. ``platform`` is the one for which the recipes were read, as some ask for it."""

    packages: dict[str, PackageFacts]
    platform: str = ""


class _Raw(msgspec.Struct, forbid_unknown_fields=True):
    schema: str
    packages: dict[str, msgspec.Raw]
    platform: str = ""


class _Whole(msgspec.Struct, forbid_unknown_fields=True):
    schema: str
    packages: dict[str, PackageFacts]
    platform: str = ""


class _Named(msgspec.Struct):
    schema: str = ""


T = TypeVar("T")
_whole = msgspec.json.Decoder(_Whole)
_package = msgspec.json.Decoder(PackageFacts)


def read_facts(data: bytes, where: str) -> FactsDocument:
    """Read a document; ``where`` is the file's name for errors.

    Raises ``FormatError`` naming file and place when it is damaged, ``UnsupportedError`` when it is of a kind or version not known.
    """
    _bounded(len(data) >> 20, MOST_BYTES >> 20, "MiB", where)
    _check_schema(_decoded(msgspec.json.Decoder(_Named), data, where).schema, where)
    try:
        whole = _whole.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        whole = _read_slowly(data, where)
    _bounded(len(whole.packages), MOST_PACKAGES, "packages", where)
    for name, package in whole.packages.items():
        _check_package(package, where, name)
    return FactsDocument(whole.packages, whole.platform)


def _read_slowly(data: bytes, where: str) -> _Whole:
    """A document package by package, so that the error says which of them is damaged."""
    raw = _decoded(msgspec.json.Decoder(_Raw), data, where)
    _bounded(len(raw.packages), MOST_PACKAGES, "packages", where)
    packages = {name: _decoded(_package, body, f"{where}: packages: {name}") for name, body in raw.packages.items()}
    return _Whole(raw.schema, packages, raw.platform)


def _decoded(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw, where: str) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = "no facts of recipes, or damaged ones"
        raise FormatError(msg, why=str(error), where=where, hint=HINT) from None


def _bounded(count: int, most: int, what: str, where: str) -> None:
    if count > most:
        msg = f"facts of recipes with more than {most} {what}"
        raise FormatError(msg, where=where, hint=HINT)


def _check_schema(schema: str, where: str) -> None:
    if schema == SCHEMA:
        return
    msg = f"its schema is {schema!r}, known is {SCHEMA}" if schema else f"it has no schema; {SCHEMA} was expected"
    newer = schema.startswith(FAMILY) and schema.removeprefix(FAMILY).isdigit()
    raise UnsupportedError(msg, where=where, hint="a newer spack-resolver may read it, or import the facts again" if newer else HINT)


def _check_package(package: PackageFacts, where: str, name: str) -> None:
    if package.size > MOST_ENTRIES:
        _bounded(package.size, MOST_ENTRIES, "entries for a package", f"{where}: packages: {name}")
    for key, versions in (("versions", package.versions), ("preferred", package.preferred), ("deprecated", package.deprecated)):
        for place, version in enumerate(versions):
            if not is_version(version):
                msg = f"{version!r} is no version"
                raise FormatError(msg, where=f"{where}: packages: {name}: {key}[{place}]", hint="write it as in the recipe, without @")


def read_condition(text: str, where: str) -> AbstractSpec:
    """A ``when`` as a spec. Raises ``FormatError`` naming the place; conditions are read when they are first needed."""
    try:
        return AbstractSpec.parse(text)
    except InputError as error:
        raise FormatError(str(error.what), why=f"in the condition {text!r}", where=where, hint=HINT) from None


def write_facts(document: FactsDocument) -> bytes:
    """A document as text: packages sorted, one a line, so that two of them can be compared."""
    head = f'{{"schema": "{SCHEMA}",\n"platform": {msgspec.json.encode(document.platform).decode()},\n"packages": {{\n'
    rows = [msgspec.json.encode(name) + b": " + msgspec.json.encode(package) for name, package in sorted(document.packages.items())]
    return head.encode() + b",\n".join(rows) + b"\n}}\n"
