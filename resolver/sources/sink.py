"""Where the bytes of one file go as they come: they are counted and hashed, and known to be the right ones before anybody uses them."""

from __future__ import annotations

import hashlib
import io

from resolver.errors import SourceError, VerificationError
from resolver.sources.place import Report, no_report

MOST_FILE_BYTES = 1 << 38
"""The largest file that is fetched, in bytes, where nothing says how large it is."""
AGAIN_HINT = "try again; if it stays so, the mirror is damaged, or something between here and it changes what it sends"


class Sink:
    """Takes the bytes of one file. This one only counts and hashes them.

    ``size`` (bytes) and ``sha256`` are what the file is to have, None and empty where that is not known; ``most`` bounds what comes then.
    ``held`` is how many bytes have come. ``tag`` is the strong entity tag of the entity that they are part of, and ``origin`` its URL.
    """

    def __init__(
        self, name: str, *, size: int | None = None, sha256: str = "", most: int = MOST_FILE_BYTES, report: Report = no_report
    ) -> None:
        self.name = name
        self.size = size
        self.sha256 = sha256
        self.most = most
        self.held = 0
        self.tag = ""
        self.origin = ""
        self._report = report
        self._hash = hashlib.sha256()
        self._cleared()

    @property
    def digest(self) -> str:
        """The sha256 of what has come."""
        return self._hash.hexdigest()

    @property
    def complete(self) -> bool:
        """Is it all there, and right."""
        return bool(self.sha256) and self.held > 0 and self.size in {None, self.held} and self.digest == self.sha256

    def continues(self, origin: str) -> bool:
        """Can the rest of what has come be fetched from this URL.

        It is of the same entity by its tag there; where the checksum of the whole is known, that will tell, wherever it is from.
        """
        return self.held > 0 and bool(self.sha256 or (self.tag and self.origin == origin))

    def begin(self, origin: str, tag: str) -> None:
        """A body is beginning: what came before is dropped. Raises what ``restart`` does."""
        self.restart()
        self.origin, self.tag = origin, tag

    def restart(self) -> None:
        """Drop what has come; the report is told of it as a negative count."""
        if self.held:
            self._report(-self.held, self.size)
        self.held, self.tag, self.origin = 0, "", ""
        self._hash = hashlib.sha256()
        self._cleared()

    def add(self, chunk: bytes) -> None:
        """More bytes. Raises ``VerificationError`` when they are more than the file is to have, ``SourceError`` beyond the bound."""
        self.expect(self.held + len(chunk))
        self._took(chunk)
        self._hash.update(chunk)
        self.held += len(chunk)
        self._report(len(chunk), self.size)

    def expect(self, size: int) -> None:
        """So many bytes are announced, or have come. Raises as ``add``."""
        if self.size is not None and size > self.size:
            msg = f"{self.name} is not what it should be"
            raise VerificationError(msg, why=f"more than the {self.size} bytes came that it is to have", hint=AGAIN_HINT)
        if size > self.most:
            msg = f"{self.name} has more than the {self.most} bytes that are read"
            raise SourceError(msg, hint="check that this is the right mirror")

    def check(self) -> None:
        """Raises ``VerificationError`` unless what has come is the whole of the file, as far as that is known."""
        if self.size not in {None, self.held}:
            msg, why = f"{self.name} is cut short", f"it has {self.held} bytes, and {self.size} are stated"
            raise VerificationError(msg, why=why, hint=AGAIN_HINT)
        if self.sha256 not in {"", self.digest}:
            msg, why = f"{self.name} is not what it should be", f"its sha256 is {self.digest}, and {self.sha256} is stated"
            raise VerificationError(msg, why=why, hint=AGAIN_HINT)

    def _cleared(self) -> None:
        """All that was kept is to be dropped."""

    def _took(self, chunk: bytes) -> None:
        """Keep these bytes, if they are kept."""


class Memory(Sink):
    """Keeps the bytes; for small files."""

    @property
    def data(self) -> bytes:
        """What has come."""
        return self._buffer.getvalue()

    def _cleared(self) -> None:
        self._buffer = io.BytesIO()

    def _took(self, chunk: bytes) -> None:
        self._buffer.write(chunk)
