"""Lists of files to download, as programs that download take them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

WEB = ("http://", "https://")


class Fetch(msgspec.Struct, frozen=True):
    """One file to download.

    ``kind`` is manifest, spec, archive, metadata, blob, config or key. ``hash`` and ``name`` are of the package, empty of keys. ``path`` is
    where it goes below a mirror, ``size`` in bytes and ``sha256`` are None where they are not known, ``mirror`` is the name of the mirror.
    """

    kind: str
    hash: str
    name: str
    url: str
    path: str
    size: int | None
    sha256: str | None
    mirror: str


def text_list(rows: Iterable[Fetch]) -> bytes:
    """One line a file, columns parted by tabs: kind, hash, size, sha256, url; ``-`` for what is not known."""
    lines = (f"{r.kind}\t{r.hash or '-'}\t{'-' if r.size is None else r.size}\t{r.sha256 or '-'}\t{r.url}\n" for r in rows)
    return "".join(lines).encode()


def aria2_list(rows: Iterable[Fetch]) -> bytes:
    """For ``aria2c -i``: each URL with the path that it gets and, where it is known, the checksum that aria2 checks."""
    return "".join(line for row in rows for line in _aria2(row)).encode()


def _aria2(row: Fetch) -> Iterable[str]:
    yield f"{row.url}\n  out={row.path}\n"
    if row.sha256:
        yield f"  checksum=sha-256={row.sha256}\n"


def wget_list(rows: Iterable[Fetch]) -> bytes:
    """For ``wget -i``: URLs alone; ``wget -x -nH -i`` keeps their folders."""
    return "".join(f"{row.url}\n" for row in rows).encode()


def rows_body(rows: Sequence[Fetch]) -> list[dict[str, Any]]:
    """The files as plain values."""
    found: list[dict[str, Any]] = msgspec.to_builtins(rows)
    return found


def on_the_web(row: Fetch) -> bool:
    """Can a program that speaks HTTP download it?"""
    return row.url.startswith(WEB)
