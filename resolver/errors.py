"""Every failure a person can meet, in one tree; the family decides the exit code.

    ResolverError            1  internal
    ├── InputError           3  a file, spec, stack or configuration that cannot be used
    │   ├── SpecError           a spec or version text; knows its column
    │   ├── UnsupportedError    a document of a kind or version that is not known here
    │   └── FormatError         a document that is damaged: not what it claims to be
    ├── NotSatisfiedError    4  some root has no hash, or a check or threshold failed
    ├── SourceError          5  a source that is unreachable or damaged
    └── VerificationError    6  a checksum, signature or blob that is wrong

Exit code 2 (usage) is click's. A message says *what* happened, *why*, and gives a *hint* on what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

CREDENTIALS = re.compile(r"(?<=/)[^\s/@]+:[^\s/@]*@")


def without_credentials(text: str) -> str:
    """A text in which ``//user:password@`` of a URL has become ``//***@``."""
    return CREDENTIALS.sub("***@", text) if "@" in text else text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean a or b? `` with the nearest of the known words, or nothing when none is near."""
    import difflib  # loaded for an error only

    names = {name.lower().replace("-", "_"): name for name in known}
    near = difflib.get_close_matches(word.lower().replace("-", "_"), names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(names[n] for n in near)}? " if near else ""


class ResolverError(Exception):
    """A failure with facts: ``what`` happened, ``where``, ``why``, and a ``hint`` on what to do about it."""

    kind = "internal"
    exit_code = 1

    def __init__(self, what: str, *, why: str = "", hint: str = "", where: str = "") -> None:
        super().__init__(what)
        self.what, self.why, self.hint, self.where = map(without_credentials, (what, why, hint, where))

    def __str__(self) -> str:
        """The message as one paragraph, the hint last."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.why:
            text = f"{text}: {self.why}"
        return f"{text}. Hint: {self.hint}" if self.hint else text

    def at(self, where: str) -> ResolverError:
        """The same error with its place named, unless a nearer one is named already."""
        if where and where not in self.where:
            self.where = f"{where}: {self.where}" if self.where else where
        return self


class InputError(ResolverError):
    """Something given to us cannot be used as it stands."""

    kind = "input"
    exit_code = 3


class SpecError(InputError):
    """A spec or version text that cannot be read or contradicts itself.

    ``text`` is the whole text, ``column`` the place of the error counted from 0, or None when it is the whole.
    """

    kind = "spec"

    def __init__(self, what: str, *, text: str = "", column: int | None = None, hint: str = "") -> None:
        where = repr(text) if column is None else f"{text!r}, column {column + 1}"
        super().__init__(what, where=where if text else "", hint=hint)
        self.text = text
        self.column = column

    def caret(self) -> str:
        """The text with a caret under the place of the error; empty when the place is not known."""
        if self.column is None:
            return ""
        return f"{self.text}\n{' ' * self.column}^"


class UnsupportedError(InputError):
    """A document that may be sound, but of a kind or version that is not known here."""

    kind = "unsupported"


class FormatError(InputError):
    """A document that is damaged: not what it claims to be."""

    kind = "format"


class NotSatisfiedError(ResolverError):
    """What was asked for cannot be had from the records at hand."""

    kind = "not-satisfied"
    exit_code = 4


class SourceError(ResolverError):
    """A source that cannot be reached, or whose content is damaged."""

    kind = "source"
    exit_code = 5


class VerificationError(ResolverError):
    """A checksum or signature that does not hold, or a blob that is not there."""

    kind = "verification"
    exit_code = 6
