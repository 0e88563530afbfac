"""The order of a package's versions, as far as records, the stack and recipes tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from resolver.selection.pool import CandidatePool
from resolver.versions import VersionSet, newest_first, parse_version

if TYPE_CHECKING:
    from resolver.selection.facts import RecipeFacts

UNRANKED = 100


class VersionOrder:
    """Places of versions among all that are known of a package: those that the stack prefers, then its recipe's, then the newest first."""

    def __init__(self, pool: CandidatePool, preferred: Mapping[str, tuple[VersionSet, ...]], facts: RecipeFacts | None) -> None:
        self._pool = pool
        self._preferred = preferred
        self._facts = facts
        self._ranks: dict[str, dict[str, int]] = {}

    def rank(self, name: str, version: str) -> int:
        """The place of a version, from 0."""
        ranks = self._ranks.get(name)
        if ranks is None:
            ranks = self._ranks[name] = self._rank(name)
        return ranks.get(version, UNRANKED)

    def costs(self, name: str, version: str, *, external: bool = False) -> tuple[int, int]:
        """Whether the version is deprecated, and its badness: its place, and for a deprecated one more than there are versions.

        Of an external it does not count. Source: Spack ``concretize.lp`` (``version_deprecation_penalty``).
        """
        rank = self.rank(name, version)
        if self._facts and not external and self._facts.is_deprecated(name, version):
            return 1, rank + len(self._ranks[name])
        return 0, rank

    def _rank(self, name: str) -> dict[str, int]:
        texts = self._pool.versions(name)
        if self._facts:
            chosen = self._facts.preferred(name)
            texts = newest_first(self._facts.versions(name).union(texts))
            texts.sort(key=lambda text: text not in chosen)
        if preferred := self._preferred.get(name, ()):
            texts = sorted(texts, key=lambda text: _first(preferred, text))
        return {text: rank for rank, text in enumerate(texts)}


def _first(preferred: Sequence[VersionSet], text: str) -> int:
    version = parse_version(text)
    return next((place for place, versions in enumerate(preferred) if version in versions), len(preferred))
