"""What is done with bytes from any place: gzip undone within bounds, digests."""

from __future__ import annotations

import hashlib
import io
import zlib

from resolver.errors import FormatError
from resolver.sources.place import MOST_BYTES

GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 31
MOST_GROWTH = 200
"""How many times its size gzip may grow; indexes grow some 15 times."""
PIECE = 1 << 14
FREE_BYTES = 1 << 26
"""What gzip may grow to however small it is."""


def plain(data: bytes, where: str = "", *, most: int = MOST_BYTES) -> bytes:
    """The bytes, decompressed when they are gzip. Raises ``FormatError`` on damage, or when they grow beyond what a document may.

    ``most`` bounds the bytes that come out; so does a multiple of those that go in.
    """
    if not data.startswith(GZIP_MAGIC):
        return data
    most = min(most, max(FREE_BYTES, MOST_GROWTH * len(data)))
    try:
        return _inflated(data, most)
    except zlib.error as error:
        msg = "damaged gzip data"
        raise FormatError(msg, why=str(error), where=where, hint="fetch it again; it may have been cut short") from None
    except FormatError as error:
        raise error.at(where) from None


def _inflated(data: bytes, most: int) -> bytes:
    """All members, which may follow each other (RFC 1952 2.2) and be followed by zeros."""
    found = io.BytesIO()
    member: zlib._Decompress | None = None
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE]
        while piece:
            member = member or zlib.decompressobj(GZIP_WINDOW)
            found.write(member.decompress(piece, most + 1 - found.tell()))
            if found.tell() > most:
                msg = f"gzip data that grows beyond {most >> 20} MiB"
                raise FormatError(msg, hint="it is no index; it may be meant to do harm")
            piece = member.unused_data.lstrip(b"\0")
            member = None if member.eof else member
    if member:
        msg = "gzip data that is cut short"
        raise FormatError(msg, hint="fetch it again")
    return found.getvalue()


def sha256(data: bytes) -> str:
    """The digest in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
