"""What recipes add to the order of candidates."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes.world import World

from resolver.arch.machine import Libc, Machine
from resolver.errors import FormatError
from resolver.formats.facts import read_facts
from resolver.selection.facts import RecipeFacts, skipped_criteria
from resolver.selection.gates import Judge
from resolver.selection.model import Policy
from resolver.selection.ranking import CRITERIA, Ranking
from resolver.selection.recipes import RecipeBook
from resolver.selection.rules import Rules
from resolver.selection.select import select_group
from resolver.spec.abstract import AbstractSpec

MACHINE = Machine("linux", "ubuntu24.04", "zen4", Libc.parse("glibc@2.39"))


def facts(**packages: Any) -> RecipeFacts:
    data = json.dumps({"schema": "spack-resolver/facts/1", "packages": packages}).encode()
    return RecipeFacts(RecipeBook(read_facts(data, "f.json"), "f.json"))


def chosen(records: list[dict[str, Any]], root: str, known: RecipeFacts | None, packages: dict[str, Any] | None = None) -> tuple[str, str]:
    """The id that is chosen, and the criterion by which it beats the next."""
    judge = Judge(World(records), MACHINE, Policy(facts=known), Rules.read(packages or {}))
    answer = select_group(judge, "all", [AbstractSpec.parse(root)], "true").roots[0]
    assert answer.chosen is not None
    return answer.chosen.spec.hash.rstrip("0"), answer.runner_up.criterion if answer.runner_up else ""


def costs(spec: str, known: RecipeFacts, packages: dict[str, Any] | None = None, *, deep: bool = True, **record: Any) -> tuple[int, int]:
    """Penalty of variants and unused defaults of one record."""
    others = record.pop("others", [])
    world = World([{"id": "one", "spec": spec, **record}, *others])
    ranking = Ranking(Judge(world, MACHINE, Policy(facts=known), Rules.read(packages or {})))
    return ranking._variant_costs(world.specs["one".ljust(32, "0")], deep=deep)


NEW_OLD: list[dict[str, Any]] = [{"id": "new", "spec": "app@=2"}, {"id": "old", "spec": "app@=1"}]


def test_a_preferred_version_comes_before_newer_ones() -> None:
    assert chosen(NEW_OLD, "app", None) == ("new", "version of the root")
    assert chosen(NEW_OLD, "app", facts(app={"preferred": ["1"]})) == ("old", "version of the root")


def test_a_version_that_the_stack_prefers_comes_before_the_recipes() -> None:
    assert chosen(NEW_OLD, "app", facts(app={"preferred": ["1"]}), {"app": {"version": ["2"]}})[0] == "new"


def test_a_deprecated_version_comes_last() -> None:
    assert chosen(NEW_OLD, "app", facts(app={"deprecated": ["2"]})) == ("old", "deprecated versions")


def test_a_deprecated_version_below_counts_before_the_version_of_the_root() -> None:
    records: list[dict[str, Any]] = [
        {"id": "bad", "spec": "lib@=2"},
        {"id": "good", "spec": "lib@=1"},
        {"id": "new", "spec": "app@=2", "link": ["bad"]},
        {"id": "old", "spec": "app@=1", "link": ["good"]},
    ]
    assert chosen(records, "app", None)[0] == "new"
    assert chosen(records, "app", facts(lib={"deprecated": ["2"]})) == ("old", "deprecated versions")


def test_an_external_is_not_deprecated() -> None:
    world = World([{"id": "one", "spec": "lib@=1", "external": "/usr"}])
    ranking = Ranking(Judge(world, MACHINE, Policy(facts=facts(lib={"deprecated": ["1"]})), Rules.read({})))
    assert ranking.node(world.specs["one".ljust(32, "0")]).as_other[CRITERIA.index("deprecated versions")] == 0


def test_versions_that_only_recipes_know_take_their_places() -> None:
    records: list[dict[str, Any]] = [
        {"id": "far", "spec": "lib@=1"},
        {"id": "near", "spec": "other@=1"},
        {"id": "a", "spec": "app@=1", "link": ["far"]},
        {"id": "b", "spec": "app@=1", "link": ["near"]},
    ]
    assert chosen(records, "app", facts(lib={"versions": ["1", "2", "3"]})) == ("b", "version of other packages")
    assert chosen(records, "app", facts(other={"versions": ["1", "2", "3"]})) == ("a", "version of other packages")


def test_default_variants_of_the_root_come_before_those_of_others() -> None:
    records: list[dict[str, Any]] = [
        {"id": "shared", "spec": "lib@=1+shared"},
        {"id": "static", "spec": "lib@=1~shared"},
        {"id": "a", "spec": "app@=1~mpi", "link": ["shared"]},
        {"id": "b", "spec": "app@=1+mpi", "link": ["static"]},
    ]
    known = facts(
        app={"variants": [{"name": "mpi", "default": True}]},
        lib={"variants": [{"name": "shared", "default": True}]},
    )
    assert chosen(records, "app", known) == ("b", "variant preferences of the root")
    assert chosen(records, "app~mpi", known) == ("a", "")
    assert (
        chosen([*records, {"id": "c", "spec": "app@=1+mpi", "link": ["shared"]}], "app", known)[1]
        == "variant preferences of other packages"
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [("app@=1 api=v1", 0), ("app@=1 api=v2", 2), ("app@=1 api=v3", 3), ("app@=1 api=other", 100), ("app@=1", 0)],
)
def test_the_penalty_is_the_place_among_the_values_the_default_first(spec: str, expected: int) -> None:
    known = facts(app={"variants": [{"name": "api", "default": "v1", "values": ["v2", "v1", "v3"]}]})
    assert costs(spec, known) == (expected, 0)


@pytest.mark.parametrize(("spec", "expected"), [("+mpi", (0, 0)), ("~mpi", (2, 0))])
def test_a_boolean_that_is_not_the_default_costs_two(spec: str, expected: tuple[int, int]) -> None:
    assert costs(f"app@=1{spec}", facts(app={"variants": [{"name": "mpi", "default": True}]})) == expected


@pytest.mark.parametrize(("spec", "expected"), [("f=a,b", (0, 0)), ("f=a", (0, 1)), ("f=a,b,c", (3, 0)), ("f=c", (3, 2))])
def test_defaults_of_several_values_that_are_not_used_count(spec: str, expected: tuple[int, int]) -> None:
    known = facts(app={"variants": [{"name": "f", "default": ["a", "b"], "values": ["a", "b", "c"]}]})
    assert costs(f"app@=1 {spec}", known) == expected


def test_of_several_definitions_the_last_that_applies_counts() -> None:
    definitions: list[dict[str, Any]] = [{"name": "x", "default": False}, {"name": "x", "default": True, "when": "@2:"}]
    known = facts(app={"variants": definitions})
    assert costs("app@=1+x", known) == (2, 0)
    assert costs("app@=2+x", known) == (0, 0)
    assert costs("app@=1+y", facts(app={"variants": [{"name": "y", "default": False, "when": "@2:"}]})) == (0, 0)


def test_conditions_on_what_it_was_only_built_with_do_not_hold() -> None:
    def known(when: str) -> RecipeFacts:
        return facts(app={"variants": [{"name": "x", "default": False, "when": when}]})

    others: list[dict[str, Any]] = [{"id": "tool", "spec": "cmake@=3.20"}, {"id": "lib", "spec": "zlib@=1"}]
    record: dict[str, Any] = {"build": ["tool"], "link": ["zlib-api=lib"], "others": others, "compiler": "gcc@13.1"}
    assert costs("app@=1+x", known("%cmake@3:"), **record) == (0, 0)
    assert costs("app@=1+x", known("^zlib@1"), **record) == (2, 0)
    assert costs("app@=1+x", known("^zlib@2"), **record) == (0, 0)
    assert costs("app@=1+x", known("^zlib-api"), **record) == (2, 0)
    assert costs("app@=1+x", known("^[virtuals=zlib-api] zlib"), **record) == (2, 0)
    assert costs("app@=1+x", known("%gcc@13"), **record) == (2, 0)
    assert costs("app@=1+x", known("^zlib@1"), deep=False, **record) == (0, 0)


def test_defaults_of_the_stack_replace_those_of_the_recipe() -> None:
    known = facts(app={"variants": [{"name": "mpi", "default": True}, {"name": "api", "default": "v1", "values": ["v1", "v2"]}]})
    packages = {"app": {"variants": ["~mpi"]}}
    assert costs("app@=1~mpi api=v1", known, packages) == (0, 0)
    assert costs("app@=1+mpi api=v1", known, packages) == (1, 0)


def test_what_the_stack_requires_is_no_deviation() -> None:
    known = facts(app={"variants": [{"name": "mpi", "default": True}]})
    assert costs("app@=1~mpi", known, {"app": {"require": "~mpi"}}) == (0, 0)
    assert costs("app@=1~mpi", known, {"all": {"prefer": ["~mpi"]}}) == (0, 0)
    assert costs("app@=1~mpi", known, {"app": {"require": [{"spec": "~mpi", "when": "@2:"}]}}) == (2, 0)


def test_packages_that_no_recipe_is_known_of_are_ordered_as_without() -> None:
    packages = {"app": {"variants": ["~mpi"]}}
    assert costs("app@=1+mpi", facts(lib={"variants": [{"name": "x", "default": True}]}), packages) == (1, 0)
    assert chosen(NEW_OLD, "app", facts(lib={"preferred": ["1"]})) == chosen(NEW_OLD, "app", None)


def test_what_had_to_be_skipped_is_told() -> None:
    versions, variants = {"preferred": ["1"]}, {"variants": [{"name": "x", "default": True}]}
    assert len(skipped_criteria(None)) == 4
    assert skipped_criteria(facts(app=versions)) == ("default variants of the root", "default variants of other packages")
    assert skipped_criteria(facts(app=variants)) == ("deprecated versions", "versions that recipes prefer")
    assert skipped_criteria(facts(app=versions | variants)) == ()


def test_a_damaged_condition_is_told_when_it_is_needed() -> None:
    known = facts(app={"variants": [{"name": "x", "default": True, "when": "@@@"}]})
    with pytest.raises(FormatError, match=r"f.json: packages: app: variants\[0\]"):
        costs("app@=1+x", known)
