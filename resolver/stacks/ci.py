"""The ``ci`` section: what the job that builds a spec is to be like, its runner's tags above all.

Sources: Spack ``ci/common.py`` (``SpackCIConfig.generate_ir``), ``config.py:remove_yaml``, ``schema/ci.py``.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Literal

import msgspec

from resolver.errors import InputError, without_credentials
from resolver.formats.shapes import listed, mapping, texts
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.satisfies import intersects
from resolver.stacks.merge import identity, merged, read_key
from resolver.stacks.scopes import Configuration

Kind = Literal["build", "copy", "cleanup", "noop", "reindex", "signing"]
NAMED = ("any", "build", "copy", "cleanup", "noop", "reindex", "signing")
"""In the order in which Spack looks for them: an element that names several jobs counts for the first only."""
RESERVED = ("public", "protected", "notary")
"""Tags that nobody may give: Spack takes them away, and adds public or protected itself by the type of the pipeline."""
SIGNING = ("aws", "protected", "notary")
TYPED = frozenset({"tags", "image", "variables", "before_script", "script", "after_script"})


class JobAttributes(msgspec.Struct, frozen=True):
    """What a ``ci`` section asks for a job.

    Scripts are lists of commands, without those that Spack puts in by itself. ``asks`` are the endpoints of dynamic mappings, whose answers
    would be merged too; nobody is asked here. ``rest`` are all other keys, as they are written.
    """

    tags: tuple[str, ...] = ()
    image: str | None = None
    entrypoint: tuple[str, ...] = ()
    variables: Mapping[str, str] = msgspec.field(default_factory=dict)
    before_script: tuple[str, ...] = ()
    script: tuple[str, ...] = ()
    after_script: tuple[str, ...] = ()
    rest: Mapping[str, Any] = msgspec.field(default_factory=dict)
    asks: tuple[str, ...] = ()


def job_attributes(ci: Mapping[str, Any], spec: ConcreteSpec | AbstractSpec | None = None, kind: Kind = "build") -> JobAttributes:
    """The attributes of the job that builds ``spec``, or of a job of another kind, which has no spec.

    The elements of ``pipeline-gen`` are applied from the last to the first, each over what the later ones gave. An abstract spec matches
    what it may turn out to be. Raises ``InputError`` naming the place of what cannot be read.
    """
    found: dict[str, Any] = {"variables": _variables(spec)} if kind == "build" and isinstance(spec, ConcreteSpec) else {}
    asks: list[str] = []
    elements = listed(ci.get("pipeline-gen", ci.get("pipeline-gen:")), "ci:pipeline-gen")
    for place in range(len(elements) - 1, -1, -1):
        where = f"ci:pipeline-gen[{place}]"
        element = mapping(elements[place], where)
        found = _applied(found, element, spec if kind == "build" else None, kind, where)
        if "dynamic-mapping" in element and kind == "build":
            asks.append(without_credentials(str(mapping(element["dynamic-mapping"], where).get("endpoint", ""))))
    return _attributes(found, kind, tuple(reversed(asks)))


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


def _variables(spec: ConcreteSpec) -> dict[str, str]:
    """The variables that Spack sets for a spec's job."""
    compiler, _, compiler_version = spec.compiler.partition("@")
    version = spec.wire.version
    facts = {
        "DAG_HASH": spec.hash,
        "PKG_NAME": spec.name,
        "PKG_VERSION": version,
        "COMPILER_NAME": compiler,
        "COMPILER_VERSION": compiler_version,
        "ARCH": f"{spec.platform}-{spec.os}-{spec.target}",
        "VARIANTS": spec.text.removeprefix(f"{spec.name}@{version}").strip(),
    }
    return {f"SPACK_JOB_SPEC_{name}": value for name, value in facts.items()}


def _applied(
    found: dict[str, Any], element: Mapping[str, Any], spec: ConcreteSpec | AbstractSpec | None, kind: Kind, where: str
) -> dict[str, Any]:
    meant = {read_key(key, in_memory=True)[0]: value for key, value in element.items()}
    name = next((name for name in NAMED if {f"{name}-job", f"{name}-job-remove"} & set(meant)), None)
    if name is not None:
        return _changed(found, meant, name, where) if name in ("any", kind) else found
    if "submapping" in meant and spec is not None:
        return _submapped(found, meant, spec, where)
    return found


def _changed(found: dict[str, Any], element: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """What an element takes away, then what it puts on top."""
    removed = mapping(element.get(f"{name}-job-remove"), f"{where}.{name}-job-remove")
    added = mapping(element.get(f"{name}-job"), f"{where}.{name}-job")
    result: dict[str, Any] = merged(added, _without(found, removed), in_memory=True)
    return result


def _without(low: Any, taken: Any) -> Any:  # noqa: ANN401 - any YAML value
    """Items of lists are taken away by their values, a key as a whole only when it is written ``key::``."""
    if isinstance(low, list) and isinstance(taken, list):
        return [item for item in low if item not in taken]
    if not isinstance(low, Mapping) or not isinstance(taken, Mapping):
        return low
    found = dict(low)
    for written, value in taken.items():
        key, way = read_key(written, in_memory=True)
        if key in found and way == "replace":
            del found[key]
        elif key in found:
            found[key] = _without(found[key], value)
    return found


def _submapped(found: dict[str, Any], element: Mapping[str, Any], spec: ConcreteSpec | AbstractSpec, where: str) -> dict[str, Any]:
    """Entries from the last to the first; unless all are to be merged, the first that is met is the only one."""
    entries = listed(element["submapping"], f"{where}.submapping")
    for place in range(len(entries) - 1, -1, -1):
        inside = f"{where}.submapping[{place}]"
        entry = {read_key(key, in_memory=True)[0]: value for key, value in mapping(entries[place], inside).items()}
        if any(_matches(spec, text, inside) for text in texts(entry.get("match"), f"{inside}.match")):
            found = _changed(found, entry, "build", inside)
            if element.get("match_behavior", "first") == "first":
                return found
    return found


def _matches(spec: ConcreteSpec | AbstractSpec, text: str, where: str) -> bool:
    try:
        want = AbstractSpec.parse(text)
    except InputError as error:
        raise error.at(f"{where}.match") from None
    return intersects(spec, want) if isinstance(spec, ConcreteSpec) else spec.intersects(want)


def _attributes(found: Mapping[str, Any], kind: Kind, asks: tuple[str, ...]) -> JobAttributes:
    tags = tuple(tag for tag in texts(found.get("tags"), "ci: tags") if tag not in RESERVED)
    if kind == "signing":
        tags = (*SIGNING, *(tag for tag in tags if tag not in SIGNING))
    image, entrypoint = _image(found.get("image"))
    variables = mapping(found.get("variables"), "ci: variables")
    return JobAttributes(
        tags,
        image,
        entrypoint,
        {key: "" if value is None else str(value) for key, value in variables.items()},
        _commands(found, "before_script"),
        _commands(found, "script"),
        _commands(found, "after_script"),
        rest={key: value for key, value in found.items() if key not in TYPED},
        asks=asks,
    )


def _image(value: object) -> tuple[str | None, tuple[str, ...]]:
    if isinstance(value, Mapping):
        name = value.get("name")
        return None if name is None else str(name), texts(value.get("entrypoint"), "ci: image.entrypoint")
    return (None if value is None else str(value)), ()


def _commands(found: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Commands of a script; lists in it only hold together what is merged as one."""
    value = found.get(key)
    items = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(command for item in items for command in texts(item, f"ci: {key}"))
