"""Reading local files: bounded, decompressed, with errors that name the file."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

from resolver.errors import FormatError, SourceError

MOST_BYTES = 4 << 30
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 31


def read_file(path: Path) -> bytes:
    """All bytes of a file. Raises ``SourceError`` when it cannot be read or is larger than 4 GiB."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            msg = f"{path} is {size >> 20} MiB large, more than is read ({MOST_BYTES >> 20} MiB)"
            raise SourceError(msg, hint="sync the stacks' indexes in place of their union")
        return path.read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read"
        raise SourceError(msg, why=error.strerror or str(error), hint="check the path and its permissions") from None


def plain(data: bytes, where: str) -> bytes:
    """The bytes, decompressed when they are gzip. Raises ``FormatError`` on damage or when they grow beyond 4 GiB."""
    if not data.startswith(GZIP_MAGIC):
        return data
    decompressor = zlib.decompressobj(GZIP_WINDOW)
    try:
        found = decompressor.decompress(data, MOST_BYTES)
    except zlib.error as error:
        msg = "damaged gzip data"
        raise FormatError(msg, why=str(error), where=where, hint="fetch it again; it may have been cut short") from None
    if decompressor.unconsumed_tail or not decompressor.eof:
        msg = "gzip data that is cut short or too large"
        raise FormatError(msg, where=where, hint="fetch it again")
    return found


def sha256(data: bytes) -> str:
    """The digest in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
