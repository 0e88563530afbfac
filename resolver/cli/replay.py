"""``spack-resolver resolve --replay``: a problem that was written out, solved again and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolver.cli.context import Context
from resolver.cli.output import clean, print_document, print_table
from resolver.errors import NotSatisfiedError

if TYPE_CHECKING:
    from resolver.api.replay import ReplayedGroup
    from resolver.selection.model import Effort


def run(context: Context, path: str, effort: Effort, *, as_json: bool) -> int:
    """Solve the problems in a file and print the picks."""
    from resolver.api.replay import replay

    groups = replay(path, effort)
    if as_json:
        body = [_body(group) for group in groups]
        print_document("replay", {"same": all(group.same for group in groups), "groups": body})
    else:
        _print(context, groups)
    served = all(now is not None for group in groups for _, now, _ in group.roots)
    return 0 if served else NotSatisfiedError.exit_code


def _body(group: ReplayedGroup) -> dict[str, object]:
    roots = [{"spec": spec, "hash": now, "recorded": before} for spec, now, before in group.roots]
    return {
        "name": group.name,
        "unify": {"true": True, "false": False}.get(group.unify, group.unify),
        "optimal": group.optimal,
        "roots": roots,
    }


def _print(context: Context, groups: list[ReplayedGroup]) -> None:
    for group in groups:
        if len(groups) > 1:
            context.say(f"group: {clean(group.name)}")
        print_table(["root", "hash"], [[clean(spec), clean(now or "-")] for spec, now, _ in group.roots])
        differ = sum(1 for _, now, before in group.roots if now != before)
        if not group.optimal:
            context.say(f"note: group {clean(group.name)}: the best answer found in time, not proven to be the best")
        if differ:
            context.say(f"note: {differ} of {len(group.roots)} roots are answered otherwise than when the problem was written")
