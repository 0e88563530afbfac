"""A progress bar on stderr. Loaded only where a person watches, since rich takes long to load."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar


class Progress:
    """Shows how many records of a source are read. Implements the ``Reporter`` of ``resolver.api.sync``."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("records"), TimeElapsedColumn())
        self.bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self.task = self.bar.add_task("", visible=False)

    def started(self, name: str, size: int) -> None:
        """See ``Reporter``."""
        self.bar.start()
        self.bar.reset(self.task, description=name, total=size, visible=True)

    def advanced(self, count: int) -> None:
        """See ``Reporter``."""
        self.bar.advance(self.task, count)

    def finished(self) -> None:
        """See ``Reporter``."""
        self.bar.stop()
