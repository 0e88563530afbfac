"""What the ``packages`` section of a stack asks of existing binaries: hard rules, preferences, externals.

Sources: Spack ``solver/requirements.py`` (``RequirementParser``), ``package_prefs.py``, ``schema/packages.py``; section 7 of Spack's
documentation of ``packages.yaml``. The section is given as plain mappings, already merged over its scopes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from resolver.errors import InputError
from resolver.formats.shapes import listed, mapping, texts
from resolver.spec.abstract import EMPTY, AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.satisfies import Mismatch, match
from resolver.spec.virtuals import COMPILERS, RUNTIMES, VIRTUALS
from resolver.versions import VersionSet

KINDS = ("require", "prefer", "conflict")


class Requirement(msgspec.Struct, frozen=True):
    """One rule: at least one (``any_of``) or exactly one (``one_of``) of ``alternatives`` holds where ``when`` does.

    ``prefer: S`` is ``any_of: [S, "@:"]``; ``conflict: S`` is ``one_of: [S, "@:"]``. ``soft`` tells that there are packages to which an
    alternative cannot apply.
    """

    alternatives: tuple[AbstractSpec, ...]
    exactly_one: bool
    when: AbstractSpec
    message: str
    origin: str
    soft: bool = False

    def softened(self, spec: ConcreteSpec) -> Requirement | None:
        """The rule without the alternatives that cannot apply to this package; None when none is left.

        Only for rules from ``all`` (``requirements.py:RequirementParser.reject_requirement_constraint``). Recipes would tell which
        variants a package has; here the node does.
        """
        if not self.soft:
            return self
        kept = tuple(a for a in self.alternatives if _can_apply(a, spec))
        if len(kept) == len(self.alternatives):
            return self
        return replace(self, alternatives=kept) if kept else None

    def check(self, spec: ConcreteSpec) -> tuple[int, Mismatch | str | None]:
        """The weight of the alternative that holds, and None; or 0 and what fails."""
        if self.when is not EMPTY and match(spec, self.when) is not None:
            return 0, None
        failures = [match(spec, alternative) for alternative in self.alternatives]
        held = [place for place, failed in enumerate(failures) if failed is None]
        if self.exactly_one and len(held) > 1:
            return 0, self.message or f"it must not satisfy {self.alternatives[held[0]]}"
        if held:
            return held[0], None
        return 0, self.message or failures[0]


def _can_apply(alternative: AbstractSpec, spec: ConcreteSpec) -> bool:
    if alternative.edges and spec.name in (COMPILERS | RUNTIMES):
        return False
    return all(spec.has_variant(variant.name) for variant in alternative.variants)


class External(msgspec.Struct, frozen=True):
    """An external package that the stack or the machine declares."""

    spec: AbstractSpec
    prefix: str | None
    modules: tuple[str, ...]

    def is_same(self, spec: ConcreteSpec) -> bool:
        """Is a recorded external this one? (Spack ``solver/reuse.py:_is_reusable``: spec, prefix and modules agree.)"""
        found = spec.external
        if found is None or match(spec, self.spec) is not None:
            return False
        module = found.module if isinstance(found.module, list) else [found.module] if found.module else []
        return found.path == self.prefix and tuple(module) == self.modules


class Rules(msgspec.Struct, frozen=True):
    """The ``packages`` section, read. Keys are package or virtual names; ``all`` stands apart."""

    own: Mapping[str, Mapping[str, tuple[Requirement, ...]]] = msgspec.field(default_factory=dict)
    for_all: Mapping[str, tuple[Requirement, ...]] = msgspec.field(default_factory=dict)
    externals: tuple[External, ...] = ()
    versions: Mapping[str, tuple[VersionSet, ...]] = msgspec.field(default_factory=dict)
    variants: Mapping[str, AbstractSpec] = msgspec.field(default_factory=dict)
    soft_variants: tuple[str, ...] = ()
    providers: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    @staticmethod
    def read(packages: Mapping[str, Any]) -> Rules:
        """Read a merged ``packages`` section. Raises ``InputError`` naming the key of a rule that cannot be read."""
        sections = {name: mapping(section, f"packages:{name}") for name, section in packages.items()}
        own = {name: _requirements(name, section) for name, section in sections.items() if name != "all"}
        for_all = _requirements("all", sections.get("all", {}))
        alternatives = [a for rules in for_all.values() for rule in rules for a in rule.alternatives]
        return Rules(
            own=own,
            for_all=for_all,
            soft_variants=tuple(sorted({variant.name for a in alternatives for variant in a.variants})),
            externals=tuple(e for name, section in sections.items() for e in _externals(name, section)),
            versions={name: _versions(name, section) for name, section in sections.items() if section.get("version")},
            variants={name: _variants(name, section) for name, section in sections.items() if section.get("variants")},
            providers=_providers(sections.get("all", {})),
        )

    def on_package(self, spec: ConcreteSpec) -> list[Requirement]:
        """The rules on a node by its package's name; each kind falls back to ``all``, softened."""
        sections = self.own.get(spec.name, {})
        found: list[Requirement] = []
        for kind in KINDS:
            if sections.get(kind):
                found += sections[kind]
            else:
                found += [soft for rule in self.for_all.get(kind, ()) if (soft := rule.softened(spec))]
        return found

    def kind_of(self, spec: ConcreteSpec) -> tuple[str, ...]:
        """What decides which rules are on a node: its package, and which variants it has of those that rules for all packages name."""
        return (spec.name, *(name for name in self.soft_variants if spec.has_variant(name)))

    def on_outline(self, name: str) -> list[Requirement]:
        """Those of the rules on a package that ask of its own version, OS and target alone, whatever else it is."""
        required = self.own.get(name, {}).get("require") or self.for_all.get("require", ())
        return [rule for rule in required if rule.when is EMPTY and not any(a.variants or a.edges or a.flags for a in rule.alternatives)]

    def on_virtual(self, name: str) -> list[Requirement]:
        """The rules on whatever provides a virtual."""
        sections = self.own.get(name, {}) if name in VIRTUALS else {}
        return [rule for kind in KINDS for rule in sections.get(kind, ())]


def _requirements(name: str, section: Mapping[str, Any]) -> dict[str, tuple[Requirement, ...]]:
    found = {}
    for kind in KINDS:
        value = section.get(kind)
        items = value if isinstance(value, list) else [] if value is None else [value]
        origin = f"packages:{name}:{kind}"
        found[kind] = tuple(_requirement(item, kind, origin) for item in items)
    return found


def _requirement(item: object, kind: str, origin: str) -> Requirement:
    rule = {"spec": item} if isinstance(item, str) else item
    if not isinstance(rule, Mapping):
        msg = f"{item!r} is neither a spec nor a mapping"
        raise InputError(msg, where=origin, hint="write a spec, or one_of / any_of with a list of specs")
    try:
        when = AbstractSpec.parse(str(rule["when"])) if rule.get("when") else EMPTY
        specs, exactly_one = _alternatives(rule, kind)
        alternatives = tuple(map(AbstractSpec.parse, specs))
        soft = any(a.variants or a.edges for a in alternatives)
        return Requirement(alternatives, exactly_one, when, str(rule.get("message") or ""), origin, soft)
    except InputError as error:
        raise error.at(origin) from None


def _alternatives(item: Mapping[str, Any], kind: str) -> tuple[list[str], bool]:
    for key in ("one_of", "any_of", "spec"):
        if key in item:
            specs = list(texts(item[key], key))
            if not specs:
                msg = f"`{key}` lists nothing"
                raise InputError(msg, hint="list at least one spec, or leave the rule out")
            return ([*specs, "@:"] if kind != "require" else specs), (kind == "conflict" or key == "one_of")
    msg = f"a rule with the keys {', '.join(map(str, item))}"
    raise InputError(msg, hint="it needs one of spec, one_of, any_of")


def _externals(name: str, section: Mapping[str, Any]) -> list[External]:
    where = f"packages:{name}:externals"
    found = []
    for item in listed(section.get("externals"), where):
        entry = mapping(item, where)
        if "spec" not in entry:
            msg = "an external without a spec"
            raise InputError(msg, where=where, hint="write - spec: name@version, and its prefix")
        modules = texts(entry.get("modules"), where)
        prefix = entry.get("prefix")
        found.append(External(_spec(str(entry["spec"]), where), None if prefix is None else str(prefix), modules))
    return found


def _spec(text: str, where: str) -> AbstractSpec:
    try:
        return AbstractSpec.parse(text)
    except InputError as error:
        raise error.at(where) from None


def _versions(name: str, section: Mapping[str, Any]) -> tuple[VersionSet, ...]:
    where = f"packages:{name}:version"
    try:
        return tuple(VersionSet.parse(text.removeprefix("@")) for text in texts(section["version"], where))
    except InputError as error:
        raise error.at(where) from None


def _variants(name: str, section: Mapping[str, Any]) -> AbstractSpec:
    where = f"packages:{name}:variants"
    return _spec(" ".join(texts(section["variants"], where)), where)


def _providers(section: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    where = "packages:all:providers"
    found = mapping(section.get("providers"), where).items()
    return {virtual: tuple(_spec(text, where).name or text for text in texts(names, where)) for virtual, names in found}
