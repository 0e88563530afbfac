"""The environment beside a bundle: the same as it was, but that its packages are taken from the bundle."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resolver.api.wanted import LOCKFILE, MANIFEST, Wanted
from resolver.emit.spack_yaml import dump, header
from resolver.selection.problem import one_hash_each

FOLDER = "env"
FROM_ITSELF = "$env/.."
"""Where the bundle lies for Spack, as seen from the environment in it (``util/path.py:substitute_path_variables``)."""


def environment_files(wanted: Wanted, name: str, url: str, *, signed: bool | None) -> dict[str, bytes]:
    """A ``spack.lock`` as it was, and a ``spack.yaml`` that names the bundle as its only mirror; none where there is no lockfile."""
    if wanted.lockfile is None:
        return {}
    body = _body(wanted)
    # Spack looks a mixture's signatures up only where all are to be signed, and then refuses the others.
    body["mirrors"] = {name: {"url": url or FROM_ITSELF, "binary": True, "signed": bool(signed)}}
    manifest = header("spack-resolver bundle") + dump({"spack": body})
    return {f"{FOLDER}/{MANIFEST}": manifest, f"{FOLDER}/{LOCKFILE}": wanted.lockfile}


def _body(wanted: Wanted) -> dict[str, Any]:
    """The manifest without its mirrors; without one, what makes Spack take the lockfile as it is."""
    if wanted.manifest is None:
        return {"specs": list(dict.fromkeys(text for text, _ in wanted.roots)), "concretizer": {"unify": _unify(wanted), "reuse": True}}
    return {str(key).rstrip(":"): _plain(value) for key, value in wanted.manifest.items() if str(key).rstrip(":") != "mirrors"}


def environment_notes(wanted: Wanted) -> list[str]:
    """What a person should know of the environment that is written."""
    if wanted.manifest and any(str(key).rstrip(":") in ("include", "include_concrete") for key in wanted.manifest):
        return [f"{FOLDER}/{MANIFEST} includes files that are not in the bundle: copy them too, or take the include out"]
    return []


def _unify(wanted: Wanted) -> object:
    return True if one_hash_each(wanted.closure.values()) else "when_possible"


def _plain(value: object) -> Any:  # noqa: ANN401 - any value of YAML
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def commands(name: str, path: str, url: str, keys: Mapping[str, str], *, signed: bool | None, environment: bool) -> tuple[str, ...]:
    """What to type where the bundle is used: trusting its keys, then installing from it or naming it as a mirror."""
    found = [shlex.join(["spack", "gpg", "trust", f"{path}/{file}"]) for file in keys.values()] if signed else []
    flag = "--signed" if signed else "--unsigned"
    found.append(shlex.join(["spack", "mirror", "add", flag, name, url or Path(path).as_uri()]))
    if environment:
        found.append(shlex.join(["spack", "-e", f"{path}/{FOLDER}", "install", "--cache-only"]))
    return tuple(found)
