from __future__ import annotations

import pytest
from fakes.stack_texts import read

from resolver.errors import InputError


def names(text: str) -> list[str]:
    return [group.name for group in read(f"  specs:\n{text}").groups]


def test_groups_come_after_what_they_need_and_the_default_one_first() -> None:
    stack = read(
        "  specs:\n  - group: apps\n    needs: [tools]\n    specs: [hdf5]\n  - zlib\n  - group: tools\n    matrix: [[cmake, ninja], [+x]]"
    )
    assert [group.name for group in stack.groups] == ["default", "tools", "apps"]
    assert [str(root) for root in stack.groups[1].roots] == ["cmake+x", "ninja+x"]
    assert stack.groups[2].needs == ("tools",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  - a", ["default"]),
        ("  - {group: b, specs: [x]}\n  - {group: a, specs: [y]}", ["default", "b", "a"]),
        (
            "  - {group: c, needs: [b, a], specs: [x]}\n  - {group: b, needs: [a], specs: [x]}\n  - {group: a, specs: [x]}",
            ["default", "a", "b", "c"],
        ),
        ("  - {group: a, needs: [default], specs: [x]}", ["default", "a"]),
        ("  - {group: 7, specs: [x]}", ["default", "7"]),
        ("  - {group: 'gcc@15 specs', specs: [x]}", ["default", "gcc@15 specs"]),
    ],
)
def test_order(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_what_has_no_group_is_the_default_groups() -> None:
    stack = read(
        "  specs:\n  - a\n  - specs: [b, $d]\n  - {group: default, matrix: [[e], [+x]]}\n  - matrix: [[f], [+y]]\n  definitions: [{d: [c]}]"
    )
    assert [str(root) for root in stack.groups[0].roots] == ["a", "b", "c", "e+x", "f+y"]


def test_the_short_form_excludes_too() -> None:
    stack = read("  specs:\n  - group: g\n    matrix: [[a, b], [+x, ~x]]\n    exclude: [a+x]")
    assert [str(root) for root in stack.groups[1].roots] == ["a~x", "b+x", "b~x"]


def test_a_group_may_hold_references_and_matrices_and_nothing() -> None:
    stack = read(
        "  definitions: [{m: [x, y]}]\n  specs:\n  - group: g\n    specs: [$m, {matrix: [[z], [$^m]]}, null]\n  - {group: h}\n  - {group: i, specs: []}"
    )
    assert [str(root) for root in stack.groups[1].roots] == ["x", "y", "z ^x", "z ^y"]
    assert [group.roots for group in stack.groups[2:]] == [(), ()]
    assert stack.warnings == ()


def test_explicit_is_kept() -> None:
    stack = read("  specs: [a, {group: g, explicit: false, specs: [b]}]")
    assert [group.explicit for group in stack.groups] == [True, False]


def test_an_override_stands_above_the_configuration_for_its_group_alone() -> None:
    stack = read(
        "  packages: {all: {require: [+a], prefer: [+p]}}\n  concretizer: {unify: true, reuse: false}\n  specs:\n  - group: g\n    specs: [x]\n"
        "    override: {packages: {all: {require: [+b], 'prefer:': [+q]}}, concretizer: {unify: false}}",
    )
    default, group = stack.groups
    assert (default.unify, group.unify) == ("true", "false")
    assert group.packages == {"all": {"require": ["+b", "+a"], "prefer": ["+q"]}}
    assert group.concretizer == {"unify": False, "reuse": False}
    assert default.packages == {"all": {"require": ["+a"], "prefer": ["+p"]}}


def test_an_override_may_append_and_prepend() -> None:
    stack = read("  packages: {all: {require: [+a]}}\n  specs: [{group: g, specs: [x], override: {packages: {all: {require-: [+b]}}}}]")
    assert stack.groups[1].packages == {"all": {"require": ["+a", "+b"]}}


def test_what_is_said_of_the_default_group_is_ignored_with_a_warning() -> None:
    stack = read("  specs: [{group: default, needs: [x], explicit: false, override: {concretizer: {unify: false}}, specs: [a]}]")
    assert (stack.groups[0].needs, stack.groups[0].explicit, stack.groups[0].unify) == ((), True, "true")
    assert stack.warnings == ("s.yaml:2:11: needs, explicit, override of the default group is ignored, as in Spack; give the group a name",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  - {group: g, specs: [a]}\n  - {group: g, specs: [b]}", "s.yaml:4:5: group 'g' is given twice: the other is at s.yaml:3:5"),
        (
            "  - {group: g, needs: [h], specs: [a]}\n  - {group: hh, specs: [a]}",
            "s.yaml:3:5: group 'g' needs 'h', which there is not. Hint: did you mean hh?",
        ),
        ("  - {group: g, needs: [h]}\n  - {group: h, needs: [g]}\n  - {group: i, needs: [h]}", "the groups g, h need each other"),
        (
            "  - {group: i, needs: [h]}\n  - {group: g, needs: [h]}\n  - {group: h, needs: [g]}",
            "s.yaml:5:5: the groups h, g need each other",
        ),
        ("  - {group: g, needs: [g]}", "the groups g need each other"),
        ("  - {group: g, nedes: [h], specs: [a]}", "s.yaml:3:16: group 'g' has the unknown key 'nedes'. Hint: did you mean needs or"),
        ("  - {group: g, specs: [a], matrix: [[b]]}", "s.yaml:3:16: group 'g' has both specs and a matrix"),
        ("  - {group: [g], specs: [a]}", "s.yaml:3:6: ['g'] is no name of a group"),
        ("  - {group: ' ', specs: [a]}", "is no name of a group"),
        ("  - {group: true, specs: [a]}", "True is no name of a group"),
        ("  - {group: g, specs: a}", "s.yaml:3:16: 'a' stands where a list is expected"),
        ("  - {group: g, specs: [a], needs: h}", "s.yaml:3:28: 'h' stands where a list is expected"),
        ("  - {group: g, specs: [a], explicit: 1}", "`explicit` is 1"),
        ("  - {group: g, specs: [a], override: [b]}", "where a mapping is expected"),
        ("  - {group: g, specs: [a], override: {concretizer: {unify: maybe}}}", "s.yaml:3:53: concretizer:unify: "),
        ("  - {group: g, specs: [{group: h, specs: [a]}]}", "s.yaml:3:24: an item with the keys group, specs"),
    ],
)
def test_mistakes_are_named_with_their_place(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(f"  specs:\n{text}")
    assert message in str(caught.value)
