"""Nodes in compressed pages, in the order of their source: neighbours resemble each other and are often wanted together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from lz4 import block

from resolver.errors import InputError

IN_ONE_PAGE = 16
"""Nodes in a page: more compress better, fewer are read faster one at a time."""
MOST_IN_ONE_PAGE = 1 << 20
"""Bytes after which a page is full however few nodes it has."""


def packed(nodes: Sequence[bytes]) -> bytes:
    """One page of these nodes."""
    return bytes(block.compress(b"".join(nodes), store_size=False))


def unpacked(page: bytes, size: int) -> bytes:
    """The nodes of a page, one behind the other. Raises ``InputError`` when the page is damaged."""
    try:
        found = block.decompress(page, uncompressed_size=size)
    except (block.LZ4BlockError, ValueError, TypeError, OverflowError, MemoryError) as error:
        msg = "the catalog is damaged: a page of it cannot be read"
        raise InputError(msg, why=str(error), hint="sync into a new one, named with --catalog") from None
    return bytes(found)


def read_page(row: tuple[bytes | None, int | None] | None) -> bytes:
    """As ``unpacked``, of a row of a page's nodes and size; None where there is none, which is damage too."""
    if row is None or row[0] is None or row[1] is None:
        msg = "the catalog is damaged: a page of it is missing"
        raise InputError(msg, hint="sync into a new one, named with --catalog")
    return unpacked(row[0], row[1])


class Bodies:
    """Nodes out of a catalog's pages; ``kept`` is how many of the pages that were read last are held in memory."""

    def __init__(self, connection: sqlite3.Connection, kept: int) -> None:
        self._connection = connection
        self._kept = kept
        self._pages: dict[int, bytes] = {}

    def node(self, page: int, start: int, length: int) -> bytes:
        """The node at a place. Raises ``InputError`` when its page is missing or damaged."""
        if page not in self._pages:
            if len(self._pages) >= self._kept:
                self._pages.pop(next(iter(self._pages)))
            self._pages[page] = read_page(self._connection.execute("SELECT nodes, size FROM page WHERE id = ?", (page,)).fetchone())
        return self._pages[page][start : start + length]


def runs(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Begin and end of each page that nodes of these lengths are cut into."""
    begin = filled = 0
    for number, length in enumerate(lengths):
        if number - begin == IN_ONE_PAGE or (filled and filled + length > MOST_IN_ONE_PAGE):
            yield begin, number
            begin, filled = number, 0
        filled += length
    if begin < len(lengths):
        yield begin, len(lengths)
