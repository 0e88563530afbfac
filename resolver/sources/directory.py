"""A directory of this machine as a place."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from resolver.errors import InputError, SourceError
from resolver.sources.files import sha256
from resolver.sources.place import MOST_SMALL_BYTES, Fetched, Report, no_report

SETTLED_SECONDS = 2.0
"""A file written less than this ago may change again within the clock's grain, so its time is no proof that it has not."""


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
        return self._at(path).is_file()

    def read(self, path: str, *, most: int = MOST_SMALL_BYTES, tag: str = "", report: Report = no_report) -> Fetched | None:
        """See ``Place``. The tag is the file's time of change and size."""
        file = self._at(path)
        try:
            found = file.stat()
            fresh = f"{found.st_mtime_ns}-{found.st_ctime_ns}-{found.st_size}"
            if tag == fresh:
                return Fetched(b"", "", tag, unchanged=True)
            _bound(file, found.st_size, most)
            data = file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            msg = f"{file} cannot be read"
            raise SourceError(msg, why=error.strerror or str(error), hint="check the path and its permissions") from None
        _bound(file, len(data), most)
        report(len(data), len(data))
        settled = time.time() - max(found.st_mtime, found.st_ctime) > SETTLED_SECONDS and len(data) == found.st_size
        return Fetched(data, sha256(data), fresh if settled else "")

    def paths(self, folder: str) -> Iterator[str]:
        """See ``Place``."""
        start = self._at(folder)
        for root, folders, files in os.walk(start):
            folders.sort()
            for name in sorted(files):
                yield (Path(root) / name).relative_to(self.path).as_posix()

    def _at(self, path: str) -> Path:
        if path.startswith("/") or ".." in path.split("/"):
            msg = f"the path {path[:80]!r} leads out of {self.path}"
            raise InputError(msg, hint="the mirror names a file that cannot be one of its own")
        return self.path / path


def _bound(file: Path, size: int, most: int) -> None:
    if size > most:
        msg = f"{file} is {size >> 20} MiB large, more than is read ({most >> 20} MiB)"
        raise SourceError(msg, hint="sync the stacks' indexes in place of their union")
