"""Lists of mirrors: Spack's ``mirrors.yaml``, and the manifest of the public cache.

Sources: Spack ``schema/mirrors.py``, ``mirrors/mirror.py:Mirror``; ``cache_spack_io_index.json`` as the public cache's indexer writes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from resolver.errors import FormatError, InputError
from resolver.formats.shapes import mapping
from resolver.formats.yaml_tree import load_yaml

PUBLIC_BUCKET = "s3://spack-binaries/"
PUBLIC_HOST = "https://binaries.spack.io/"
UNION = "root"
"""The label of the index that is the union of all stacks of a release."""
BLOB = re.compile(r"(?P<mirror>(?:https?|s3)://[^/?#@\s]+(?:/[^?#]*?)?)/(?P<path>blobs/sha256/[0-9a-f]{2}/(?P<digest>[0-9a-f]{64}))")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+@-]{0,199}")


class MirrorEntry(msgspec.Struct, frozen=True):
    """A mirror to fetch binaries from. ``url`` is empty of one that is pushed to only, ``signed`` None where nothing is said.

    ``connection`` holds what opens it, by Spack's own keys: ``access_pair``, ``access_token``, ``profile``, ``endpoint_url`` and their
    ``..._variable`` forms. It is never printed.
    """

    name: str
    url: str
    view: str = ""
    signed: bool | None = None
    connection: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        """Its name alone, since the rest may hold secrets."""
        return f"MirrorEntry({self.name!r})"


class PublicIndex(msgspec.Struct, frozen=True):
    """One index of the public manifest: release, stack (``root`` for their union), its mirror's URL, the index blob's path and sha256."""

    release: str
    stack: str
    mirror: str
    path: str
    digest: str


def read_mirrors(text: str, where: str) -> list[MirrorEntry] | None:
    """The binary mirrors of a ``mirrors.yaml`` in its order, or None when the document is none. Raises ``InputError`` naming the place."""
    document = load_yaml(text, where)
    if not isinstance(document, Mapping) or set(document) - {"mirrors", "mirrors:"} or not document:
        return None
    return mirror_entries(next(iter(document.values())), where)


def mirror_entries(section: object, where: str) -> list[MirrorEntry]:
    """The binary mirrors of a ``mirrors`` section, in its order, which is that of probing. Raises ``InputError`` naming the place."""
    named = mapping(section, f"{where}: mirrors").items()
    entries = [_entry(str(name).rstrip(":"), value, f"{where}: mirrors:{name}") for name, value in named]
    return [entry for entry in entries if entry is not None]


def _entry(name: str, value: object, where: str) -> MirrorEntry | None:
    """An entry in any of its forms: a URL, or a mapping whose ``fetch`` may be a URL or a mapping too. None for mirrors of sources."""
    whole = {"url": value} if isinstance(value, str) else mapping(value, where)
    fetch = whole.get("fetch")
    inner = {"url": fetch} if isinstance(fetch, str) else mapping(fetch, f"{where}:fetch")
    merged = {**whole, **inner}
    if merged.get("binary") is False:
        return None
    url = merged.get("url")
    if not isinstance(url, str) or not url:
        if url is not None or not whole.get("push"):
            msg = f"the mirror {name} has no URL to fetch from"
            raise InputError(msg, where=where, hint="give it a `url`")
        url = ""
    signed = merged.get("signed")
    connection = {key: merged[key] for key in CONNECTION if key in merged}
    return MirrorEntry(name, url, str(merged.get("view") or ""), signed if isinstance(signed, bool) else None, connection)


CONNECTION = ("access_pair", "access_token", "access_token_variable", "profile", "endpoint_url")


class _Listed(msgspec.Struct):
    label: str
    url: str


def read_public_manifest(data: bytes) -> list[PublicIndex] | None:
    """The indexes that the public manifest lists, or None when the document is no such manifest.

    Entries that are no index blob of a mirror are passed over, as are names and URLs of other letters than theirs. Sorted by release and
    stack.
    """
    try:
        document = msgspec.json.decode(data, type=dict[str, list[_Listed]])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if "database" in document:
        return None
    found = [_public(release, entry) for release, entries in document.items() for entry in entries]
    return sorted((index for index in found if index), key=lambda index: (index.release, index.stack))


def _public(release: str, entry: _Listed) -> PublicIndex | None:
    url = entry.url.replace(PUBLIC_BUCKET, PUBLIC_HOST, 1) if entry.url.startswith(PUBLIC_BUCKET) else entry.url
    match = BLOB.fullmatch(url)
    if match is None or not (url.isprintable() and LABEL.fullmatch(release) and LABEL.fullmatch(entry.label)):
        return None
    return PublicIndex(release, entry.label, match["mirror"], match["path"], match["digest"])


def require_public_manifest(data: bytes, where: str) -> list[PublicIndex]:
    """As ``read_public_manifest``. Raises ``FormatError`` when the document is none."""
    found = read_public_manifest(data)
    if found is None:
        msg = "not the manifest of a public cache"
        raise FormatError(msg, where=where, hint="it maps releases to lists of a label and a url each; fetch it again")
    return found
