"""What a source is, once it is found: what it is called and how it is labelled, and how its records are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from resolver.errors import ResolverError
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
    ``keys`` are the fingerprints that its key index states. ``note`` is what a person should know of how it was read.
    """

    kind: str
    digest: str
    tag: str = ""
    unchanged: bool = False
    signed: bool | None = None
    read: Callable[[], Content] = lambda: Content(0, iter(()))
    note: str = ""
    keys: tuple[str, ...] = ()


Open = Callable[[Seen, Report], Opened]


def opens_nothing(seen: Seen, report: Report) -> Opened:  # noqa: ARG001 - as every source is opened
    """There is nothing to read."""
    return Opened("", seen.digest, seen.tag, unchanged=True)


class Source(msgspec.Struct, frozen=True):
    """A place that records come from.

    ``open`` fetches and checks what is new since it was last seen. It raises ``SourceError`` when the place cannot be reached,
    ``FormatError`` on damage and ``VerificationError`` on a wrong checksum. ``location`` has no credentials. ``layout`` is v2, v3 or oci of
    a mirror and ``view`` the named index of a layout v3 mirror, else empty. ``name`` is proposed, unless the user gives one, which then is
    followed by ``ending``, as what tells apart the sources of one place. ``url`` is the mirror's, empty for what is no mirror. ``signed``
    is what the user says of its packages. ``chosen`` is whether it is one that release and stack chose, so that they label nothing else.

    With ``broken`` it is known beforehand that it cannot be read, and why; with ``doubtful`` besides, it may not be there at all. With
    ``kept`` nothing was looked for, and it stands for all that was synced at its location or below.
    """

    name: str
    location: str
    open: Open = opens_nothing
    layout: str = ""
    view: str = ""
    url: str = ""
    stack: str = ""
    release: str = ""
    ending: str = ""
    signed: bool | None = None
    remote: bool = False
    chosen: bool = False
    broken: ResolverError | None = None
    doubtful: bool = False
    kept: bool = False


class Wanted(msgspec.Struct, frozen=True):
    """What of a location is wanted.

    ``releases`` and ``stacks`` choose among the indexes of a public manifest, by names or patterns as of a shell. ``view`` is a named
    index of a layout v3 mirror. With ``offline`` nothing remote is read.
    """

    releases: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    view: str = ""
    offline: bool = False


class Lead(msgspec.Struct, frozen=True):
    """Where sources are to be looked for: ``find`` gives them in a fixed order, or raises a ``ResolverError``.

    ``location`` has no credentials. ``remote`` is whether ``find`` asks the network.
    """

    location: str
    find: Callable[[], list[Source]]
    remote: bool = False
