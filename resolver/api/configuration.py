"""The files of configuration on this computer: bounded, plain, and told apart from what is none."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from resolver.errors import InputError

MOST_BYTES = 32 << 20
"""A configuration file is far smaller; what is larger is none."""
MOST_LOCK_BYTES = 1 << 30
MOST_NAMES = 100_000


class LocalFiles:
    """The file system, as the room of stacks may see it. What cannot be read raises ``InputError`` with the reason."""

    def read(self, path: str) -> bytes:
        """The bytes of a plain file; a pipe or a device, which may give bytes without end, is refused."""
        return read_plain(path, MOST_BYTES)

    def is_file(self, path: str) -> bool:
        """Is there something there that is no directory?"""
        return _exists(path) and not self.is_dir(path)

    def is_dir(self, path: str) -> bool:
        """Is it a directory?"""
        try:
            return Path(path).is_dir()
        except (OSError, ValueError):
            return False

    def listing(self, path: str) -> list[str]:
        """The names in a directory, sorted."""
        try:
            names = sorted(entry.name for entry in Path(path).iterdir())
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from None
        if len(names) > MOST_NAMES:
            raise _unreadable(path, f"it holds more than {MOST_NAMES} files")
        return names


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def read_plain(path: str, most: int) -> bytes:
    """The bytes of a plain file of at most so many. Raises ``InputError``."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _unreadable(path, "it is no plain file")
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, getattr(error, "strerror", None) or str(error)) from None
    if len(data) > most:
        raise _unreadable(path, f"it has more than {most >> 20} MiB")
    return data


def _unreadable(path: str, why: str) -> InputError:
    return InputError(f"{path} cannot be read", why=why, hint="check the path and its permissions")
