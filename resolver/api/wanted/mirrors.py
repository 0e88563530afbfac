"""The mirrors that an environment names, and those given in place of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from resolver.api.settings import read_text
from resolver.api.wanted.model import MANIFEST, MIRRORS
from resolver.errors import InputError
from resolver.formats.mirrors import MirrorEntry, mirror_entries, read_mirrors
from resolver.sources.address import is_remote, is_url
from resolver.sources.build_cache import CacheAddress
from resolver.sources.credentials import configured

ENVIRONMENT = re.compile(r"\$(?:env\b|\{env\})")


def environment_mirrors(folder: Path, manifest: Mapping[str, Any] | None) -> Iterable[CacheAddress]:
    """Those of the ``spack.yaml``, then those of a ``mirrors.yaml`` beside it."""
    found: list[MirrorEntry] = []
    section = next((manifest[key] for key in ("mirrors", "mirrors:") if manifest and key in manifest), None)
    found += mirror_entries(section, str(folder / MANIFEST))
    listed = folder / MIRRORS
    if listed.is_file():
        found += read_mirrors(read_text(listed), str(listed)) or []
    named = {entry.name: entry for entry in reversed(found) if entry.url}
    return [_address(entry, folder) for entry in found if named.get(entry.name) is entry]


def _address(entry: MirrorEntry, folder: Path) -> CacheAddress:
    """An entry of a list. That a variable with its credentials is not set keeps no other mirror from being asked."""
    url = based(entry.url, folder)
    plain = CacheAddress(entry.name, url, view=entry.view, signed=entry.signed)
    if not is_remote(url):
        return plain
    try:
        return replace(plain, credentials=configured(entry.connection, f"{folder}: mirrors:{entry.name}"))
    except InputError as error:
        return replace(plain, broken=error)


def based(url: str, folder: Path) -> str:
    """The URL of a mirror. A path begins where its list lies, and may hold ``$env``, variables and ``~``.

    Source: Spack ``util/path.py:canonicalize_path``.
    """
    if is_url(url):
        return url
    expanded = ENVIRONMENT.sub(lambda _: str(folder), url)
    return str(folder / os.path.expanduser(os.path.expandvars(expanded)))  # noqa: PTH111 - leaves the name of an unknown user as it is


def given_mirrors(texts: Iterable[str]) -> Iterable[CacheAddress]:
    """Mirrors as options name them: a URL or path each, or a list of mirrors (``mirrors.yaml``). Raises ``InputError``."""
    for text in texts:
        path = Path(os.path.expanduser(text))  # noqa: PTH111 - leaves the name of an unknown user as it is
        if not is_url(text) and path.suffix in (".yaml", ".yml"):
            entries = read_mirrors(read_text(path), str(path))
            if not entries:
                raise InputError(f"{path} lists no mirror", hint="give a mirrors.yaml of Spack, or the URL of a mirror")
            yield from (_address(entry, path.absolute().parent) for entry in entries if entry.url)
        else:
            plain = CacheAddress("", text if is_url(text) else str(path.absolute()))
            yield replace(plain, name=plain.shown.rstrip("/").rpartition("/")[2] or "mirror")
