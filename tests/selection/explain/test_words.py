from __future__ import annotations

from resolver.selection.explain.words import MEANINGS
from resolver.selection.ranking import CRITERIA


def test_every_criterion_is_told_in_words_and_nothing_else() -> None:
    assert sorted(MEANINGS) == sorted(CRITERIA)
    assert not [text for text in MEANINGS.values() if not text or text.endswith(".")]
