"""What is wrong, or will be, in a configuration text; and one error for all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from resolver.errors import InputError

MOST_SHOWN = 50


class Finding(msgspec.Struct, frozen=True):
    """One thing found: an ``error`` where Spack refuses, a ``warning`` where it warns or passes over what it does not know.

    ``where`` is ``file:line:column``, counted from 1; ``hint`` says what to write instead, and may be empty.
    """

    severity: Literal["error", "warning"]
    text: str
    where: str
    hint: str = ""

    def __str__(self) -> str:
        """The finding in one line, the hint last."""
        line = f"{self.where}: {self.text}"
        return f"{line}. Hint: {self.hint}" if self.hint else line


def refuse(findings: Sequence[Finding]) -> None:
    """Raise one ``InputError`` that tells all errors among the findings, with their places; nothing when there are only warnings."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors:
        return
    first = errors[0]
    if len(errors) == 1:
        raise InputError(first.text, where=first.where, hint=first.hint)
    lines = "".join(f"\n  {error}" for error in errors[:MOST_SHOWN])
    more = f"\n  and {len(errors) - MOST_SHOWN} more" if len(errors) > MOST_SHOWN else ""
    raise InputError(f"{len(errors)} errors in {first.where.rsplit(':', 2)[0]}", why=f"{lines}{more}")
