"""Configuration scopes: the manifest, the files that it includes, and how their sections become one.

Source: Spack ``config.py`` (``Configuration.get_config``, ``ConfigScopePriority``).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from resolver.errors import InputError
from resolver.stacks.merge import identity, merged, read_key
from resolver.stacks.places import Spot

if TYPE_CHECKING:
    from resolver.formats.manifest_schema import Finding

WRAPPERS = ("spack", "spack:")


def manifest_body(manifest: object, name: str) -> Mapping[str, Any]:
    """What stands below ``spack:``; null is nothing. Raises ``InputError`` when that is no mapping."""
    key = next((key for key in WRAPPERS if isinstance(manifest, Mapping) and key in manifest), None)
    body = manifest[key] if isinstance(manifest, Mapping) and key else None
    if key and body is None:
        return {}
    if not isinstance(body, Mapping):
        msg = "not a stack definition"
        raise InputError(
            msg, why="the top-level key `spack:` with a mapping below it is missing", where=name, hint="write spack: {specs: [...]}"
        )
    return body


class Scope(msgspec.Struct, frozen=True):
    """One scope: its sections as they are written, whose keys may end in ``:`` for ``::``.

    ``place`` is the file; a scope that is a directory has ``places`` too, the file of each section. ``in_memory`` is one that is no
    file, in which ``+:`` and ``-:`` count.
    """

    name: str
    place: str
    sections: Mapping[str, Any]
    places: Mapping[str, str] = msgspec.field(default_factory=dict)
    in_memory: bool = False

    def own(self, name: str) -> dict[str, Any]:
        """Its section, under its key as it is written; nothing when it has none."""
        return {key: value for key, value in self.sections.items() if read_key(key, in_memory=self.in_memory)[0] == name}

    def file_of(self, name: str) -> str:
        """The file that a section is from."""
        return self.places.get(name, self.place)


class NotIncluded(msgspec.Struct, frozen=True):
    """An include that is not for the machine: its ``when`` is false there, or, without ``when``, it is optional and is not there."""

    include: str
    where: str
    when: str | None = None


class Configuration(msgspec.Struct, frozen=True, eq=False):
    """Scopes, the highest first.

    ``locks`` are the lockfiles of environments whose roots are included. ``warnings`` are all that was found in the files; ``refused`` what
    of it Spack refuses.
    """

    scopes: tuple[Scope, ...] = ()
    locks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    refused: tuple[Finding, ...] = ()
    not_included: tuple[NotIncluded, ...] = ()
    known: dict[str, Any] = msgspec.field(default_factory=dict)
    below: Configuration | None = None

    def section(self, name: str) -> Any:  # noqa: ANN401 - any YAML value
        """A section, merged over all scopes; None when no scope has it, or the highest says null. It must not be changed."""
        if name not in self.known:
            self.known[name] = self._merged(name)
        return self.known[name]

    def _merged(self, name: str) -> Any:  # noqa: ANN401 - any YAML value
        """From the lowest scope to the highest, as Spack does."""
        rest = self.scopes
        value: dict[str, Any] = {}
        if self.below is not None:
            rest, value = self.scopes[: -len(self.below.scopes) or None], {name: self.below.section(name)}
        for scope in reversed(rest):
            if own := scope.own(name):
                value = merged(own, value, in_memory=scope.in_memory)
        return value.get(name)

    def with_override(self, sections: Mapping[str, Any], name: str, place: str = "") -> Configuration:
        """The configuration below a scope in memory, such as the ``override`` of a group."""
        scope = Scope(name, place or (self.scopes[0].place if self.scopes else ""), sections, in_memory=True)
        return Configuration((scope, *self.scopes), self.locks, self.warnings, self.refused, self.not_included, below=self)

    def where(self, *keys: str) -> str:
        """Where a section, or a key below it, stands in the highest scope that has it: ``file:line:column: section:key``."""
        found = next(filter(None, (_spot(scope, keys) for scope in self.scopes)), None)
        spot = found or Spot(self.scopes[0].place if self.scopes else "")
        return f"{spot}: {':'.join(keys)}"

    def entries(self, name: str) -> list[tuple[Any, str]]:
        """The items of a section that is a list, each with where it stands (``file:line:column``), merged as ``section`` does."""
        found: list[tuple[Any, str]] = []
        have: set[Hashable] = set()
        for scope in self.scopes:
            for key, value in scope.own(name).items():
                if isinstance(value, list):
                    new = [(identity(item), i) for i, item in enumerate(value)]
                    found += [(value[i], _place(scope.file_of(name), value, i)) for same, i in new if same not in have]
                    have.update(same for same, _ in new)
                if not isinstance(value, list) or read_key(key)[1] == "replace":
                    return found
        return found


def _spot(scope: Scope, keys: Sequence[str]) -> Spot | None:
    """Where a key stands in a scope, reached by those above it."""
    value: Any = scope.sections
    spot = Spot(scope.file_of(keys[0]))
    for wanted in keys:
        names = value if isinstance(value, Mapping) else ()
        written = next((name for name in names if read_key(name, in_memory=scope.in_memory)[0] == wanted), None)
        if written is None:
            return None
        value, spot = value[written], spot.key(value, written)
    return Spot(spot.file, spot.line, spot.column)


def _place(file: str, items: list[Any], index: int) -> str:
    places = getattr(items, "places", None)
    return f"{file}:{places[index][0]}:{places[index][1]}" if places else f"{file}: item {index + 1}"
