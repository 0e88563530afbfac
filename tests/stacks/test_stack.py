from __future__ import annotations

import pytest

from resolver.arch.machine import Machine, parse_triple
from resolver.errors import InputError
from resolver.formats.yaml_tree import load_yaml
from resolver.stacks.condition import holds
from resolver.stacks.merge import merged
from resolver.stacks.stack import Stack

ZEN4 = parse_triple("linux-ubuntu24.04-zen4")


def read(text: str, machine: Machine = ZEN4, **environment: str) -> Stack:
    return Stack.read(load_yaml(f"spack:\n{text}"), "s", machine, environment)


def roots(text: str, machine: Machine = ZEN4, **environment: str) -> list[str]:
    return [str(root) for group in read(text, machine, **environment).groups for root in group.roots]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  specs: [hdf5+mpi, zlib]", ["hdf5+mpi", "zlib"]),
        ("  specs: [null, zlib]", ["zlib"]),
        ("  specs:\n  - matrix: [[a, b], [+x, ~x]]", ["a+x", "a~x", "b+x", "b~x"]),
        ("  specs:\n  - matrix: [[a, b], []]", []),
        ("  specs:\n  - matrix: [[a, b], [+x, ~x]]\n    exclude: [a+x]", ["a~x", "b+x", "b~x"]),
        ("  specs:\n  - matrix: [[hdf5 ^openmpi]]\n    exclude: ['^mpi']", ["hdf5 ^openmpi"]),
        ("  specs:\n  - matrix: [[hdf5 %gcc@12.1]]\n    exclude: ['%gcc@12']", []),
        ("  specs:\n  - matrix: [[zlib target=zen4]]\n    exclude: ['target=x86_64_v3:']", []),
        ("  specs:\n  - matrix: [[x], [{matrix: [[+a, ~a], [+b]]}]]", ["x+a+b", "x~a+b"]),
        ("  definitions:\n  - m: [openmpi, mpich]\n  specs:\n  - matrix: [[hdf5], [$^m]]", ["hdf5 ^openmpi", "hdf5 ^mpich"]),
        ("  definitions:\n  - c: [gcc@12]\n  specs:\n  - matrix: [[hdf5], [$%c]]", ["hdf5 %gcc@12"]),
        ("  definitions:\n  - a: [x]\n  - b: [$a, y]\n  - a: [z]\n  specs: [$b]", ["x", "z", "y"]),
        ("  definitions:\n  - a: [x]\n    when: target == 'zen4'\n  - a: [y]\n    when: target == 'zen3'\n  specs: [$a]", ["x"]),
        ("  definitions:\n  - a: [x]\n    when: False\n  specs:\n  - matrix: [[q], [$a]]", []),
    ],
)
def test_expansion(text: str, expected: list[str]) -> None:
    assert roots(text) == expected


def test_groups_come_after_what_they_need() -> None:
    stack = read("  specs:\n  - group: apps\n    needs: [tools]\n    specs: [hdf5]\n  - zlib\n  - group: tools\n    matrix: [[cmake, ninja], [+x]]")
    assert [g.name for g in stack.groups] == ["default", "tools", "apps"]
    assert [str(r) for r in stack.groups[1].roots] == ["cmake+x", "ninja+x"]
    assert stack.groups[2].needs == ("tools",)


def test_a_group_may_override_the_configuration() -> None:
    stack = read(
        "  packages: {all: {require: [+a]}}\n  concretizer: {unify: true}\n  specs:\n  - group: g\n    specs: [x]\n"
        "    override: {packages: {all: {require: [+b]}}, concretizer: {unify: false}}",
    )
    assert stack.groups[1].unify == "false"
    assert stack.groups[1].packages == {"all": {"require": ["+b", "+a"]}}
    assert stack.groups[0].packages == {"all": {"require": ["+a"]}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  specs: zlib", "a list is expected"),
        ("  specs: [$nosuch]", "refers to no definition"),
        ("  specs: [a b]", "a second begins here"),
        ("  specs:\n  - matrix: [[a@1], ['@2']]", "version cannot be both"),
        ("  specs: [{matrix: [[a]], other: 1}]", "an item with the keys"),
        ("  specs: [{py-x@0.24: null}]", "an item with the keys"),
        ("  specs:\n  - {group: g, specs: [a]}\n  - {group: g, specs: [b]}", "given twice"),
        ("  specs:\n  - {group: g, needs: [h], specs: [a]}", "needs 'h', which there is not"),
        ("  specs:\n  - {group: g, needs: [h], specs: [a]}\n  - {group: h, needs: [g], specs: [b]}", "need each other"),
        ("  specs:\n  - {group: g, nedes: [h], specs: [a]}", "unknown key 'nedes'"),
        ("  concretizer: {unify: maybe}\n  specs: [a]", "`unify` is 'maybe'"),
        ("  definitions: [{a: [x], b: [y]}]\n  specs: [a]", "one name"),
        ("  include: [other.yaml]\n  specs: [a]", "includes other files"),
        ("  specs:\n  - matrix: [[" + "a," * 500 + "b], [" + "+x," * 500 + "+y]]", "combinations, more than"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match="s: ") as caught:
        read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["specs: [a]", "- a", "spack: 3", "just text", ""])
def test_what_is_no_stack_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a stack definition"):
        Stack.read(load_yaml(text), "s", ZEN4)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("platform == 'linux' and os in ('ubuntu24.04', 'rhel9')", True),
        ("target.startswith('zen')", True),
        ("arch.satisfies('target=x86_64:')", True),
        ("'darwin' in arch_str", False),
        ("not (platform != 'linux' or target == 'zen3')", True),
        ("env.get('CI', '') == '1'", True),
        ("env['CI'] == '1'", True),
        ("re.match('zen[0-9]', target)", True),
        ("hostname == ''", True),
        ("False", False),
    ],
)
def test_conditions(text: str, *, value: bool) -> None:
    assert holds(text, ZEN4, {"CI": "1"}) is value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__",
        "open('/etc/passwd')",
        "platform.__class__",
        "[x for x in env]",
        "lambda: 1",
        "nosuch == 1",
        "env['NOT_SET']",
        "re.match('(a+)+b', target)",
        "1 +",
        "'a' * 10**9",
        "platform < 3",
        "f'{platform}'",
        "(" * 500,
    ],
)
def test_other_expressions_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="cannot be evaluated"):
        holds(text, ZEN4, {})


def test_merging() -> None:
    low = {"a": [1, 2], "b": {"x": 1}, "c": 1, "d": [1]}
    high = load_yaml("a: [2, 3]\nb: {y: 2}\nc: [9]\nd:: [5]")
    assert merged(high, low) == {"a": [2, 3, 1], "b": {"y": 2, "x": 1}, "c": [9], "d": [5]}
