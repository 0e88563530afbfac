"""Time the spec language on real nodes: parsing, satisfying, loading, and what a loaded node weighs.

Specs are made from the nodes themselves, half of them changed so that they do not match. Each rate is the best of a few
rounds, beside that of an empty loop over the same data. Sources are anything that `sync` reads; the shipped stacks unless others are named.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

from resolver.formats.record import Record
from resolver.sources.find import find_sources
from resolver.sources.place import no_report
from resolver.sources.source import Seen
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import LINK_RUN, decode_node

ROOT = Path(__file__).parent.parent
ROUNDS = 5


def nothing(item: object) -> object:
    """Do nothing, as the body of an empty loop."""
    return item


class Nodes:
    """Records as a graph."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.specs = {record.hash: ConcreteSpec(decode_node(record.node), record.hash, self) for record in records}

    def get(self, key: str) -> ConcreteSpec | None:
        """The spec with this hash."""
        return self.specs.get(key)


def texts_of(spec: ConcreteSpec, number: int) -> tuple[str, str]:
    """A spec about the node itself, and one about a dependency; every other one does not match."""
    booleans = [f"{'+' if value is (number % 2 == 0) else '~'}{name}" for name, value in spec.variants.items() if isinstance(value, bool)]
    own = f"{spec.name}@{spec.wire.version}: {''.join(booleans[:2])} target={spec.target}:"
    below = [edge.name for edge in spec.dependencies if edge.deptypes & LINK_RUN]
    return own, f"{spec.name} ^{below[number % len(below)] if below and number % 2 == 0 else 'absent'}"


def rate(count: int, work: Callable[[], object]) -> float:
    """Pieces of work a second, in the best of a few rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return count / min(times)


def weight(records: Sequence[Record]) -> float:
    """Bytes that a loaded node takes, its variants looked at, in a graph of all nodes."""
    gc.collect()
    tracemalloc.start()
    nodes = Nodes(records)
    for spec in nodes.specs.values():
        _ = spec.variants
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size / len(nodes.specs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", default=[str(ROOT / "stacks")])
    found = [source for location in parser.parse_args().sources for source in find_sources(location)]
    records = list({record.hash: record for source in found for record in source.open(Seen(), no_report).read().records}.values())
    specs = list(Nodes(records).specs.values())
    plain, deep = ([texts_of(spec, i)[which] for i, spec in enumerate(specs)] for which in (0, 1))
    rows = [
        ("load a node", *rated(len(records), lambda: Nodes(records), lambda: list(map(nothing, records)))),
        ("parse", *rated(len(plain), lambda: [AbstractSpec.parse_all(t) for t in plain], lambda: list(map(nothing, plain)))),
        ("satisfies, without ^", *satisfied(specs, plain)),
        ("satisfies, with ^", *satisfied(specs, deep)),
    ]
    print(f"{len(records)} nodes, {weight(records):.0f} bytes each when loaded, Python {sys.version.split()[0]}\n")
    print("| what | a second | empty loop / it |\n|---|---:|---:|")
    for name, speed, ratio in rows:
        print(f"| {name} | {speed:,.0f} | {ratio:.0f} |")


def satisfied(specs: Sequence[ConcreteSpec], texts: Sequence[str]) -> tuple[float, float]:
    """The rate of ``satisfies`` on parsed specs, and its ratio to an empty loop."""
    pairs = [(spec, AbstractSpec.parse(text)) for spec, text in zip(specs, texts, strict=True)]
    return rated(len(pairs), lambda: [spec.satisfies(want) for spec, want in pairs], lambda: list(map(nothing, pairs)))


def rated(count: int, work: Callable[[], object], empty: Callable[[], object]) -> tuple[float, float]:
    """The rate of some work, and how many times as fast an empty loop over the same data is."""
    speed = rate(count, work)
    return speed, rate(count, empty) / speed


if __name__ == "__main__":
    main()
