"""What is done with bytes from any place: gzip undone within bounds, digests."""

from __future__ import annotations

import hashlib
import zlib

from resolver.errors import FormatError
from resolver.sources.place import MOST_BYTES

GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 31
MOST_GROWTH = 200
"""How many times its size gzip may grow; indexes grow some 15 times."""
FREE_BYTES = 1 << 26
"""What gzip may grow to however small it is."""


def plain(data: bytes, where: str) -> bytes:
    """The bytes, decompressed when they are gzip. Raises ``FormatError`` on damage, or when they grow beyond what a document may."""
    if not data.startswith(GZIP_MAGIC):
        return data
    most = min(MOST_BYTES, max(FREE_BYTES, MOST_GROWTH * len(data)))
    decompressor = zlib.decompressobj(GZIP_WINDOW)
    try:
        found = decompressor.decompress(data, most)
    except zlib.error as error:
        msg = "damaged gzip data"
        raise FormatError(msg, why=str(error), where=where, hint="fetch it again; it may have been cut short") from None
    if decompressor.eof:
        return found
    msg = "gzip data that is cut short"
    if decompressor.unconsumed_tail or len(found) >= most:
        msg = f"gzip data that grows beyond {most >> 20} MiB"
    raise FormatError(msg, where=where, hint="fetch it again; it may be damaged")


def sha256(data: bytes) -> str:
    """The digest in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
