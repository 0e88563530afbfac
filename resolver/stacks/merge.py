"""Merging configuration of two scopes, the higher one winning.

Source: Spack ``schema/__init__.py:merge_yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merged(high: Any, low: Any) -> Any:  # noqa: ANN401 - any YAML value
    """Mappings are united, lists of the higher come first, all else is replaced; ``key::`` replaces without merging."""
    if isinstance(high, Mapping) and isinstance(low, Mapping):
        return _mappings(high, low)
    if isinstance(high, list) and isinstance(low, list):
        return [*high, *(item for item in low if item not in high)]
    return high


def _mappings(high: Mapping[str, Any], low: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in high.items():
        if key.endswith(":"):
            found[key.removesuffix(":")] = value
        else:
            found[key] = merged(value, low[key]) if key in low else value
    return {**found, **{key: value for key, value in low.items() if key not in found}}
