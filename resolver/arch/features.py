"""What archspec's table says of targets beyond their ancestry; read only where a host is detected."""

from __future__ import annotations

from functools import cache
from pkgutil import get_data

import msgspec

from resolver.arch.table import TABLE


class Features(msgspec.Struct, frozen=True):
    """A target: who makes it, the features that it needs, and for ARM its part number, ``0xd40`` (empty elsewhere)."""

    vendor: str = "generic"
    features: frozenset[str] = frozenset()
    part: str = msgspec.field(name="cpupart", default="")


class _Table(msgspec.Struct, frozen=True):
    microarchitectures: dict[str, Features]


@cache
def features() -> dict[str, Features]:
    """All targets by name."""
    return msgspec.json.decode(get_data(*TABLE) or b"", type=_Table).microarchitectures
