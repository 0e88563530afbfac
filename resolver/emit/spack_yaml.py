"""``spack.yaml``: the roots pinned by hash, and the mirrors that serve them.

What makes Spack 1.x take it without its solver: beside a lockfile the same texts as the lockfile's roots and ``unify`` not false;
standing alone ``unify: false``, with which pinned roots skip the solver.
"""

from __future__ import annotations

from typing import Any, Literal

import yaml

from resolver.emit.environment import Artifact, Environment, Mirror

WIDTH = 10_000
KEYS_HINT = """\
# The keys below are what the mirrors say they are signed with: compare them with what their owners publish.
# `spack buildcache keys --install` shows them; with --trust besides, Spack takes packages that they signed.
"""


def emit_spack_yaml(environment: Environment, *, beside_lock: bool) -> Artifact:
    """The manifest of the environment."""
    body: dict[str, Any] = {"specs": [root.pin for root in environment.pins]}
    if environment.view is not None:
        body["view"] = environment.view
    body["concretizer"] = {"unify": _unify(environment, beside_lock=beside_lock), "reuse": True}
    mirrors = _indented(mirrors_yaml(environment.mirrors)) if environment.mirrors else b""
    return Artifact("spack.yaml", header(environment.command, environment.mirrors) + dump({"spack": body}) + mirrors)


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


def mirrors_yaml(mirrors: tuple[Mirror, ...]) -> bytes:
    """The ``mirrors`` section as YAML, above each entry its keys, for which Spack's schema has no place but a comment."""
    if not mirrors:
        return dump({"mirrors": {}})
    entries = [_keys(mirror) + dump({name: body}) for mirror, (name, body) in zip(mirrors, mirror_section(mirrors).items(), strict=True)]
    return b"mirrors:\n" + _indented(b"".join(entries))


def _keys(mirror: Mirror) -> bytes:
    return "".join(f"# key {key}\n" for key in shown_keys(mirror)).encode()


def shown_keys(mirror: Mirror) -> list[str]:
    """The keys to check the mirror's packages with; none where they are known to be unsigned."""
    return [key for key in mirror.keys if key.isalnum()] if mirror.signed is not False else []


def _indented(text: bytes) -> bytes:
    return b"".join(b"  " + line for line in text.splitlines(keepends=True))


def header(command: str, mirrors: tuple[Mirror, ...] = ()) -> bytes:
    """A comment that says what made the file and, where its mirrors have keys, how Spack comes to trust them."""
    safe = " ".join(command.split())
    hint = KEYS_HINT if any(shown_keys(mirror) for mirror in mirrors) else ""
    return f"# Made by: {safe}\n{hint}".encode()


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
