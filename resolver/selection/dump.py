"""Problems as a JSON document, and back: ``docs/json.md`` says what its keys mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from resolver.errors import FormatError, UnsupportedError
from resolver.selection.model import GroupAnswer, Unify
from resolver.selection.problem import PROVIDERS, REPEATED, ROOT_PROVIDERS, Asked, Node, Problem

SCHEMA = "spack-resolver/problem/1"
MOST_NODES = 1_000_000
MOST_COST = 1_000_000


class GroupProblem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The problem of one group, and the hashes that were chosen, by root."""

    name: str
    unify: Unify
    problem: Problem
    picks: tuple[str | None, ...]


class ProblemDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The problems of a stack's groups."""

    schema: str
    groups: tuple[GroupProblem, ...]


class _Header(msgspec.Struct):
    schema: str = ""


def encode_problems(answers: Iterable[GroupAnswer]) -> bytes:
    """The document for answers whose problems were stated; the same bytes for the same problems."""
    groups = tuple(
        GroupProblem(a.name, a.unify, a.problem, tuple(root.chosen.spec.hash if root.chosen else None for root in a.roots))
        for a in answers
        if a.problem is not None
    )
    return msgspec.json.encode(ProblemDocument(SCHEMA, groups)) + b"\n"


def decode_problems(raw: bytes, where: str) -> ProblemDocument:
    """The document, checked. Raises ``FormatError`` saying what is wrong, and ``UnsupportedError`` for another schema."""
    try:
        schema = msgspec.json.decode(raw, type=_Header).schema
        if schema != SCHEMA:
            msg = f"the document's schema is {schema[:60]!r}, known is {SCHEMA!r}"
            raise UnsupportedError(msg, where=where, hint="write it anew with `resolve --dump-problem`")
        document = msgspec.json.decode(raw, type=ProblemDocument)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = "the file is no problem that was written by `resolve --dump-problem`"
        raise FormatError(msg, why=str(error)[:200], where=where) from None
    for group in document.groups:
        if wrong := _wrong(group):
            msg = f"the problem of group {group.name[:60]!r} is damaged: {wrong}"
            raise FormatError(msg, where=where, hint="write it anew with `resolve --dump-problem`")
    return document


def _wrong(group: GroupProblem) -> str:
    """What is wrong with a problem; empty when nothing is."""
    problem = group.problem
    missing = [name for name in (REPEATED, ROOT_PROVIDERS, PROVIDERS) if name not in problem.criteria]
    count = len(problem.nodes)
    if missing or len(set(problem.criteria)) != len(problem.criteria):
        return f"its criteria lack {missing[0]!r}" if missing else "a criterion is named twice"
    if count > MOST_NODES:
        return f"it has more than {MOST_NODES} nodes"
    if any(a.hash >= b.hash for a, b in pairwise(problem.nodes)):
        return "its nodes are not in the order of their hashes"
    if len(group.picks) != len(problem.roots):
        return "it has not one pick for each root"
    found = (_wrong_node(node, count, len(problem.criteria)) for node in problem.nodes)
    return next(filter(None, [*found, *(_wrong_root(root, count) for root in problem.roots)]), "") or _wrong_pairs(problem, count)


def _wrong_node(node: Node, count: int, criteria: int) -> str:
    if not _are_numbers(node.children, count):
        return f"node {node.hash[:40]!r} has a child that is no node"
    for costs in (node.root_costs, node.other_costs):
        if len(costs) != criteria or not _are_numbers(costs, MOST_COST):
            return f"node {node.hash[:40]!r} has not one cost from 0 to {MOST_COST - 1} for each criterion"
    return ""


def _wrong_root(root: Asked, count: int) -> str:
    ordered = all(a < b for a, b in pairwise(root.candidates))
    return (
        ""
        if ordered and _are_numbers(root.candidates, count)
        else f"the candidates of {root.spec[:60]!r} are not numbers of nodes, ascending"
    )


def _wrong_pairs(problem: Problem, count: int) -> str:
    if not all(_are_numbers(pair, count) for pair in problem.clashes):
        return "a clash is not of two nodes"
    return (
        "" if _are_numbers([rank for _, _, rank in problem.providers], MOST_COST) else f"a provider's rank is not from 0 to {MOST_COST - 1}"
    )


def _are_numbers(numbers: Sequence[int], below: int) -> bool:
    return all(0 <= number < below for number in numbers)
