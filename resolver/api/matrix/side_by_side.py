"""Work in several processes, each with what it reads of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
Worker = Callable[[int], T]
_worker: list[Any] = []
"""The worker of this process, where it is one of several."""


def processors() -> int:
    """How many processes may run at once; one where a process cannot be forked safely."""
    if sys.platform != "linux":
        return 1
    return len(os.sched_getaffinity(0))


def side_by_side(make: Callable[[], Worker[T]], numbers: Iterable[int]) -> Iterator[T]:
    """What workers make of numbers, in the order of these; each process makes its own worker. Raises what a worker raises."""
    import multiprocessing  # loaded for much work only

    with multiprocessing.get_context("fork").Pool(processors(), _begin, (make,)) as pool:
        yield from pool.imap(_work, numbers)


def _begin(make: Callable[[], Worker[Any]]) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its children
    _worker.append(make)


def _work(number: int) -> Any:  # noqa: ANN401 - whatever the worker makes
    if len(_worker) == 1:
        _worker.append(_worker[0]())  # here and not in the beginning, so that its errors reach the parent
    return _worker[1](number)
