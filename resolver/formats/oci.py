"""Build caches in OCI registries: what a URL names, tags, image manifests and the configuration that holds a spec.

Source: Spack ``oci/image.py``, ``oci/oci.py``; OCI image and distribution specifications.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from resolver.errors import FormatError, InputError, UnsupportedError

DOCKER_HUB = "index.docker.io"
SCHEMES = {"oci": "https", "oci+http": "http"}
INDEX_TAG = "index.spack"
TAG_END = ".spack"
LONGEST_TAG = 128
NEWEST_LAYOUT = 3
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_TYPES = (OCI_MANIFEST, DOCKER_MANIFEST)
DOMAIN = re.compile(r"(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::([0-9]{1,5}))?")
NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
LONGEST_NAME = 255
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
T = TypeVar("T")


class Repository(msgspec.Struct, frozen=True):
    """Where a build cache lies: ``scheme`` https or http, ``registry`` a host with its port, ``name`` of the image repository."""

    scheme: str
    registry: str
    name: str

    @property
    def url(self) -> str:
        """The URL that Spack names it by."""
        return f"{'oci' if self.scheme == 'https' else 'oci+http'}://{self.registry}/{self.name}"

    @property
    def endpoint(self) -> str:
        """Where the registry answers for this repository."""
        return f"{self.scheme}://{self.registry}/v2/{self.name}"


class Descriptor(msgspec.Struct, frozen=True):
    """A blob: ``digest`` is ``sha256:`` and 64 hexadecimal digits, ``size`` is in bytes, both as it is stored."""

    digest: str
    size: int
    media_type: str = msgspec.field(name="mediaType", default="")


class ImageManifest(msgspec.Struct, frozen=True):
    """The manifest of one image: its configuration and its layers, of which the last is the package."""

    schema: int = msgspec.field(name="schemaVersion")
    config: Descriptor
    layers: tuple[Descriptor, ...]


class _Checksum(msgspec.Struct, frozen=True):
    algorithm: str = msgspec.field(name="hash_algorithm")
    digest: str = msgspec.field(name="hash")


class _Config(msgspec.Struct):
    spec: dict[str, msgspec.Raw]
    layout: int = msgspec.field(name="buildcache_layout_version", default=0)
    checksum: _Checksum | None = msgspec.field(name="binary_cache_checksum", default=None)


class _Tags(msgspec.Struct):
    tags: list[str] | None = None


class _Kind(msgspec.Struct):
    schema: int = msgspec.field(name="schemaVersion", default=0)
    media_type: str = msgspec.field(name="mediaType", default="")
    manifests: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


# Made on import, see manifest.py.
_tags = msgspec.json.Decoder(_Tags)
_kinds = msgspec.json.Decoder(_Kind)
_manifests = msgspec.json.Decoder(ImageManifest)
_configs = msgspec.json.Decoder(_Config)


def read_url(url: str) -> Repository:
    """The repository of an ``oci://`` or ``oci+http://`` URL, by Spack's rules (``ImageReference.from_string``).

    A tag or a digest has no meaning here and is left out. Without a registry, Docker Hub is meant. Raises ``InputError``.
    """
    scheme, parted, rest = url.partition("://")
    if not parted or scheme not in SCHEMES:
        raise InputError("not the URL of an OCI registry", hint="it begins with oci:// or oci+http://")
    registry, name = _split(_without_tag(rest.rstrip("/")))
    if not _is_host(registry) or not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        what = f"{scheme}://{registry}/{name} names no repository" if "@" not in rest else "a registry's URL that holds an @"
        hint = f"write {scheme}://ghcr.io/organisation/name; a user and a secret stand as access_pair in mirrors.yaml"
        raise InputError(what[:300], hint=hint)
    return Repository(SCHEMES[scheme], registry, name)


def _is_host(registry: str) -> bool:
    found = DOMAIN.fullmatch(registry)
    return found is not None and 0 < int(found[1] or 443) < 1 << 16


def _without_tag(text: str) -> str:
    """The text up to a digest (``@sha256:``), and up to a tag behind the last colon that is no port's."""
    text, at, digest = text.partition("@")
    if at and not DIGEST.fullmatch(digest):
        return ""  # a user and a password perhaps, which are not to be shown
    path, colon, tag = text.rpartition(":")
    return path if colon and "/" in path and TAG.fullmatch(tag) else text


def _split(text: str) -> tuple[str, str]:
    """Registry and repository."""
    first, slash, rest = text.partition("/")
    if not _is_domain(first):
        registry, name = DOCKER_HUB, text.lower()
    elif not slash:
        return first, ""
    else:
        registry, name = first, rest.lower()
    return registry, f"library/{name}" if registry == DOCKER_HUB and name and "/" not in name else name


def _is_domain(part: str) -> bool:
    return part == "localhost" or "." in part or ":" in part or part != part.lower()


def valid_tag(text: str) -> str:
    """The tag that Spack makes of a text (``ensure_valid_tag``): at most 128 characters, the middle left out."""
    tag = UNSAFE.sub("_", text)
    return tag if len(tag) <= LONGEST_TAG else tag[: LONGEST_TAG // 2] + tag[-LONGEST_TAG // 2 :]


def package_tag(name: str, version: str, dag_hash: str) -> str:
    """The tag of a package."""
    return valid_tag(f"{name}-{version}-{dag_hash}{TAG_END}")


def is_package_tag(tag: str) -> bool:
    """Is this the tag of a package; the index and users' own tags are none (``tag_is_spec``)."""
    return tag.endswith(TAG_END) and tag != INDEX_TAG


def read_tags(data: bytes) -> list[str]:
    """The tags of one page of a list. What is no tag is passed over. Raises ``FormatError``."""
    return [tag for tag in _decode(data, _tags, "a list of tags").tags or () if TAG.fullmatch(tag)]


def read_image_manifest(data: bytes) -> ImageManifest:
    """A manifest of one image. Raises ``UnsupportedError`` for lists of images and old schemas, ``FormatError`` for damage."""
    kind = _decode(data, _kinds, "an image manifest")
    if kind.manifests is not msgspec.UNSET or kind.schema == 1:
        what = "a list of images for several platforms" if kind.schema != 1 else "an image manifest of schema 1"
        raise UnsupportedError(what, why="a build cache has single images of schema 2", hint="check the repository's name")
    manifest = _decode(data, _manifests, "an image manifest")
    if not manifest.layers:
        raise FormatError("an image manifest without layers", hint="push the package again")
    for blob in (manifest.config, *manifest.layers):
        if blob.size < 0 or not DIGEST.fullmatch(blob.digest):
            raise FormatError(f"a blob {blob.digest[:80]!r} of {blob.size} bytes", why="blobs are known by a sha256 and a size")
    return manifest


def stated_checksum(config: bytes) -> str:
    """The archive's digest that a package's configuration states, empty when it states none.

    Raises ``FormatError`` when it holds no spec, ``UnsupportedError`` when its layout is newer than known.
    """
    found = _decode(config, _configs, "the configuration of a package")
    if found.layout > NEWEST_LAYOUT:
        msg = f"a package of layout version {found.layout}, known are up to {NEWEST_LAYOUT}"
        raise UnsupportedError(msg, hint="use a newer spack-resolver")
    return f"{found.checksum.algorithm}:{found.checksum.digest}" if found.checksum else ""


def _decode(data: bytes, decoder: msgspec.json.Decoder[T], what: str) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = f"not {what}"
        raise FormatError(msg, why=str(error), hint="fetch it again; it may have been cut short") from None
