"""A matrix: every cell of stacks and machines, one after the other, to jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from resolver.api.matrix.answers import Origin
from resolver.api.matrix.cells import Cell, CellRow, Part
from resolver.api.matrix.globs import Globs
from resolver.api.matrix.side_by_side import processors, side_by_side
from resolver.api.matrix.wanted import MatrixRequest, NamedMachine, NamedStack, completed
from resolver.api.settings import Settings
from resolver.emit.ci.jobs import Job
from resolver.emit.ci.names import digest
from resolver.emit.environment import Environment

if TYPE_CHECKING:
    from resolver.api.matrix.former import Former

MANY_CELLS = 48
"""From so many cells on it is worth to start processes."""
Write = Callable[[Job, Environment], None]
Watch = Callable[[int], None]


class MatrixResult(msgspec.Struct, frozen=True):
    """The jobs, by id.

    ``cells`` are all cells that were looked at, served or not. ``unchanged`` are ids of jobs that are left out, since a lock has the same
    binaries. ``warnings`` are what a person should know of stacks and options, ``notes`` of selections.
    """

    jobs: tuple[Job, ...]
    cells: tuple[CellRow, ...]
    unchanged: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    skipped_criteria: tuple[str, ...] = ()


def matrix(settings: Settings, request: MatrixRequest, write: Write | None = None, watch: Watch | None = None) -> MatrixResult:
    """A job for each stack, group or root on each machine; only what is served has one.

    ``write`` is called with each job and its environment, ``watch`` after each cell with their number. Raises ``InputError`` on stacks,
    machines and files that cannot be used.
    """
    wanted = completed(request, settings)
    building = _Building(settings, wanted, _former(wanted), write)
    origin = _origin(settings, wanted)
    cells = len(origin.stacks) * len(origin.machines)
    if write is None and cells >= MANY_CELLS and processors() > 1:
        origin.close()
        for part in side_by_side(lambda: _Worker(settings, wanted, building.former), range(len(origin.stacks))):
            building.join(part)
            for _ in origin.machines if watch else ():
                watch(cells)  # type: ignore[misc] # there is one
        return building.result()
    try:
        for stack in origin.stacks:
            for machine in origin.machines:
                building.add(origin, stack, machine)
                if watch:
                    watch(cells)
    finally:
        origin.close()
    return building.result()


class _Worker:
    """Makes the jobs of whole stacks, in a process of its own."""

    def __init__(self, settings: Settings, wanted: MatrixRequest, former: Former | None) -> None:
        self.settings, self.wanted, self.former = settings, wanted, former
        self.origin = _origin(settings, wanted)

    def __call__(self, number: int) -> _Building:
        """The jobs of a stack, by its place."""
        building = _Building(self.settings, self.wanted, self.former, None)
        for machine in self.origin.machines:
            building.add(self.origin, self.origin.stacks[number], machine)
        building.former = None
        return building


def _origin(settings: Settings, request: MatrixRequest) -> Origin:
    """The lock that is named, else the catalog; each loads much that the other does not need."""
    if request.lock:
        from resolver.api.matrix.locked import FromLock

        return FromLock(settings, request)
    from resolver.api.matrix.catalog import FromCatalog

    return FromCatalog(settings, request)


def _former(request: MatrixRequest) -> Former | None:
    if not request.changed_since:
        return None
    from resolver.api.matrix.former import read_former

    return read_former(request.changed_since)


class _Building:
    """The jobs so far."""

    def __init__(self, settings: Settings, request: MatrixRequest, former: Former | None, write: Write | None) -> None:
        self.settings = settings
        self.request = request
        self.former = former
        self.write = write
        self.globs = Globs(request.only, request.skip)
        self.jobs: dict[str, Job] = {}
        self.cells: list[CellRow] = []
        self.unchanged: list[str] = []
        self.warnings: dict[str, None] = {}
        self.notes: dict[str, None] = {}
        self.skipped_criteria: tuple[str, ...] = ()

    def add(self, origin: Origin, stack: NamedStack, machine: NamedMachine) -> None:
        """Take in a cell. One whose only id no glob keeps is not even resolved."""
        cell = f"{stack.label}@{machine.label}"
        if self.request.split == "stack" and not self.globs.keeps(cell):
            return
        found = origin.answers(stack, machine)
        self.warnings |= dict.fromkeys(found.warnings)
        self.notes |= dict.fromkeys(found.notes)
        self.skipped_criteria = found.skipped_criteria
        self.take(Cell(self.request, self.settings, stack, machine, found))

    def take(self, cell: Cell) -> None:
        """Make the jobs of a cell."""
        kept = list(self.kept(cell))
        rows = {part.row for part in kept}
        self.cells += [row for row in cell.rows() if row.id in rows or self.globs.keeps(row.id)]
        for part in kept:
            if not part.served:
                continue
            if self.former and cell.same(self.former, part):
                self.unchanged.append(part.id)
                continue
            job = self.jobs[part.id] = cell.job(part)
            if self.write:
                self.write(job, cell.found.environment(*cell.selects(part)))

    def join(self, other: _Building) -> None:
        """Take in what was made of other stacks."""
        self.jobs |= other.jobs
        self.cells += other.cells
        self.unchanged += other.unchanged
        self.warnings |= other.warnings
        self.notes |= other.notes
        self.skipped_criteria = other.skipped_criteria
        self.globs.join(other.globs)

    def kept(self, cell: Cell) -> Iterator[Part]:
        """The parts that are to have a job, under ids that are nobody else's."""
        for part in cell.parts():
            own = replace(part, id=f"{part.id}-{digest(cell.command(part))}") if part.id in self.jobs else part
            if self.globs.keeps(own.id):
                yield own

    def result(self) -> MatrixResult:
        """All that was found, by id. A job needs only jobs that there are."""
        jobs = [replace(job, needs=tuple(need for need in job.needs if need in self.jobs)) for _, job in sorted(self.jobs.items())]
        return MatrixResult(
            tuple(jobs),
            tuple(sorted(self.cells, key=lambda row: (row.id, row.stack, row.machine))),
            tuple(sorted(self.unchanged)),
            (*sorted(self.warnings), *self.globs.unused()),
            tuple(sorted(self.notes)),
            self.skipped_criteria,
        )
