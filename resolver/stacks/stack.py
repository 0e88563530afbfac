"""Stack definitions: a ``spack.yaml`` document and a machine, to the groups of roots that it asks for there.

Source: Spack ``environment/environment.py`` (``EnvironmentManifestFile``), ``schema/env.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from resolver.arch.machine import Machine
from resolver.errors import InputError
from resolver.formats.shapes import mapping
from resolver.spec.abstract import AbstractSpec, Toolchains
from resolver.stacks.concretizer import Unify, read_unify
from resolver.stacks.definitions import Defined, Entries, LeftOut, read_definitions
from resolver.stacks.expansion import Emptied, Excluded, Expander, Made
from resolver.stacks.groups import DEFAULT_GROUP, Groups, Written
from resolver.stacks.merge import read_key
from resolver.stacks.places import Problems
from resolver.stacks.scopes import Configuration, NotIncluded, Scope, manifest_body
from resolver.stacks.speclists import Reader
from resolver.stacks.toolchains import read_toolchain

__all__ = ["DEFAULT_GROUP", "Group", "Stack", "Unify"]
INCLUDES = ("include", "include_concrete")


class Group(msgspec.Struct, frozen=True):
    """Roots that are resolved together, under one configuration.

    ``packages`` and ``concretizer`` are the sections after the group's override. Roots that are not ``explicit`` are there for other
    groups. ``made`` tells for each root what it was made of, ``excluded`` what matrices left out, and ``emptied`` which matrices ask for
    nothing; ``trace`` reads them.
    """

    name: str
    roots: tuple[AbstractSpec, ...]
    unify: Unify
    needs: tuple[str, ...] = ()
    packages: Mapping[str, Any] = msgspec.field(default_factory=dict)
    concretizer: Mapping[str, Any] = msgspec.field(default_factory=dict)
    explicit: bool = True
    made: tuple[Made, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    emptied: tuple[Emptied, ...] = ()


class Stack(msgspec.Struct, frozen=True):
    """A stack definition, expanded for a machine: its groups in the order in which Spack would resolve them.

    ``place`` is the file it was read from. ``mirrors``, ``toolchains``, ``ci`` and ``view`` are merged sections. ``left_out`` are the
    definitions whose ``when`` is false on the machine, ``not_included`` the includes that are not for it, and ``warnings`` what a person
    should know.
    """

    name: str
    groups: tuple[Group, ...]
    place: str = ""
    view: Any = None
    mirrors: Mapping[str, Any] = msgspec.field(default_factory=dict)
    toolchains: Toolchains = msgspec.field(default_factory=dict)
    ci: Mapping[str, Any] = msgspec.field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    not_included: tuple[NotIncluded, ...] = ()
    warnings: tuple[str, ...] = ()

    @staticmethod
    def read(
        manifest: object,
        name: str,
        machine: Machine,
        environment: Mapping[str, str] | None = None,
        *,
        configuration: Configuration | None = None,
        include: bool = True,
    ) -> Stack:
        """Expand a ``spack.yaml`` document for a machine. Raises ``InputError`` naming every place where something is wrong.

        ``environment`` are the variables that conditions may see. ``configuration`` is the manifest with what it includes; without it,
        the manifest's own sections are all, and ``include`` False says that what it includes is to be left out.
        """
        if configuration is None:
            configuration = _own(manifest_body(manifest, name), name, include=include)
        return _Reading(name, configuration, machine, environment or {}).stack()


def _own(body: Mapping[str, Any], name: str, *, include: bool) -> Configuration:
    """The configuration of a manifest alone."""
    if include and any(body.get(key) for key in body if read_key(key)[0] in INCLUDES):
        msg = "the stack includes other files, which are not read"
        raise InputError(msg, where=name, hint="--no-include reads the stack without them")
    return Configuration((Scope(name, name, body),))


class _Reading:
    """One reading of a stack: its parts in the order in which they need each other, its problems gathered."""

    def __init__(self, name: str, configuration: Configuration, machine: Machine, environment: Mapping[str, str]) -> None:
        self.name = name
        self.configuration = configuration
        self.machine = machine
        self.problems = Problems()
        self.reader = Reader(self.problems)
        self.defined: Defined = read_definitions(self.entries("definitions"), machine, environment, self.reader)
        self.toolchains = self.of_toolchains()
        self.asked: dict[str, set[str]] = {}

    def stack(self) -> Stack:
        sorted_out = Groups(self.name, self.problems)
        sorted_out.read(self.entries("specs"))
        groups = tuple(self.group(written) for written in sorted_out.ordered())
        mirrors, ci = self.section("mirrors"), self.jobs()
        self.problems.refuse(self.name)
        said = (*self.configuration.warnings, *self.defined.warnings, *self.reader.warnings, *sorted_out.warnings, *self.nothing(groups))
        return Stack(
            self.name,
            groups,
            self.name,
            self.configuration.section("view"),
            mirrors,
            self.toolchains,
            ci,
            self.defined.left_out,
            self.configuration.not_included,
            said,
        )

    def jobs(self) -> Mapping[str, Any]:
        """The section of a CI system, which few stacks have."""
        if not self.section("ci"):
            return {}
        from resolver.stacks.ci import ci_section

        try:
            return ci_section(self.configuration)
        except InputError as error:
            self.problems.add(error)
            return {}

    def entries(self, section: str) -> Entries:
        """The items of a section that is a list; that it is none in some scope is a problem."""
        for scope in self.configuration.scopes:
            for value in scope.own(section).values():
                if value is not None and not isinstance(value, list):
                    hint = "write one item a line, each after '- ', or [a, b]"
                    where = Configuration((scope,)).where(section)
                    self.problems.add(InputError(f"{str(value)[:60]!r} stands where a list is expected", where=where, hint=hint))
        return self.configuration.entries(section)

    def section(self, name: str, configuration: Configuration | None = None) -> Mapping[str, Any]:
        """A merged section that is a mapping; that it is none is a problem."""
        found = configuration or self.configuration
        try:
            return mapping(found.section(name), found.where(name))
        except InputError as error:
            self.problems.add(error)
            return {}

    def of_toolchains(self) -> Toolchains:
        found: dict[str, str | list[dict[str, str]]] = {}
        for name, value in self.section("toolchains").items():
            try:
                found[name] = read_toolchain(value, self.configuration.where("toolchains", name))
            except InputError as error:
                self.problems.add(error)
        return found

    def group(self, written: Written) -> Group:
        """A group with its roots and the configuration that its override makes."""
        expander = Expander(self.problems, self.toolchains)
        self.reader.asked = set()
        made = tuple(root for root in expander.roots(self.reader.each(written.items)) if not root.spec.is_empty)
        if written.items and not made:
            self.asked[written.name] = self.reader.asked
        configuration = self.configuration
        if written.override:
            configuration = configuration.with_override(written.override, f"override of group {written.name}", self.name)
        return Group(
            written.name,
            tuple(root.spec for root in made),
            self.unify(configuration),
            written.needs,
            self.section("packages", configuration),
            self.section("concretizer", configuration),
            written.explicit,
            made,
            tuple(expander.excluded),
            tuple(expander.emptied),
        )

    def unify(self, configuration: Configuration) -> Unify:
        value = self.section("concretizer", configuration).get("unify", True)
        try:
            return read_unify(value, configuration.where("concretizer", "unify"))
        except InputError as error:
            self.problems.add(error)
            return "true"

    def nothing(self, groups: tuple[Group, ...]) -> list[str]:
        """What to say of groups that ask for nothing on the machine, or of the stack when all do."""
        if self.configuration.locks:
            return []
        if not any(group.roots for group in groups):
            return [self.no_root("the stack", set().union(*self.asked.values()))]
        return [self.no_root(f"group {name}", asked) for name, asked in self.asked.items()]

    def no_root(self, what: str, asked: set[str]) -> str:
        left = dict.fromkeys(f"{left.condition} ({left.where})" for left in self.defined.left_out_of(asked))
        text = f"{what} asks for no root on {self.machine.triple}"
        return f"{text}, since this is false there: {'; '.join(left)}" if left else text
