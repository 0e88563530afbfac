"""The key index of a mirror: the fingerprints of the OpenPGP keys that it holds.

Source: Spack ``url_buildcache.py:generate_key_index`` (layout v3) and, until 0.23, ``binary_distribution.py`` (layout v2), which write the
same document.
"""

from __future__ import annotations

import re

import msgspec

from resolver.errors import FormatError

V3_INDEX = "v3/manifests/key/keys.manifest.json"
V2_INDEX = "build_cache/_pgp/index.json"
FINGERPRINT = re.compile(r"[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}")
"""Of a key of version 4, and of a newer one."""
MOST_KEYS = 256


class _KeyIndex(msgspec.Struct):
    keys: dict[str, msgspec.Raw]


_decoder = msgspec.json.Decoder(_KeyIndex)  # on import, see manifest.py


def read_key_index(data: bytes) -> tuple[str, ...]:
    """The fingerprints in a key index, in upper case, sorted; other names are passed over. Raises ``FormatError``."""
    try:
        names = _decoder.decode(data).keys
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = "not a list of keys"
        raise FormatError(msg, why=str(error), hint="let `spack gpg publish --rebuild-index` write it again") from None
    found = {name.upper() for name in names if FINGERPRINT.fullmatch(name)}
    if len(found) > MOST_KEYS:
        msg = f"a list of {len(found)} keys"
        raise FormatError(msg, why=f"at most {MOST_KEYS} are read", hint="is it the right mirror?")
    return tuple(sorted(found))
