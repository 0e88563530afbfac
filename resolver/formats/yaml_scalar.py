"""What a YAML scalar is: text, number, boolean, null or time, by the rules and notations of ruamel.yaml for YAML 1.2."""

from __future__ import annotations

import re

QUOTED = frozenset("'\"|>")
BOOLEAN_TAG = "tag:yaml.org,2002:bool"
NULL = frozenset({"", "~", "null", "Null", "NULL"})
BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
SPECIAL = frozenset("0123456789+-.~nNtTfFyYoO")
"""First letters of plain texts that may be no texts."""
BASES = {"0b": 2, "0o": 8, "0x": 16}
INTEGER = re.compile(r"[-+]?(?:0b[01_]{1,60}|0o?[0-7_]{1,18}|0x[0-9a-fA-F_]{1,15}|[0-9][0-9_]{0,17})")
"""Longer ones stay texts: no setting is as large, and a hash of digits is no number."""
FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]{1,3})?|[0-9][0-9_]*[eE][-+]?[0-9]{1,3}|\.[0-9][0-9_]*(?:[eE][-+][0-9]{1,3})?)",
)
SPECIAL_FLOAT = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?",
)


class YamlTime(str):
    """A date or time that is not quoted: kept as its text, but Spack, which reads a time, refuses it where a text must be."""

    __slots__ = ()


def scalar(text: str, style: str | None, tag: str) -> str | bool | int | float | None:
    """The value of a scalar: what is quoted, or not special by its first letter, is a text."""
    if (text and text[0] not in SPECIAL) or style in QUOTED:
        return text
    if text in NULL:
        return None
    if text in BOOLEAN:
        return BOOLEAN[text]
    if tag == BOOLEAN_TAG:  # a document that says it is YAML 1.1
        return text.lower() in {"y", "yes", "on"}
    return _number(text)


def _number(text: str) -> str | int | float:
    """A number or a time; anything else is a text."""
    if INTEGER.fullmatch(text):
        return _integer(text)
    if FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    if SPECIAL_FLOAT.fullmatch(text):
        return float(text.replace(".", ""))
    return YamlTime(text) if TIME.fullmatch(text) else text


def _integer(text: str) -> int | str:
    digits = text.replace("_", "")
    sign, digits = (-1, digits[1:]) if digits[0] == "-" else (1, digits.removeprefix("+"))
    base = BASES.get(digits[:2], 10)
    try:
        return sign * int(digits if base == 10 else digits[2:], base)
    except ValueError:  # nothing but underscores behind the prefix
        return text
