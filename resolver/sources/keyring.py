"""The OpenPGP keys that a mirror publishes, as files that can be copied and as keys that signatures are checked with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from resolver.errors import ResolverError, SourceError
from resolver.formats import keys, manifest
from resolver.sources.blobs import check_blob, read_blob
from resolver.sources.files import plain
from resolver.sources.place import Place

MOST_KEY_BYTES = 1 << 20
"""The largest key that is read; one with hundreds of signatures of others has some hundred kilobytes."""


class Key(msgspec.Struct, frozen=True):
    """A public key: the fingerprint it is filed under, its armored bytes, and its files in the mirror's layout by path."""

    fingerprint: str
    armored: bytes
    files: Mapping[str, bytes]


class Published(msgspec.Struct, frozen=True):
    """The keys of a mirror, and all files that publish them by path: theirs, and the index's."""

    keys: tuple[Key, ...] = ()
    files: Mapping[str, bytes] = {}


def v3_key_path(fingerprint: str) -> str:
    """The manifest of a key in layout v3."""
    return f"v3/manifests/key/{fingerprint}.key.manifest.json"


def v2_key_path(fingerprint: str) -> str:
    """A key in layout v2."""
    return f"build_cache/_pgp/{fingerprint}.pub"


def published_keys(place: Place, layout: str) -> Published:
    """The keys that a mirror lists in a layout, sorted; none where it lists none.

    Raises ``SourceError``, and ``FormatError`` or ``VerificationError`` where what it lists is damaged or missing.
    """
    return READERS[layout](place)


def key_location(key: Key, layout: str) -> str:
    """Where the key itself lies in the mirror, as ``gpg --import`` takes it."""
    if layout == "v2":
        return v2_key_path(key.fingerprint)
    return _blob_path(key.armored)


def _v3(place: Place) -> Published:
    listed = place.read(keys.V3_INDEX, most=MOST_KEY_BYTES)
    if listed is None:
        return Published()
    data = _first_blob(place, listed.data, keys.V3_INDEX)
    found = tuple(_v3_key(place, name) for name in keys.read_key_index(plain(data, most=MOST_KEY_BYTES)))
    return _published(found, {keys.V3_INDEX: listed.data, _blob_path(data): data})


def _published(found: tuple[Key, ...], index: dict[str, bytes]) -> Published:
    return Published(found, {**index, **{path: data for key in found for path, data in key.files.items()}})


def _blob_path(data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    return f"blobs/sha256/{digest[:2]}/{digest}"


def _v3_key(place: Place, fingerprint: str) -> Key:
    path = v3_key_path(fingerprint)
    document = _needed(place, path)
    data = _first_blob(place, document, path)
    key = Key(fingerprint, data, {})
    return Key(fingerprint, data, {path: document, key_location(key, "v3"): data})


def _first_blob(place: Place, document: bytes, path: str) -> bytes:
    """The blob that a manifest of keys names; Spack takes the first (``binary_distribution.py:_get_keys``)."""
    try:
        blobs = manifest.read_manifest(document)
        if not blobs:
            raise SourceError("a manifest that names nothing", hint="let `spack gpg publish` write it again")
        return check_blob(read_blob(place, blobs[0], MOST_KEY_BYTES), blobs[0], place.url)
    except ResolverError as error:
        raise error.at(f"{place.url}/{path}") from None


def _v2(place: Place) -> Published:
    listed = place.read(keys.V2_INDEX, most=MOST_KEY_BYTES)
    if listed is None:
        return Published()
    names = keys.read_key_index(plain(listed.data, most=MOST_KEY_BYTES))
    found = tuple(Key(name, data, {v2_key_path(name): data}) for name in names for data in [_needed(place, v2_key_path(name))])
    return _published(found, {keys.V2_INDEX: listed.data})


def _needed(place: Place, path: str) -> bytes:
    fetched = place.read(path, most=MOST_KEY_BYTES)
    if fetched is None:
        msg = "a key that is listed is missing"
        raise SourceError(msg, where=f"{place.url}/{path}", hint="let `spack gpg publish --rebuild-index` write the list again")
    return fetched.data


READERS = {"v3": _v3, "v2": _v2}
