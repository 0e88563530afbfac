"""What to download for a selection. Imported only where the list is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resolver.emit.environment import Mirror
from resolver.emit.listings import Download
from resolver.formats import build_cache
from resolver.formats.manifest import spec_manifest_path
from resolver.formats.oci import package_tag, read_url
from resolver.sources.blobs import archive_blob
from resolver.spec.concrete import ConcreteSpec


def downloads(closure: Mapping[str, ConcreteSpec], mirrors: Sequence[Mirror]) -> list[Download]:
    """The files of each package of a closure that a mirror serves, from the first that does. Size and checksum are of local mirrors."""
    found = []
    for key, spec in closure.items():
        mirror = next((m for m in mirrors if key in m.serves), None)
        if mirror:
            found += computed_files(_archived(spec), mirror, mirror.layout_of(key))
    return found


def _archived(spec: ConcreteSpec) -> ConcreteSpec:
    """The spec whose archive is fetched: of a spliced one, the one that was built."""
    built = spec.wire.build_spec
    return (spec.graph.get(built.key) if built and built.key else None) or spec


def computed_files(spec: ConcreteSpec, mirror: Mirror, layout: str) -> list[Download]:
    """Where the files of a package are in a mirror, as far as that can be told without asking it."""
    base = mirror.url.rstrip("/")
    if layout == "v2":
        signed = bool(mirror.signed)
        return [
            Download("spec", spec.hash, f"{base}/{build_cache.spec_path(spec, signed=signed)}"),
            Download("archive", spec.hash, f"{base}/{build_cache.archive_path(spec)}"),
        ]
    if layout == "oci":
        repository, tag = read_url(base), package_tag(spec.name, spec.wire.version, spec.hash)
        return [Download("manifest", spec.hash, f"{repository.endpoint}/manifests/{tag}")]
    manifest = Download("manifest", spec.hash, f"{base}/{spec_manifest_path(spec.name, spec.wire.version, spec.hash)}")
    blob = archive_blob(mirror.url, spec)
    return [manifest, Download("archive", spec.hash, f"{base}/{blob.path}", blob.content_length, blob.checksum)] if blob else [manifest]
