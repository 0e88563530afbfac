"""The ``concretizer`` section: what of it bears on which existing binaries may be taken.

Sources: Spack ``schema/concretizer.py``, ``etc/spack/defaults/base/concretizer.yaml``, ``solver/reuse.py`` (``ReuseStrategy``,
``SpecFilter``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from resolver.errors import InputError
from resolver.formats.shapes import listed, mapping, texts
from resolver.spec.abstract import AbstractSpec

Unify = Literal["true", "when_possible", "false"]
Specs = tuple[AbstractSpec, ...]
GRANULARITIES = ("microarchitectures", "generic")
STRATEGIES = ("none", "minimal", "full")
SOURCES = ("local", "buildcache", "external", "environment")


class ReuseSource(msgspec.Struct, frozen=True):
    """One place that Spack is told to reuse from; ``path`` is that of an environment."""

    kind: str
    path: str = ""
    include: Specs = ()
    exclude: Specs = ()


class Reuse(msgspec.Struct, frozen=True):
    """What may be reused: nothing, dependencies only, or all; of it what satisfies one of ``include`` and none of ``exclude``.

    A source's own lists stand in place of the general ones.
    """

    enabled: bool = True
    roots: bool = True
    include: Specs = ()
    exclude: Specs = ()
    sources: tuple[ReuseSource, ...] = ()

    def of_build_caches(self) -> tuple[Specs, Specs]:
        """The two lists that hold for a record of a build cache.

        Of several entries for build caches a record need please one: what is included adds up, and excluded is what all exclude.
        """
        caches = [source for source in self.sources if source.kind == "buildcache"]
        included = [source.include or self.include for source in caches] or [self.include]
        excluded = [source.exclude or self.exclude for source in caches] or [self.exclude]
        include = tuple(dict.fromkeys(spec for specs in included for spec in specs)) if all(included) else ()
        return include, tuple(spec for spec in excluded[0] if all(spec in specs for specs in excluded))


class Concretizer(msgspec.Struct, frozen=True):
    """The section, with Spack's defaults for what it does not say.

    ``os_compatible`` maps an OS to those whose binaries it takes; ``max_duplicates`` are numbers of build dependencies by package;
    ``compiler_mixing`` is False, or the packages that alone may have another compiler.
    """

    unify: Unify = "true"
    reuse: Reuse = Reuse()
    granularity: str = "microarchitectures"
    host_compatible: bool = True
    os_compatible: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    duplicates: str = "minimal"
    max_duplicates: Mapping[str, int] = msgspec.field(default_factory=dict)
    compiler_mixing: bool | tuple[str, ...] = True


def read_concretizer(section: object, where: str = "concretizer") -> Concretizer:
    """A merged ``concretizer`` section. Raises ``InputError`` naming the key."""
    config = mapping(section, where)
    targets = mapping(config.get("targets"), f"{where}:targets")
    duplicates = mapping(config.get("duplicates"), f"{where}:duplicates")
    mixing = config.get("compiler_mixing", True)
    return Concretizer(
        unify=read_unify(config.get("unify", True), f"{where}:unify"),
        reuse=_reuse(config.get("reuse", True), f"{where}:reuse"),
        granularity=_one_of(targets.get("granularity", GRANULARITIES[0]), GRANULARITIES, f"{where}:targets:granularity"),
        host_compatible=_flag(targets.get("host_compatible", True), f"{where}:targets:host_compatible"),
        os_compatible=_lists(config.get("os_compatible"), f"{where}:os_compatible"),
        duplicates=_one_of(duplicates.get("strategy", "minimal"), STRATEGIES, f"{where}:duplicates:strategy"),
        max_duplicates=_numbers(duplicates.get("max_dupes"), f"{where}:duplicates:max_dupes"),
        compiler_mixing=texts(mixing, f"{where}:compiler_mixing")
        if isinstance(mixing, list)
        else _flag(mixing, f"{where}:compiler_mixing"),
    )


def read_unify(value: object, where: str) -> Unify:
    """``unify``. Raises ``InputError``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value == "when_possible":
        return "when_possible"
    raise _wrong(value, "true, false or when_possible", where)


def _reuse(value: object, where: str) -> Reuse:
    """``true``, ``false``, ``dependencies``, or a mapping."""
    if isinstance(value, bool):
        return Reuse(value)
    if value == "dependencies":
        return Reuse(roots=False)
    if not isinstance(value, Mapping):
        raise _wrong(value, "true, false, dependencies or a mapping", where)
    entries = [mapping(entry, f"{where}:from") for entry in listed(value.get("from"), f"{where}:from")]
    return Reuse(
        roots=_flag(value.get("roots", True), f"{where}:roots"),
        include=_specs(value.get("include"), f"{where}:include"),
        exclude=_specs(value.get("exclude"), f"{where}:exclude"),
        sources=tuple(_source(entry, f"{where}:from") for entry in entries),
    )


def _source(entry: Mapping[str, Any], where: str) -> ReuseSource:
    kind = _one_of(entry.get("type"), SOURCES, f"{where}:type")
    include, exclude = (_specs(entry.get(key), f"{where}:{key}") for key in ("include", "exclude"))
    return ReuseSource(kind, str(entry.get("path") or ""), include, exclude)


def _specs(value: object, where: str) -> Specs:
    try:
        return tuple(map(AbstractSpec.parse, texts(value, where)))
    except InputError as error:
        raise error.at(where) from None


def _flag(value: object, where: str) -> bool:
    if isinstance(value, bool):
        return value
    raise _wrong(value, "true or false", where)


def _one_of(value: object, known: tuple[str, ...], where: str) -> str:
    if isinstance(value, str) and value in known:
        return value
    raise _wrong(value, f"one of {', '.join(known)}", where)


def _lists(value: object, where: str) -> dict[str, tuple[str, ...]]:
    return {key: texts(item, f"{where}:{key}") for key, item in mapping(value, where).items()}


def _numbers(value: object, where: str) -> dict[str, int]:
    found = mapping(value, where)
    for key, item in found.items():
        if isinstance(item, bool) or not isinstance(item, int):
            raise _wrong(item, "a number", f"{where}:{key}")
    return dict(found)


def _wrong(value: object, expected: str, where: str) -> InputError:
    msg = f"{str(value)[:60]!r} stands where {expected} is expected"
    return InputError(msg, where=where, hint=f"write {expected}")
