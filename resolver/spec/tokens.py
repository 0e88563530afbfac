"""The tokens of the spec language and the cutting of a text into them.

Alternatives are tried in the order of ``RULES`` at each place, as in Spack (``spec_parser.py:SpecTokens``), so that
``zlib-shared`` is one name and ``x=y%gcc`` one value. A character that no rule takes is an error with its column.
"""

from __future__ import annotations

import re
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
    END = "end"


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
KINDS = {str(kind): kind for kind in RULES}
# Blanks before a token belong to its match, so that one match a token is enough; blanks at the end match alone.
TOKEN = re.compile(rf"\s*(?:{'|'.join(f'(?P<{kind}>{rule})' for kind, rule in RULES.items())})|\s+")


class Token(msgspec.Struct, frozen=True, gc=False):
    """One token: its kind, its text, and where it starts."""

    kind: Kind
    text: str
    column: int


def tokenize(text: str) -> list[Token]:
    """Cut a text into tokens, blanks dropped, an ``END`` last. Raises ``SpecError`` at the first character that fits nowhere."""
    if len(text) > LONGEST_TEXT:
        msg = f"a spec text of {len(text)} characters is longer than the {LONGEST_TEXT} that are read"
        raise SpecError(msg, text=text[:40] + "...", hint="split it into several specs")
    tokens: list[Token] = []
    place, length = 0, len(text)
    while place < length:
        found = TOKEN.match(text, place)
        if found is None:
            raise SpecError(f"unexpected character {text[place]!r}", text=text, column=place, hint=_hint(text[place]))
        if kind := found.lastgroup:
            tokens.append(Token(KINDS[kind], found[kind], found.start(kind)))
        place = found.end()
    tokens.append(Token(Kind.END, "", length))
    return tokens


def _hint(character: str) -> str:
    if character == "=":
        return "write key=value with no blanks around '='"
    if character == "@":
        return "a version such as 1.2, =1.2.3 or 1.2:1.4 follows '@'"
    return "put a value with special characters in quotes, as in cflags='-O2 -g'"
