"""A web server on loopback that serves a folder, with ranges, and answers some paths otherwise: once or always."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from fakes.http_server import Answer, HttpServer, Seen, head, resumable, status


class FaultyServer(HttpServer):
    """``faults`` has answers by path, each given once and the last one for ever where ``forever`` has the path."""

    def __init__(self, root: Path, *, tags: bool = True) -> None:
        self.root = root
        self.tags = tags
        self.faults: dict[str, list[Answer]] = {}
        self.forever: set[str] = set()
        super().__init__()

    def spoil(self, path: str, *answers: Answer, forever: bool = False) -> None:
        self.faults[path] = list(answers)
        if forever:
            self.forever.add(path)

    def asked(self, path: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.target.strip("/") == path]

    def answer(self, seen: Seen) -> Iterator[bytes]:
        self.seen.append(seen)
        path = unquote(seen.target).strip("/")
        faults = self.faults.get(path)
        if faults:
            return (faults[0] if len(faults) == 1 and path in self.forever else faults.pop(0))(seen)
        file = self.root / path
        if not file.is_file():
            return status(404)(seen)
        data = file.read_bytes()
        if self.tags:
            return resumable(data, f'"{hashlib.sha256(data).hexdigest()[:8]}"')(seen)
        return untagged(data)(seen)


def untagged(data: bytes, *, ranges: bool = True) -> Answer:
    """A file of a server that knows ranges and no entity tags."""

    def pieces(seen: Seen) -> Iterator[bytes]:
        wanted = seen.headers.get("range", "")
        if wanted and ranges:
            first = int(wanted.removeprefix("bytes=").partition("-")[0])
            span = f"bytes {first}-{len(data) - 1}/{len(data)}"
            yield head(206, Content_Length=len(data) - first, Content_Range=span) + data[first:]
        else:
            yield head(200, Content_Length=len(data)) + data

    return pieces


@contextmanager
def spoiled(root: Path, *, tags: bool = True) -> Iterator[FaultyServer]:
    server = FaultyServer(root, tags=tags)
    try:
        yield server
    finally:
        server.close()
