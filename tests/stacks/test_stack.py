from __future__ import annotations

import pytest
from fakes.stack_texts import ZEN4, read, read_with, roots, texts

from resolver.arch.machine import Machine, parse_triple
from resolver.errors import InputError, SpecError
from resolver.formats.yaml_tree import load_yaml
from resolver.stacks.scopes import Configuration
from resolver.stacks.stack import Stack


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  specs: zlib", "a list is expected"),
        ("  definitions: {a: [x]}\n  specs: [zlib]", "a list is expected"),
        ("  concretizer: {unify: maybe}\n  specs: [a]", "s.yaml:2:17: concretizer:unify: "),
        ("  concretizer: [a]", "s.yaml:2:3: concretizer: "),
        ("  packages: [a]", "s.yaml:2:3: packages: "),
        ("  toolchains: {t: {a: b}}", "s.yaml:2:16: toolchains:t: "),
        ("  include: [other.yaml]\n  specs: [a]", "includes other files"),
        ("  include:: [other.yaml]\n  specs: [a]", "includes other files"),
        ("  include_concrete: [other]\n  specs: [a]", "includes other files"),
    ],
)
def test_sections_that_cannot_be_used_are_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=r"s\.yaml") as caught:
        read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["specs: [a]", "- a", "spack: 3", "just text", ""])
def test_what_is_no_stack_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a stack definition"):
        Stack.read(load_yaml(text), "s", ZEN4)


@pytest.mark.parametrize("text", ["spack:", "spack: {}", "spack:: {specs: []}", "spack: {specs: null, definitions: null}"])
def test_an_empty_stack_asks_for_nothing_and_says_so(text: str) -> None:
    stack = Stack.read(load_yaml(text), "s", ZEN4)
    assert texts(stack) == []
    assert stack.warnings == ("the stack asks for no root on linux-ubuntu24.04-zen4",)


def test_without_include_the_manifest_alone_is_read() -> None:
    stack = Stack.read(load_yaml("spack: {include: [x], specs: [a]}"), "s", ZEN4, include=False)
    assert texts(stack) == ["a"]


def test_all_errors_of_a_stack_are_told_at_once_with_their_places() -> None:
    with pytest.raises(InputError) as caught:
        read(
            "  definitions:\n"
            "  - a: [x, $q]\n"
            "    when: env['X'] == '1'\n"
            "  - b: [$mpi]\n"
            "  - mpis: [openmpi]\n"
            "    when: oss == 'z'\n"
            "  specs:\n"
            "  - $mpsi\n"
            "  - a b\n"
            "  - a b\n"
            "  - {group: k, needs: [z], specs: [']']}\n",
        )
    message = str(caught.value)
    assert message.startswith("8 errors in s.yaml")
    for place in ("s.yaml:4:5", "s.yaml:5:9", "s.yaml:7:5", "s.yaml:9:5", "s.yaml:10:5", "s.yaml:11:5", "s.yaml:12:5", "s.yaml:12:36"):
        assert f"\n  {place}: " in message
    assert "did you mean mpis?" in message


def test_many_errors_are_not_all_shown() -> None:
    with pytest.raises(InputError, match=r"60 errors in s\.yaml") as caught:
        read("  specs:\n" + "".join(f"  - $no{number}\n" for number in range(60)))
    assert "and 10 more" in str(caught.value)


def test_a_single_error_in_a_spec_keeps_its_caret() -> None:
    with pytest.raises(SpecError) as caught:
        read("  specs: ['a@1 ]']")
    assert caught.value.caret() == "a@1 ]\n    ^"
    assert caught.value.where == "s.yaml:2:11: 'a@1 ]', column 5"


def test_roots_are_parsed_with_the_toolchains() -> None:
    stack = read(
        "  toolchains: {tc: [{spec: '%c=gcc@13', when: '%c'}, {spec: '%fortran=gcc@13', when: '%fortran'}]}\n"
        "  specs:\n  - zlib %tc\n  - matrix: [[hdf5], ['%tc']]\n    exclude: ['hdf5 %other']\n",
    )
    expanded = "%[when='%c'] c=gcc@13 %[when='%fortran'] fortran=gcc@13"
    assert texts(stack) == [f"zlib {expanded}", f"hdf5 {expanded}"]
    assert set(stack.toolchains) == {"tc"}


def test_sections_are_merged_over_what_is_included() -> None:
    stack = read_with(
        "  specs: [a]\n  ci: {target: gitlab}\n  mirrors: {own: https://example.org/a}\n  view: false\n  packages: {all: {require: [+a]}}\n",
        {
            "one.yaml": "ci: {rebuild-index: true, target: other}\nmirrors: {far: https://example.org/b}\nview: true\n",
            "two.yaml": "packages: {all: {require: [+b]}}\nconcretizer: {unify: when_possible}\n",
        },
    )
    assert stack.ci == {"target": "gitlab", "rebuild-index": True}
    assert list(stack.mirrors) == ["own", "far"]
    assert stack.view is False
    assert stack.groups[0].packages == {"all": {"require": ["+a", "+b"]}}
    assert stack.groups[0].unify == "when_possible"


def test_definitions_and_specs_of_included_files_count_below_the_manifest() -> None:
    stack = read_with(
        "  definitions: [{a: [x]}]\n  specs: [$a, zlib]\n",
        {"one.yaml": "definitions: [{b: [$a, y]}, {a: [z]}]\nspecs: [$b, xz, zlib]\n", "two.yaml": "specs: [{group: g, specs: [q]}]\n"},
    )
    assert texts(stack) == ["x", "z", "zlib", "x", "z", "y", "xz", "q"]


def test_a_manifest_may_cut_off_the_definitions_of_what_it_includes() -> None:
    with pytest.raises(InputError, match=r"s.yaml:3:\d+: \$b refers to no definition"):
        read_with("  definitions:: [{a: [x]}]\n  specs: [$b]\n", {"one.yaml": "definitions: [{b: [y]}]\n"})


def test_the_warnings_of_the_configuration_are_the_stacks() -> None:
    manifest = load_yaml("spack: {specs: [a]}")
    own = Stack.read(manifest, "s", ZEN4).warnings
    assert own == ()
    configuration = Configuration(warnings=("old key",))
    assert "old key" in Stack.read(manifest, "s", ZEN4, configuration=configuration).warnings


def test_a_stack_that_cannot_be_for_a_machine_names_the_conditions() -> None:
    text = (
        "  definitions:\n  - a: [x]\n    when: platform == 'darwin'\n  - b: [$a]\n  - other: [y]\n    when: os == 'z'\n"
        "  specs:\n  - matrix: [[q], [$^b]]\n"
    )
    stack = read(text)
    assert stack.warnings == (
        "the stack asks for no root on linux-ubuntu24.04-zen4, since this is false there: platform == 'darwin' (s.yaml:4:5)",
    )
    assert [left.definition for left in stack.left_out] == ["a", "other"]
    assert read(text, parse_triple("darwin-sequoia-m1")).left_out[0].definition == "other"


def test_a_group_that_asks_for_nothing_is_named() -> None:
    stack = read("  definitions:\n  - a: [x]\n    when: target == 'zen3'\n  specs:\n  - zlib\n  - {group: g, specs: [$a]}\n")
    assert stack.warnings == (
        "group g asks for no root on linux-ubuntu24.04-zen4, since this is false there: target == 'zen3' (s.yaml:4:5)",
    )


def test_a_condition_on_the_hosts_name_is_warned_of_unless_it_is_given() -> None:
    text = "  definitions:\n  - a: [x]\n    when: \"'login' not in hostname\"\n  specs: [$a]\n"
    assert "--env HOSTNAME=NAME" in read(text).warnings[0]
    assert read(text, HOSTNAME="cn1").warnings == ()
    assert texts(read(text, HOSTNAME="login1")) == []


def test_what_the_machine_does_not_know_cannot_be_asked() -> None:
    with pytest.raises(InputError, match=r"the machine's os is not known.*--os"):
        roots("  definitions:\n  - a: [x]\n    when: os == 'rhel9'\n  specs: [$a]\n", Machine(platform="linux", target="zen4"))
