"""Ids of jobs: ``stack@machine``, ``stack@machine@group``, ``stack@machine@root``, ``stack@machine@group@root``.

They are made of letters that need no quoting in a shell, a URL, YAML, a file's name or the name of an artifact, and depend on what they
name alone: neither on hashes nor on what else is in the matrix, unless two would be the same.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from resolver.arch.machine import Machine

UNSAFE = re.compile(r"[^A-Za-z0-9_.+~=@-]+")
LEADING = re.compile(r"^[^A-Za-z0-9_]+")
"""GitLab hides jobs that begin with a dot, and programs take what begins with a hyphen for an option."""
LONGEST = 60
"""Letters of a part."""
LONGEST_ID = 240
"""Letters of an id: GitLab takes names of 255, file systems as many, and a digest may come behind it."""


def machine_label(machine: Machine) -> str:
    """``linux-ubuntu24.04-zen4``, and what the machine has of GPUs behind it, as ``+cuda90``."""
    gpus = [*(f"cuda{arch}" for arch in machine.cuda_arch), *machine.amdgpu_target]
    return label("+".join([machine.triple, *gpus]))


def label(text: str) -> str:
    """A part of an id; a text that is too long for one is cut, and a digest of it tells it from others."""
    cleaned = LEADING.sub("_", UNSAFE.sub("_", text)) or "_"
    return cleaned if len(cleaned) <= LONGEST else f"{cleaned[: LONGEST - 8]}-{digest(text)}"


def labels(texts: Iterable[str]) -> dict[str, str]:
    """Labels that differ: a digest of the whole text is behind those that several texts would have."""
    found = {text: label(text) for text in texts}
    count = Counter(found.values())
    return {text: f"{name}-{digest(text)}" if count[name] > 1 else name for text, name in found.items()}


def digest(text: str) -> str:
    """Seven letters that tell texts apart."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:7]


def join(*parts: str) -> str:
    """An id of its parts; one that is too long as a whole is cut as a part is."""
    text = "@".join(parts)
    return text if len(text) <= LONGEST_ID else f"{text[: LONGEST_ID - 8]}-{digest(text)}"
