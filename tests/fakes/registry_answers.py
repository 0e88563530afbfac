"""A server on the loopback whose answers a test writes: for what no real registry or bucket can be made to say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

POLL_SECONDS = 0.01


class Asked(NamedTuple):
    """A request: ``headers`` by names in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


class Answer(NamedTuple):
    """What is said to it. A ``Content-Length`` in the headers that is not the body's is sent as it is: the stream then breaks."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Server(NamedTuple):
    """A running server and what it was asked so far."""

    host: str
    asked: list[Asked]

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]


@contextmanager
def answering(answer: Callable[[Asked], Answer]) -> Iterator[Server]:
    """A server that answers so. It runs until the block ends."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            request = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, self.rfile.read(length))
            asked.append(request)
            said = answer(request)
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(said.body)), "Connection": "close", **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)
            self.close_connection = True

        do_GET = do_POST = do_HEAD = _answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield Server(f"127.0.0.1:{server.server_address[1]}", asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
