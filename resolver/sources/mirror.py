"""A mirror of layout v3 or v2 as a source, wherever it lies: by its index, or without one by its spec manifests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from resolver.errors import ResolverError, UnsupportedError, VerificationError
from resolver.formats import build_cache, manifest
from resolver.formats.clearsign import is_signed
from resolver.formats.index import read_index
from resolver.sources.blobs import check_blob
from resolver.sources.files import plain
from resolver.sources.place import MOST_BYTES, Fetched, Place, Report
from resolver.sources.source import Content, Opened, Seen, Source
from resolver.sources.walk import walk_source

Make = Callable[..., Source]


def mirror_sources(place: Place, make: Make, view: str = "") -> Iterator[Source]:
    """The sources of the mirror at a place, none where there is no mirror: each layout that it has is one, and both count.

    With ``view`` it is that named index alone, as in Spack. A mirror without a default index has its views in its place, and without any
    its spec manifests. ``make`` makes a ``Source`` of a name's ending and what differs.
    """
    if view:
        yield _v3(place, make, view)
        return
    v3 = place.exists(manifest.INDEX_MANIFEST)
    v2 = place.exists(build_cache.INDEX)
    if v3:
        yield _v3(place, make, "")
    if v2:
        yield make("-v2" if v3 else "", layout="v2", open=partial(_open_v2, place))
    if not v3 and not v2:
        yield from _without_index(place, make)


def _v3(place: Place, make: Make, view: str) -> Source:
    ending = f"-{view.replace('/', '-')}" if view else ""
    return make(ending, layout="v3", view=view, open=partial(_open_v3, place, manifest.index_manifest_path(view)))


def _without_index(place: Place, make: Make) -> Iterator[Source]:
    try:
        views = sorted(_view(path) for path in place.paths(manifest.INDEX_FOLDER) if path.endswith("/index.manifest.json"))
        yield from (_v3(place, make, view) for view in views)
        if not views:
            yield from walk_source(place, make)
    except UnsupportedError:
        return


def _view(path: str) -> str:
    return path.removeprefix(f"{manifest.INDEX_FOLDER}/").removesuffix("/index.manifest.json")


def _open_v3(place: Place, path: str, seen: Seen, report: Report) -> Opened:
    where = f"{place.url}/{path}"
    fetched = place.read(path, tag=seen.tag)
    if fetched is None:
        msg = "there is no such index in the mirror"
        raise VerificationError(msg, where=where, hint="is the view's name right? `spack buildcache update-index` writes an index")
    if fetched.unchanged:
        return Opened("mirror", seen.digest, seen.tag, unchanged=True)
    blob, tag = _pointed_at(fetched, where), fetched.tag
    if blob.checksum == seen.digest:
        return Opened("mirror", seen.digest, tag, unchanged=True)
    data = place.read(blob.path, most=MOST_BYTES, report=report)
    if data is None:
        # An index that is being written anew: its manifest may point elsewhere by now.
        again = place.read(path)
        if again is not None:
            blob, tag = _pointed_at(again, where), again.tag
            data = place.read(blob.path, most=MOST_BYTES, report=report)
    body = check_blob(data, blob, place.url)
    return Opened("mirror", blob.checksum, tag, signed=_v3_signed(place), read=partial(_content, body, f"{place.url}/{blob.path}"))


def _pointed_at(fetched: Fetched, where: str) -> manifest.Blob:
    try:
        return manifest.index_blob(manifest.read_manifest(fetched.data))
    except ResolverError as error:
        raise error.at(where) from None


def _content(data: bytes, where: str) -> Content:
    try:
        index = read_index(plain(data, ""))
    except ResolverError as error:
        raise error.at(where) from None
    return Content(index.size, index.records)


def _v3_signed(place: Place) -> bool | None:
    """Are the packages signed, by the first one found; None when there is none, or the place cannot list."""
    first = _first(place, manifest.SPEC_FOLDER, manifest.SPEC_SUFFIX)
    fetched = place.read(first) if first else None
    return is_signed(fetched.data) if fetched else None


def _open_v2(place: Place, seen: Seen, report: Report) -> Opened:
    where = f"{place.url}/{build_cache.INDEX}"
    if not seen.tag and seen.digest and _hinted(place) == seen.digest:
        return Opened("mirror", seen.digest, unchanged=True)
    fetched = place.read(build_cache.INDEX, most=MOST_BYTES, tag=seen.tag, report=report)
    if fetched is None:
        msg = f"the index {build_cache.INDEX} is missing"
        raise VerificationError(msg, where=place.url, hint="let `spack buildcache update-index` write it")
    if fetched.unchanged or fetched.sha256 == seen.digest:
        return Opened("mirror", seen.digest, fetched.tag, unchanged=True)
    first = _first(place, build_cache.FOLDER, ".spec.json", ".spec.json.sig")
    signed = None if first is None else first.endswith(".sig")
    return Opened("mirror", fetched.sha256, fetched.tag, signed=signed, read=partial(_content, fetched.data, where))


def _hinted(place: Place) -> str:
    """What ``index.json.hash`` says of the index; it may be behind, so it only tells that nothing changed."""
    fetched = place.read(build_cache.INDEX_HASH)
    return fetched.data[:64].decode("ascii", "replace") if fetched else ""


def _first(place: Place, folder: str, *endings: str) -> str | None:
    try:
        return next((path for path in place.paths(folder) if path.endswith(endings)), None)
    except UnsupportedError:
        return None


def pinned_index(place: Place, path: str, digest: str, seen: Seen, report: Report) -> Opened:
    """An index blob whose sha256 is known beforehand, as the public manifest lists them."""
    if seen.digest == digest:
        return Opened("mirror", digest, unchanged=True)
    fetched = place.read(path, most=MOST_BYTES, report=report)
    if fetched is None or fetched.sha256 != digest:
        msg = "the index blob is missing" if fetched is None else f"the index blob has the sha256 {fetched.sha256}, not that of its name"
        raise VerificationError(msg, where=f"{place.url}/{path}", hint="read the manifest of the public cache anew; it may be out of date")
    return Opened("mirror", digest, signed=None, read=partial(_content, fetched.data, f"{place.url}/{path}"))
