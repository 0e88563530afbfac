"""``spack-resolver.yaml``: sources, machines, stack folders, the matrix and the CI system that runs it.

The structures below are the schema; ``json_schema`` gives it in JSON Schema's words.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from resolver.arch.machine import FACTS, Libc, Machine
from resolver.errors import InputError

MACHINE_DOCUMENT = "spack-resolver/machine/1"
Split = Literal["stack", "group", "root"]
"""What a job of a matrix is for."""
GIT_REF = r"^([A-Za-z0-9][A-Za-z0-9_./-]*)?$"


class MachineConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A named machine. ``libc`` is as ``glibc@2.39``; GPU architectures as in Spack's variants; ``about`` says in words what it is."""

    platform: str | None = None
    os: str | None = None
    target: str | None = None
    libc: str | None = None
    cuda_arch: list[str | int] = []
    amdgpu_target: list[str] = []
    about: str = ""

    def machine(self, name: str) -> Machine:
        """The machine as a value. Raises ``InputError`` on a fact that nobody knows."""
        found = {fact: f"the machine {name}" for fact in FACTS if getattr(self, fact)}
        libc = Libc.parse(self.libc) if self.libc else None
        cuda = tuple(map(str, self.cuda_arch))
        return Machine(self.platform, self.os, self.target, libc, cuda, tuple(self.amdgpu_target), name, found).check()


class SourceConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A source with its labels, as the options of ``sync``: ``stack`` labels it, ``stacks`` choose among those of a public manifest."""

    location: str
    name: str | None = None
    stack: str | None = None
    release: str | None = None
    stacks: list[str] = []
    view: str = ""


class CiConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the CI system has for machines, by their names, and what its jobs install with.

    ``runners`` are labels of runners, ``images`` containers that jobs run in, ``setup`` shell commands that they run first. ``spack`` is
    the git tag or branch of Spack, ``resolver`` what pip is to install of this program.
    """

    runners: dict[str, str | list[str]] = {}
    images: dict[str, str] = {}
    setup: dict[str, str | list[str]] = {}
    spack: Annotated[str, msgspec.Meta(pattern=GIT_REF)] = ""
    resolver: str = ""


class MatrixConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What ``matrix`` makes jobs of: stacks and machines by name or path, and which of the jobs there are to be (``only``, ``skip``)."""

    stacks: list[str] = []
    machines: list[str] = []
    split: Split = "stack"
    only: list[str] = []
    skip: list[str] = []


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The whole file. ``stacks`` are folders that hold stack definitions."""

    sources: list[str | SourceConfig] = []
    machines: dict[str, MachineConfig] = {}
    stacks: list[str] = []
    matrix: MatrixConfig = MatrixConfig()
    ci: CiConfig = CiConfig()


def read_config(text: str, where: str) -> Config:
    """Read a configuration. Raises ``InputError`` naming file and key."""
    value = _loaded(text, where)
    try:
        return msgspec.convert({} if value is None else value, Config)
    except msgspec.ValidationError as error:
        msg = "the configuration cannot be used"
        hint = "its keys are sources, machines, stacks, matrix and ci"
        raise InputError(msg, why=str(error), where=where, hint=hint) from None


def read_machine(text: str, name: str, where: str) -> Machine:
    """Read a file that holds one machine, in the words of the configuration or as ``machine --json`` prints it. Raises ``InputError``."""
    value = _loaded(text, where)
    if isinstance(value, dict) and value.get("schema") == MACHINE_DOCUMENT:
        value = {key: item for key, item in value.items() if key in FACTS}
    try:
        return msgspec.convert(value, MachineConfig).machine(name)
    except msgspec.ValidationError as error:
        msg = "not the description of a machine"
        raise InputError(msg, why=str(error), where=where, hint=f"its keys are {', '.join((*FACTS, 'about'))}") from None
    except InputError as error:
        raise error.at(where) from None


def _loaded(text: str, where: str) -> Any:  # noqa: ANN401 - any YAML value
    from resolver.formats.yaml_tree import load_yaml  # a sixth of a command's start, and few have a file to read

    return _plain(load_yaml(text, where))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def json_schema() -> dict[str, Any]:
    """The JSON schema of the file; its texts are the docstrings, without the indentation that some versions of msgspec leave in them."""
    from inspect import cleandoc  # the file is read far more often than its schema is made

    schema = msgspec.json.schema(Config)
    for shape in schema["$defs"].values():
        shape["description"] = cleandoc(shape["description"])
    return schema
