"""The files of configuration scopes: which sections there are, and what a file may hold besides.

Source: Spack ``config.py`` (``SECTION_SCHEMAS``, ``DirectoryConfigScope``, ``SingleFileScope``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resolver.errors import FormatError, InputError
from resolver.stacks.merge import read_key
from resolver.stacks.places import Spot

SECTIONS = (
    "bootstrap",
    "cdash",
    "ci",
    "compilers",
    "concretizer",
    "config",
    "container",
    "definitions",
    "develop",
    "env_vars",
    "include",
    "mirrors",
    "modules",
    "packages",
    "repos",
    "specs",
    "toolchains",
    "upstreams",
    "view",
)
"""Sections that a directory may have a file for; its other files mean nothing to Spack."""


def decoded(data: bytes, path: str) -> str:
    """The text of a file. Raises ``FormatError`` when it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start)
        msg = "not UTF-8 text"
        raise FormatError(msg, where=f"{path}:{line}:{column}", hint="write it in UTF-8") from None


def check_sum(data: bytes, expected: str, path: str) -> None:
    """Raise ``InputError`` when a file is not the one of this sha256."""
    import hashlib  # few includes have one

    found = hashlib.sha256(data).hexdigest()
    if found != expected.lower():
        msg = f"the included file {path} is not the one that is meant"
        raise InputError(msg, why=f"its sha256 is {found}, not {expected}", hint="get the version that the include names")


def check_keys(found: Mapping[str, Any], path: str, section: str | None) -> None:
    """Raise ``InputError`` on what turns the meaning of a file: a manifest, or sections that a directory's file may not have.

    ``section`` is that of a directory's file. Other unknown keys are for the schema to tell.
    """
    for written in found:
        key, spot = read_key(written)[0], Spot(path).key(found, written)
        if section is None and key == "spack":
            hint = "write its sections at the top of the file, without `spack:`"
            raise InputError("an included file is no manifest", why="it begins with `spack:`", where=str(spot), hint=hint)
        if section not in (None, key):
            msg = f"the file {section}.yaml of an included directory has the key {key!r}"
            raise InputError(msg, why=f"it may hold `{section}` alone", where=str(spot), hint="move it to a file of its own name")
