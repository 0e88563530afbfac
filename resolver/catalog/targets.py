"""The CPU targets that a catalog has records for."""

from __future__ import annotations

from resolver.catalog.store import Store


def recorded_targets(store: Store, platform: str) -> list[str]:
    """The targets of all records for a platform, sorted. It reads an index from end to end, so it is asked once."""
    return [str(row[0]) for row in store.query("SELECT DISTINCT target FROM record WHERE platform = ? ORDER BY target", (platform,))]
