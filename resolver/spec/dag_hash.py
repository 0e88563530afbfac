"""The DAG hash of a node, computed anew.

Since format 5: SHA-1 over the node's JSON without its ``hash`` key, without white space, ASCII-escaped, keys in the order
written; base32 in lower case. Because dependencies stand in it by hash, it covers the whole DAG. Of a spliced node the last 7
characters are its build spec's.
Source: Spack ``spec.py:Spec.spec_hash``, ``hash_types.py``, ``util/hash.py:b32_hash``. Spack itself never verifies it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

SPLICED_TAIL = 7
HASHED_FORMAT = 5


class HashVerdict(StrEnum):
    """What a recomputed hash says: it agrees; it does not; or the node's hash is of an older definition and cannot be recomputed."""

    VERIFIED = "verified"
    DIFFERENT = "different"
    OLDER = "older"


def computed_hash(node: Mapping[str, Any]) -> str:
    """The hash of a decoded node whose keys are in the order written."""
    content = {key: value for key, value in node.items() if key != "hash"}
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=True)
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).digest()
    found = base64.b32encode(digest).decode().lower()
    built = node.get("build_spec")
    return found[:-SPLICED_TAIL] + str(built["hash"])[-SPLICED_TAIL:] if isinstance(built, Mapping) and built.get("hash") else found


def check_hash(node: Mapping[str, Any], stated: str) -> HashVerdict:
    """Compare the hash that a node goes by with the one computed."""
    annotations = node.get("annotations")
    original = annotations.get("original_specfile_version", HASHED_FORMAT) if isinstance(annotations, Mapping) else None
    if original is None or original < HASHED_FORMAT:
        return HashVerdict.OLDER
    return HashVerdict.VERIFIED if computed_hash(node) == stated else HashVerdict.DIFFERENT
