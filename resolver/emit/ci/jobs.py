"""The jobs of a matrix: one installs what a stack, a group or a root was given on a machine."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict


class Job(msgspec.Struct, frozen=True):
    """One job of a matrix.

    ``id`` is stable and can be searched for, as ``e4s@linux-ubuntu22.04-x86_64_v3`` (``names``). ``group`` is None for a stack of several
    groups as a whole; ``root`` and ``hash`` are None unless the job is one root's. ``fingerprint`` names the binaries, and ``roots`` is how
    many roots they serve. ``runner`` are labels of GitHub's runner, ``tags`` those of GitLab's; ``image`` is the container it runs in, and
    ``setup`` shell commands that it runs first, both None where there is none. ``needs`` are ids of jobs whose groups it needs.
    ``mirrors`` are URLs that serve the binaries, ``signed`` is whether one of them has, or may have, signed binaries. ``environment`` is
    the folder that the environment was written to, None where it was not, and ``command`` makes it in a folder ``env``.
    """

    id: str
    stack: str
    group: str | None
    machine: str
    platform: str
    os: str
    target: str
    cuda_arch: tuple[str, ...]
    amdgpu_target: tuple[str, ...]
    root: str | None
    hash: str | None
    fingerprint: str
    roots: int
    runner: tuple[str, ...]
    tags: tuple[str, ...]
    image: str | None
    setup: str | None
    needs: tuple[str, ...]
    mirrors: tuple[str, ...]
    signed: bool
    environment: str | None
    command: str

    def row(self) -> dict[str, object]:
        """The job as plain values; a single runner label is a text."""
        row = asdict(self)
        row["runner"] = self.runner[0] if len(self.runner) == 1 else list(self.runner)
        return row

    def words(self) -> dict[str, str]:
        """What the job is about, as texts; what is None or empty is left out."""
        keys = ("id", "stack", "group", "machine", "platform", "os", "target", "root", "hash", "fingerprint", "environment")
        return {key: value for key in keys if (value := getattr(self, key))}
