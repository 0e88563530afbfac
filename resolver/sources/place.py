"""A place that files are read from: a directory, a web server's folder, a bucket's prefix. Each transport implements it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from resolver.sources.sink import Sink

MOST_BYTES = 4 << 30
"""The largest document that is read, in bytes; an index of a million specs has about half of it."""
MOST_SMALL_BYTES = 1 << 24
"""The largest manifest, key list or spec file that is read, in bytes."""

Report = Callable[[int, int | None], None]
"""Is told of bytes as they come: how many more, and how many there are in all where that is known."""


def no_report(count: int, total: int | None) -> None:
    """A report that tells nobody."""


class Fetched(msgspec.Struct, frozen=True):
    """A body that was read whole.

    ``sha256`` is of the bytes as they are stored there. ``tag`` is what to give as ``tag`` next time to be told whether it changed: an
    entity tag, or a file's time and size; empty when the place has none. ``unchanged`` is True when the tag that was given still
    holds; then there are no bytes.
    """

    data: bytes
    sha256: str
    tag: str = ""
    unchanged: bool = False


class Place(Protocol):
    """A tree of files. Paths are relative, parted by ``/``, never begin with ``/`` and have no ``..``."""

    @property
    def url(self) -> str:
        """Its URL as a mirror of Spack names it, without credentials and without a slash at the end."""

    def read(self, path: str, *, most: int = MOST_SMALL_BYTES, tag: str = "", report: Report = no_report) -> Fetched | None:
        """A file's bytes, or None when the place answers that there is no such file. ``path`` may be empty: the place itself.

        Raises ``SourceError``, with the URL of the file, when it cannot be reached, refuses, or sends more than ``most`` bytes or less
        than it announced.
        """

    def exists(self, path: str) -> bool:
        """Is there such a file? Raises ``SourceError`` when the place cannot be reached or refuses."""

    def length(self, path: str) -> int | None:
        """How many bytes a file has, None when there is no such file, -1 where the place does not tell. Raises as ``exists``."""

    def fetch(self, path: str, sink: Sink) -> bool:
        """Put a file's bytes into a sink, or the rest of them where it has some; False when the place answers that there is no such file.

        Raises ``SourceError`` as ``read`` does, and ``VerificationError`` when what came is not what the sink is to have.
        """

    def paths(self, folder: str) -> Iterator[str]:
        """All files below a folder, as paths in sorted order. Raises ``UnsupportedError`` where the place cannot list."""
