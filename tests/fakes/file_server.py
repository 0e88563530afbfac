"""A web server on loopback that serves the files of a folder as they are at that moment, and can be told to be slow or to refuse."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fakes.http_server import HttpServer, Seen, head

WAIT_SECONDS = 10


class FileServer(HttpServer):
    """Serves a folder; ``log`` has the path and status of each answer.

    ``tags`` is whether it gives entity tags. ``refuse`` has a status for paths, ``instead`` bytes that are sent in place of a file's,
    ``held`` paths that are answered when the event is set. ``after`` is called when a path has been answered.
    """

    def __init__(self, root: Path, *, tags: bool = True) -> None:
        self.root = root
        self.tags = tags
        self.log: list[tuple[str, int]] = []
        self.refuse: dict[str, int] = {}
        self.instead: dict[str, bytes] = {}
        self.held: dict[str, threading.Event] = {}
        self.after: dict[str, Any] = {}
        super().__init__()

    def paths(self) -> list[str]:
        """The paths of whole files that were sent."""
        return [path for path, status in self.log if status == 200]

    def answer(self, seen: Seen) -> Iterator[bytes]:
        self.seen.append(seen)
        path = unquote(seen.target.partition("?")[0]).strip("/")
        if path in self.held:
            self.held[path].wait(WAIT_SECONDS)
        status, headers, data = self._answer(path, seen)
        self.log.append((path, status))
        yield head(status, Content_Length=len(data), **headers) + data
        if path in self.after:
            self.after.pop(path)()

    def _answer(self, path: str, seen: Seen) -> tuple[int, dict[str, object], bytes]:
        file = self.root / path
        if path in self.refuse:
            return self.refuse[path], {}, b""
        if not file.is_file():
            return 404, {}, b""
        data = self.instead.get(path, file.read_bytes())
        tag = f'"{hashlib.sha256(data).hexdigest()[:8]}"'
        if self.tags and seen.headers.get("if-none-match") == tag:
            return 304, {"ETag": tag}, b""
        facts: dict[str, object] = {"ETag": tag} if self.tags else {}
        if seen.headers.get("range") == "bytes=0-0":
            return 206, {**facts, "Content_Range": f"bytes 0-0/{len(data)}"}, data[:1]
        return 200, facts, data


@contextmanager
def serving(root: Path, *, tags: bool = True) -> Iterator[FileServer]:
    server = FileServer(root, tags=tags)
    try:
        yield server
    finally:
        for event in server.held.values():
            event.set()
        server.close()
