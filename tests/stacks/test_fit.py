from __future__ import annotations

import pytest

from resolver.arch.machine import Machine, parse_triple
from resolver.formats.yaml_tree import load_yaml
from resolver.stacks.fit import misfits
from resolver.stacks.stack import Stack

ZEN4 = parse_triple("linux-ubuntu24.04-zen4")


@pytest.mark.parametrize(
    ("specs", "packages", "expected"),
    [
        ("[a]", "{}", [""]),
        ("[a target=x86_64_v3, 'a target=x86_64_v3:', a target=m1]", "{}", ["", "", "target=m1 does not run on zen4"]),
        ("[a platform=darwin]", "{}", ["platform=darwin is not linux"]),
        ("[a, b]", "{all: {require: [+x, target=m1]}}", ["target=m1 does not run on zen4"] * 2),
        ("[a, b]", "{all: {require: target=m1}, b: {require: '%gcc'}}", ["target=m1 does not run on zen4", ""]),
        ("[a]", "{all: {require: [{any_of: [target=m1, target=zen3]}]}}", [""]),
        ("[a]", "{all: {require: [{one_of: [target=m1, target=zen5]}]}}", ["target=m1 does not run on zen4"]),
        ("[a]", "{all: {require: [{spec: target=m1, when: +x}], prefer: [target=m1]}}", [""]),
        ("[a]", "{all: {require: ['target=nosuch:']}}", [""]),
    ],
)
def test_what_cannot_run_on_the_machine_says_why(specs: str, packages: str, expected: list[str]) -> None:
    stack = Stack.read(load_yaml(f"spack:\n  specs: {specs}\n  packages: {packages}"), "s", ZEN4)
    assert misfits(stack.groups[0], ZEN4) == expected
    assert misfits(stack.groups[0], Machine()) == [""] * len(expected)
