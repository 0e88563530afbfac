"""The files of a job's environment."""

from __future__ import annotations

from pathlib import Path

from resolver.emit.environment import Environment
from resolver.emit.spack_lock import emit_spack_lock
from resolver.emit.spack_yaml import emit_spack_yaml
from resolver.errors import InputError, NotSatisfiedError


def environment_files(environment: Environment, folder: Path) -> tuple[dict[Path, bytes], str]:
    """``spack.yaml`` and ``spack.lock`` for a folder; the first alone, and why, where dependencies are not known.

    Raises ``InputError`` where the folder holds the lockfile of another environment, which Spack would take.
    """
    note, artifacts = "", []
    try:
        artifacts.append(emit_spack_lock(environment))
    except NotSatisfiedError as error:
        if (folder / "spack.lock").exists():
            msg = f"{folder} holds a spack.lock of another environment, and none can be written in its place"
            raise InputError(msg, why=str(error), hint="remove that file, or write to another directory") from None
        note = f"{folder}: no spack.lock: {error}"
    artifacts.append(emit_spack_yaml(environment, beside_lock=not note))
    return {folder / artifact.path: artifact.content for artifact in artifacts}, note
