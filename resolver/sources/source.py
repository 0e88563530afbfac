"""What a source is, once it is found: what it is called and how it is labelled, and how its records are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from resolver.formats.record import Record
from resolver.sources.place import Report


class Seen(msgspec.Struct, frozen=True):
    """What the catalog holds of a source: the digest of what was read, and the tag to ask its place with. Empty when it holds nothing."""

    digest: str = ""
    tag: str = ""


class Content(msgspec.Struct, frozen=True):
    """A source's records, read one at a time, and how many there are. ``release`` is what the document says of itself."""

    size: int
    records: Iterator[Record]
    release: str = ""


class Opened(msgspec.Struct, frozen=True):
    """A source whose bytes have been fetched and checked.

    ``kind`` is page, index, mirror, database, spec or lockfile. ``digest`` (sha256) and ``tag`` tell next time whether it changed; where
    it has not, ``unchanged`` is True and ``read`` gives nothing. ``signed`` is whether a mirror's packages are, None where it is not known.
    """

    kind: str
    digest: str
    tag: str = ""
    unchanged: bool = False
    signed: bool | None = None
    read: Callable[[], Content] = lambda: Content(0, iter(()))


class Source(msgspec.Struct, frozen=True):
    """A place that records come from.

    ``open`` fetches and checks what is new since it was last seen. It raises ``SourceError`` when the place cannot be reached,
    ``FormatError`` on damage and ``VerificationError`` on a wrong checksum. ``layout`` is v2, v3 or oci of a mirror and ``view`` the
    named index of a layout v3 mirror, else empty. ``name`` is proposed, unless the user gives one. ``url`` is the mirror's, empty for what
    is no mirror. ``chosen`` is whether it is one that release and stack chose, so that they label nothing else. ``note`` is what
    a person should know before it is read.
    """

    name: str
    location: str
    open: Callable[[Seen, Report], Opened]
    layout: str = ""
    view: str = ""
    url: str = ""
    stack: str = ""
    release: str = ""
    remote: bool = False
    chosen: bool = False
    note: str = ""
