"""The use case: from an environment or a lock to a directory that is a mirror of just its packages."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from resolver.api.bundle.environment import FOLDER, commands, environment_files, environment_notes
from resolver.api.bundle.fetch import FETCHED, KEPT, LEFT_OUT, TAKEN, Fetcher, How
from resolver.api.bundle.index import Extras, index_files, key_files
from resolver.api.bundle.model import BundleRequest, BundleResult, Share, Tell, tell_nobody
from resolver.api.bundle.plan import Package, Stock, at_once, find_packages, share, sizes, sound
from resolver.api.bundle.strangers import clear, former_index, refuse_strangers, strangers
from resolver.api.serving import open_caches
from resolver.api.settings import Settings
from resolver.api.wanted import Wanted, is_mirror, load_wanted
from resolver.errors import InputError
from resolver.formats.manifest import INDEX_MANIFEST
from resolver.sources.address import local_path
from resolver.sources.build_cache import BuildCache, CacheAddress
from resolver.sources.folder import Folder

SPARE_BYTES = 16 << 20
"""What is left free on the disk, in bytes."""


def bundle(settings: Settings, request: BundleRequest, tell: Tell = tell_nobody) -> BundleResult:
    """Make a bundle. What had come when it failed stays where another run finds it, and no file has its name before it is whole.

    Raises ``InputError`` when it cannot be made as asked, ``SourceError`` when a mirror cannot be reached, ``VerificationError`` when what
    it has is missing or wrong.
    """
    if not request.output:
        raise InputError("the directory of the bundle has no name", hint="give its path with -o")
    wanted = load_wanted(request.path, settings, request.part, request.mirrors, needs_mirrors=not request.offline).complete()
    if request.prune:
        _refuse_source(_expanded(request.output), wanted.mirrors)
    stock = Stock(Folder(_expanded(request.output)), _others(request))
    caches = [cache for cache in open_caches(wanted.mirrors, settings) if not (request.offline and cache.address.remote)]
    packages = find_packages(wanted.packages, stock, caches, request.jobs, tell)
    making = _Making(request, wanted, stock, caches, packages)
    if not request.prune:
        refuse_strangers(stock.own, packages)
    if request.dry_run:
        return making.result(packages, making.foreseen(), Extras({}, {}, making.parting()))
    making.check_room()
    with stock.own.alone():
        return making.make(tell)


def _expanded(path: str) -> Path:
    return Path(os.path.expanduser(path))  # noqa: PTH111 - leaves the name of an unknown user as it is


def _refuse_source(path: Path, mirrors: Sequence[CacheAddress]) -> None:
    """Raises ``InputError`` when the directory is a mirror that packages are taken from."""
    if any(not mirror.remote and local_path(mirror.url) == path.resolve() for mirror in mirrors):
        why = "--prune would take its other packages away"
        raise InputError(f"{path} is a mirror that packages are taken from", why=why, hint="give another directory with -o")


def _others(request: BundleRequest) -> list[Path]:
    """The other bundles. Raises ``InputError``."""
    found = [_expanded(path) for path in request.others]
    for path in found:
        if not is_mirror(path):
            raise InputError(f"{path} is no bundle", why="it is no mirror", hint="give --from the directory of another bundle")
        if path.resolve() == _expanded(request.output).resolve():
            raise InputError(f"{path} cannot be filled from itself", hint="what is in it is kept anyway; leave --from out")
    if request.delta and not found:
        raise InputError("there is nothing that a delta is against", hint="name the bundle that is there already with --from")
    return found


class _Making:
    """One bundle in the making."""

    def __init__(
        self, request: BundleRequest, wanted: Wanted, stock: Stock, caches: Sequence[BuildCache], packages: Sequence[Package]
    ) -> None:
        self._request, self._wanted, self._stock, self._caches, self._packages = request, wanted, stock, caches, packages
        self._known = {**sizes(packages, request.jobs), **{one.entry.path: len(one.entry.document) for one in packages}}

    def foreseen(self) -> dict[str, How]:
        """How each file will come, by what lies here now."""
        found: dict[str, How] = {}
        elsewhere = LEFT_OUT if self._request.delta else TAKEN
        own, *others = self._stock.caches
        for package in self._packages:
            found[package.entry.path] = KEPT if package.cache is own else elsewhere if package.cache in others else FETCHED
            for file in package.entry.files:
                size = self._stock.own.holds(file.path)
                there = size is not None and file.size in {None, size}
                found[file.path] = KEPT if there else elsewhere if self._stock.has(file) else FETCHED
        return found

    def parting(self) -> tuple[str, ...]:
        """A sentence on the packages that are not of it and would be taken away."""
        gone = len(strangers(self._stock.own, self._packages)) if self._request.prune else 0
        return (f"packages that --prune would take away: {gone}",) if gone else ()

    def check_room(self) -> None:
        """Raises ``InputError`` when the disk has no room for what is to come."""
        sizes = {path: self._known.get(path, 0) for path, how in self.foreseen().items() if how == FETCHED}
        needed = sum(max(0, size - self._stock.own.begun(path)) for path, size in sizes.items())
        free = self._stock.own.free()
        if needed + SPARE_BYTES > free:
            msg = f"{self._stock.own.path} has room for {free} bytes"
            raise InputError(msg, why=f"{needed} bytes are to come", hint="free some, or give a directory on another disk")

    def make(self, tell: Tell) -> BundleResult:
        """Fetch the packages, then write what makes a mirror of them, the index at the end."""
        own, request = self._stock.own, self._request
        fetcher = Fetcher(self._stock, self._caches, tell, sum(self._known.values()), delta=request.delta)
        obtained = sound(at_once(fetcher.obtain, self._packages, request.jobs, fetcher.stopped), "cannot be had whole")
        packages = [one.package for one in obtained]
        extras = key_files(obtained, [*self._caches, *self._stock.caches[1:]], self._stock.caches[0])
        files = {**extras.files, **index_files(self._wanted, obtained)}
        if request.environment:
            files |= environment_files(self._wanted, request.name, request.url, signed=_signed(packages))
        former = former_index(own)
        for path in sorted(files, key=lambda path: (path.startswith(FOLDER), path == INDEX_MANIFEST, path)):
            own.put(path, files[path])
        clear(own, {*files, *fetcher.how}, former, everything=request.prune)
        own.tidy()
        return self.result(packages, fetcher.how, extras)

    def result(self, packages: Sequence[Package], how: Mapping[str, How], extras: Extras) -> BundleResult:
        """What came of it, or will."""
        request, own = self._request, self._stock.own
        sizes = {**self._known, **{path: size for path in how if (size := own.holds(path)) is not None}}

        def of(kind: How) -> Share:
            return share([path for path in how if how[path] == kind], sizes)

        path, signed = str(own.path.absolute()), _signed(packages)
        environment = request.environment and self._wanted.lockfile is not None
        return BundleResult(
            path,
            len(packages),
            dict(sorted(Counter(package.cache.address.name for package in packages).items())),
            of(FETCHED),
            of(TAKEN),
            of(KEPT),
            of(LEFT_OUT),
            signed,
            dict(extras.keys),
            commands(request.name, path, request.url, extras.keys, signed=signed, environment=environment),
            (*self._wanted.notes, *extras.notes, *self._notes(packages), *(environment_notes(self._wanted) if environment else ())),
            request.dry_run,
        )

    def _notes(self, packages: Sequence[Package]) -> list[str]:
        there = {package.spec.hash for package in packages}
        left = (spec for key, spec in self._wanted.packages.items() if key not in there)
        notes = [f"{s.name}/{s.hash[:7]} is in no mirror: Spack takes or builds another one, or stops with --cache-only" for s in left]
        if packages and _signed(packages) is None:
            count = sum(package.entry.signed for package in packages)
            text = (
                f"{count} of {len(packages)} packages are signed, and Spack takes them together only from a mirror that is not said to be"
            )
            notes.append(text)
        return notes


def _signed(packages: Sequence[Package]) -> bool | None:
    """Are they all signed? None where only some are."""
    signs = {package.entry.signed for package in packages}
    return signs.pop() if len(signs) == 1 else None
