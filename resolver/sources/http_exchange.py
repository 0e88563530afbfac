"""One request and its answer: redirects, the framing of the body, and letting go of connections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TypeVar

import httpx

from resolver.errors import SourceError
from resolver.sources.http_client import Transport, make_client
from resolver.sources.http_errors import LATER_HINT, PassingError, in_words, shown, unreadable
from resolver.sources.http_pace import Pace, PacedStream, Patience

MOST_REDIRECTS = 10
MOST_UNWANTED = 1 << 16
WORTHWHILE_BYTES = 1 << 20
LENGTH = re.compile(r"\d{1,18}")
T = TypeVar("T")
HOST = re.compile(rb"[a-z0-9._-]+|[0-9a-f:.]+")


class Answer:
    """A server's answer whose body is still to be read; it must be closed."""

    def __init__(self, response: httpx.Response, pace: Pace) -> None:
        self._response = response
        self._pace = pace
        self._ended = False
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.where = shown(response.request.url)

    @property
    def length(self) -> int | None:
        """How many bytes the body has, as announced; chunks make the number void (RFC 9112 6.3)."""
        found = LENGTH.fullmatch(self.headers.get("content-length", ""))
        return int(found[0]) if found and "transfer-encoding" not in self.headers else None

    def chunks(self) -> Iterator[bytes]:
        """The body as it is sent, not decoded. Raises ``PassingError`` when it comes too slowly, is cut or is not as long as announced."""
        stream = self._response.iter_raw()
        length, count = self.length, 0
        while (chunk := self._next(stream)) is not None:
            count += len(chunk)
            if count == length:
                self._check_end(chunk)
            yield chunk
        self._ended = True
        if length not in {None, count}:
            raise PassingError(f"{count} bytes came and {length} were announced")

    def discard(self) -> None:
        """Let go of a body that nobody wants: a short one is read, so that the connection can be used again."""
        left = MOST_UNWANTED
        with suppress(PassingError):
            for chunk in self.chunks():
                left -= len(chunk)
                if left < 0:
                    break
        self.close()

    def close(self) -> None:
        """Give the connection back, or cut it when there is more to come.

        An HTTP/2 connection is cut as well: httpcore would go on to receive the body, and nobody would return its share of the window.
        """
        with suppress(Exception):
            if not self._ended and self._response.http_version == "HTTP/2":
                self._response.extensions["network_stream"].close()
        with suppress(Exception):
            self._response.close()

    def _next(self, stream: Iterator[bytes]) -> bytes | None:
        with in_words(self.where):
            chunk = next(stream, None)
        self._pace.count(len(chunk or b""))
        return chunk

    def _check_end(self, chunk: bytes) -> None:
        """HTTP/1.1 takes bytes beyond the announced length for the next answer; here they mean that the length is wrong.

        h11 hands out all that was read and belongs to the body at once, so that nothing may follow it in the last read.
        """
        network = self._response.extensions.get("network_stream")
        if self._response.http_version == "HTTP/2" or not isinstance(network, PacedStream):
            return
        if not network.last.endswith(chunk):
            raise PassingError(f"more bytes came than the {self.length} that were announced")


class Session:
    """Connections to a server and to those that it redirects to; threads may share it."""

    def __init__(self, patience: Patience, *, http1: bool = True) -> None:
        self._pace = Pace(patience.least, patience.window)
        self._client = make_client(patience, Transport(self._pace, http1=http1))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def get(self, url: httpx.URL, headers: Mapping[str, str]) -> Answer:
        """The answer to a GET, after at most ten redirects.

        ``Authorization`` among the headers is sent to the URL's own scheme, host and port only. Raises ``SourceError`` for redirects that
        are refused, and ``PassingError`` where another try may help.
        """
        with in_words(shown(url)):
            request = self._client.build_request("GET", url, headers=headers)
        seen = {str(request.url)}
        for _ in range(MOST_REDIRECTS + 1):
            response = self._send(request)
            answer = Answer(response, self._pace)
            if response.next_request is None:
                return answer
            answer.discard()
            check_redirect(request.url, response.next_request.url, seen)
            request = response.next_request
        raise _refused(url, f"it redirects more than {MOST_REDIRECTS} times")

    def _send(self, request: httpx.Request) -> httpx.Response:
        self._pace.begin()
        with in_words(shown(request.url)):
            # the empty Auth keeps a user and password that a redirect names from being sent
            response = self._client.send(request, auth=httpx.Auth(), stream=True, follow_redirects=False)
        self._pace.begin()
        return response


def persistently(patience: Patience, where: str, attempt: Callable[[], T], held: Callable[[], int] = lambda: 0) -> T:
    """What an attempt gives, which is made again while it fails in a way that may pass. Raises ``SourceError`` after the last.

    ``held`` is how many bytes are kept from one attempt to the next: while these grow by a MiB at least, attempts are not counted.
    """
    tried, reached = 0, held()
    while True:
        tried += 1
        try:
            return attempt()
        except PassingError as error:
            if held() - reached >= WORTHWHILE_BYTES:
                tried, reached = 1, held()
            if tried >= patience.tries:
                times = f", in the last of {tried} tries" if tried > 1 else ""
                raise unreadable(where, f"{error.why}{times}", LATER_HINT) from None
            wait = error.wait
        patience.sleep(patience.delay(tried, wait))


def is_web(url: httpx.URL) -> bool:
    """Is it a URL of http or https with a host and port that there can be."""
    return url.scheme in {"http", "https"} and bool(HOST.fullmatch(url.raw_host)) and 0 < (url.port or 80) < 1 << 16


def check_redirect(source: httpx.URL, target: httpx.URL, seen: set[str]) -> None:
    """Is a redirect one to follow; ``seen`` has the URLs so far and takes the new one. Raises ``SourceError`` when it is not."""
    if not is_web(target):
        raise _refused(source, "it redirects to what is no URL of a web server")
    if source.scheme == "https" and target.scheme == "http":
        raise _refused(source, f"it redirects from https to http, to {shown(target)}")
    if str(target) in seen:
        raise _refused(source, f"it redirects in a circle, to {shown(target)}")
    seen.add(str(target))


def _refused(url: httpx.URL, why: str) -> SourceError:
    return unreadable(shown(url), why, "ask for the URL that it should lead to, and give that")
