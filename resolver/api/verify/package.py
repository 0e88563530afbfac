"""One package of a mirror: are its files there, of the right length and content, and of this package."""

from __future__ import annotations

import json
import zlib

from resolver.api.verify.findings import Finding, Findings
from resolver.api.verify.signatures import Signatures
from resolver.errors import ResolverError, SourceError, VerificationError
from resolver.formats.record import Record
from resolver.sources.build_cache import BuildCache
from resolver.sources.entry import ARCHIVE, Entry, StoredFile, stated_records
from resolver.sources.files import GZIP_MAGIC, GZIP_WINDOW
from resolver.sources.place import MOST_SMALL_BYTES
from resolver.sources.sink import Memory, Sink
from resolver.spec.dag_hash import HashVerdict, check_hash

PIECE = 1 << 20


class Inspection(Sink):
    """Reads a file without keeping it, and sees whether it is whole gzip. It may be longer than is stated, so that this is told."""

    def _cleared(self) -> None:
        self._inflater: zlib._Decompress | None = None
        self.damage = ""
        self._ended = False

    @property
    def broken(self) -> str:
        """What is wrong with the gzip, empty when nothing is."""
        return self.damage or ("" if self._ended and self._inflater is None else "its gzip ends early")

    def _took(self, chunk: bytes) -> None:
        data = chunk
        while data and not self.damage:
            data = self._step(data)

    def _step(self, data: bytes) -> bytes:
        """Members may follow each other (RFC 1952 2.2), and zeros them."""
        if self._inflater is None:
            data = data.lstrip(b"\0") if self._ended else data
            if not data:
                return b""
            if not data.startswith(GZIP_MAGIC[: len(data)]):
                self.damage = "something follows its gzip" if self._ended else "it is no gzip"
                return b""
            self._inflater = zlib.decompressobj(GZIP_WINDOW)
        try:
            self._inflater.decompress(data, PIECE)
        except zlib.error:
            self.damage = "its gzip is damaged"
            return b""
        if not self._inflater.eof:
            return self._inflater.unconsumed_tail
        left, self._inflater, self._ended = self._inflater.unused_data, None, True
        return left


class Checker:
    """Checks the packages of one mirror. With ``deep`` files are read, else only their lengths are asked for."""

    def __init__(self, cache: BuildCache, signatures: Signatures, findings: Findings, *, deep: bool) -> None:
        self.cache = cache
        self.deep = deep
        self._signatures, self._findings = signatures, findings

    def check(self, entry: Entry, name: str) -> list[Record]:
        """Look at one package; gives the records of its spec, its own first, none where they were not read or are damaged."""
        self._findings.count(packages=1, files=1, size=len(entry.document))
        self._signatures.check(entry, name)
        for file in entry.files:
            if file.path not in entry.made:
                self._file(file, entry, name)
        return self._records(entry, name) if self.deep else []

    def _file(self, file: StoredFile, entry: Entry, name: str) -> None:
        try:
            length = self.cache.length(file)
            if length is None:
                self._find("missing-blob", file, entry, name, f"its {file.kind} is missing")
            elif self.deep:
                self._read(file, entry, name)
            elif length >= 0 and file.size not in {None, length}:
                self._length(length, file, entry, name)
            self._findings.count(files=1, size=max(length or 0, 0))
        except SourceError as error:
            self._findings.fail(error)

    def _read(self, file: StoredFile, entry: Entry, name: str) -> None:
        sink = Inspection(file.path)
        if not self.cache.fetch(file, sink):
            self._find("missing-blob", file, entry, name, f"its {file.kind} is missing")
        elif file.size not in {None, sink.held}:
            self._length(sink.held, file, entry, name)
        elif sink.digest != file.sha256:
            cut = file.kind == ARCHIVE and sink.broken == "its gzip ends early"
            what = f"its {file.kind} has the sha256 {sink.digest}, stated is {file.sha256}"
            self._find("truncated" if cut else "checksum", file, entry, name, what)
        elif file.kind == ARCHIVE and sink.broken:
            cut = sink.broken == "its gzip ends early"
            self._find("truncated" if cut else "damaged", file, entry, name, f"its archive is as stated, but {sink.broken}")

    def _length(self, length: int, file: StoredFile, entry: Entry, name: str) -> None:
        kind = "truncated" if length < (file.size or 0) else "length"
        self._find(kind, file, entry, name, f"its {file.kind} has {length} bytes, stated are {file.size}")

    def _records(self, entry: Entry, name: str) -> list[Record]:
        """Reads the spec. A metadata blob that is missing or wrong was found before."""
        try:
            records = stated_records(entry, self._metadata(entry))
        except VerificationError:
            return []
        except SourceError as error:
            self._findings.fail(error)
            return []
        except ResolverError as error:
            self._findings.add(Finding("damaged", self.cache.address.name, name, entry.hash, entry.origin, str(error)))
            return []
        first = records[0]
        if first.hash != entry.hash:
            what = f"it is of {first.wire.name}@{first.wire.version}/{first.hash}"
            self._findings.add(Finding("wrong-package", self.cache.address.name, name, entry.hash, entry.origin, what))
            return []
        if differs(first):
            what = "its spec is not the one that its hash was made of"
            self._findings.add(Finding("dag-hash", self.cache.address.name, name, entry.hash, entry.origin, what))
        return records

    def _metadata(self, entry: Entry) -> bytes:
        if entry.metadata is None:
            return b""
        if entry.metadata.path in entry.made:
            return entry.made[entry.metadata.path]
        stated = entry.metadata
        sink = Memory(stated.path, size=stated.size, sha256=stated.sha256, most=MOST_SMALL_BYTES)
        if not self.cache.fetch(stated, sink):
            raise VerificationError(f"{stated.path} is missing")
        return sink.data

    def _find(self, kind: str, file: StoredFile, entry: Entry, name: str, what: str) -> None:
        self._findings.add(Finding(kind, self.cache.address.name, name, entry.hash, self.cache.url(file), what))


def differs(record: Record) -> bool:
    """Is a spec not the one that its hash was made of? What cannot be hashed is nothing that Spack wrote."""
    try:
        return check_hash(json.loads(record.node), record.hash) is HashVerdict.DIFFERENT
    except (TypeError, ValueError, RecursionError):
        return True
