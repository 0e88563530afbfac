"""GitHub's matrices: documents for ``fromJSON``, no greater than GitHub takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from resolver.emit.ci.jobs import Job
from resolver.emit.environment import Artifact

MOST_JOBS = 256
"""What one matrix may generate in a workflow run."""
MOST_LETTERS = 500_000
"""A job's output may have one MiB, which GitHub reckons in UTF-16."""


def emit_github(jobs: Sequence[Job]) -> Artifact:
    """``{"include": [...]}`` on one line; more lines of this kind where one matrix cannot hold all jobs; an empty one without any."""
    lines = [b'{"include":[%s]}\n' % b",".join(chunk) for chunk in chunks(jobs)]
    return Artifact("matrix.jsonl", b"".join(lines) or b'{"include":[]}\n')


def chunks(jobs: Sequence[Job]) -> Iterator[list[bytes]]:
    """The jobs as JSON, as many together as one matrix takes."""
    chunk: list[bytes] = []
    size = 0
    for row in (msgspec.json.encode(job.row()) for job in jobs):
        if chunk and (len(chunk) == MOST_JOBS or size + len(row) > MOST_LETTERS):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += len(row) + 1
    if chunk:
        yield chunk


def emit_lines(jobs: Sequence[Job]) -> Artifact:
    """One job a line, as plain JSON."""
    return Artifact("jobs.jsonl", b"".join(msgspec.json.encode(job.row()) + b"\n" for job in jobs))
