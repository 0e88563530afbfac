"""A part of a problem solved by clingo: proven best, or the best found in time and said to be so."""

from __future__ import annotations

from typing import Any

import clingo
import msgspec

from resolver.selection.problem import PROVIDERS, ROOT_PROVIDERS, SHARED, Rows
from resolver.selection.weigher import Settled, Weigher, bits

# Cores of costs from below, each made small: lexicographic optima of hundreds of roots are proven in a second where branch and bound
# does not end.
OPTIONS = ("--opt-mode=opt", "--seed=1", "--configuration=tweety", "--opt-strategy=usc,one", "--opt-usc-shrink=min")

# pick(R, N): root R is served by node N. The most important costs have the highest level: roots left out, then the criteria, and below
# zero the places of the hashes, root by root.
PROGRAM = """
{ pick(R, N) : candidate(R, N) } 1 :- root(R).
served(R) :- pick(R, _).
rooted(N) :- pick(_, N).
in(N) :- rooted(N).
in(C) :- in(N), child(N, C).
:- rival(P), 2 { in(N) : of(N, P) }.
:- shared(P), 2 { rooted(N) : of(N, P) }.
:- rooted(N), clash(N, M), in(M).
used(V, P) :- in(N), uses(N, V, P).
used(V, P) :- pick(R, N), virtual(R, V), of(N, P).
:- used(V, P), used(V, Q), P < Q.
:- pick(R, N), not by_hash(R), provides(N, V), of(N, P), used(V, Q), P != Q.
serves(P) :- rooted(N), of(N, P).
:~ root(R), not served(R). [1@top, R]
:~ rooted(N), root_cost(N, L, W). [W@L, N]
:~ in(N), not rooted(N), other_cost(N, L, W). [W@L, N]
:~ used(V, P), serves(P), provider_cost(V, P, W). [W@root_providers, V, P]
:~ used(V, P), not serves(P), provider_cost(V, P, W). [W@providers, V, P]
:~ pick(R, N), place(R, N, L, W). [W@L, R]
:~ root(R), not served(R), last(R, L, W). [W@L, R]
#show pick/2.
"""


class Found(msgspec.Struct, frozen=True):
    """Candidates by root, and whether they are proven to be the best; None where not even one answer was found in time."""

    chosen: dict[int, int] | None
    optimal: bool


def solve(weigher: Weigher, rows: Rows, settled: Settled, seconds: float) -> Found:
    """The answer for these roots that serves most of them and then costs least, criterion by criterion."""
    criteria = weigher.problem.criteria
    levels = {"top": len(criteria) + 1, "providers": _level(criteria, PROVIDERS), "root_providers": _level(criteria, ROOT_PROVIDERS)}
    control = clingo.Control([*OPTIONS, *(f"--const={name}={level}" for name, level in levels.items())], message_limit=0)
    control.add("base", [], PROGRAM + "\n".join(facts(weigher, rows, settled)))
    control.ground([("base", [])])
    best: dict[int, int] = {}
    met: list[bool] = []

    def keep(model: Any) -> None:  # noqa: ANN401 - clingo has no types
        met.append(True)
        best.clear()
        best.update((atom.arguments[0].number, atom.arguments[1].number) for atom in model.symbols(shown=True))

    with control.solve(on_model=keep, async_=True) as handle:
        finished = handle.wait(seconds)
        if not finished:
            handle.cancel()
        result = handle.get()
    return Found(dict(best) if met else None, optimal=bool(finished and result.exhausted))


def _level(criteria: tuple[str, ...], name: str) -> int:
    return len(criteria) - criteria.index(name)


def facts(weigher: Weigher, rows: Rows, settled: Settled) -> list[str]:
    """The part as clingo's facts; names of packages and virtuals are numbered, so no text of a source is ever code."""
    reach = weigher.union(n for row in rows.values() for n in row)
    present = list(bits(reach | settled.nodes))
    names = sorted({weigher.nodes[n].package for n in present} | {package for _, package in weigher.pairs})
    package = {name: number for number, name in enumerate(names)}
    virtual = {name: number for number, name in enumerate(weigher.by_virtual)}
    lines = _of_roots(weigher, rows, virtual)
    lines += [f"in({number})." for number in bits(settled.nodes)]
    lines += _of_pairs(weigher, settled, package, virtual)
    lines += [f"rival({package[name]})." for name, mask in weigher.rivals.items() if mask & reach]
    lines += [f"shared({package[name]})." for name in sorted(SHARED & package.keys())]
    lines += [f"clash({a},{b})." for a, b in weigher.problem.clashes if (1 << a | 1 << b) & ~reach == 0]
    rooted = {number for row in rows.values() for number in row}
    for number in present:
        node = weigher.nodes[number]
        lines.append(f"of({number},{package[node.package]}).")
        lines += [f"child({number},{child})." for child in node.children]
        lines += [f"uses({number},{virtual[v]},{package[p]})." for v, p in node.uses]
        lines += [f"provides({number},{virtual[v]})." for v in node.provides if v in virtual]
        lines += _costs("root_cost", number, node.root_costs) if number in rooted else []
        lines += _costs("other_cost", number, node.other_costs)
    return lines


def _of_roots(weigher: Weigher, rows: Rows, virtual: dict[str, int]) -> list[str]:
    lines = []
    for place, root in enumerate(root for root in weigher.problem.root_order if root in rows):
        asked, level = weigher.problem.roots[root], -1 - place
        lines += [f"root({root}).", f"last({root},{level},{len(rows[root])})."]
        lines += [f"candidate({root},{number})." for number in rows[root]]
        lines += [f"place({root},{number},{level},{at})." for at, number in enumerate(rows[root]) if at]
        lines += [f"by_hash({root})."] if asked.by_hash else []
        lines += [f"virtual({root},{virtual[asked.virtual]})."] if asked.virtual else []
    return lines


def _of_pairs(weigher: Weigher, settled: Settled, package: dict[str, int], virtual: dict[str, int]) -> list[str]:
    settled_pairs = [weigher.pairs[place] for place in bits(settled.pairs)]
    lines = [f"used({virtual[v]},{package[p]})." for v, p in settled_pairs]
    return lines + [
        f"provider_cost({virtual[v]},{package[p]},{rank})." for v, p, rank in weigher.problem.providers if rank and p in package
    ]


def _costs(kind: str, number: int, costs: tuple[int, ...]) -> list[str]:
    return [f"{kind}({number},{len(costs) - place},{cost})." for place, cost in enumerate(costs) if cost]
