"""Bars on stderr for work on a mirror: packages that are looked at, bytes that come. Loaded only where a person watches."""

from __future__ import annotations

from threading import Lock

from rich.filesize import decimal
from rich.progress import TaskID

from resolver.api.bundle.fetch import FETCHING
from resolver.cli.progress import Progress


class Bars(Progress):
    """One bar for each kind of work; told of by several threads."""

    def __init__(self) -> None:
        super().__init__()
        self._tasks: dict[str, TaskID] = {}
        self._counts: dict[str, int] = {}
        self._telling = Lock()

    def tell(self, what: str, count: int, total: int | None) -> None:
        """So much more is done; bytes of what is fetched, else packages."""
        with self._telling:
            if what not in self._tasks:
                self._tasks[what] = self.bar.add_task(what, total=total, done="")
            self._counts[what] = done = self._counts.get(what, 0) + count
            show = decimal if what == FETCHING else str
            text = f"{show(done)}{f' of {show(total)}' if total else ''}"
            self.bar.update(self._tasks[what], completed=done, total=total, done=text)
