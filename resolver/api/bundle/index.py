"""What a bundle holds besides its packages: indexes, keys, what says that it is a mirror."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from resolver.api.bundle.fetch import Obtained
from resolver.api.serving import built
from resolver.api.wanted import Wanted
from resolver.emit import build_cache as emitted
from resolver.errors import ResolverError
from resolver.formats import keys
from resolver.sources.build_cache import BuildCache
from resolver.sources.keyring import Key, key_location
from resolver.spec.node import ALL_TYPES


class Extras(msgspec.Struct, frozen=True):
    """Files by path; ``keys`` are the fingerprints with the files that hold them; ``notes`` are for a person."""

    files: Mapping[str, bytes]
    keys: Mapping[str, str]
    notes: tuple[str, ...] = ()


def index_files(wanted: Wanted, obtained: Sequence[Obtained]) -> dict[str, bytes]:
    """The index of each layout that there are packages of, by path."""
    found: dict[str, bytes] = {}
    for layout, write in (("v3", emitted.v3_index), ("v2", emitted.v2_index)):
        rows = [one for one in obtained if one.package.entry.layout == layout]
        if rows:
            found |= write(*indexed(wanted, rows))
    if any(one.package.entry.layout == "v3" for one in obtained):
        found[emitted.LAYOUT_FILE] = emitted.LAYOUT
    return found


def indexed(wanted: Wanted, obtained: Sequence[Obtained]) -> tuple[dict[str, bytes], set[str]]:
    """The nodes of an index, and which of them have a binary: those that ``spack buildcache update-index`` would find.

    These are the nodes of each package's spec, what it was built with too; a spliced spec is in no spec file but its own, so that it
    and what it needs are the environment's. Of several statements a package's own counts, else the smallest.
    """
    own = {one.records[0].hash: one.records[0].node for one in obtained}
    others: dict[str, bytes] = {}
    for record in (record for one in obtained for record in one.records[1:]):
        others[record.hash] = min(record.node, others.get(record.hash, record.node))
    spliced = [spec for spec in wanted.closure.values() if not spec.external and built(spec) is not spec and built(spec).hash in own]
    known = {key: wanted.nodes[key] for spec in spliced for key in spec.closure(ALL_TYPES) if key in wanted.nodes}
    return {**known, **others, **own}, {*own, *(spec.hash for spec in spliced)}


def key_files(obtained: Iterable[Obtained], caches: Sequence[BuildCache], own: BuildCache) -> Extras:
    """The keys that the mirrors publish in each layout that there are signed packages of. The first mirror's of a fingerprint counts.

    ``own`` is the bundle as it was; it is asked only where one of the mirrors cannot be, so that what comes out is the same each time.
    """
    found: dict[str, dict[str, Key]] = {}
    notes: list[str] = []
    for layout in sorted({one.package.entry.layout for one in obtained if one.package.entry.signed}):
        found[layout] = _keys(caches, own, layout, notes)
        if not found[layout]:
            notes.append("no mirror publishes the key that its packages are signed with: Spack needs it from elsewhere")
    files = {path: data for layout in found.values() for key in layout.values() for path, data in key.files.items()}
    files |= emitted.v3_keys(found["v3"]) if found.get("v3") else {}
    files |= {keys.V2_INDEX: emitted.key_index(found["v2"])} if found.get("v2") else {}
    where = {key.fingerprint: key_location(key, layout) for layout, rows in found.items() for key in rows.values()}
    return Extras(files, dict(sorted(where.items())), tuple(notes))


def _keys(caches: Sequence[BuildCache], own: BuildCache, layout: str, notes: list[str]) -> dict[str, Key]:
    """By fingerprint. Without them the packages are as good."""
    found: dict[str, Key] = {}
    asked = list(caches) or [own]
    for cache in asked:
        try:
            published = cache.keys(layout)
        except ResolverError as error:
            notes.append(f"the keys of {cache.address.name} cannot be had: {error}")
            if own not in asked:
                asked.append(own)
            continue
        for key in published.keys:
            found.setdefault(key.fingerprint, key)
    return found
