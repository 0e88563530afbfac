"""A mirror without an index: every spec manifest or spec file is read, which takes a request or two for each binary."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from msgspec.structs import replace

from resolver.errors import FormatError, ResolverError
from resolver.formats import build_cache, manifest
from resolver.formats.clearsign import is_signed
from resolver.formats.record import Record
from resolver.formats.spec_file import read_spec_file
from resolver.sources.blobs import check_blob
from resolver.sources.files import plain
from resolver.sources.place import Place, Report
from resolver.sources.source import Content, Opened, Seen, Source

AT_ONCE = 8
V2_ENDINGS = (".spec.json.sig", ".spec.json", ".spec.yaml")


def walk_source(place: Place, make: Callable[..., Source]) -> Iterator[Source]:
    """The mirror at a place as a source for each layout that has spec files. Raises ``UnsupportedError`` where the place cannot list."""
    v3 = sorted(path for path in place.paths(manifest.SPEC_FOLDER) if path.endswith(manifest.SPEC_SUFFIX))
    v2 = _without_doubles(path for path in place.paths(build_cache.FOLDER) if path.endswith(V2_ENDINGS))
    for layout, paths, read in (("v3", v3, _v3_records), ("v2", v2, _v2_records)):
        if paths:
            note = f"the mirror has no index, so its {len(paths)} spec files are read one by one; `spack buildcache update-index` makes one"
            yield make("-v2" if layout == "v2" and v3 else "", layout=layout, open=partial(_open, place, paths, read), note=note)


def _without_doubles(paths: Iterator[str]) -> list[str]:
    """Of a signed and an unsigned spec file of one binary the signed one, as Spack prefers it."""
    best: dict[str, str] = {}
    for path in sorted(paths):
        stem = path.partition(".spec.")[0]
        best[stem] = min((best.get(stem, path), path), key=lambda p: next(n for n, end in enumerate(V2_ENDINGS) if p.endswith(end)))
    return sorted(best.values())


Read = Callable[[Place, str], tuple[bool, list[Record]]]


def _open(place: Place, paths: list[str], read: Read, seen: Seen, report: Report) -> Opened:  # noqa: ARG001 - as every source is opened
    """Names hold hashes, so the same names are the same binaries."""
    digest = hashlib.sha256("\n".join(paths).encode()).hexdigest()
    if digest == seen.digest:
        return Opened("mirror", digest, unchanged=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        files = list(pool.map(partial(read, place), paths))
    signed = all(is_one for is_one, _ in files)
    records = united(records for _, records in files)
    return Opened("mirror", digest, signed=signed, read=lambda: Content(len(records), iter(records)))


def united(files: Iterable[list[Record]]) -> list[Record]:
    """The records of many spec files, each once, by hash: that of the binary itself before what others say of their dependency."""
    found: dict[str, Record] = {}
    for record in (record for records in files for record in records):
        known = found.get(record.hash)
        if known is None or (record.in_buildcache and not known.in_buildcache):
            found[record.hash] = record
    return [found[key] for key in sorted(found)]


def _v3_records(place: Place, path: str) -> tuple[bool, list[Record]]:
    try:
        fetched = place.read(path)
        if fetched is None:
            return False, []
        blobs = manifest.read_manifest(fetched.data)
        blob = manifest.spec_blob(blobs)
        body = check_blob(place.read(blob.path), blob, place.url)
        records = list(read_spec_file(plain(body, "")).records(in_buildcache=True))
        archive = next((b for b in blobs if b.media_type == manifest.ARCHIVE_TYPE), None)
        if archive:
            records[0] = replace(records[0], archive=archive.checksum, size=archive.content_length)
        return is_signed(fetched.data), _checked(records, path)
    except ResolverError as error:
        raise error.at(f"{place.url}/{path}") from None


def _v2_records(place: Place, path: str) -> tuple[bool, list[Record]]:
    try:
        fetched = place.read(path)
        if fetched is None:
            return False, []
        records = list(read_spec_file(plain(fetched.data, "")).records(in_buildcache=True))
        return is_signed(fetched.data), _checked(records, path)
    except ResolverError as error:
        raise error.at(f"{place.url}/{path}") from None


def _checked(records: list[Record], path: str) -> list[Record]:
    """The records of a file that is named after its root's hash. Raises ``FormatError`` when it holds another."""
    if records[0].hash not in path.rpartition("/")[2]:
        msg = f"a spec file that is not of the binary it is named after, but of {records[0].hash}"
        raise FormatError(msg, hint="fetch the mirror again; it may be damaged")
    return records
