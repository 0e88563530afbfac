"""A web server on loopback that fails on demand: what it answers is written out as bytes, so that any fault can be made."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any, NamedTuple, cast

import h2.config
import h2.connection
import h2.events

HANG_UP = b""
"""Among the pieces of an answer: close the connection."""
READY_SECONDS = 0.01


class Seen(NamedTuple):
    """A request as it came in; names of headers are in lower case."""

    target: str
    headers: dict[str, str]


Answer = Callable[[Seen], Iterator[bytes]]


class HttpServer:
    """Answers by path; several answers for one path come one after another, the last one for ever. Other paths are not found."""

    def __init__(self, serve: Callable[[HttpServer, socket.socket], None] | None = None) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.closing = threading.Event()
        self._answers: dict[str, list[Answer]] = {}
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._serve = serve or HttpServer._http1
        self._server = _Listener(("127.0.0.1", 0), cast("Any", self._handle))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(READY_SECONDS,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def on(self, path: str, *answers: Answer) -> None:
        self._answers[path] = list(answers)

    def ranges(self) -> list[str]:
        """The Range of each request, empty where there was none."""
        return [seen.headers.get("range", "") for seen in self.seen]

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        with self._lock:
            for connection in self._sockets:
                _shut(connection)
        self._server.server_close()
        self._thread.join()

    def answer(self, seen: Seen) -> Iterator[bytes]:
        with self._lock:
            self.seen.append(seen)
            queue = self._answers.get(seen.target.partition("?")[0], [status(404)])
            chosen = queue.pop(0) if len(queue) > 1 else queue[0]
        return chosen(seen)

    def _handle(self, connection: socket.socket, *_: Any) -> None:
        with self._lock:
            self._sockets.add(connection)
            self.connections += 1
        try:
            self._serve(self, connection)
        except OSError:
            pass  # the client has gone
        finally:
            with self._lock:
                self._sockets.discard(connection)

    def _http1(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as lines:
            while (seen := _request(lines)) is not None:
                for piece in self.answer(seen):
                    if piece == HANG_UP or self.closing.is_set():
                        return
                    connection.sendall(piece)


class _Listener(socketserver.ThreadingTCPServer):
    request_queue_size = 64
    daemon_threads = False


def _request(lines: Any) -> Seen | None:
    first = lines.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers = {}
    while line := lines.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Seen(first[1], headers)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # it may be closed already
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def running(serve: Callable[[HttpServer, socket.socket], None] | None = None) -> Iterator[HttpServer]:
    server = HttpServer(serve)
    try:
        yield server
    finally:
        server.close()


def head(code: int = 200, **headers: object) -> bytes:
    """A status line and headers; ``_`` in names stands for ``-``."""
    lines = [f"HTTP/1.1 {code} {HTTPStatus(code).phrase}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def raw(*pieces: bytes) -> Answer:
    """These bytes and nothing else."""
    return lambda _: iter(pieces)


def body(data: bytes, **headers: object) -> Answer:
    return raw(head(200, **{"Content_Length": len(data), **headers}) + data)


def status(code: int, **headers: object) -> Answer:
    return raw(head(code, Content_Length=0, **headers))


def redirect(target: str, code: int = 302) -> Answer:
    return status(code, Location=target)


def cut(data: bytes, after: int, **headers: object) -> Answer:
    """A body that is announced whole and ends early."""
    return raw(head(200, Content_Length=len(data), **headers) + data[:after], HANG_UP)


def dripping(start: bytes, piece: bytes = b"x", pause: float = 0.02) -> Answer:
    """Something, and then a little now and then, for ever."""

    def pieces(_: Seen) -> Iterator[bytes]:
        yield start
        while True:
            time.sleep(pause)
            yield piece

    return pieces


def endless(start: bytes, piece: bytes) -> Answer:
    return dripping(start, piece, 0)


def resumable(data: bytes, etag: str, *, after: int | None = None, entity: bytes | None = None) -> Answer:
    """A file of a server that knows ranges: the part that is asked for, if the tag is right, up to ``after`` bytes of it.

    ``entity`` is what is sent as a whole where that is to differ.
    """

    def pieces(seen: Seen) -> Iterator[bytes]:
        wanted = seen.headers.get("range", "")
        facts = {"ETag": etag, "Accept_Ranges": "bytes"}
        if wanted and seen.headers.get("if-range") == etag:
            first = int(wanted.removeprefix("bytes=").removesuffix("-"))
            part = data[first:]
            span = f"bytes {first}-{len(data) - 1}/{len(data)}"
            yield head(206, Content_Length=len(part), Content_Range=span, **facts) + part[:after]
        else:
            part = entity or data
            yield head(200, Content_Length=len(part), **facts) + part[:after]
        if after is not None:
            yield HANG_UP

    return pieces


def http2(server: HttpServer, connection: socket.socket) -> None:
    """Serves HTTP/2 without encryption, as it is spoken when both sides know; answers of a path are (status, headers, body) as bytes."""
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    state.initiate_connection()
    connection.sendall(state.data_to_send())
    while data := connection.recv(1 << 16):
        for event in state.receive_data(data):
            if isinstance(event, h2.events.RequestReceived) and event.stream_id:
                headers = dict(event.headers or [])
                seen = Seen(headers.pop(b":path").decode(), {k.decode(): v.decode() for k, v in headers.items()})
                _answer2(server, connection, state, event.stream_id, seen)
        connection.sendall(state.data_to_send())


def _answer2(server: HttpServer, connection: socket.socket, state: h2.connection.H2Connection, stream: int, seen: Seen) -> None:
    state.send_headers(stream, [(":status", "200")])
    for piece in server.answer(seen):
        if server.closing.is_set():
            return
        if piece == PING:
            state.ping(b"12345678")
        else:
            for start in range(0, len(piece), 1 << 14):
                state.send_data(stream, piece[start : start + (1 << 14)])
        connection.sendall(state.data_to_send())
    state.end_stream(stream)


PING = b"\0ping"
"""Among the pieces of an HTTP/2 answer's body: a ping in place of data."""
