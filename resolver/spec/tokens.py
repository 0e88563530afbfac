"""The tokens of the spec language and the cutting of a text into them.

Alternatives are tried in the order of ``RULES`` at each place, as in Spack (``spec_parser.py:SpecTokens``), so that
``zlib-shared`` is one name and ``x=y%gcc`` one value. A character that no rule takes is an error with its column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from resolver.errors import SpecError

LONGEST_TEXT = 20_000

IDENTIFIER = r"(?:[A-Za-z0-9_][A-Za-z0-9_-]*)"
DOTTED = rf"(?:{IDENTIFIER}(?:\.{IDENTIFIER})+)"
KEY = r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*)"
BARE_VALUE = r"(?:[A-Za-z0-9_+*.,:=%^~/\\-]+)"
QUOTED_VALUE = r"""(?:'(?:[^']|(?<=\\)')*'|"(?:[^"]|(?<=\\)")*")"""
VALUE = rf"(?:{BARE_VALUE}|{QUOTED_VALUE})"
VERSION = r"(?:=?[A-Za-z0-9_][A-Za-z0-9_.-]*\b)"
RANGE = rf"(?:{VERSION}?:(?:{VERSION}(?!\s*=))?)"
VERSION_LIST = rf"(?:{RANGE}|{VERSION})(?:\s*,\s*(?:{RANGE}|{VERSION}))*"
GIT_REF = r"(?:git\.[A-Za-z0-9_][A-Za-z0-9_./-]*|[A-Fa-f0-9]{40})"
ASSIGNMENT = rf"{IDENTIFIER}(?:,{IDENTIFIER})*=(?:{DOTTED}|{IDENTIFIER})"


class Kind(StrEnum):
    """What a token is."""

    START_EDGE = "start_edge"
    END_EDGE = "end_edge"
    DEPENDENCY = "dependency"
    VERSION_PAIR = "version_pair"
    GIT_VERSION = "git_version"
    VERSION = "version"
    PROPAGATED_BOOL = "propagated_bool"
    BOOL = "bool"
    PROPAGATED_PAIR = "propagated_pair"
    PAIR = "pair"
    FILE = "file"
    DOTTED_NAME = "dotted_name"
    NAME = "name"
    HASH = "hash"


RULES: dict[Kind, str] = {
    Kind.START_EDGE: r"(?:\^|%%|%)\[",
    Kind.END_EDGE: rf"\](?:\s*{ASSIGNMENT})?",
    Kind.DEPENDENCY: rf"(?:\^|%%|%)(?:\s*{ASSIGNMENT})?",
    Kind.VERSION_PAIR: rf"@{GIT_REF}={VERSION}",
    Kind.GIT_VERSION: rf"@{GIT_REF}",
    Kind.VERSION: rf"@\s*{VERSION_LIST}",
    Kind.PROPAGATED_BOOL: rf"(?:\+\+|~~|--)\s*{KEY}",
    Kind.BOOL: rf"[~+-]\s*{KEY}",
    Kind.PROPAGATED_PAIR: rf"{KEY}:?=={VALUE}",
    Kind.PAIR: rf"{KEY}:?={VALUE}",
    Kind.FILE: r"(?:\.|/|[A-Za-z0-9_-]*/)[A-Za-z0-9_./-]*(?:\.json|\.yaml)",
    Kind.DOTTED_NAME: DOTTED,
    Kind.NAME: rf"(?:{IDENTIFIER}|\*)",
    Kind.HASH: r"/[A-Za-z0-9_]+",
}
SPACE = re.compile(r"\s+")
TOKEN = re.compile("|".join(f"(?P<{kind}>{rule})" for kind, rule in RULES.items()))


class Token(msgspec.Struct, frozen=True):
    """One token: its kind, its text, and where it starts."""

    kind: Kind
    text: str
    column: int


def tokenize(text: str) -> list[Token]:
    """Cut a text into tokens, blanks dropped. Raises ``SpecError`` at the first character that fits nowhere."""
    if len(text) > LONGEST_TEXT:
        msg = f"a spec text of {len(text)} characters is longer than the {LONGEST_TEXT} that are read"
        raise SpecError(msg, text=text[:40] + "...", hint="split it into several specs")
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    place = 0
    while place < len(text):
        if blank := SPACE.match(text, place):
            place = blank.end()
            continue
        found = TOKEN.match(text, place)
        if found is None:
            msg = f"unexpected character {text[place]!r}"
            raise SpecError(msg, text=text, column=place, hint=_hint(text[place]))
        yield Token(Kind(found.lastgroup or ""), found.group(), place)
        place = found.end()


def _hint(character: str) -> str:
    if character == "=":
        return "write key=value with no blanks around '='"
    if character == "@":
        return "a version such as 1.2, =1.2.3 or 1.2:1.4 follows '@'"
    return "put a value with special characters in quotes, as in cflags='-O2 -g'"
