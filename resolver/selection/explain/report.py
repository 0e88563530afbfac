"""An explanation as lines of text that read well without colour and in 80 columns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from resolver.selection.explain.atoms import shell
from resolver.selection.explain.model import (
    Chosen,
    Conflict,
    Cost,
    Disagreement,
    Explanation,
    Gain,
    HashExplanation,
    Miss,
    Near,
    Place,
    Step,
)
from resolver.selection.explain.shown import counted, joined, short

WIDTH = 80
MOST_MISSES = 6
DIGEST = re.compile(r"\b[0-9a-f]{40,64}\b")
SIGN = re.compile(r"(?<=[a-z0-9_])([+~])(?=[a-z])")
MOST_PLACES = 6
NO_EDIT = "No small edit of the spec, the machine or the stack gains a hit: another binary has to be built or synced."
NO_EDIT_OF_JUDGED = "None of the edits that the records judged in full suggest gains a hit."


def report(found: Explanation) -> list[str]:
    """The text of ``explain SPEC``."""
    lines = [*wrapped(found.headline), *_notes(found.notes)]
    if found.chosen:
        lines += _section("Why it is the best", _why(found.chosen))
    if found.total:
        lines += _section(f"How many of {counted(found.total, 'record')} each gate left", _funnel(found))
    if not found.chosen:
        lines += _section("Where it exists", _places(found.places)) if _elsewhere(found) else []
        lines += _section("Nearest misses", _nearest(found.nearest))
        lines += _edits(found)
    return lines


def report_hash(found: HashExplanation) -> list[str]:
    """The text of ``explain HASH``."""
    lines = wrapped(found.headline)
    lines += _section("What it is", _what(found))
    if found.near:
        lines += _section("What it fails", _misses(found.near.misses))
        needs = _ways(found.gains) or ["  Nothing that can be changed here helps: another binary is needed."]
        lines += _section("What it would need", needs)
    elif found.criterion and found.best:
        lines += _section(f"Compared with {short(found.best.candidate.spec)}", _compared(found.costs, "it"))
        lines += _section("To have it taken", _ways(found.gains))
    elif found.best:
        lines += _section("Why it is the best", _why(found.best))
    if found.near and found.best:
        lines += ["", *wrapped(f"In its place {short(found.best.candidate.spec)} serves.")]
    return lines


def report_conflict(found: Conflict, group: str) -> list[str]:
    """The text of an unsatisfiable unification."""
    texts = [str(root) for root in found.roots]
    if len(texts) == 1:
        head = f"No binary of {texts[0]} agrees with itself on one hash for each package (group {group}, unify: true)."
    else:
        though = "each can alone" if len(texts) == 2 else "all but any one of them can"
        head = f"{joined(texts, most=8)} cannot be served together (group {group}, unify: true), though {though}."
    lines = wrapped(head)
    if found.disagreement:
        lines += wrapped(_disagreement(found.disagreement))
    rows = [row for text, gained in found.gains for row in _item(text, [f"gains {counted(gained, 'root')}"])]
    return lines + (_section("What would help", rows) if rows else [])


def _disagreement(found: Disagreement) -> str:
    one, other = short(found.one), short(found.other)
    if found.virtual:
        return f"They disagree on who provides {found.package}: {found.one_root} takes {one}, {found.other_root} takes {other}."
    if found.one_root == found.other_root:
        return f"{found.one_root} reaches {found.package} in two hashes: {one} and {other}."
    return f"They disagree on {found.package}: {found.one_root} takes {one}, {found.other_root} takes {other}."


def wrapped(text: str, indent: str = "", hang: str = "") -> list[str]:
    """Text in lines of at most ``WIDTH``; ``hang`` stands before all but the first."""
    clean = " ".join(text.split())
    return textwrap.wrap(
        clean, WIDTH, initial_indent=indent, subsequent_indent=indent + hang, break_long_words=False, break_on_hyphens=False
    )


def _section(title: str, rows: Iterable[str]) -> list[str]:
    found = list(rows)
    return ["", title, *found] if found else []


def _notes(notes: Sequence[str]) -> list[str]:
    return [line for note in notes for line in wrapped(note)]


def _item(text: str, below: Sequence[str] = (), indent: str = "  ") -> list[str]:
    """An item of a list, and below it what belongs to it."""
    return [*_bullet(text, indent), *(line for row in below for line in wrapped(row, f"{indent}  "))]


def _bullet(text: str, indent: str = "  ") -> list[str]:
    first, *rest = wrapped(text, f"{indent}  ")
    return [f"{indent}- {first[len(indent) + 2 :]}", *rest]


def _funnel(found: Explanation) -> Iterator[str]:
    width = len(str(found.total))
    for step in found.funnel:
        yield from _step(step, width)
    if found.judged < found.total:
        nearest = "The nearest record was" if found.judged == 1 else f"The nearest {found.judged} records were"
        left = found.total - found.judged
        others = "the other by what it states of itself" if left == 1 else f"the other {left} by what they state of themselves"
        text = f"{nearest} judged with all that is linked to; {others}."
        if found.unsure:
            text += f" So at least {found.funnel[-1].left - found.unsure} of {found.funnel[-1].left} that are left do serve."
        yield from wrapped(text, "  ")


def _step(step: Step, width: int) -> list[str]:
    text = f"{step.gate:<12}{step.left:>{width}}"
    if step.lost:
        text += f"  {step.lost} stopped{', mostly' if step.alike < step.lost else ''}: {step.reason}"
    return textwrap.wrap(
        text, WIDTH, initial_indent="  ", subsequent_indent=" " * (16 + width), drop_whitespace=True, break_long_words=False
    )


def _elsewhere(found: Explanation) -> bool:
    emptied = next((step.gate for step in found.funnel if not step.left), "")
    by_label = found.asked.machine.platform != "linux" or found.asked.policy.os_policy == "strict"
    return emptied in ("platform", "target") or (emptied == "os" and by_label)


def _places(places: Sequence[Place]) -> Iterator[str]:
    for place in places[:MOST_PLACES]:
        yield f"  {place.platform}-{place.os}-{place.target}: {counted(place.records, 'binary', 'binaries')}"
    if len(places) > MOST_PLACES:
        yield f"  and {counted(len(places) - MOST_PLACES, 'other place')}"


def _nearest(nearest: Sequence[Near]) -> Iterator[str]:
    said: list[tuple[str, str, str]] = []
    for near in nearest:
        spec, failed = near.spec, [(miss.gate, miss.have, miss.want) for miss in near.misses]
        yield from wrapped(f"{spec.hash} {spec.name}@{spec.wire.version} {spec.platform}-{spec.os}-{spec.target}", "  ", "  ")
        if failed == said:
            yield "    - the same"
        elif len(failed) > 1 and (foreign := [miss for miss in near.misses if miss.gate == "platform"]):
            yield from _misses(foreign[:1], "    ")
            yield from _bullet(f"and {len(failed) - 1} more, as is to be expected of a build for {spec.platform}", "    ")
        else:
            yield from _misses(near.misses, "    ")
        said = failed


def _misses(misses: Sequence[Miss], indent: str = "  ") -> Iterator[str]:
    said = set[str]()
    for miss in misses[:MOST_MISSES]:
        yield from _item(f"{miss.gate}: {miss.text}", [f"({miss.advice})"] if miss.advice and miss.advice not in said else [], indent)
        said.add(miss.advice)
    if len(misses) > MOST_MISSES:
        yield f"{indent}- and {len(misses) - MOST_MISSES} more"


def _edits(found: Explanation) -> list[str]:
    if not found.total:
        return []
    lines = _section("What would gain a hit", _gains(found.gains))
    if not lines:
        lines = ["", *wrapped(NO_EDIT if found.judged == found.total else NO_EDIT_OF_JUDGED)]
    if found.proposed:
        tried = "1 edit was" if found.tried == 1 else f"{found.tried} edits were"
        lines += wrapped(f"{tried} tried; {found.proposed} more {'was' if found.proposed == 1 else 'were'} not.", "  ")
    return lines


def _gains(gains: Sequence[Gain]) -> list[str]:
    rows: list[str] = []
    for gain in gains:
        least = "" if gain.exact else "at least "
        rows += _item(gain.text, [*_written(gain), f"gains {least}{counted(gain.records, 'record')}, best {short(gain.best)}"])
    return rows


def _ways(gains: Sequence[Gain]) -> list[str]:
    """Edits of which it is plain what they gain."""
    return [row for gain in gains for row in _item(gain.text, _written(gain))]


def _written(gain: Gain) -> list[str]:
    """How edits are written: the whole spec, and options or entries."""
    spec = [f"spec: {shell(gain.asked.root)}"] if any(edit.of == "spec" for edit in gain.edits) else []
    return spec + [f"{edit.of}: {edit.option}" for edit in gain.edits if edit.option and edit.of != "spec"]


def _why(chosen: Chosen) -> Iterator[str]:
    spec, statement = chosen.candidate.spec, chosen.statement
    yield from wrapped(f"{spec.hash}, built for {spec.os} and {spec.target}, served by {joined(statement.served_by) or 'no source'}", "  ")
    if chosen.runner_up is None:
        yield "  It is the only record that serves."
        return
    if chosen.equals > 1:
        yield from wrapped(f"{chosen.equals} hashes are equal in all but the hash; the smallest is taken.", "  ")
    else:
        yield from wrapped(f"The runner-up is {short(chosen.runner_up)}; what decides is {chosen.criterion}.", "  ")
    yield from _compared(chosen.costs, "the runner-up")


def _compared(costs: Sequence[Cost], other: str) -> Iterator[str]:
    """The criteria that cost one of two anything, in the order in which they are compared."""
    for cost in costs:
        against = "" if cost.other is None or cost.other == cost.cost else f" (for {other}, {cost.other})"
        against = against.replace("for it", "for that one")
        meaning = f": {cost.text}" if cost.text else ""
        yield from _bullet(f"{cost.criterion}, {cost.cost}{against}{meaning}")


def _what(found: HashExplanation) -> Iterator[str]:
    spec, stated = found.spec, found.statement
    libc = spec.libc
    built = [f"for {spec.platform}-{spec.os}-{spec.target}"]
    built += [f"needs {libc.name} {libc.wire.version}"] if libc else []
    built += [f"by {spec.compiler}"] if spec.compiler else []
    yield from wrapped(_parted(spec.text), "  ", "  ")
    yield from wrapped(f"{spec.hash}, {', '.join(built)}", "  ", "  ")
    yield from wrapped(f"{counted(found.packages, 'package')} in its link/run closure, itself included", "  ")
    yield from wrapped(f"stated by {joined(stated.sources)}; {_served(stated.served_by)}", "  ", "  ")
    labels = [*(f"stack {name}" for name in stated.stacks), *(f"release {name}" for name in stated.releases)]
    yield from wrapped(f"labels: {', '.join(labels) or 'none'}", "  ", "  ")


def _parted(text: str) -> str:
    """A spec with its variants apart, which means the same, and digests shortened."""
    return SIGN.sub(r" \1", DIGEST.sub(lambda digest: digest[0][:7], text))


def _served(served_by: Sequence[str]) -> str:
    return f"its binary is served by {joined(served_by)}" if served_by else "no source has its binary"
