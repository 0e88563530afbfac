"""A progress bar on stderr. Loaded only where a person watches, since rich takes long to load."""

from __future__ import annotations

from threading import Lock

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from resolver.api.sync import Reporter


class Progress(Reporter):
    """Shows the bytes of each source that is fetched, then its records."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeElapsedColumn())
        self.bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self.bar.start()
        self.fetched: dict[str, TaskID] = {}
        self.stored: TaskID | None = None
        self.lock = Lock()

    def received(self, name: str, count: int, total: int | None) -> None:
        """See ``Reporter``."""
        with self.lock:
            if name not in self.fetched:
                self.fetched[name] = self.bar.add_task(name, total=total, done="")
            task = self.fetched[name]
            self.bar.update(task, advance=count, total=total)
            so_far = int(self.bar.tasks[self.bar.task_ids.index(task)].completed)
            self.bar.update(task, done=f"{decimal(so_far)}{f' of {decimal(total)}' if total else ''}")

    def started(self, name: str, size: int) -> None:
        """See ``Reporter``."""
        self.ended(name)
        with self.lock:
            self.stored = self.bar.add_task(name, total=size, done=f"0 of {size} records")

    def advanced(self, count: int) -> None:
        """See ``Reporter``."""
        if self.stored is not None:
            self.bar.advance(self.stored, count)
            task = self.bar.tasks[self.bar.task_ids.index(self.stored)]
            self.bar.update(self.stored, done=f"{int(task.completed)} of {int(task.total or 0)} records")

    def finished(self) -> None:
        """See ``Reporter``."""
        if self.stored is not None:
            self.bar.remove_task(self.stored)
            self.stored = None

    def ended(self, name: str) -> None:
        """See ``Reporter``."""
        with self.lock:
            if name in self.fetched:
                self.bar.remove_task(self.fetched.pop(name))

    def close(self) -> None:
        """Take the bar away."""
        self.bar.stop()
