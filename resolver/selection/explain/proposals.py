"""The edits worth trying: those that would each do away with all that some near miss fails."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence

from resolver.selection.explain.model import LAST_RESORT, Edit, Gain, Near
from resolver.versions import parse_version

MOST_TOGETHER = 3
A_SUBJECT = 2
TRIED_OF_A_SUBJECT = 4

Proposal = tuple[Edit, ...]


def proposals(nearest: Iterable[Near]) -> list[Proposal]:
    """Edits, alone or a few together, the fewest and smallest first, then those that most misses ask for, then those of the nearest."""
    found: Counter[tuple[tuple[str, str], ...]] = Counter()
    edits: dict[tuple[tuple[str, str], ...], Proposal] = {}
    for near in nearest:
        for proposal in _cures(near):
            key = tuple((edit.subject, edit.text) for edit in proposal)
            found[key] += 1
            edits.setdefault(key, proposal)
    places = {key: place for place, key in enumerate(edits)}
    order = sorted(edits, key=lambda key: (len(key), -found[key], places[key]))
    return [edits[key] for key in order]


def _cures(near: Near) -> list[Proposal]:
    """Ways to do away with all misses of a record; of several subjects the first way of each, and the last."""
    options: dict[str, list[Edit]] = {}
    for miss in near.misses:
        if not miss.cures:
            return []
        known = options.setdefault(miss.subject, [])
        known += [edit for edit in miss.cures if edit.text not in {other.text for other in known}]
    rows = [_furthest(row) for row in options.values()]
    if len(rows) == 1:
        return [(edit,) for edit in rows[0]]
    if len(rows) > MOST_TOGETHER:
        return []
    rows = [[edit for edit in row if edit.size < LAST_RESORT] for row in rows]
    common = [(edit,) for edit in rows[0] if all(edit.text in {other.text for other in row} for row in rows[1:])]
    ways = [tuple(row[0] for row in rows), tuple(row[-1] for row in rows)]
    return common + [tuple({edit.text: edit for edit in way}.values()) for way in dict.fromkeys(ways)]


def _furthest(row: list[Edit]) -> list[Edit]:
    """Of several libcs that nodes of one closure need, the newest alone does."""
    if row[0].subject != "libc":
        return row
    return [max(row, key=lambda edit: parse_version(edit.option.rpartition("@")[2].partition(":")[0]))]


def whole_cure(near: Near) -> Proposal:
    """The edits that together do away with all that a record fails, however many; none where something has no cure."""
    if not all(miss.cures for miss in near.misses):
        return ()
    options: dict[str, list[Edit]] = {}
    for miss in near.misses:
        options.setdefault(miss.subject, []).extend(miss.cures)
    return tuple({row[0].text: row[0] for row in map(_furthest, options.values())}.values())


def handful(gains: Sequence[Gain], most: int) -> tuple[Gain, ...]:
    """The gains to offer, the greatest first, then the smallest edits, then as they were proposed; of one subject a few that differ.

    A last resort comes behind all others.
    """
    ordered = sorted(gains, key=lambda gain: (gain.is_last_resort, -gain.records, gain.size))
    kept: list[Gain] = []
    subjects: Counter[tuple[str, ...]] = Counter()
    for gain in ordered:
        subject = tuple(edit.subject for edit in gain.edits)
        if subjects[subject] < A_SUBJECT and not any(_better(other, gain) for other in kept if _subjects(other) == subject):
            subjects[subject] += 1
            kept.append(gain)
    return tuple(kept[:most])


def _subjects(gain: Gain) -> tuple[str, ...]:
    return tuple(edit.subject for edit in gain.edits)


def _better(one: Gain, other: Gain) -> bool:
    return one.best is other.best and one.records >= other.records and one.size <= other.size


def in_turn(proposed: Sequence[Proposal]) -> list[list[Proposal]]:
    """The proposals by how many edits are together, fewest first, of each subject no more than a few; of libcs the newest is one."""
    return [_few(list(rows)) for _, rows in itertools.groupby(proposed, key=len)]


def _few(rows: Sequence[Proposal]) -> list[Proposal]:
    taken: Counter[tuple[str, ...]] = Counter()
    libcs = [row for row in rows if row[0].subject == "libc" and len(row) == 1]
    newest = _furthest([row[0] for row in libcs]) if libcs else []
    found: list[Proposal] = [(edit,) for edit in newest]
    for row in rows:
        subject = tuple(edit.subject for edit in row)
        if taken[subject] < TRIED_OF_A_SUBJECT and row not in found:
            taken[subject] += 1
            found.append(row)
    return found
