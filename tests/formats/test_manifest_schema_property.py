"""Laws of the checker: no text makes a traceback, and its findings stand inside the text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.errors import FormatError
from resolver.formats.manifest_schema import check_manifest, check_scope
from resolver.formats.manifest_schema.check import SECTIONS, shape_of
from resolver.formats.yaml_tree import load_yaml

WORDS = [
    *SECTIONS,
    "specs",
    "all",
    "gcc",
    "matrix",
    "exclude",
    "group",
    "needs",
    "override",
    "when",
    "require",
    "one_of",
    "externals",
    "spec",
]
WORDS += [
    "url",
    "fetch",
    "access_pair",
    "submapping",
    "pipeline-gen",
    "build-job",
    "tcl",
    "enable",
    "path",
    "git",
    "root",
    "concretization",
]
SCALARS = st.sampled_from(["a", "", "%gcc", "true", "1", 1, -1, 1.5, True, None, "x:", "$a"])
KEYS = st.sampled_from(WORDS) | st.sampled_from(["packages:", "a+", "", "x" * 80, "\x1b"])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=25)
PIECES = [
    "spack:\n",
    "  specs:\n",
    "  - a\n",
    "  - matrix:\n",
    "    - [a, b]\n",
    "  packages:\n",
    "    all:\n",
    "      require: x\n",
    "  view: true\n",
]
PIECES += ["  include: [a]\n", "[", "]", "{", "}", "&a ", "*a\n", "<<: ", "'", '"', "\t", "!x ", "|\n", "a: ", "- ", "::", "%", "\n", "  "]


@given(VALUES)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_value_is_judged(value: object) -> None:
    for findings in (
        check_manifest({"spack": value}, "f"),
        check_manifest(value, "f"),
        check_scope(value, "f"),
        check_scope(value, "f", "ci"),
    ):
        assert all(str(finding).startswith("f:") for finding in findings)


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_text_is_judged_inside_its_lines(text: str) -> None:
    try:
        tree = load_yaml(text, "f")
    except FormatError:
        return
    lines = text.count("\n") + 1
    for finding in check_manifest(tree, "f"):
        file, line, column = finding.where.split(":")
        assert file == "f"
        assert 1 <= int(line) <= lines
        assert int(column) >= 1


def test_every_section_has_a_shape() -> None:
    for section in (*SECTIONS, "specs", "include_concrete"):
        assert type(shape_of(section)).__name__ != "Anything", section


def test_a_value_as_deep_as_the_reader_allows_is_judged() -> None:
    deep = "x"
    for _ in range(45):
        deep = f"{{matrix: [[{deep}]]}}" if deep == "x" else f"[{deep}]"
    check_manifest(load_yaml(f"spack: {{specs: {deep}}}"), "f")
    nested: object = "a"
    for _ in range(300):
        nested = {"matrix": [[nested]]}
    assert check_manifest({"spack": {"specs": [nested]}}, "f")
