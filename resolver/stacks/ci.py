"""The ``ci`` section: the tags of the runner that builds a root.

Only tags are read; of images, variables and scripts nothing here makes use. A dynamic mapping, which asks a server, is passed over.
Sources: Spack ``ci/common.py`` (``SpackCIConfig.generate_ir``), ``config.py:remove_yaml``, ``schema/ci.py``.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import msgspec

from resolver.arch.machine import Machine
from resolver.errors import InputError
from resolver.formats.shapes import listed, mapping, texts
from resolver.spec.abstract import AbstractSpec
from resolver.stacks.merge import identity, merged, read_key
from resolver.stacks.scopes import Configuration

NAMED = ("any", "build", "copy", "cleanup", "noop", "reindex", "signing")
"""In the order in which Spack looks for them: an element that names several jobs counts for the first only."""
BUILDING = ("any", "build")
RESERVED = ("public", "protected", "notary")
"""Tags that nobody may give: Spack takes them away, and adds public or protected itself by the type of the pipeline."""


class _Change(msgspec.Struct, frozen=True):
    """What a job's attributes take away of the tags, and what they put on top."""

    taken: Mapping[str, Any]
    added: Mapping[str, Any]

    def applied(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        left = dict(found)
        for written, value in self.taken.items():
            if read_key(written, in_memory=True)[1] == "replace":
                left.clear()
            elif isinstance(left.get("tags"), list) and isinstance(value, list):
                left["tags"] = [tag for tag in left["tags"] if tag not in value]
        return merged(self.added, left, in_memory=True) if self.added else left


class _Step(msgspec.Struct, frozen=True):
    """What one element of ``pipeline-gen`` changes: for the specs that match, or, without ``matches``, for all."""

    changes: tuple[tuple[tuple[AbstractSpec, ...] | None, _Change], ...]
    merges: bool = False

    def applied(self, found: Mapping[str, Any], spec: AbstractSpec) -> Mapping[str, Any]:
        """Entries from the last to the first; unless all are to be merged, the first that is met is the only one."""
        for matches, change in self.changes:
            if matches is None or any(want.name in (None, spec.name) and spec.intersects(want) for want in matches):
                found = change.applied(found)
                if not self.merges:
                    break
        return found


class Runners:
    """Knows the tags of the jobs that build specs on a machine. Raises ``InputError`` naming the place of what cannot be read."""

    def __init__(self, ci: Mapping[str, Any], machine: Machine) -> None:
        self.machine = AbstractSpec(platform=machine.platform, os=machine.os)
        elements = listed(ci.get("pipeline-gen", ci.get("pipeline-gen:")), "ci:pipeline-gen")
        read = [_step(element, f"ci:pipeline-gen[{place}]") for place, element in enumerate(elements)]
        self.steps = [step for step in reversed(read) if step.changes]

    def tags(self, spec: AbstractSpec) -> tuple[str, ...]:
        """The tags for ``spec``, the highest first; it matches what it may turn out to be on the machine.

        The elements are applied from the last to the first, each over what the later ones gave.
        """
        built = spec.constrained(self.machine) if spec.intersects(self.machine) else spec
        found: Mapping[str, Any] = {}
        for step in self.steps:
            found = step.applied(found, built)
        return tuple(tag for tag in texts(found.get("tags"), "ci: tags") if tag not in RESERVED)


def ci_section(configuration: Configuration) -> dict[str, Any]:
    """The merged section, the elements of ``pipeline-gen`` as they are written: marks on their keys count when they are applied."""
    found = dict(mapping(configuration.section("ci"), "ci"))
    if "pipeline-gen" in found:
        found["pipeline-gen"] = _elements(configuration)
    return found


def _elements(configuration: Configuration) -> list[Any]:
    """Those of the highest scope first, each once, down to one that replaces what is below it."""
    found: dict[Hashable, Any] = {}
    for scope in configuration.scopes:
        for written, section in scope.own("ci").items():
            parts = {read_key(key): value for key, value in mapping(section, "ci").items()}
            for (key, way), elements in parts.items():
                if key == "pipeline-gen":
                    found |= {identity(one): one for one in listed(elements, "ci:pipeline-gen") if identity(one) not in found}
                    if way == "replace":
                        return list(found.values())
            if read_key(written)[1] == "replace":
                return list(found.values())
    return list(found.values())


def _meant(element: object, where: str) -> dict[str, Any]:
    """An element or an entry, its keys without their marks."""
    return {read_key(key, in_memory=True)[0]: value for key, value in mapping(element, where).items()}


def _step(written: object, where: str) -> _Step:
    """What an element means for jobs that build; nothing when it is for others, or for a server to say."""
    element = _meant(written, where)
    name = next((name for name in NAMED if {f"{name}-job", f"{name}-job-remove"} & set(element)), None)
    if name is not None:
        return _Step(((None, _change(element, name, where)),) if name in BUILDING else ())
    entries = [_entry(entry, f"{where}.submapping[{place}]") for place, entry in enumerate(listed(element.get("submapping"), where))]
    return _Step(tuple(reversed(entries)), element.get("match_behavior", "first") != "first")


def _entry(written: object, where: str) -> tuple[tuple[AbstractSpec, ...], _Change]:
    entry = _meant(written, where)
    try:
        matches = tuple(map(AbstractSpec.parse, texts(entry.get("match"), f"{where}.match")))
    except InputError as error:
        raise error.at(f"{where}.match") from None
    return matches, _change(entry, "build", where)


def _change(element: Mapping[str, Any], name: str, where: str) -> _Change:
    return _Change(*(_tags(element.get(f"{name}-job{end}"), f"{where}.{name}-job{end}") for end in ("-remove", "")))


def _tags(attributes: object, where: str) -> dict[str, Any]:
    """The tags among a job's attributes, under their key as it is written."""
    return {key: value for key, value in mapping(attributes, where).items() if read_key(key, in_memory=True)[0] == "tags"}
