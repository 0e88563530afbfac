"""Reading what closures reach (``catalog.reach`` says how it is written)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from typing import Any

import msgspec

from resolver.catalog.keys import marks, parts
from resolver.errors import InputError
from resolver.selection.pool import Reach

Query = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]


class Reached:
    """The reaches of a catalog by the numbers of their halves, each read once."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._packages: dict[int, int] = {}
        self._hosts: dict[int, int] = {}
        self._made: dict[tuple[int, int], Reach | None] = {}
        # Many records reach the same providers and the same systems.
        self._provided = cache(self._make_provided)
        self._places = cache(self._make_places)

    def read(self, numbers: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Reach | None]:
        """The reaches of these pairs of numbers, among others; None for what is not known."""
        wanted = {pair for pair in numbers if pair not in self._made}
        self._fetch("packages", self._packages, {pair[0] for pair in wanted if all(pair)})
        self._fetch("hosts", self._hosts, {pair[1] for pair in wanted if all(pair)})
        for pair in wanted:
            self._made[pair] = self._make(*pair) if all(pair) else None
        return self._made

    def _fetch(self, half: str, masks: dict[int, int], numbers: set[int]) -> None:
        for part in parts(sorted([number for number in numbers if number not in masks])):
            rows = self._query(f"SELECT id, facts FROM reach WHERE half = ? AND id IN ({marks(part)})", (half, *part))
            masks.update((int(key), int.from_bytes(facts, "little")) for key, facts in rows)

    def _make(self, packages: int, hosts: int) -> Reach:
        try:
            names = self._packages[packages]
            providers = self._provided(names & self._provider_bits)
            oses, libcs = self._places(self._hosts[hosts])
        except (KeyError, ValueError):
            msg = "the catalog is damaged: what a closure reaches is missing"
            raise InputError(msg, hint="sync into a new one, named with --catalog") from None
        return Reach(names.bit_count() - len(providers), providers, oses, libcs)

    def _make_provided(self, mask: int) -> tuple[tuple[str, str], ...]:
        return tuple((virtual, package) for virtual, package in _of(mask, self._providers))

    def _make_places(self, mask: int) -> tuple[tuple[str, ...], tuple[tuple[str, str, str | None], ...]]:
        facts = list(_of(mask, self._host_facts))
        oses = sorted(fact[1] or "" for fact in facts if fact[0] == "os")
        return tuple(oses), tuple((name, version, path) for kind, *rest in facts if kind == "libc" for name, version, path in [rest])

    @cached_property
    def _providers(self) -> dict[int, tuple[str | None, ...]]:
        return self._facts("half = 'packages' AND instr(value, ',')")

    @cached_property
    def _provider_bits(self) -> int:
        return sum(1 << place for place in self._providers)

    @cached_property
    def _host_facts(self) -> dict[int, tuple[str | None, ...]]:
        return self._facts("half = 'hosts'")

    def _facts(self, where: str) -> dict[int, tuple[str | None, ...]]:
        rows = self._query(f"SELECT place, value FROM fact WHERE {where}", ())
        return {int(place): msgspec.json.decode(value, type=tuple[str | None, ...]) for place, value in rows}


def _of(mask: int, facts: dict[int, tuple[str | None, ...]]) -> Iterator[Any]:
    """The facts whose bits are set."""
    while mask:
        low = mask & -mask
        yield facts[low.bit_length() - 1]
        mask ^= low
