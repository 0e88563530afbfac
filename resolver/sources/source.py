"""What a source is, once it is found: what kind, how it is labelled, and how its records are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from resolver.formats.record import Record


class Content(msgspec.Struct, frozen=True):
    """An opened source: the number of records and the records themselves, read one at a time."""

    size: int
    records: Iterator[Record]
    release: str = ""


class Source(msgspec.Struct, frozen=True):
    """A place that records come from.

    ``kind`` is page, index, mirror or lockfile; ``layout`` v2 or v3 of a mirror, else empty. ``name`` is proposed, unless the user
    gives one. ``url`` is the mirror's, empty for what is no mirror. ``digest`` (sha256) tells whether it changed. ``open`` reads and
    checks the bytes; it raises ``FormatError`` on damage and ``VerificationError`` on a wrong checksum.
    """

    kind: str
    name: str
    location: str
    digest: str
    open: Callable[[], Content]
    layout: str = ""
    url: str = ""
    signed: bool | None = None
    stack: str = ""
    release: str = ""
