"""The ``toolchains`` section: names that stand for several ``%`` dependencies in a spec.

Source: Spack ``schema/toolchains.py``, ``spec_parser.py:SpecParser._apply_toolchain``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resolver.errors import InputError
from resolver.formats.shapes import mapping
from resolver.spec.abstract import AbstractSpec


def read_toolchain(value: object, where: str) -> str | list[dict[str, str]]:
    """One toolchain, as ``AbstractSpec.parse`` takes it. Raises ``InputError`` with the place of the toolchain."""
    if isinstance(value, str):
        _check(value, where)
        return value
    if not isinstance(value, list):
        msg = "a toolchain is a spec, or a list of specs with conditions"
        raise InputError(msg, where=where, hint="write - spec: '%c=gcc@13', and when: '%c' below it")
    return [_entry(mapping(item, where), where) for item in value]


def _entry(item: Mapping[str, Any], where: str) -> dict[str, str]:
    found = {key: item[key] for key in ("spec", "when") if item.get(key) is not None}
    if not isinstance(found.get("spec"), str) or not all(isinstance(text, str) for text in found.values()):
        msg = "an entry of a toolchain has a `spec`, and may have `when`, both texts"
        raise InputError(msg, where=where, hint="write - spec: '%c=gcc@13', and when: '%c' below it")
    for text in found.values():
        _check(text, where)
    return found


def _check(text: str, where: str) -> None:
    try:
        AbstractSpec.parse(text)
    except InputError as error:
        raise error.at(where) from None
