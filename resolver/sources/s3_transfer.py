"""A file on its way from a bucket into a sink."""

from __future__ import annotations

from typing import Any

from resolver.sources.sink import Sink

CHUNK_BYTES = 1 << 20


def rest_of(sink: Sink, name: str) -> dict[str, str]:
    """What to ask for: all of it, or the rest of what the sink has of this very object."""
    if sink.continues(name) and sink.tag and sink.origin == name:
        return {"Range": f"bytes={sink.held}-", "IfMatch": sink.tag}
    return {}


def pour(answer: dict[str, Any], sink: Sink, name: str) -> None:
    """Read a body to its end. Raises botocore's errors when it breaks, and what the sink raises."""
    body = answer["Body"]
    try:
        if not str(answer.get("ContentRange", "")).startswith(f"bytes {sink.held}-"):
            sink.begin(name, str(answer.get("ETag", "")))
        while chunk := body.read(CHUNK_BYTES):
            sink.add(chunk)
    finally:
        body.close()
