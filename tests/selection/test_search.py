"""Searching problems: what is searched for, what is not, limits, and the document that holds problems."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest
from fakes.world import World, hash_of

from resolver.arch.machine import Libc, Machine
from resolver.errors import FormatError, UnsupportedError
from resolver.selection.dump import decode_problems, encode_problems
from resolver.selection.gates import Judge
from resolver.selection.model import Effort, GroupAnswer, Policy
from resolver.selection.problem import Asked, Node, Problem, Rows
from resolver.selection.ranking import CRITERIA, PREFERENCES, arrangement
from resolver.selection.reduce import Field, parts, supported, undominated
from resolver.selection.rules import Rules
from resolver.selection.search import rounds, solve
from resolver.selection.select import select_group
from resolver.selection.weigher import Weigher
from resolver.spec.abstract import AbstractSpec

MACHINE = Machine("linux", "ubuntu24.04", "zen4", Libc.parse("glibc@2.39"))
NO_CLINGO = """
import sys
sys.path[:0] = {path!r}
from test_search import answer, TWINS
answer(TWINS[:{records}], ["app", "tool"], "{unify}")
print("clingo" in sys.modules)
"""


def record(name: str, spec: str, *links: str) -> dict[str, Any]:
    return {"id": name, "spec": spec, "link": list(links), "libc": "glibc@2.28"}


TWINS = [
    record("x1", "xz@=5.4"),
    record("t1", "tool@=1", "x1"),
    record("a1", "app@=1", "x1"),
    *(
        r
        for n in range(2, 9)
        for r in (record(f"x{n}", f"xz@=5.{n + 4}"), record(f"t{n}", f"tool@={n}", f"x{n}"), record(f"a{n}", f"app@={20 - n}", f"x{n}"))
    ),
]


def answer(records: list[dict[str, Any]], roots: list[str], unify: str = "true", effort: Effort | None = None) -> GroupAnswer:
    judge = Judge(World(records), MACHINE, Policy(), Rules.read({}))
    return select_group(judge, "g", [AbstractSpec.parse(root) for root in roots], unify, effort, state=True)  # type: ignore[arg-type] # one of them


def costs(**named: int) -> tuple[int, ...]:
    return tuple(named.get(name.replace(" ", "_"), 0) for name in CRITERIA[:-1])


def node(number: int, package: str, *children: int, **named: int) -> Node:
    return Node(f"{number:04}", package, children, (), (), costs(**named), costs(fewest_packages=1))


def problem(nodes: list[Node], *rows: tuple[int, ...]) -> Problem:
    return Problem(CRITERIA[:-1], tuple(Asked(f"root{place}", row) for place, row in enumerate(rows)), tuple(nodes))


@pytest.mark.parametrize(("unify", "records", "loaded"), [("true", 3, "False"), ("false", 27, "False"), ("true", 27, "True")])
def test_clingo_is_loaded_only_where_roots_compete(unify: str, records: int, loaded: str) -> None:
    code = NO_CLINGO.format(path=[str(__file__).rsplit("/", 1)[0], *sys.path], records=records, unify=unify)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == loaded, run.stderr


def test_without_time_an_answer_is_given_and_said_not_to_be_proven() -> None:
    found = answer(TWINS, ["app", "tool"], effort=Effort(seconds=0, few=0))
    assert found.satisfied
    assert not found.optimal
    assert found.unified
    again = answer(TWINS[::-1], ["app", "tool"], effort=Effort(seconds=0, few=0))
    assert list(found.closure) == list(again.closure)


def test_a_part_of_equal_candidates_keeps_the_cheapest() -> None:
    nodes = [node(0, "a", 2, version_of_the_root=1), node(1, "a", 2), node(2, "x"), node(3, "b", 2)]
    weigher = Weigher(problem(nodes, (0, 1), (3,)))
    assert undominated(Field(weigher, {0: (0, 1), 1: (3,)})) == {0: (1,), 1: (3,)}


def test_candidates_that_touch_other_roots_otherwise_are_kept() -> None:
    nodes = [node(0, "a", 2, version_of_the_root=1), node(1, "a", 3), node(2, "x"), node(3, "x"), node(4, "b", 2), node(5, "b", 3)]
    weigher = Weigher(problem(nodes, (0, 1), (4, 5)))
    rows: Rows = {0: (0, 1), 1: (4, 5)}
    assert undominated(Field(weigher, rows)) == rows


def test_roots_that_share_only_what_all_have_are_parted() -> None:
    nodes = [node(0, "a", 4), node(1, "a", 4), node(2, "b", 4), node(3, "b", 4), node(4, "runtime")]
    weigher = Weigher(problem(nodes, (0,), (2,)))
    assert parts(Field(weigher, {0: (0,), 1: (2,)})) == [{0: (0,)}, {1: (2,)}]


def test_what_one_root_does_not_allow_is_left_out_where_all_are_to_be_served() -> None:
    nodes = [node(0, "a", 3), node(1, "a", 4), node(2, "b", 3), node(3, "x"), node(4, "x")]
    weigher = Weigher(problem(nodes, (0, 1), (2,)))
    assert supported(weigher, {0: (0, 1), 1: (2,)}) == {0: (0,), 1: (2,)}
    assert supported(weigher, {0: (1,), 1: (2,)}) is None


def test_a_circle_of_nodes_ends() -> None:
    found = rounds(problem([node(0, "a", 1), node(1, "b", 0), node(2, "a")], (0, 2), (1,)), "true", Effort(few=0))
    assert found[0].chosen == {0: 0, 1: 1}


def test_the_preferred_criteria_follow_repeated_packages() -> None:
    for prefer, names in PREFERENCES.items():
        order = [CRITERIA[place] for place in arrangement(prefer)]
        at = order.index("repeated packages") + 1
        assert tuple(order[at : at + len(names)]) == names
        assert order[:at] == list(CRITERIA[:at])
        assert sorted(order) == sorted(CRITERIA)
    assert arrangement("") == tuple(range(len(CRITERIA)))


@pytest.mark.parametrize("unify", ["true", "when_possible", "false"])
def test_a_problem_written_out_is_solved_alike(unify: str) -> None:
    roots = ["app", "tool@3:", "xz"]
    found = answer(TWINS, roots, unify)
    raw = encode_problems([found])
    assert raw == encode_problems([answer(TWINS[::-1], roots, unify)])
    (group,) = decode_problems(raw, "p.json").groups
    picks = [group.problem.nodes[pick].hash if pick is not None else None for pick in solve(group.problem, group.unify).picks]
    assert picks == list(group.picks) == [root.chosen.spec.hash if root.chosen else None for root in found.roots]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.pop("groups"), "no problem that was written"),
        (lambda d: d["groups"][0]["problem"].update(criteria=["hash"]), "lack"),
        (lambda d: d["groups"][0]["problem"]["nodes"][0].update(children=[99]), "child that is no node"),
        (lambda d: d["groups"][0]["problem"]["nodes"][0].update(root_costs=[1]), "one cost"),
        (lambda d: d["groups"][0]["problem"]["nodes"].reverse(), "order of their hashes"),
        (lambda d: d["groups"][0]["problem"]["roots"][0].update(candidates=[-1]), "are not numbers of nodes"),
        (lambda d: d["groups"][0]["problem"].update(clashes=[[0, 99]]), "clash"),
        (lambda d: d["groups"][0].update(picks=[]), "one pick for each root"),
    ],
)
def test_a_damaged_problem_is_refused_with_what_is_wrong(change: Any, says: str) -> None:
    document = msgspec.json.decode(encode_problems([answer(TWINS, ["app", "tool"])]))
    change(document)
    with pytest.raises(FormatError) as caught:
        decode_problems(msgspec.json.encode(document), "p.json")
    assert says in f"{caught.value.what} {caught.value.why}"


def test_a_problem_of_another_schema_is_refused_naming_both() -> None:
    with pytest.raises(UnsupportedError) as caught:
        decode_problems(b'{"schema": "spack-resolver/problem/2"}', "p.json")
    assert "problem/2" in caught.value.what
    assert "problem/1" in caught.value.what


def test_many_records_of_a_root_are_not_all_judged() -> None:
    old = [record(f"o{n:03}", f"app@=0.{n}", "x1") for n in range(200)]
    found = answer([*TWINS, *old], ["app", "tool"])
    assert [root.chosen.spec.hash for root in found.roots if root.chosen] == [hash_of("a8"), hash_of("t8")]
    assert found.roots[0].candidates < 20
    assert answer([*TWINS, *old], ["app", "tool"], effort=Effort(records=1000)).closure.keys() == found.closure.keys()
