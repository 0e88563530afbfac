"""What a bundle is asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from resolver.api.wanted import Part

Tell = Callable[[str, int, int | None], None]
"""Is told how work goes on: what is being done, how much more of it is done, and how much there is in all where that is known."""

AT_ONCE = 8


def tell_nobody(what: str, count: int, total: int | None) -> None:
    """Tells nobody."""


class BundleRequest(msgspec.Struct, frozen=True):
    """What to bundle: an environment or a part of a lock, and the directory that takes it.

    ``mirrors`` stand in place of those that it names. ``others`` are bundles that files are taken from; with ``delta`` what they have is
    left out. With ``offline`` nothing remote is asked. ``prune`` takes away what the directory holds besides. ``name`` and ``url`` are the
    bundle's in the environment that is written beside it; without ``url`` that finds the bundle where it lies itself.
    """

    path: str
    output: str
    part: Part = Part()
    mirrors: Sequence[str] = ()
    others: Sequence[str] = ()
    delta: bool = False
    offline: bool = False
    prune: bool = False
    jobs: int = AT_ONCE
    name: str = "bundle"
    url: str = ""
    environment: bool = True
    dry_run: bool = False


class Share(msgspec.Struct, frozen=True):
    """How many files and bytes; ``unknown`` are files whose size nothing states."""

    files: int = 0
    bytes: int = 0
    unknown: int = 0


class BundleResult(msgspec.Struct, frozen=True):
    """What a bundle is made of.

    ``packages`` are how many binaries there are, ``by_mirror`` how many of them each mirror gave. ``fetched`` were sent, ``taken`` are from
    other bundles, ``kept`` lay there already, ``left_out`` are those that a delta does not hold. ``signed`` is whether all packages are
    signed, None where only some are. ``keys`` are the fingerprints of the keys in it with the files that hold them.
    """

    path: str
    packages: int
    by_mirror: dict[str, int]
    fetched: Share
    taken: Share
    kept: Share
    left_out: Share
    signed: bool | None
    keys: dict[str, str]
    commands: tuple[str, ...]
    notes: tuple[str, ...]
    dry_run: bool = False
