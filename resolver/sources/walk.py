"""A mirror without an index: every spec manifest or spec file is read, which takes a request or two for each binary."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from msgspec.structs import replace

from resolver.errors import FormatError, ResolverError, SourceError
from resolver.formats import manifest
from resolver.formats.clearsign import is_signed
from resolver.formats.record import Record
from resolver.formats.spec_file import read_spec_file
from resolver.sources.blobs import check_blob, read_blob
from resolver.sources.files import FREE_BYTES, plain
from resolver.sources.keys import keyed
from resolver.sources.place import MOST_SMALL_BYTES, Place, Report
from resolver.sources.source import Content, Opened, Seen, Source

AT_ONCE = 8
V2_ENDINGS = (".spec.json.sig", ".spec.json", ".spec.yaml")


Read = Callable[[Place, Report, str], tuple[bool, list[Record]]]
"""Reads the spec file at a path: is it signed, and its records, that of the binary first."""


def walked_v3(place: Place, base: Source, paths: Iterable[str]) -> list[Source]:
    """The layout v3 of a mirror by its spec manifests among these files, if it has any."""
    return _walked(place, base, "v3", sorted(path for path in paths if path.endswith(manifest.SPEC_SUFFIX)), _v3_records)


def walked_v2(place: Place, base: Source, paths: Iterable[str]) -> list[Source]:
    """The layout v2 of a mirror by its spec files among these files, if it has any."""
    return _walked(place, base, "v2", _without_doubles(path for path in paths if path.endswith(V2_ENDINGS)), _v2_records)


def _walked(place: Place, base: Source, layout: str, paths: list[str], read: Read) -> list[Source]:
    return [replace(base, layout=layout, open=keyed(partial(_open, place, paths, read), place, layout))] if paths else []


def _without_doubles(paths: Iterable[str]) -> list[str]:
    """Of a signed and an unsigned spec file of one binary the signed one, as Spack prefers it."""
    best: dict[str, str] = {}
    paths = sorted(paths)
    for ending in reversed(V2_ENDINGS):
        best.update((path.removesuffix(ending), path) for path in paths if path.endswith(ending))
    return sorted(best.values())


def names_digest(names: Iterable[str]) -> str:
    """A digest of the names of binaries: they hold hashes, so the same names are the same binaries."""
    return hashlib.sha256("\n".join(names).encode(errors="surrogateescape")).hexdigest()


def cost_note(count: int) -> str:
    """What a person should know of a mirror that was read without an index."""
    return f"it has no index, so its {count} spec files were read one by one; `spack buildcache update-index` makes one"


def _open(place: Place, paths: list[str], read: Read, seen: Seen, report: Report) -> Opened:
    digest = names_digest(paths)
    if digest == seen.digest:
        return Opened("mirror", digest, unchanged=True)
    signs: list[bool] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        records = united(_noted(signs, pool.map(partial(read, place, lambda count, _: report(count, None)), paths)))
    return Opened("mirror", digest, signed=all(signs), read=lambda: Content(len(records), iter(records)), note=cost_note(len(paths)))


def _noted(signs: list[bool], files: Iterable[tuple[bool, list[Record]]]) -> Iterator[list[Record]]:
    for signed, records in files:
        signs.append(signed)
        yield records


def united(files: Iterable[Sequence[Record]]) -> list[Record]:
    """The records of many spec files, each once, by hash: that of the binary itself before what others say of their dependency."""
    found: dict[str, Record] = {}
    for record in (record for records in files for record in records):
        known = found.get(record.hash)
        if known is None or (record.in_buildcache and not known.in_buildcache):
            found[record.hash] = record
    return [found[key] for key in sorted(found)]


def _v3_records(place: Place, report: Report, path: str) -> tuple[bool, list[Record]]:
    try:
        data = _read(place, report, path)
        blobs = manifest.read_manifest(data)
        blob = manifest.spec_blob(blobs)
        body = check_blob(read_blob(place, blob, MOST_SMALL_BYTES, report), blob, place.url)
        records = binary_records(plain(body, most=FREE_BYTES), _name(path))
        archive = next((b for b in blobs if b.media_type == manifest.ARCHIVE_TYPE), None)
        if archive:
            records[0] = replace(records[0], archive=archive.checksum, size=archive.content_length)
    except ResolverError as error:
        raise error.at(f"{place.url}/{path}") from None
    return is_signed(data), records


def _v2_records(place: Place, report: Report, path: str) -> tuple[bool, list[Record]]:
    try:
        data = plain(_read(place, report, path), most=FREE_BYTES)
        return is_signed(data), binary_records(data, _name(path))
    except ResolverError as error:
        raise error.at(f"{place.url}/{path}") from None


def _read(place: Place, report: Report, path: str) -> bytes:
    fetched = place.read(path, report=report)
    if fetched is None:
        msg = "a spec file that was listed is gone"
        raise SourceError(msg, hint="sync again: the mirror is being changed")
    return fetched.data


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def binary_records(data: bytes, name: str) -> list[Record]:
    """The records of a spec file, that of its binary first. Raises ``FormatError`` when the file is named after another binary."""
    records = list(read_spec_file(data).records(in_buildcache=True))
    if records[0].hash not in name:
        msg = f"a spec file that is not of the binary it is named after, but of {records[0].hash}"
        raise FormatError(msg, hint="fetch the mirror again; it may be damaged")
    return records
