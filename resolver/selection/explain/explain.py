"""Explanations of a root: why it has the hash that it has, or none, and what would gain one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from resolver.selection.explain.funnel import first_of, funnel, places
from resolver.selection.explain.misses import Misses
from resolver.selection.explain.model import Asked, Chosen, Explanation, Gain, Near
from resolver.selection.explain.near import Judged
from resolver.selection.explain.proposals import Proposal, handful, in_turn, proposals
from resolver.selection.explain.trial import Answer, Trials, wanted
from resolver.selection.explain.words import costs, decided, headline, same_but_hash
from resolver.selection.pool import CandidatePool
from resolver.selection.race import records_of
from resolver.spec.concrete import ConcreteSpec


class Limits(msgspec.Struct, frozen=True):
    """How much work an explanation may be, and how much is shown of what was found.

    ``full`` records are judged with all that they link to, ``closures`` walked in all, ``counted`` records judged for each edit, and
    ``tried`` edits tried.
    """

    full: int = 160
    closures: int = 240
    counted: int = 80
    tried: int = 16
    nearest: int = 5
    edits: int = 5


USUAL = Limits()


def explain(pool: CandidatePool, asked: Asked, limits: Limits = USUAL) -> Explanation:
    """Why a root that stands alone has its hash, or none. Raises ``InputError`` when it names no package and no hash."""
    trials = Trials(pool, limits.closures, limits.counted)
    specs = records_of(asked.judge(pool), asked.root, thorough=True)[0]
    answer = trials.answer(asked)
    misses = Misses(trials.judge(asked), asked, wanted(pool, asked.root))
    judged = Judged(misses, trials, answer.ranking, specs, limits.full, refused=not answer.candidates)
    nearest = judged.nearest()
    steps = funnel(len(specs), [first_of(near) for near in judged.known if near.misses])
    chosen = chosen_of(answer)
    gains, tried, proposed = ((), 0, 0) if chosen else _gains(trials, asked, nearest, specs, limits)
    found = places(specs, pool)
    text = headline(asked, steps, found, nearest or judged.known, chosen)
    shown = tuple(nearest[: limits.nearest])
    return Explanation(asked, text, len(specs), len(judged.whole), steps, chosen, shown, gains, found, tried, proposed, judged.unsure)


def chosen_of(answer: Answer) -> Chosen | None:
    """The best candidate, and why it is the best."""
    if not answer.candidates:
        return None
    best, *others = answer.candidates
    second = others[0] if others else None
    criterion = decided(answer.ranking, best, second) if second else ""
    equals = same_but_hash(answer.ranking, answer.candidates)
    statement = answer.ranking.pool.statement(best.spec)
    return Chosen(best, statement, second.spec if second else None, criterion, costs(answer.ranking, best, second), equals)


def _gains(
    trials: Trials, asked: Asked, nearest: Sequence[Near], specs: Sequence[ConcreteSpec], limits: Limits
) -> tuple[tuple[Gain, ...], int, int]:
    """What edits gain, those of the fewest parts that gain anything; with the numbers of edits that were tried and proposed."""
    proposed = proposals(nearest)
    tried = 0
    for rows in in_turn(proposed):
        found, number = _try(trials, asked, rows, specs, limits.tried - tried)
        tried += number
        if found:
            return handful(found, limits.edits), tried, sum(1 for one in proposed if len(one) == len(rows[0])) - number
    return (), tried, len(proposed) - tried


def _try(trials: Trials, asked: Asked, rows: Sequence[Proposal], specs: Sequence[ConcreteSpec], most: int) -> tuple[list[Gain], int]:
    taken = rows[: max(most, 0)]
    gains = [trials.gain(asked, proposal, specs) for proposal in taken]
    return [gain for gain in gains if gain], len(taken)
