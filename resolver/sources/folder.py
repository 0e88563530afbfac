"""A directory that files are put into, each whole or not at all. Nothing is ever written outside of it.

What is on its way lies below ``.incomplete`` inside of it, where another run finds it and goes on.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from resolver.errors import InputError
from resolver.sources.place import Report, no_report
from resolver.sources.sink import MOST_FILE_BYTES, Sink

INCOMPLETE = ".incomplete"
CHUNK_BYTES = 1 << 20
LONGEST_PATH = 4096
MOST_NOTE_BYTES = 1 << 14


class _Note(msgspec.Struct):
    """What is kept of a file on its way besides its bytes."""

    origin: str = ""
    tag: str = ""


_notes = msgspec.json.Decoder(_Note)  # on import, see formats/manifest.py


class Part(Sink):
    """A file on its way. What came in an earlier run counts; it must be closed."""

    def __init__(self, file: Path, name: str, size: int | None, sha256: str, most: int, report: Report) -> None:
        self._file = file
        self._note = file.with_suffix(".json")
        with _in_words(file):
            self._stream = os.fdopen(_opened(file), "r+b", buffering=0)
        super().__init__(name, size=size, sha256=sha256, most=most, report=report)
        self._take_up()

    def begin(self, origin: str, tag: str) -> None:
        """See ``Sink``. Where it is from is kept for another run."""
        super().begin(origin, tag)
        with _in_words(self._note):
            self._note.write_bytes(msgspec.json.encode(_Note(origin, tag)))

    def restart(self) -> None:
        """See ``Sink``."""
        super().restart()
        with _in_words(self._file):
            self._stream.seek(0)
            self._stream.truncate()
            self._note.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file; what has come stays."""
        self._stream.close()

    def move(self, target: Path) -> None:
        """All bytes are on the disk, and the file gets its name."""
        with _in_words(target):
            os.fsync(self._stream.fileno())
            self.close()
            self._file.replace(target)
        self.discard()

    def discard(self) -> None:
        """Take the file away."""
        self.close()
        for path in (self._file, self._note):
            path.unlink(missing_ok=True)

    def _took(self, chunk: bytes) -> None:
        with _in_words(self._file):
            left = memoryview(chunk)
            while left:
                left = left[self._stream.write(left) or 0 :]

    def _take_up(self) -> None:
        """Read what came in an earlier run; more than the file is to have is of another one."""
        found = _read_note(self._note)
        with _in_words(self._file):
            if os.fstat(self._stream.fileno()).st_size > (self.most if self.size is None else self.size):
                self.restart()
            while chunk := self._stream.read(CHUNK_BYTES):
                self._hash.update(chunk)
                self.held += len(chunk)
        self.origin, self.tag = found.origin, found.tag
        if self.held:
            self._report(self.held, self.size)


def _read_note(path: Path) -> _Note:
    try:
        with path.open("rb") as file:
            return _notes.decode(file.read(MOST_NOTE_BYTES))
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return _Note()


class Folder:
    """The directory at a path, which may not be there yet. Names are relative paths, parted by ``/``."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def file(self, name: str) -> Path:
        """Where a file of this name lies. Raises ``InputError`` for a name that leads out, over a link or otherwise."""
        parts = name.split("/")
        if not name.isprintable() or "\\" in name or len(name) > LONGEST_PATH or {"", ".", ".."} & set(parts):
            raise InputError(f"{name[:100]!r} is no name of a file below {self.path}", hint="do not trust the mirror that it is from")
        above = self.path
        for part in parts[:-1]:
            above /= part
            if above.is_symlink():
                raise InputError(f"{above} is a link", why="nothing is written outside of the directory", hint="take it away")
        return above / parts[-1]

    def holds(self, name: str) -> int | None:
        """How many bytes a file has, None when there is no such file; a link is none."""
        try:
            found = self.file(name).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def put(self, name: str, data: bytes) -> bool:
        """Write a file; says whether it is another one than before. Raises ``InputError``."""
        target = self.file(name)
        with _in_words(target):
            if self.holds(name) == len(data) and target.read_bytes() == data:
                return False
        part = self.part(name, len(data), hashlib.sha256(data).hexdigest())
        try:
            part.restart()
            part.add(data)
        except BaseException:
            part.discard()
            raise
        self.finish(part, name)
        return True

    def part(self, name: str, size: int | None, sha256: str, report: Report = no_report) -> Part:
        """A file of this name on its way, with what has come of it. Raises ``InputError``.

        It may become as large as is stated, or else as the disk has room for.
        """
        self.file(name)
        most = self.free() if size is None else size
        return Part(self._made(_hidden(name)), name, size, sha256, min(most, MOST_FILE_BYTES), report)

    def begun(self, name: str) -> int:
        """How many bytes of a file on its way lie here from an earlier run."""
        return self.holds(_hidden(name)) or 0

    def finish(self, part: Part, name: str) -> None:
        """The file is whole: it gets its name. Raises ``VerificationError`` when it is not, ``InputError`` when it cannot be written."""
        part.check()
        part.move(self._made(name))

    def link(self, name: str, source: Path) -> None:
        """Take over a file that is known to be right: by a hard link where there can be one, else as a copy. Raises ``InputError``."""
        target = self._made(name)
        beside = self._made(f"{_hidden(name)}.link")
        with _in_words(target):
            beside.unlink(missing_ok=True)
            try:
                os.link(os.path.realpath(source), beside)  # which on Linux would link to a link, whatever it is told
            except OSError:
                shutil.copyfile(source, beside)
            beside.replace(target)

    def names(self, *folders: str) -> Iterator[str]:
        """All files below some folders, sorted; links are named, not followed."""
        for folder in folders:
            for root, below, files in os.walk(self.path / folder):
                below.sort()
                links = [name for name in below if (Path(root) / name).is_symlink()]
                yield from ((Path(root) / name).relative_to(self.path).as_posix() for name in sorted([*files, *links]))

    def remove(self, name: str) -> None:
        """Take a file away, and the folders that are empty then. Raises ``InputError``."""
        target = self.file(name)
        with _in_words(target):
            target.unlink(missing_ok=True)
        with suppress(OSError):
            for above in target.parents:
                if above == self.path:
                    break
                above.rmdir()

    def tidy(self) -> None:
        """Take away what is left of files that were on their way."""
        left = self.path / INCOMPLETE
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)

    def free(self) -> int:
        """Free bytes on its disk."""
        there = next(path for path in (self.path, *self.path.absolute().parents) if path.exists())
        return shutil.disk_usage(there).free

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else fills it meanwhile. Raises ``InputError`` when somebody does, or it cannot be made."""
        path = self._made(f"{INCOMPLETE}/lock")
        with _in_words(path):
            handle = _opened(path)
        try:
            with _in_words(path):
                _lock(handle, self.path)
            yield
        finally:
            os.close(handle)

    def _made(self, name: str) -> Path:
        """Where a file of this name lies, its folder made."""
        target = self.file(name)
        with _in_words(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        return target


def _hidden(name: str) -> str:
    """The name of a file while it is on its way."""
    return f"{INCOMPLETE}/{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _opened(file: Path) -> int:
    """A file opened to be read and written. A link is not followed, and a pipe not waited for."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no file")
    return handle


def _lock(handle: int, path: Path) -> None:
    try:
        import fcntl  # not on Windows
    except ImportError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"{path} is being written by another run", hint="wait for it, or give another directory") from None


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Whatever the file system refuses becomes an ``InputError``."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"{path} cannot be written", why=why, hint="check the path, its permissions and the free space") from None
