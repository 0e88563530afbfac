"""A build cache in a registry. What it has is stated as layout v3 would state it: the archive is the same, so the manifest is true."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from resolver.emit.build_cache import v3_package
from resolver.errors import ResolverError
from resolver.formats.oci import package_tag
from resolver.sources.build_cache import CacheAddress
from resolver.sources.entry import ARCHIVE, METADATA, Entry, Listed, StoredFile, v3_path
from resolver.sources.keyring import Published
from resolver.sources.oci import Registry
from resolver.sources.sink import Sink
from resolver.spec.concrete import ConcreteSpec


class RegistryCache:
    """An OCI repository that is a build cache. Its packages are not signed."""

    def __init__(self, address: CacheAddress) -> None:
        self.address = address
        self._registry = Registry(address.url, address.credentials)

    def has(self, spec: ConcreteSpec) -> bool:
        """See ``BuildCache``."""
        return self._registry.has(_tag(spec))

    def entry(self, spec: ConcreteSpec) -> Entry | None:
        """See ``BuildCache``. The manifest and the metadata are made of the image's configuration."""
        found = self._registry.package(_tag(spec))
        if found is None:
            return None
        origin = f"{self._registry.url}:{_tag(spec)}"
        try:
            made = v3_package(found.document, found.archive)
        except ResolverError as error:
            raise error.at(origin) from None
        files = (
            StoredFile(ARCHIVE, made.archive.path, made.archive.content_length, made.archive.checksum),
            StoredFile(METADATA, made.metadata.path, made.metadata.content_length, made.metadata.checksum),
        )
        documents = {made.metadata.path: made.document}
        listed = tuple(self._listed(_tag(spec), found.document, files[0]))
        return Entry(spec.hash, "v3", v3_path(spec), made.manifest, origin, files, documents, listed)

    def _listed(self, tag: str, config: bytes, archive: StoredFile) -> Iterator[Listed]:
        """What the registry has itself: the image's manifest, its configuration, its last layer."""
        digest = hashlib.sha256(config).hexdigest()
        yield Listed("manifest", self._registry.manifest_url(tag), f"manifests/{tag}", None, "")
        yield Listed("config", self._registry.blob_url(f"sha256:{digest}"), f"blobs/sha256/{digest[:2]}/{digest}", len(config), digest)
        yield Listed(archive.kind, self.url(archive), archive.path, archive.size, archive.sha256)

    def url(self, file: StoredFile) -> str:
        """See ``BuildCache``."""
        return self._registry.blob_url(f"sha256:{file.sha256}")

    def length(self, file: StoredFile) -> int | None:
        """See ``BuildCache``."""
        return self._registry.length(f"sha256:{file.sha256}")

    def fetch(self, file: StoredFile, sink: Sink) -> bool:
        """See ``BuildCache``."""
        return self._registry.fetch(f"sha256:{file.sha256}", sink)

    def keys(self, layout: str) -> Published:  # noqa: ARG002 - as every build cache is asked
        """See ``BuildCache``. Packages of registries are not signed."""
        return Published()


def _tag(spec: ConcreteSpec) -> str:
    return package_tag(spec.name, spec.wire.version, spec.hash)
