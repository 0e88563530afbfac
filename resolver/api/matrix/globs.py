"""Which jobs there are to be, by globs on their ids."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from resolver.errors import did_you_mean


class Globs:
    """Keeps what any of ``only`` and none of ``skip`` matches, and remembers which globs were of use."""

    def __init__(self, only: Iterable[str], skip: Iterable[str]) -> None:
        self.only = tuple(only)
        self.skip = tuple(skip)
        self.seen: dict[str, None] = {}
        self.used: set[tuple[str, str]] = set()

    def keeps(self, key: str) -> bool:
        """Is there to be a job of this id?"""
        self.seen[key] = None
        only = [glob for glob in self.only if fnmatchcase(key, glob)]
        skip = [glob for glob in self.skip if fnmatchcase(key, glob)]
        self.used |= {("--only", glob) for glob in only} | {("--skip", glob) for glob in skip}
        return not skip and (bool(only) or not self.only)

    def join(self, other: Globs) -> None:
        """Remember what another one has seen of the same globs."""
        self.seen |= other.seen
        self.used |= other.used

    def unused(self) -> list[str]:
        """A sentence for each glob that matched nothing, with the nearest ids."""
        given = [("--only", glob) for glob in self.only] + [("--skip", glob) for glob in self.skip]
        return [f"{option} {glob!r} matches no job; {self._near(glob)}" for option, glob in given if (option, glob) not in self.used]

    def _near(self, glob: str) -> str:
        near = did_you_mean(glob.replace("*", ""), self.seen)
        return near.strip() or (f"an id is as {min(self.seen)}" if self.seen else "there is none")
