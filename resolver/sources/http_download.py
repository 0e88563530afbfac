"""One file on its way: what has come, how the rest is asked for after a break, and when it is whole."""

from __future__ import annotations

import hashlib
import io
import re
import zlib
from collections.abc import Iterator, Mapping

from resolver.errors import SourceError
from resolver.sources.http_errors import PassingError, unreadable
from resolver.sources.http_exchange import Answer
from resolver.sources.place import Fetched, Report

MODIFIED = "modified:"
"""What a tag begins with that is a time; entity tags begin with a quotation mark or ``W/``."""
LONGEST_TAG = 1024
CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE)
PIECE = 1 << 20
GZIP_WINDOW = 31
MOST_GROWTH = 200
"""An index shrinks to about a tenth; a body that grows more than this many times when it is decoded is meant to do harm."""
FREE_GROWTH = 64 << 20


class Download:
    """The state of one read over all its tries: what came of the body and what it takes to go on."""

    def __init__(self, where: str, most: int, tag: str, report: Report) -> None:
        self._where = where
        self._most = most
        self._tag = tag
        self._report = report
        self._forget()

    def headers(self) -> dict[str, str]:
        """What the next request says: the rest of a body that broke off, or a body unless the tag still holds.

        A rest is of the same entity only by a strong entity tag (RFC 9110 13.1.5), and is not encoded.
        """
        if self._resumes:
            return {"Accept-Encoding": "identity", "Range": f"bytes={self._held}-", "If-Range": self._strong}
        return {"Accept-Encoding": "gzip", **_condition(self._tag)}

    @property
    def _resumes(self) -> bool:
        return bool(self._strong) and self._held > 0

    def unchanged(self, answer: Answer) -> Fetched | None:
        """What to say when the server answers that the tag still holds; None when it was not asked."""
        asked = bool(_condition(self._tag)) and not self._resumes
        return Fetched(b"", "", self._tag, unchanged=True) if asked and answer.status == 304 else None

    def take(self, answer: Answer) -> Fetched:
        """Read a body to its end.

        Raises ``SourceError`` when it is too large or badly encoded, ``PassingError`` when it breaks off or is not the rest asked for.
        """
        if answer.status == 206:
            self._continue(answer)
        else:
            self._begin(answer)
        for chunk in answer.chunks():
            self._add(chunk)
        if self._inflater and not self._inflater.whole:
            raise PassingError("the encoded body ended before it was whole")
        if self._total not in {None, self._held}:
            raise PassingError(f"{self._held} bytes came and {self._total} were announced")
        # a BytesIO gives away its own buffer, so that the body is held once
        return Fetched(self._buffer.getvalue(), self._hash.hexdigest(), self._new_tag)

    def start_over(self) -> None:
        """Drop what has come; the report is told of it as a negative count."""
        if self._held:
            self._report(-self._held, self._total)
        self._forget()

    def _forget(self) -> None:
        self._buffer = io.BytesIO()
        self._hash = hashlib.sha256()
        self._inflater: Inflater | None = None
        self._held = 0
        self._sent = 0
        self._total: int | None = None
        self._strong = ""
        self._new_tag = ""

    def _begin(self, answer: Answer) -> None:
        self.start_over()
        coding = _coding(answer.headers)
        if coding not in {"", "gzip", "x-gzip"}:
            raise unreadable(self._where, f"it is encoded as {coding[:40]!r}, and gzip was asked for", "see how the server is set up")
        self._check(answer.length or 0)
        self._new_tag = tag_of(answer.headers)
        if coding:
            self._inflater = Inflater(self._where)
            return
        self._total = answer.length
        if self._new_tag.startswith('"') and "bytes" in answer.headers.get("accept-ranges", "").lower():
            self._strong = self._new_tag

    def _continue(self, answer: Answer) -> None:
        self._total = self._whole_with(answer)
        if self._total is None:
            self.start_over()
            raise PassingError("the part that came does not fit what came before")

    def _whole_with(self, answer: Answer) -> int | None:
        """The size of the whole, when a part is all the rest of the same entity (RFC 9110 15.3.7); else None."""
        found = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", "").strip())
        if not (self._resumes and found) or _coding(answer.headers) or tag_of(answer.headers) not in {"", self._strong}:
            return None
        first, end = int(found[1]), int(found[2]) + 1
        whole = end if found[3] == "*" else int(found[3])
        self._check(whole)
        fits = first == self._held and end == whole and self._total in {None, whole} and answer.length in {None, end - first}
        return whole if fits else None

    def _add(self, chunk: bytes) -> None:
        self._sent += len(chunk)
        self._check(self._sent)
        for piece in self._inflater.pieces(chunk) if self._inflater else (chunk,):
            self._check(self._held + len(piece))
            self._buffer.write(piece)
            self._hash.update(piece)
            self._held += len(piece)
            self._report(len(piece), self._total)

    def _check(self, size: int) -> None:
        if size > self._most:
            msg = f"{self._where} is larger than the {self._most} bytes that are read"
            raise SourceError(msg, hint="see that the URL is that of a mirror or an index")


class Inflater:
    """Decodes gzip a piece at a time, so that no chunk can fill the memory."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._taken = 0
        self._given = 0
        self._inner: zlib._Decompress | None = None

    @property
    def whole(self) -> bool:
        """Was the last member read to its end."""
        return self._inner is None

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What a chunk decodes to, in pieces of at most a MiB. Raises ``SourceError`` on damage and on a body that grows too much."""
        self._taken += len(data)
        while data:
            piece, data = self._step(data)
            self._given += len(piece)
            if self._given > MOST_GROWTH * self._taken + FREE_GROWTH:
                raise unreadable(self._where, f"{self._taken} bytes decode to more than {self._given}", "do not trust this server")
            if piece:
                yield piece

    def _step(self, data: bytes) -> tuple[bytes, bytes]:
        """A piece and the data that is left; members may follow each other (RFC 1952 2.2)."""
        inner = self._inner = self._inner or zlib.decompressobj(GZIP_WINDOW)
        try:
            piece = inner.decompress(data, PIECE)
        except zlib.error:
            raise unreadable(self._where, "its body says that it is gzip, and it is damaged") from None
        if not inner.eof:
            return piece, inner.unconsumed_tail
        self._inner = None
        return piece, inner.unused_data


def tag_of(headers: Mapping[str, str]) -> str:
    """What tells later whether an entity changed: its entity tag, else ``modified:`` and the time; empty when there is neither."""
    etag, modified = headers.get("etag", "").strip(), headers.get("last-modified", "").strip()
    if _sendable(etag) and etag.startswith(('"', 'W/"')) and etag.endswith('"'):
        return etag
    return f"{MODIFIED}{modified}" if modified and _sendable(modified) else ""


def _condition(tag: str) -> dict[str, str]:
    if not tag or not _sendable(tag):
        return {}
    return {"If-Modified-Since": tag.removeprefix(MODIFIED)} if tag.startswith(MODIFIED) else {"If-None-Match": tag}


def _sendable(text: str) -> bool:
    return len(text) <= LONGEST_TAG and text.isascii() and text.isprintable()


def _coding(headers: Mapping[str, str]) -> str:
    """The codings of a body without ``identity``, empty for none."""
    names = [name.strip().lower() for name in headers.get("content-encoding", "").split(",")]
    return ", ".join(name for name in names if name not in {"", "identity"})
