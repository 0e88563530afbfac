"""What the indexes of a mirror list, against what there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

import msgspec

from resolver.api.verify.findings import Finding, Findings
from resolver.errors import ResolverError, VerificationError
from resolver.formats import build_cache, manifest
from resolver.formats.index import read_index
from resolver.sources.blobs import check_blob, read_blob
from resolver.sources.build_cache import CacheAddress
from resolver.sources.files import plain, sha256
from resolver.sources.place import MOST_BYTES, Place
from resolver.spec.node import decode_node

NO_FACTS: Mapping[str, str] = MappingProxyType({})
LINKED = {"link", "run"}
COMPARABLE = 4
"""The specfile format since which dependencies are known by the same hash in indexes and spec files."""
Listed = dict[str, tuple[str, str, str, str]]
"""Of each hash with a binary by the index: name, version, the hash that was built where that is another, and what its node says."""


def check_index(
    place: Place,
    address: CacheAddress,
    layout: str,
    there: Mapping[str, str],
    findings: Findings,
    *,
    facts: Mapping[str, str] = NO_FACTS,
    whole: bool,
) -> Collection[str] | None:
    """Compare the index of a layout with the packages that there are, by hash with their names; gives its hashes, None without one.

    With ``whole`` these are all that the mirror has, so that what the index lists besides is not there. ``facts`` is what the packages'
    own nodes say by hash, as far as it is known.
    """
    where = f"{place.url}/{_index_path(layout, address.view)}"
    try:
        listed = _listed(place, layout, address.view, facts)
    except ResolverError as error:
        findings.add(Finding("index", address.name, "", "", where, str(error)))
        return None
    if listed is None:
        return None
    for key, name in there.items():
        if key not in listed:
            findings.add(Finding("index-lacks", address.name, name, key, where, "the index does not list it"))
        elif facts.get(key) and listed[key][3] and facts[key] != listed[key][3]:
            findings.add(Finding("index", address.name, name, key, where, "the index states another spec than the package itself"))
    if whole:
        for key, (name, version, built, _) in listed.items():
            if (built or key) not in there:
                findings.add(
                    Finding("index-dangling", address.name, name, key, where, f"the index lists {name}@{version}, which is not there")
                )
    return listed.keys()


def _index_path(layout: str, view: str) -> str:
    return build_cache.INDEX if layout == "v2" else manifest.index_manifest_path(view)


def _listed(place: Place, layout: str, view: str, wanted: Collection[str]) -> Listed | None:
    """What an index says that there is, the ``wanted`` hashes in full.

    Raises ``FormatError`` and ``VerificationError`` when it is damaged.
    """
    data = _v2_data(place) if layout == "v2" else _v3_data(place, view)
    if data is None:
        return None
    found: Listed = {}
    for record in read_index(plain(data)).records:
        if record.in_buildcache:
            built = decode_node(record.node).build_spec
            said = facts_of(record.node) if record.hash in wanted else ""
            found[record.hash] = (record.wire.name, record.wire.version, built.key if built else "", said)
    return found


def facts_of(node: bytes) -> str:
    """A digest of what a node says, alike for whatever version of Spack wrote it; empty for formats whose edges have other hashes.

    Raises ``FormatError``.
    """
    wire = decode_node(node)
    if wire.original_format < COMPARABLE or isinstance(wire.dependencies, dict):
        return ""
    edges = [edge.hash for edge in wire.dependencies if LINKED & set(edge.parameters.deptypes if edge.parameters else edge.type)]
    values = {name: sorted(value) if isinstance(value, tuple) else value for name, value in wire.parameters.items() if value != ()}
    arch = (wire.arch.platform, wire.arch.platform_os, wire.target)
    return sha256(msgspec.json.encode((wire.name, wire.version, arch, values, sorted(edges)), order="sorted"))


def _v3_data(place: Place, view: str) -> bytes | None:
    fetched = place.read(_index_path("v3", view))
    if fetched is None:
        return None
    blob = manifest.index_blob(manifest.read_manifest(fetched.data))
    return check_blob(read_blob(place, blob, MOST_BYTES), blob, place.url)


def _v2_data(place: Place) -> bytes | None:
    """Raises ``VerificationError`` when its hash beside it is another: Spack then reads it at every start (``DefaultIndexFetcherV2``)."""
    fetched = place.read(build_cache.INDEX, most=MOST_BYTES)
    stated = place.read(build_cache.INDEX_HASH)
    if fetched and stated and stated.data.strip() != sha256(fetched.data).encode():
        msg = f"{build_cache.INDEX} is not the one of its hash file"
        raise VerificationError(msg, why=f"its sha256 is {fetched.sha256}", hint="let the index be written again")
    return fetched.data if fetched else None
