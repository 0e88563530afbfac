"""The problem solved by clingo: proven best, or the best found in time and said to be so."""

from __future__ import annotations

from typing import Any

import clingo

from resolver.selection.problem import SHARED, Problem, Solution
from resolver.selection.ranking import CRITERIA, PROVIDERS

SECONDS = 20.0
TOP = len(CRITERIA) + 1

# pick(R, N): root R is served by node N. Costs stand at priority TOP for roots left out, below it by criterion.
PROGRAM = """
{ pick(R, N) : candidate(R, N) } 1 :- root(R).
served(R) :- pick(R, _).
rooted(N) :- pick(_, N).
in(N) :- rooted(N).
in(C) :- in(N), child(N, C).
:- unified(P), 2 { in(N) : of(N, P) }.
used(V, P) :- in(N), uses(N, V, P).
:- used(V, P), used(V, Q), P < Q.
:- pick(R, N), not by_hash(R), provides(N, V), of(N, P), used(V, Q), P != Q.
:~ root(R), not served(R). [1@top, R]
:~ rooted(N), root_cost(N, L, W). [W@L, N]
:~ in(N), not rooted(N), other_cost(N, L, W). [W@L, N]
:~ used(V, P), provider_cost(V, P, W). [W@providers, V, P]
"""


def solve(problem: Problem, seconds: float = SECONDS) -> Solution:
    """The answer that serves most roots and then costs least, criterion by criterion."""
    control = clingo.Control(
        ["--opt-mode=opt", "--seed=1", "--configuration=trendy", f"--const=top={TOP}", f"--const=providers={len(CRITERIA) - PROVIDERS}"],
        message_limit=0,
    )
    control.add("base", [], PROGRAM + "\n".join(facts(problem)))
    control.ground([("base", [])])
    best: dict[int, int] = {}

    def keep(model: Any) -> None:  # noqa: ANN401 - clingo has no types
        best.clear()
        for atom in model.symbols(shown=True):
            best[atom.arguments[0].number] = atom.arguments[1].number

    with control.solve(on_model=keep, async_=True) as handle:
        finished = handle.wait(seconds)
        if not finished:
            handle.cancel()
        result = handle.get()
    return Solution(tuple(best.get(root) for root in range(len(problem.roots))), optimal=bool(finished and result.exhausted))


def facts(problem: Problem) -> list[str]:
    """The problem as clingo's facts; names of packages and virtuals are numbered, so no text of a source is ever code."""
    names = sorted({n.package for n in problem.nodes} | {p for n in problem.nodes for _, p in n.uses})
    virtuals = sorted({v for n in problem.nodes for v, _ in n.uses} | {v for n in problem.nodes for v in n.provides})
    package = {name: number for number, name in enumerate(names)}
    virtual = {name: number for number, name in enumerate(virtuals)}
    rooted = {number for row in problem.roots for number in row}
    lines = ["#show pick/2."]
    for root, row in enumerate(problem.roots):
        lines.append(f"root({root}).")
        lines += [f"candidate({root},{number})." for number in row]
    lines += [f"by_hash({root})." for root in sorted(problem.by_hash)]
    lines += [f"unified({package[name]})." for name in names if name not in SHARED]
    lines += [f"provider_cost({virtual[v]},{package[p]},{rank})." for v, p, rank in problem.providers if rank]
    for number, node in enumerate(problem.nodes):
        lines.append(f"of({number},{package[node.package]}).")
        lines += [f"child({number},{child})." for child in node.children]
        lines += [f"uses({number},{virtual[v]},{package[p]})." for v, p in node.uses]
        lines += [f"provides({number},{virtual[v]})." for v in node.provides]
        lines += _costs("root_cost", number, node.root_costs) if number in rooted else []
        lines += _costs("other_cost", number, node.other_costs)
    return lines


def _costs(kind: str, number: int, costs: tuple[int, ...]) -> list[str]:
    return [f"{kind}({number},{len(CRITERIA) - place},{cost})." for place, cost in enumerate(costs) if cost]
