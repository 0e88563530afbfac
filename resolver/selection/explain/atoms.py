"""A spec taken apart into its single constraints, each of which can be left out or changed."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from resolver.selection.explain.model import Asked, Edit
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec, Value
from resolver.spec.parts import Edge, Variant
from resolver.spec.virtuals import LANGUAGES
from resolver.versions import ANY, VersionSet

SINGLE = ("hash", "namespace", "versions", "platform", "os", "target")
SEVERAL = ("variants", "flags", "edges")
CHANGED, LEFT_OUT = 1, 2


class Atom(msgspec.Struct, frozen=True):
    """One constraint: the field that it stands in, its value there, and a spec that asks for it alone."""

    field: str
    value: Any
    want: AbstractSpec

    @property
    def text(self) -> str:
        """As it is written in a spec."""
        return str(self.want)

    def without(self, root: AbstractSpec) -> AbstractSpec:
        """The root without it."""
        if self.field in SINGLE:
            return replace(root, **{self.field: ANY if self.field == "versions" else None})
        return replace(root, **{self.field: tuple(v for v in getattr(root, self.field) if v != self.value)})

    def instead(self, root: AbstractSpec, value: Any) -> AbstractSpec:  # noqa: ANN401 - of the field's type
        """The root with another value in its place."""
        if self.field in SINGLE:
            return replace(root, **{self.field: value})
        return replace(root, **{self.field: tuple(value if v == self.value else v for v in getattr(root, self.field))})


def atoms(want: AbstractSpec) -> list[Atom]:
    """The constraints of a spec, but for the package's name."""
    found = [Atom(f, v, AbstractSpec(**{f: v})) for f in SINGLE if (v := getattr(want, f)) not in (None, ANY)]
    return found + [Atom(field, value, replace(AbstractSpec(), **{field: (value,)})) for field in SEVERAL for value in getattr(want, field)]


def edits(atom: Atom, spec: ConcreteSpec, root: AbstractSpec, provided: dict[str, str]) -> tuple[Edit, ...]:
    """The edits that make a record keep this constraint, which it fails: changed to what it has, where that can be said; or left out.

    ``provided`` are the virtuals that packages of the pool provide in the record's place: of each package that is asked for, the one that
    the record has instead.
    """
    changes = [_edit(atom, root, value) for value in _instead(atom, spec, provided)]
    dropped = Edit("spec", f"spec:{atom.text}", f"leave out {atom.text.strip()}", LEFT_OUT, partial(_apply_without, atom))
    return (*changes, replace(dropped, option=shell(atom.without(root))))


def _edit(atom: Atom, root: AbstractSpec, value: Any) -> Edit:  # noqa: ANN401 - of the field's type
    """The constraint changed; to ask for a dependency by name alone leaves out as much as it changes."""
    new = atom.instead(root, value)
    shown = next(a.text for a in atoms(new) if a.field == atom.field and a.value == value)
    text = f"ask for {shown.strip()} in place of {atom.text.strip()}"
    size = LEFT_OUT if isinstance(value, Edge) and value.spec == AbstractSpec(name=atom.value.spec.name) else CHANGED
    return Edit("spec", f"spec:{atom.text}", text, size, partial(_apply_instead, atom, value), shell(new))


def _apply_without(atom: Atom, asked: Asked) -> Asked:
    return replace(asked, root=atom.without(asked.root))


def _apply_instead(atom: Atom, value: Any, asked: Asked) -> Asked:  # noqa: ANN401 - of the field's type
    return replace(asked, root=atom.instead(asked.root, value))


def shell(spec: AbstractSpec) -> str:
    """A spec as it can be pasted into a shell."""
    text = str(spec)
    return f"'{text}'" if set(text) & set(" ~^*!<>&|;()[]$") and "'" not in text else text


def _instead(atom: Atom, spec: ConcreteSpec, provided: dict[str, str]) -> list[Any]:
    """What the record has in place of a constraint; nothing where leaving it out says the same."""
    if atom.field == "versions":
        return [VersionSet.parse(f"={spec.wire.version}")]
    if atom.field in ("platform", "os", "target", "namespace"):
        return [getattr(spec, atom.field)] if getattr(spec, atom.field) else []
    if atom.field == "variants":
        return _variant(atom.value, spec.variants.get(atom.value.name))
    return _edges(atom.value, spec, provided) if atom.field == "edges" else []


def _variant(wanted: Variant, have: Value | None) -> list[Variant]:
    """Another value of a variant with values; of a boolean one, leaving it out is the same."""
    if have is None or isinstance(have, bool) or isinstance(wanted.value, bool):
        return []
    return [replace(wanted, value=(have,) if isinstance(have, str) else tuple(sorted(have)))]


def _edges(edge: Edge, spec: ConcreteSpec, provided: dict[str, str]) -> list[Edge]:
    """A dependency with another version, or with nothing but its name, or another that provides the same."""
    name = edge.spec.name
    if name is None:
        return []
    found = _playing(edge, spec, name)
    if found is not None:
        bare = AbstractSpec(name=name)
        exact = replace(bare, versions=VersionSet.parse(f"={found.wire.version}"))
        new = [exact] if edge.spec.versions is not ANY else []
        return [replace(edge, spec=one) for one in [*new, bare] if one != edge.spec]
    other = provided.get(name)
    return [replace(edge, spec=AbstractSpec(name=other))] if other else []


def _playing(edge: Edge, spec: ConcreteSpec, name: str) -> ConcreteSpec | None:
    """The record's dependency of that name."""
    pairs = [(e, spec.graph.get(e.hash)) for e in spec.dependencies] if edge.direct else spec.matchable
    return next((child for e, child in pairs if child and e.name == name), None)


def others_for(names: list[str], spec: ConcreteSpec, providers: dict[str, list[str]]) -> dict[str, str]:
    """For each name that is asked for as a dependency, the package that provides to the record what that one could provide.

    ``providers`` are the packages by virtual. A compiler stands for another one.
    """
    found: dict[str, str] = {}
    for edge, child in spec.matchable if names else ():
        for name in names:
            if any(name in providers.get(virtual, ()) for virtual in edge.virtuals):
                found.setdefault(name, child.name)
    return found


def asked_names(want: AbstractSpec) -> list[str]:
    """The packages that are asked for as dependencies."""
    return [edge.spec.name for edge in want.edges if edge.spec.name]


def virtuals_of(spec: ConcreteSpec) -> set[str]:
    """The virtuals that the record's edges carry."""
    return {v for edge, _ in spec.matchable for v in edge.virtuals} | LANGUAGES
