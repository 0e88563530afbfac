"""Texts of others inside scripts, comments and YAML that we write: each stays one word, one line, one value."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

PLAIN_SCALAR = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+~@-]*(?: [A-Za-z0-9_./+~@-]+)*")
"""Texts that YAML reads as themselves, whatever its version; words such as ``yes`` are not among them."""
YAML_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))
ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def command_line(words: Iterable[str]) -> str:
    """A command on one line, with nothing in it that GitHub would take for an expression or YAML for its end."""
    return " ".join(map(word, words))


def word(text: str) -> str:
    """One word for a shell; where a single line cannot hold its letters, in the ``$'...'`` that bash and others know."""
    if text.isprintable():
        return shlex.quote(text).replace("${{", "$''{{")  # what begins with a dollar stands in single quotes
    return f"$'{''.join(map(_for_shell, text))}'"


def _for_shell(letter: str) -> str:
    if letter in ESCAPES:
        return ESCAPES[letter]
    if letter.isascii() and letter.isprintable() and letter not in "'$":
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode(errors="surrogateescape"))


def comment(text: str) -> str:
    """A text as it may stand in a comment: on one line, without control characters and expressions."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split())).replace("${{", "$ {{")


def scalar(text: str) -> str:
    """A text as a value of YAML that stays on its line: plain where that is safe, else in double quotes."""
    if PLAIN_SCALAR.fullmatch(text) and text.lower() not in YAML_WORDS:
        return text
    return f'"{"".join(map(_for_yaml, text))}"'


def _for_yaml(letter: str) -> str:
    if letter in ESCAPES:
        return ESCAPES[letter]
    if letter.isascii() and letter.isprintable():
        return '\\"' if letter == '"' else letter
    number = 0xFFFD if 0xD800 <= ord(letter) < 0xE000 else ord(letter)  # half of a pair, which no text may hold
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def sequence(texts: Iterable[str]) -> str:
    """A list of texts on one line."""
    return f"[{', '.join(map(scalar, texts))}]"
