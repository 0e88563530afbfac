"""``spack.yaml``: the roots pinned by hash, and the mirrors that serve them.

What makes Spack 1.x take it without its solver: beside a lockfile the same texts as the lockfile's roots and ``unify`` not false;
standing alone ``unify: false``, with which pinned roots skip the solver.
"""

from __future__ import annotations

from typing import Any, Literal

import yaml

from resolver.emit.environment import Artifact, Environment, Mirror

WIDTH = 10_000


def emit_spack_yaml(environment: Environment, *, beside_lock: bool) -> Artifact:
    """The manifest of the environment."""
    body: dict[str, Any] = {"specs": [root.pin for root in environment.pins]}
    if environment.view is not None:
        body["view"] = environment.view
    body["concretizer"] = {"unify": _unify(environment, beside_lock=beside_lock), "reuse": True}
    if environment.mirrors:
        body["mirrors"] = mirror_section(environment.mirrors)
    return Artifact("spack.yaml", header(environment.command) + dump({"spack": body}))


def _unify(environment: Environment, *, beside_lock: bool) -> bool | Literal["when_possible"]:
    if not beside_lock:
        return False
    return True if environment.unified else "when_possible"


def mirror_section(mirrors: tuple[Mirror, ...]) -> dict[str, Any]:
    """A ``mirrors`` section; ``signed`` is left to Spack's default, which demands signatures, where it is not known."""
    return {m.name: _mirror(m) for m in mirrors}


def _mirror(mirror: Mirror) -> dict[str, Any]:
    signed = {} if mirror.signed is None else {"signed": mirror.signed}
    return {"url": mirror.url, "binary": True, **signed, **({"view": mirror.view} if mirror.view else {})}


def header(command: str) -> bytes:
    """A comment that says what made the file."""
    safe = " ".join(command.split())
    return f"# Made by: {safe}\n".encode()


def dump(value: object) -> bytes:
    """YAML in the order given, one item a line, texts quoted where they must be."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=WIDTH, allow_unicode=True)
    return text.encode()


class _Dumper(yaml.SafeDumper):
    """Indents the items of lists below their key, and repeats in place of aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's signature
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


_Dumper.add_multi_representer(dict, lambda dumper, value: dumper.represent_dict(value))
_Dumper.add_multi_representer(list, lambda dumper, value: dumper.represent_list(value))
