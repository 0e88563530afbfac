"""A mirror of layout v3 or v2 as a source, wherever it lies: by its index, or without one by its spec manifests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from msgspec.structs import replace

from resolver.errors import ResolverError, SourceError, UnsupportedError, VerificationError
from resolver.formats import build_cache, manifest
from resolver.formats.index import read_index
from resolver.sources.blobs import check_blob, read_blob
from resolver.sources.files import plain
from resolver.sources.keys import keyed
from resolver.sources.place import MOST_BYTES, Fetched, Place, Report
from resolver.sources.signing import v2_signed, v3_signed
from resolver.sources.source import Content, Opened, Seen, Source
from resolver.sources.walk import walked_v2, walked_v3


def mirror_sources(place: Place, base: Source, view: str = "") -> Iterator[Source]:
    """The sources of the mirror at a place, none where there is no mirror: each layout that it has is one, and both count.

    With ``view`` it is that named index alone, as in Spack. A layout without a default index has its views in its place, and without any
    its spec files. ``base`` is what they have in common. Raises ``SourceError`` when no layout could be asked for; when one could, the
    other is a doubtful source.
    """
    if view:
        yield _v3(place, base, view)
        return
    asked = [(layout, _attempt(look, place, base)) for layout, look in (("v3", _v3_sources), ("v2", _v2_sources))]
    failed = [(layout, found) for layout, found in asked if isinstance(found, ResolverError)]
    sources = [source for _, found in asked if not isinstance(found, ResolverError) for source in found]
    if failed and not sources:
        raise failed[0][1]
    both = len({source.layout for source in sources}) > 1
    yield from (replace(s, name=f"{s.name}-v2", ending="-v2") if both and s.layout == "v2" else s for s in sources)
    yield from (replace(base, layout=layout, broken=error, doubtful=True) for layout, error in failed)


def _attempt(look: Callable[[Place, Source], list[Source]], place: Place, base: Source) -> list[Source] | SourceError:
    try:
        return look(place, base)
    except SourceError as error:
        return error


def _v3_sources(place: Place, base: Source) -> list[Source]:
    if place.exists(manifest.INDEX_MANIFEST):
        return [_v3(place, base, "")]
    views = [split[1] for path in _listed(place, manifest.INDEX_FOLDER) if (split := manifest.split_index_path(f"/{path}"))]
    if views:
        return [_v3(place, base, view) for view in sorted(views)]
    return walked_v3(place, base, _listed(place, manifest.SPEC_FOLDER))


def _v2_sources(place: Place, base: Source) -> list[Source]:
    if place.exists(build_cache.INDEX):
        return [replace(base, layout="v2", open=keyed(partial(_open_v2, place), place, "v2"))]
    return walked_v2(place, base, _listed(place, build_cache.FOLDER))


def _listed(place: Place, folder: str) -> list[str]:
    """The files of a folder, none where the place cannot list."""
    try:
        return list(place.paths(folder))
    except UnsupportedError:
        return []


def _v3(place: Place, base: Source, view: str) -> Source:
    ending = f"-{view.replace('/', '-')}" if view else ""
    opens = keyed(partial(_open_v3, place, view), place, "v3")
    return replace(base, name=f"{base.name}{ending}", ending=ending, layout="v3", view=view, open=opens)


def _open_v3(place: Place, view: str, seen: Seen, report: Report) -> Opened:
    path = manifest.index_manifest_path(view)
    fetched = _manifest(place, path, seen.tag)
    if fetched.unchanged:
        return Opened("mirror", seen.digest, seen.tag, unchanged=True)
    blob = _pointed_at(place, path, fetched)
    if blob.checksum == seen.digest:
        return Opened("mirror", seen.digest, fetched.tag, unchanged=True)
    found = read_blob(place, blob, MOST_BYTES, report)
    if found is None:  # an index that is being written anew: its manifest may point elsewhere by now
        fetched = _manifest(place, path)
        blob = _pointed_at(place, path, fetched)
        found = read_blob(place, blob, MOST_BYTES, report)
    data = check_blob(found, blob, place.url)
    content = partial(_content, data, f"{place.url}/{blob.path}")
    return Opened("mirror", blob.checksum, fetched.tag, signed=v3_signed(place, content), read=content)


def _manifest(place: Place, path: str, tag: str = "") -> Fetched:
    fetched = place.read(path, tag=tag)
    if fetched is None:
        msg = "there is no such index in the mirror"
        hint = "is the view's name right? `spack buildcache update-index` writes an index"
        raise SourceError(msg, where=f"{place.url}/{path}", hint=hint)
    return fetched


def _pointed_at(place: Place, path: str, fetched: Fetched) -> manifest.Blob:
    try:
        return manifest.index_blob(manifest.read_manifest(fetched.data))
    except ResolverError as error:
        raise error.at(f"{place.url}/{path}") from None


def _content(data: bytes, where: str) -> Content:
    try:
        index = read_index(plain(data))
    except ResolverError as error:
        raise error.at(where) from None
    return Content(index.size, index.records)


def _open_v2(place: Place, seen: Seen, report: Report) -> Opened:
    if not seen.tag and seen.digest and _hinted(place) == seen.digest:
        return Opened("mirror", seen.digest, unchanged=True)
    fetched = place.read(build_cache.INDEX, most=MOST_BYTES, tag=seen.tag, report=report)
    if fetched is None:
        msg = f"the index {build_cache.INDEX} is missing"
        raise SourceError(msg, where=place.url, hint="let `spack buildcache update-index` write it")
    if fetched.unchanged or fetched.sha256 == seen.digest:
        return Opened("mirror", seen.digest, fetched.tag, unchanged=True)
    content = partial(_content, fetched.data, f"{place.url}/{build_cache.INDEX}")
    return Opened("mirror", fetched.sha256, fetched.tag, signed=v2_signed(place, content), read=content)


def _hinted(place: Place) -> str:
    """What ``index.json.hash`` says of the index; it may be behind, so it only tells that nothing changed."""
    fetched = place.read(build_cache.INDEX_HASH)
    return fetched.data[:64].decode("ascii", "replace") if fetched else ""


def pinned_index(place: Place, path: str, digest: str, seen: Seen, report: Report) -> Opened:
    """An index blob whose sha256 is known beforehand, as the public manifest lists them."""
    if seen.digest == digest:
        return Opened("mirror", digest, unchanged=True)
    fetched = place.read(path, most=MOST_BYTES, report=report)
    if fetched is None or fetched.sha256 != digest:
        msg = "the index blob is missing" if fetched is None else f"the index blob has the sha256 {fetched.sha256}, not that of its name"
        raise VerificationError(msg, where=f"{place.url}/{path}", hint="read the manifest of the public cache anew; it may be out of date")
    content = partial(_content, fetched.data, f"{place.url}/{path}")
    return Opened("mirror", digest, signed=v3_signed(place, content), read=content)
