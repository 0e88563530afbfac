"""Regular expressions of conditions, matched only where backtracking cannot take long.

Pattern and text may both be a stranger's, and Python's ``re`` backtracks. A repetition of one character offers at most as many choices
as the text has places, an alternation as many as it has branches, ``?`` two; their product bounds the work. What multiplies further
(a repeated group, a reference to a group, a look around) is refused.
"""

from __future__ import annotations

import re

FUNCTIONS = frozenset({"match", "search", "fullmatch"})
LONGEST_PATTERN = 200
LONGEST_TEXT = 1000
MOST_STEPS = 20_000_000
PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?:|\(\?|\)[*+{]|\{\d*,?\d*\}|.", re.DOTALL)


def matched(function: str, pattern: object, text: object) -> re.Match[str] | None:
    """What ``re.match``, ``search`` or ``fullmatch`` gives. Raises ``ValueError`` saying why a pattern is not matched."""
    if not isinstance(pattern, str) or not isinstance(text, str):
        msg = f"re.{function} takes two texts"
        raise TypeError(msg)
    if len(pattern) > LONGEST_PATTERN or len(text) > LONGEST_TEXT:
        msg = "the pattern or the text is too long"
        raise ValueError(msg)
    if steps(pattern, len(text)) > MOST_STEPS:
        msg = "the regular expression may take too long"
        raise ValueError(msg)
    try:
        found: re.Match[str] | None = getattr(re, function)(pattern, text)
    except (re.error, OverflowError) as error:
        msg = f"the regular expression is wrong: {error}"
        raise ValueError(msg) from None
    return found


def steps(pattern: str, length: int) -> int:
    """The most steps that a search for a pattern may take in a text of a length. Raises ``ValueError`` where there is no bound."""
    choices, branches = 1, [1]
    for piece in PIECE.findall(pattern):
        if piece in (")*", ")+", "){", "(?") or (piece[0] == "\\" and piece[1:].isdigit()):
            msg = f"{piece!r} is not allowed in a regular expression here"
            raise ValueError(msg)
        if piece in ("(", "(?:"):
            branches.append(1)
        elif piece == ")":
            choices *= branches.pop() if len(branches) > 1 else 1
        elif piece == "|":
            branches[-1] += 1
        elif piece == "?":
            choices *= 2
        elif piece in ("*", "+") or (piece[0] == "{" and len(piece) > 1):
            choices *= length + 1
    for left in branches:
        choices *= left
    return choices * (length + 1) * len(pattern)
