"""A directory of this machine as a place."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from resolver.errors import InputError, SourceError
from resolver.sources.files import sha256
from resolver.sources.place import MOST_SMALL_BYTES, Fetched, Report, no_report
from resolver.sources.sink import Sink

CHUNK_BYTES = 1 << 20
SETTLED_SECONDS = 2.0
"""A file written less than this ago may change again within the clock's grain, so its time is no proof that it has not."""
UNSETTLED = "unsettled"
"""The tag of such a file, which no file has later."""


class DirectoryPlace:
    """Reads files below a directory. Implements ``Place``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def url(self) -> str:
        """See ``Place``."""
        return self.path.as_uri()

    def exists(self, path: str) -> bool:
        """See ``Place``."""
        file = self._at(path)
        try:
            return file.is_file()
        except OSError as error:
            raise _unreadable(file, error) from None

    def read(self, path: str, *, most: int = MOST_SMALL_BYTES, tag: str = "", report: Report = no_report) -> Fetched | None:
        """See ``Place``. The tag is the file's time of change and size."""
        file = self._at(path)
        try:
            found = file.stat()
            fresh = f"{found.st_mtime_ns}-{found.st_ctime_ns}-{found.st_size}"
            if tag == fresh:
                return Fetched(b"", "", tag, unchanged=True)
            _check(file, found, most)
            with file.open("rb") as stream:
                data = stream.read(most + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(file, error) from None
        _bound(file, len(data), most)
        report(len(data), len(data))
        settled = time.time() - max(found.st_mtime, found.st_ctime) > SETTLED_SECONDS and len(data) == found.st_size
        return Fetched(data, sha256(data), fresh if settled else UNSETTLED)

    def length(self, path: str) -> int | None:
        """See ``Place``."""
        file = self._at(path)
        try:
            found = file.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(file, error) from None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def fetch(self, path: str, sink: Sink) -> bool:
        """See ``Place``. It is always read from its beginning."""
        file = self._at(path)
        try:
            found = file.stat()
            _check(file, found, sink.most)
            with file.open("rb") as stream:
                sink.begin(file.as_uri(), "")
                while chunk := stream.read(CHUNK_BYTES):
                    sink.add(chunk)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise _unreadable(file, error) from None
        sink.check()
        return True

    def paths(self, folder: str) -> Iterator[str]:
        """See ``Place``, but the files of a folder come before those of the folders in it. Links to folders are not followed."""

        def fail(error: OSError) -> None:
            if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
                raise _unreadable(Path(error.filename or self.path), error) from None

        for root, folders, files in os.walk(self._at(folder), onerror=fail):
            folders.sort()
            for name in sorted(files):
                yield (Path(root) / name).relative_to(self.path).as_posix()

    def _at(self, path: str) -> Path:
        if path.startswith("/") or ".." in path.split("/") or "\0" in path:
            msg = f"the path {path[:80]!r} leads out of {self.path}"
            raise InputError(msg, hint="the mirror names a file that cannot be one of its own")
        return self.path / path


def _check(file: Path, found: os.stat_result, most: int) -> None:
    """Refuse what is no file: a pipe would never end."""
    if not stat.S_ISREG(found.st_mode):
        msg = f"{file} is no file"
        raise SourceError(msg, why="it is a directory, a device or a pipe", hint="copy what it gives to a file")
    _bound(file, found.st_size, most)


def _bound(file: Path, size: int, most: int) -> None:
    if size > most:
        msg = f"{file} has more than the {most} bytes that are read"
        raise SourceError(msg, hint="check that it is the right file; of a union, sync the stacks' own indexes")


def _unreadable(file: Path, error: OSError) -> SourceError:
    msg = f"{file} cannot be read"
    return SourceError(msg, why=error.strerror or str(error), hint="check the path and its permissions")
