"""A small world of records, described in a few words, as a pool for selection and as nodes for everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from resolver.selection.composition import Composition
from resolver.selection.pool import Outline, Reach, Statement
from resolver.spec.abstract import AbstractSpec
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import LINK_RUN, convert_node
from resolver.spec.virtuals import LANGUAGES, LIBCS
from resolver.versions import newest_first

HASH_LENGTH = 32
UNTOLD = ("patches", "commit", "dev_path")


def hash_of(name: str) -> str:
    """A readable id as a hash of the usual length."""
    return name.ljust(HASH_LENGTH, "0")


def node(record: Mapping[str, Any]) -> dict[str, Any]:
    """A node of format 5.

    ``spec`` says name, version, variants and architecture; ``link``, ``run`` and ``build`` name other records, each as ``id`` or as
    ``virtual=id``; ``libc`` and ``compiler`` are ``name@version`` and stand for records made for them.
    """
    spec = AbstractSpec.parse(record["spec"])
    version = spec.versions.single or str(spec.versions)
    edges = [_edge(text, kind) for kind in ("build", "link", "run") for text in record.get(kind, [])]
    if libc := record.get("libc"):
        edges.append(_edge(f"libc={libc_id(libc)}", "link", libc.partition("@")[0]))
    if compiler := record.get("compiler"):
        edges.append(_edge(f"c,cxx={compiler_id(compiler)}", "build", compiler.partition("@")[0]))
    parameters: dict[str, Any] = {v.name: v.value if isinstance(v.value, bool) else _value(v.value) for v in spec.variants}
    found = {
        "name": spec.name,
        "version": str(version).removeprefix("="),
        "arch": {"platform": spec.platform or "linux", "platform_os": spec.os or "ubuntu24.04", "target": spec.target or "x86_64_v3"},
        "namespace": "builtin",
        "parameters": {**parameters, "cflags": [], "cppflags": [], "cxxflags": [], "fflags": [], "ldflags": [], "ldlibs": []},
        "dependencies": edges,
        "annotations": {"original_specfile_version": 5},
        "hash": hash_of(record["id"]),
    }
    if external := record.get("external"):
        found["external"] = {"path": external, "module": None, "extra_attributes": {}}
    return found


def _value(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _edge(text: str, kind: str, name: str = "") -> dict[str, Any]:
    virtuals, _, target = text.rpartition("=")
    names = [v for v in virtuals.split(",") if v]
    return {"name": name, "hash": hash_of(target), "parameters": {"deptypes": [kind], "virtuals": names}}


def libc_id(text: str) -> str:
    name, _, rest = text.partition("@")
    version, _, prefix = rest.partition(":")
    return f"{name}{version.replace('.', '')}{prefix.replace('/', '')}"


def compiler_id(text: str) -> str:
    return f"cc{text.replace('@', '').replace('.', '').replace('-', '')}"


def nodes_of(records: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """All nodes by hash, with the libcs and compilers that the records name, edges labelled with their packages."""
    rows = list(records)
    found = {hash_of(r["id"]): node(r) for r in rows}
    for row in rows:
        if libc := row.get("libc"):
            name, _, rest = libc.partition("@")
            version, _, prefix = rest.partition(":")
            extra = {"id": libc_id(libc), "spec": f"{name}@={version}", "external": prefix or "/usr"}
            found.setdefault(hash_of(extra["id"]), node(extra))
        if compiler := row.get("compiler"):
            extra = {"id": compiler_id(compiler), "spec": compiler.replace("@", "@="), "external": "/usr"}
            found.setdefault(hash_of(extra["id"]), node(extra))
    for one in found.values():
        for edge in one["dependencies"]:
            edge["name"] = found[edge["hash"]]["name"] if edge["hash"] in found else edge["name"] or "absent"
    return found


def _variants(spec: ConcreteSpec) -> dict[str, frozenset[str]]:
    """The values of variants of which recipes may state defaults."""
    stated = {} if spec.external else {name: value for name, value in spec.variants.items() if name not in UNTOLD and value != ()}
    return {name: frozenset(value if isinstance(value, tuple) else [str(value).lower()]) for name, value in stated.items()}


class World:
    """Records in memory. Implements selection's ``CandidatePool``; ``asked`` are the hashes that were looked up."""

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        rows = list(records)
        self.nodes = nodes_of(rows)
        self.rows = {hash_of(row["id"]): row for row in rows}
        self.specs = {key: ConcreteSpec(convert_node(one), key, self) for key, one in self.nodes.items()}
        self.asked: set[str] = set()
        self.usual = {name: self._usual(name) for name in {spec.name for spec in self.specs.values()}}

    def get(self, key: str) -> ConcreteSpec | None:
        self.asked.add(key)
        return self.specs.get(key)

    def prefetch(self, keys: Iterable[str]) -> None:
        """Nothing to make ready."""

    def named(self, name: str, platform: str | None = None, targets: Sequence[str] = ()) -> list[ConcreteSpec]:
        found = [spec for _, spec in sorted(self.specs.items()) if spec.name == name]
        return found if platform is None else [spec for spec in found if spec.platform == platform and spec.target in targets]

    def outlines(self, name: str, version: str | None = None, platform: str = "", targets: Sequence[str] = ()) -> list[Outline]:
        found = [s for s in self.named(name, platform, targets) if s.wire.version == version] if version is not None else self.named(name)
        facts = [(s.hash, s.wire.version, s.platform, s.os, s.target, self.statement(s), self.reach(s), self.unusual(s)) for s in found]
        return [Outline(*row) for row in facts]

    def reach(self, spec: ConcreteSpec) -> Reach | None:
        """What the closure reaches, as a catalog would know it."""
        nodes, edges, libcs = {spec.hash: spec}, [], set()
        queue = [spec]
        for one in queue:
            for edge in one.dependencies if not one.external else ():
                child = self.specs.get(edge.hash)
                if child is None:
                    return None
                if "libc" in edge.virtuals:
                    libcs.add((child.name, child.wire.version, child.external.path if child.external else None))
                elif edge.deptypes & LINK_RUN and child.name not in LIBCS:
                    edges.append(edge)
                    if child.hash not in nodes:
                        nodes[child.hash] = child
                        queue.append(child)
        providers = {(virtual, edge.name) for edge in edges for virtual in edge.virtuals if virtual not in LANGUAGES}
        oses = {node.os for node in nodes.values()}
        return Reach(len({node.name for node in nodes.values()}), tuple(sorted(providers)), tuple(sorted(oses)), tuple(sorted(libcs)))

    def count(self, name: str) -> int:
        return len(self.named(name))

    def with_prefix(self, prefix: str) -> list[ConcreteSpec]:
        return [spec for key, spec in sorted(self.specs.items()) if key.startswith(prefix)]

    def statement(self, spec: ConcreteSpec) -> Statement:
        row = self.rows.get(spec.hash, {"in_buildcache": False})
        sources = tuple(row.get("sources", ["site"]))
        binary = row.get("in_buildcache", not spec.external)
        served = sources if binary else ()
        return Statement(binary, sources, served, tuple(row.get("stacks", [])), complete=row.get("complete", True))

    def _usual(self, name: str) -> dict[str, frozenset[str]]:
        """By variant the values that more of a package's records have than any others."""
        rows = [_variants(spec) for spec in self.named(name)]
        found: dict[str, frozenset[str]] = {}
        for variant in {variant for row in rows for variant in row}:
            counts = Counter(row[variant] for row in rows if variant in row)
            best = [values for values, count in counts.items() if count == max(counts.values())]
            found |= {variant: best[0]} if len(best) == 1 else {}
        return found

    def unusual(self, spec: ConcreteSpec) -> int:
        usual = self.usual[spec.name]
        return sum(usual.get(variant, values) != values for variant, values in _variants(spec).items())

    def versions(self, name: str) -> list[str]:
        return newest_first({spec.wire.version for spec in self.named(name)})

    def oses(self) -> list[str]:
        return sorted({spec.os for spec in self.specs.values()})

    def providers(self, virtual: str) -> list[str]:
        return sorted({e.name for spec in self.specs.values() for e in spec.dependencies if virtual in e.virtuals})

    def has_package(self, name: str) -> bool:
        return bool(self.named(name))

    def compositions(self, numbers: Sequence[int]) -> list[Composition]:
        """No outline has any."""
        assert not numbers
        return []

    def lacks_runtimes(self) -> bool:
        return False

    def source_names(self) -> list[str]:
        return sorted({name for row in self.rows.values() for name in row.get("sources", ["site"])})
