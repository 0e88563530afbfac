"""A problem that was written out, solved again."""

from __future__ import annotations

from pathlib import Path

import msgspec

from resolver.errors import InputError
from resolver.selection.dump import decode_problems
from resolver.selection.model import Effort, Unify
from resolver.selection.search import solve

MOST_BYTES = 1 << 30


class ReplayedGroup(msgspec.Struct, frozen=True):
    """A group solved again: for each root its text, the hash chosen now, and the one chosen when the problem was written."""

    name: str
    unify: Unify
    optimal: bool
    roots: tuple[tuple[str, str | None, str | None], ...]

    @property
    def same(self) -> bool:
        """Was every root answered as before?"""
        return all(now == before for _, now, before in self.roots)


def replay(path: str, effort: Effort | None = None) -> list[ReplayedGroup]:
    """Solve the problems in a file. Raises ``InputError`` when it cannot be read, ``FormatError`` when it is none."""
    try:
        if Path(path).stat().st_size > MOST_BYTES:
            msg = f"{path} is larger than {MOST_BYTES >> 20} MiB"
            raise InputError(msg, hint="give a file that `resolve --dump-problem` wrote")
        raw = Path(path).read_bytes()
    except OSError as error:
        msg = f"cannot read {path}"
        raise InputError(msg, why=error.strerror or str(error)) from None
    found = []
    for group in decode_problems(raw, path).groups:
        solution = solve(group.problem, group.unify, effort)
        hashes = [None if pick is None else group.problem.nodes[pick].hash for pick in solution.picks]
        roots = tuple(zip((root.spec for root in group.problem.roots), hashes, group.picks, strict=True))
        found.append(ReplayedGroup(group.name, group.unify, solution.optimal, roots))
    return found
