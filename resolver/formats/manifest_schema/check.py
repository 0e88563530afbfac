"""Checking whole documents: a stack definition, and the configuration files around it."""

from __future__ import annotations

from typing import Any

from resolver.formats.manifest_schema.checker import Checker, Finding
from resolver.formats.manifest_schema.packages import SHAPES as PACKAGES
from resolver.formats.manifest_schema.shape import ANYTHING, Former, MapOf, Section, Shape
from resolver.formats.manifest_schema.stack import SHAPES as STACK
from resolver.formats.yaml_tree import plain_key

SETTINGS = ("bootstrap", "cdash", "ci", "compilers", "config", "container", "modules", "upstreams")
SECTIONS = tuple(sorted({*STACK, *PACKAGES, *SETTINGS} - {"matrix", "specs", "include_concrete"}))
"""The names of configuration sections, which an environment, an included file and the override of a group may hold."""

UNIFY = "write concretizer: {unify: true}, or false for what was `separately`"
FORMER = {
    "concretization": Former(
        "is the former form of `concretizer:unify`",
        UNIFY,
        {
            "together": "write concretizer: {unify: true}",
            "separately": "write concretizer: {unify: false}",
            "together_where_possible": "write concretizer: {unify: when_possible}",
        },
    ),
    "concretize": Former("is the former form of `concretizer:unify`", UNIFY),
    "gitlab-ci": Former("is the former form of `ci`, and of another shape", "write ci: {pipeline-gen: [...]}"),
    "spec": Former("is not the list of specs", "write specs: [...]"),
    "env": Former("is the former name of `spack`", "write spack: at the top of the file"),
}
DEPRECATED = {
    "compilers": Former("is the former form of compilers", "write packages: {gcc: {externals: [{spec: gcc@12, prefix: /usr}]}}"),
    "include_concrete": Former("is deprecated", "write include: [DIRECTORY/spack.lock]"),
}
OVERRIDE = MapOf({name: Section(name) for name in SECTIONS}, former=FORMER, noted={"compilers": DEPRECATED["compilers"]})
SPACK = MapOf(
    {**OVERRIDE.keys, "specs": Section("specs"), "include_concrete": Section("include_concrete")},
    former=FORMER,
    noted=DEPRECATED,
    hint="write spack: {specs: [...]}",
)
SCOPE = MapOf({**OVERRIDE.keys, "specs": Section("specs")}, former=FORMER, noted={"compilers": DEPRECATED["compilers"]})
START = (1, 1)


def check_manifest(tree: Any, where: str) -> list[Finding]:  # noqa: ANN401 - any YAML value
    """What is wrong in a ``spack.yaml``, its ``spack:`` wrapper included, in the order of the text. ``where`` is the file's name."""
    checker = Checker(where, shape_of)
    if not isinstance(tree, dict):
        checker.note(_start(tree), *_no_mapping(tree))
        return checker.findings()
    if not any(plain_key(key) == "spack" for key in tree):
        _without_spack(checker, tree)
        return checker.findings()
    checker.check(tree, MapOf({"spack": SPACK}), _start(tree))
    return checker.findings()


def check_scope(tree: Any, where: str, section: str | None = None) -> list[Finding]:  # noqa: ANN401 - any YAML value
    """What is wrong in an included file: several sections, or the one section of a file of a directory. An empty file is sound."""
    checker = Checker(where, shape_of)
    if tree is None:
        return []
    if isinstance(tree, dict) and any(plain_key(key) == "spack" for key in tree):
        at = getattr(tree, "place", START)
        checker.note(at, "this is a stack definition, where a configuration file is expected", "include its sections without `spack:`")
        return checker.findings()
    checker.check(tree, SCOPE if section is None else _only(section), _start(tree))
    return checker.findings()


def _only(section: str) -> MapOf:
    """A file ``<section>.yaml`` of a directory, which holds that section alone."""
    others = {name: Former(f"does not belong in the file of `{section}`", f"move it to {name}.yaml") for name in (*SECTIONS, "specs")}
    return MapOf({section: Section(section)}, former=others, hint=f"write {section}: at the top of the file")


def shape_of(section: str) -> Shape:
    """The shape of a section. Rare sections' tables are loaded when they are met."""
    if section == "override":
        return OVERRIDE
    found = STACK.get(section) or PACKAGES.get(section)
    if found is None:
        from resolver.formats.manifest_schema.settings import SHAPES

        found = SHAPES.get(section, ANYTHING)
    return found


def _start(tree: object) -> tuple[int, int]:
    place: tuple[int, int] = getattr(tree, "place", START)
    return place


def _no_mapping(tree: object) -> tuple[str, str]:
    hint = "write spack: {specs: [...]}"
    if tree is None:
        return "the file is empty, not a stack definition", hint
    kind = "a list" if isinstance(tree, list) else "a single text or number"
    return f"the file is {kind}, not a stack definition", hint


def _without_spack(checker: Checker, tree: dict[str, Any]) -> None:
    """Say what a file without ``spack:`` looks like."""
    at = _start(tree)
    names = {plain_key(key) for key in tree}
    if "env" in names:
        checker.note(at, "`env` at the top of the file is the former name of `spack`", FORMER["env"].hint)
    elif names & {*SECTIONS, "specs"}:
        checker.note(at, "the top-level key `spack:` is missing", "write spack: above, and indent what is here")
    else:
        keys = ", ".join(sorted(name for name in names if name.isprintable())[:5])[:80]
        checker.note(
            at,
            f"not a stack definition: the top-level key `spack:` is missing, there is {keys or 'nothing'}",
            "write spack: {specs: [...]}",
        )
