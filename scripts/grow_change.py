"""Copy an index with one record changed, to measure what a small change costs.

    .venv/bin/python scripts/grow_change.py INDEX OUT.json

The record is the first behind the middle that nothing needs; its version is another one, of the same length, and so is its hash.
"""

from __future__ import annotations

import json
import mmap
import re
import sys
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from resolver.spec.dag_hash import computed_hash

RECORD = re.compile(rb'"([a-z2-7]{32})":\{"spec":')
EDGE = re.compile(rb'"hash":"([a-z2-7]{32})","parameters"')
LAST_DIGIT = re.compile(r"[0-9](?=[^0-9]*$)")
LOOKED_AT = 5000


def loose_records(index: mmap.mmap) -> Iterator[tuple[int, int, bytes]]:
    """Start, end and hash of the records behind the middle that nothing needs. What needs a record stands behind it."""
    middle = len(index) // 2
    found = list(islice(RECORD.finditer(index, middle), LOOKED_AT + 1))
    loose = {record[1] for record in found}
    loose.difference_update(edge[1] for edge in EDGE.finditer(index, middle))
    for record, following in pairwise(found):
        if record[1] in loose:
            yield record.start(), following.start() - 1, record[1]


def changed_record(record: dict[str, Any]) -> str | None:
    """The record with another version, as JSON with its key; None when its version has no number."""
    node = record["spec"]
    version = LAST_DIGIT.sub(lambda digit: str((int(digit[0]) + 1) % 10), node["version"])
    if version == node["version"]:
        return None
    node["version"] = version
    node["hash"] = computed_hash(node)
    return json.dumps({node["hash"]: record}, separators=(",", ":"))[1:-1]


def write_changed(source: Path, out: Path) -> None:
    """Write the copy. Exits when no record can be changed."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as index:
        for start, end, key in loose_records(index):
            text = changed_record(json.loads(b"{%s}" % index[start:end])[key.decode()])
            if text:
                with out.open("wb") as copy, memoryview(index) as whole:
                    copy.write(whole[:start])
                    copy.write(text.encode())
                    copy.write(whole[end:])
                return
    sys.exit(f"{source}: no record of it can be changed")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write_changed(Path(sys.argv[1]), Path(sys.argv[2]))
