"""The keys that a mirror says its packages are signed with. Nothing is verified, so they are only shown, never trusted."""

from __future__ import annotations

from msgspec.structs import replace

from resolver.errors import ResolverError
from resolver.formats import keys
from resolver.formats.manifest import read_manifest
from resolver.sources.blobs import check_blob, read_blob
from resolver.sources.files import plain
from resolver.sources.place import Place, Report
from resolver.sources.source import Open, Opened, Seen

MOST_BYTES = 1 << 20
"""The largest key index that is read, in bytes."""


def keyed(open_source: Open, place: Place, layout: str) -> Open:
    """Opens a mirror as before and, where it has changed, looks up its keys. Without them the mirror is as good; a note says why."""

    def opened(seen: Seen, report: Report) -> Opened:
        found = open_source(seen, report)
        if found.unchanged:
            return found
        try:
            return replace(found, keys=READERS[layout](place))
        except ResolverError as error:
            return replace(found, note="; ".join(filter(None, (found.note, f"its keys are not known: {error}"))))

    return opened


def _v3_keys(place: Place) -> tuple[str, ...]:
    fetched = place.read(keys.V3_INDEX, most=MOST_BYTES)
    blobs = read_manifest(fetched.data) if fetched else ()
    if not blobs:
        return ()
    blob = blobs[0]  # as Spack takes it (``binary_distribution.py:_get_keys``)
    return keys.read_key_index(plain(check_blob(read_blob(place, blob, MOST_BYTES), blob, place.url), most=MOST_BYTES))


def _v2_keys(place: Place) -> tuple[str, ...]:
    fetched = place.read(keys.V2_INDEX, most=MOST_BYTES)
    return keys.read_key_index(plain(fetched.data, most=MOST_BYTES)) if fetched else ()


READERS = {"v3": _v3_keys, "v2": _v2_keys}
