"""Which mirrors an environment names: the fewest that serve it, one for each entry that Spack's ``mirrors`` needs.

For Spack a mirror is a URL and, if it is asked for by one, a view. Without a view it reads the default index of layout v3 and layout v2
besides; a view is read alone, without the default index (``mirrors/mirror.py:Mirror.supported_layout_versions``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from resolver.emit.environment import Mirror
from resolver.spec.concrete import ConcreteSpec

SHOWN = 3


class Serving(msgspec.Struct, frozen=True):
    """The mirrors to name, in the order in which Spack is to ask them, and what a person should know of them."""

    mirrors: tuple[Mirror, ...]
    notes: tuple[str, ...] = ()


def serving(offers: Iterable[Mirror], closure: Mapping[str, ConcreteSpec]) -> Serving:
    """The fewest mirrors that serve what any of the offers does.

    ``offers`` are sources, each with what it serves of the closure, those to be preferred first. Of equally few mirrors those are taken
    that have the fewest rolling ones among them, and of these the first.
    """
    offered = [offer for offer in offers if offer.url and offer.serves]
    entries = joined(offered)
    proven = True
    if len(entries) > 1:
        from resolver.selection.cover import Offer, cover  # one mirror needs no choice

        found = cover([Offer(entry.serves, entry.durability == "rolling") for entry in entries])
        entries, proven = [entries[place] for place in found.chosen], found.proven
    notes = (
        [] if proven else [f"{len(entries)} mirrors serve all; whether fewer would is not proven, since there are too many to choose from"]
    )
    return Serving(tuple(entries), (*notes, *_passing(offered, closure)))


def joined(offers: Iterable[Mirror]) -> list[Mirror]:
    """Sources that are one mirror for Spack as one, by the name of the first."""
    found: dict[tuple[str, str], list[Mirror]] = {}
    for offer in offers:
        found.setdefault((offer.url.rstrip("/"), offer.view), []).append(offer)
    return [parts[0] if len(parts) == 1 else _joined(parts) for parts in found.values()]


def _joined(parts: Sequence[Mirror]) -> Mirror:
    newer = [part for part in parts if part.layout != "v2"]
    serves = _all(parts)
    return replace(
        parts[0],
        layout=newer[0].layout if newer else "v2",
        signed=_signed(parts, serves),
        serves=serves,
        keys=tuple(sorted({key for part in parts for key in part.keys})),
        release=next((part.release for part in parts if part.release), ""),
        in_v2=serves - _all(newer) if newer else frozenset(),
    )


def _all(parts: Iterable[Mirror]) -> frozenset[str]:
    return frozenset().union(*(part.serves for part in parts))


def _signed(parts: Sequence[Mirror], serves: frozenset[str]) -> bool | None:
    """Spack has one word for the whole: that nothing is verified is said only where something needed is known to be unsigned."""
    left = serves - _all(part for part in parts if part.signed)
    if not left:
        return True
    return False if left <= _all(part for part in parts if part.signed is False) else None


def _passing(offers: Sequence[Mirror], closure: Mapping[str, ConcreteSpec]) -> list[str]:
    """A note on what rolling mirrors alone serve, if there is such."""
    rolling = [offer for offer in offers if offer.durability == "rolling"]
    only = _all(rolling) - _all(offer for offer in offers if offer not in rolling)
    if not only:
        return []
    names = sorted(f"{closure[key].name}/{key[:7]}" for key in only)
    where = ", ".join(sorted({offer.release or offer.name for offer in rolling if offer.serves & only})[:SHOWN])
    note = (
        f"{len(only)} of {len(closure)} packages are in rolling mirrors alone ({', '.join(names[:SHOWN])}; {where}), which drop what no "
        "pipeline builds any longer. Sync a release or a dated snapshot that has them too, or keep a copy with `spack-resolver bundle`."
    )
    return [note]
