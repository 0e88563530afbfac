"""A file on its way from a web server into a sink: what is asked for, and what is made of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from resolver.sources.http_download import CONTENT_RANGE, tag_of
from resolver.sources.http_errors import PassingError
from resolver.sources.http_exchange import Answer
from resolver.sources.place import Fetched
from resolver.sources.sink import Sink

UNKNOWN_LENGTH = -1


class Transfer(Protocol):
    """One read over all its tries."""

    def headers(self) -> dict[str, str]:
        """What the next request says."""

    def take(self, answer: Answer) -> Fetched:
        """Read a body to its end."""

    def unchanged(self, answer: Answer) -> Fetched | None:
        """What to say when the server answers that what is held is still right; None when it was not asked."""

    def start_over(self) -> None:
        """Drop what has come."""


class FileTransfer:
    """Fills a sink, with the rest of what it has where that can be had. Bodies are taken as they are stored, never decoded."""

    def __init__(self, where: str, sink: Sink) -> None:
        self._where = where
        self._sink = sink
        self._joined = False

    def headers(self) -> dict[str, str]:
        """A rest is asked for by the tag of its entity (RFC 9110 13.1.5), or without, where the checksum of the whole is known."""
        sink = self._sink
        found = {"Accept-Encoding": "identity"}
        if sink.continues(self._where):
            found["Range"] = f"bytes={sink.held}-"
            if sink.tag and sink.origin == self._where:
                found["If-Range"] = sink.tag
        return found

    def unchanged(self, answer: Answer) -> None:
        """Nothing is asked for on a condition."""

    def start_over(self) -> None:
        """See ``Transfer``."""
        self._joined = False
        self._sink.restart()

    def take(self, answer: Answer) -> Fetched:
        """Read a body to its end.

        Raises ``VerificationError`` when it is another file, ``PassingError`` when it breaks off or is not the rest that was asked for.
        """
        sink = self._sink
        if answer.status == 206:
            self._join(answer)
        else:
            self._begin(answer)
        for chunk in answer.chunks():
            sink.add(chunk)
        if self._joined and not sink.complete and sink.sha256:
            self.start_over()
            raise PassingError("its parts do not make the file")
        sink.check()
        return Fetched(b"", sink.digest, sink.tag)

    def _begin(self, answer: Answer) -> None:
        self._joined = False
        tag = tag_of(answer.headers)
        self._sink.begin(self._where, tag if tag.startswith('"') else "")
        self._sink.expect(answer.length or 0)

    def _join(self, answer: Answer) -> None:
        """Raises ``PassingError`` when a part is not all the rest of the same entity (RFC 9110 15.3.7)."""
        sink = self._sink
        found = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", "").strip())
        first, end = (int(found[1]), int(found[2]) + 1) if found else (-1, -1)
        whole = end if found and found[3] == "*" else int(found[3]) if found else -1
        fits = first == sink.held and end == whole and sink.size in {None, whole} and answer.length in {None, end - first}
        same = bool(sink.sha256) or tag_of(answer.headers) in {"", sink.tag}
        if not (fits and same):
            self.start_over()
            raise PassingError("the part that came does not fit what came before")
        self._joined = True


class Probe:
    """Asks for one byte of a file, to learn whether it is there and how long it is."""

    def headers(self) -> dict[str, str]:
        """See ``Transfer``."""
        return {"Accept-Encoding": "identity", "Range": "bytes=0-0"}

    def take(self, answer: Answer) -> Fetched:
        """Lets the body go."""
        if answer.status != 200:
            answer.discard()
        return Fetched(b"", "")

    def unchanged(self, answer: Answer) -> None:
        """Nothing is asked for on a condition."""

    def start_over(self) -> None:
        """There is nothing to drop."""


def told_length(headers: Mapping[str, str], length: int | None) -> int:
    """The length of a file by the answer to a probe, ``UNKNOWN_LENGTH`` where it does not tell. ``length`` is that of the body."""
    text = headers.get("content-range", "").strip()
    whole = text.rpartition("/")[2]
    if whole.isascii() and whole.isdigit() and len(whole) < 19:
        return int(whole)
    return length if length is not None and not text and "content-encoding" not in headers else UNKNOWN_LENGTH
