"""A mirror on this machine as a whole: every package that it holds, their closures, its indexes and its keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from resolver.api.bundle.plan import at_once
from resolver.api.verify.findings import Finding, Findings
from resolver.api.verify.indexes import check_index, facts_of
from resolver.api.verify.package import Checker, differs
from resolver.api.verify.wanted import Advance, runtime_note
from resolver.api.wanted.model import node_of
from resolver.errors import ResolverError
from resolver.formats import build_cache, manifest
from resolver.formats.record import Record
from resolver.formats.spec_file import read_spec_file
from resolver.selection.closures import GCC_RUNTIME
from resolver.sources.caches import TreeCache
from resolver.sources.entry import Entry, read_v2_entry, read_v3_entry
from resolver.sources.folder import INCOMPLETE
from resolver.sources.place import Place
from resolver.spec.concrete import ConcreteSpec
from resolver.spec.node import LINK_RUN

V2_ENDINGS = (".spec.json.sig", ".spec.json")
LAYOUTS = ("v3", "v2")
OTHER_FOLDERS = (manifest.INDEX_FOLDER, "v3/manifests/key")


class Held(msgspec.Struct, frozen=True):
    """A package that a mirror holds: its name, what its own node needs of others, and what that says (``facts_of``)."""

    name: str
    hash: str
    layout: str
    needs: tuple[tuple[str, str], ...]
    facts: str = ""


class TreeCheck:
    """Checks a mirror. ``cache`` is a directory's."""

    def __init__(self, cache: TreeCache, checker: Checker, findings: Findings) -> None:
        self._place: Place = cache.place
        self._address = cache.address
        self._checker, self._findings = checker, findings
        self._referenced: set[str] = set()

    def run(self, jobs: int, advance: Advance) -> dict[str, str]:
        """Check all of it. Gives the packages' names by hash."""
        found = at_once(lambda path: self._one(path, advance), list(manifests(self._place)), jobs)
        held = [one for one in found if one]
        if not found:
            self._find("missing-manifest", "", "", "", "it holds no package")
        there = {one.hash: one.name for one in held}
        for one in held:
            self._closure(one, there)
        for layout in LAYOUTS:
            self._index(layout, [one for one in held if one.layout == layout])
            self._keys(layout)
        self._left_over()
        return there

    def _one(self, path: str, advance: Advance) -> Held | None:
        try:
            entry = self._entry(path)
            records = self._checker.check(entry, _name(path)) if entry else []
            if entry is None:
                return None
            self._referenced.update(file.path for file in entry.files)
            return self._held(entry, path, records)
        except ResolverError as error:
            self._find("damaged", _name(path), _hash_of(path), path, str(error))
            return None
        finally:
            advance()

    def _entry(self, path: str) -> Entry | None:
        """The package of a manifest or spec file. Raises ``FormatError``."""
        fetched = self._place.read(path)
        if fetched is None:
            return None
        origin = f"{self._place.url}/{path}"
        if path.startswith(build_cache.FOLDER):
            spec = _first_spec(fetched.data)
            return read_v2_entry(fetched.data, _hash_of(path), path, build_cache.archive_path(spec), origin)
        return read_v3_entry(fetched.data, _hash_of(path), path, origin)

    def _held(self, entry: Entry, path: str, records: list[Record]) -> Held:
        """What is known of a package; it must lie where one of its name and version does."""
        if not records:
            return Held(_name(path), entry.hash, entry.layout, ())
        spec = _spec_of(records)
        places = [build_cache.spec_path(spec, signed=signed) for signed in (True, False)]
        if path not in (places if entry.layout == "v2" else [manifest.spec_manifest_path(spec.name, spec.wire.version, spec.hash)]):
            self._find("wrong-package", spec.name, entry.hash, path, f"it is of {spec.name}@{spec.wire.version}, and lies elsewhere")
        facts = "" if differs(records[0]) else facts_of(records[0].node)
        return Held(spec.name, entry.hash, entry.layout, tuple(_needs(spec)), facts)

    def _closure(self, one: Held, there: Mapping[str, str]) -> None:
        for key, name in one.needs:
            if key not in there and name == GCC_RUNTIME:
                self._findings.note(runtime_note(name, key))
            elif key not in there:
                what = f"it needs {name}/{key}, which is not in the mirror"
                self._find("incomplete-closure", one.name, one.hash, "", what)

    def _index(self, layout: str, held: Sequence[Held]) -> None:
        there, facts = {one.hash: one.name for one in held}, {one.hash: one.facts for one in held}
        listed = check_index(self._place, self._address, layout, there, self._findings, facts=facts, whole=True)
        path = build_cache.INDEX if layout == "v2" else manifest.INDEX_MANIFEST
        if listed is None and there and not self._place.exists(path):
            self._find("index", "", "", path, "it has no index: what is in it can be installed from a lockfile only")

    def _keys(self, layout: str) -> None:
        try:
            self._checker.cache.keys(layout)
        except ResolverError as error:
            self._find("keys", "", "", "", str(error))

    def _other_blobs(self) -> Iterator[str]:
        """What the manifests of keys and indexes name, of those of views too."""
        for path in (path for folder in OTHER_FOLDERS for path in self._place.paths(folder)):
            with suppress(ResolverError):
                fetched = self._place.read(path)
                yield from (blob.path for blob in manifest.read_manifest(fetched.data if fetched else b""))

    def _left_over(self) -> None:
        if any(True for _ in self._place.paths(INCOMPLETE)):
            self._findings.note(f"{self._address.name}: {INCOMPLETE} holds files that were never fetched whole; `bundle` goes on with them")

        needed = self._referenced.union(self._other_blobs())
        spare = [path for path in self._place.paths("blobs") if path not in needed]
        if spare and needed:
            size = sum(self._place.length(path) or 0 for path in spare)
            self._findings.note(f"{self._address.name}: {len(spare)} blobs ({size} bytes) are of no manifest; nothing needs them")

    def _find(self, kind: str, name: str, key: str, path: str, what: str) -> None:
        where = f"{self._place.url}/{path}" if path else self._place.url
        self._findings.add(Finding(kind, self._address.name, name, key, where, what))


def manifests(place: Place) -> Iterator[str]:
    """The manifests and spec files of all packages in a mirror; of a signed and an unsigned spec file of one binary both."""
    yield from (path for path in place.paths(manifest.SPEC_FOLDER) if path.endswith(manifest.SPEC_SUFFIX))
    yield from (path for path in place.paths(build_cache.FOLDER) if path.endswith(V2_ENDINGS))


def _hash_of(path: str) -> str:
    """The hash in a file's name, as Spack finds it (``_read_specs_and_push_index``)."""
    return Path(path).name.partition(".spec.")[0].rpartition("-")[2]


def _name(path: str) -> str:
    """The package's name as far as a path tells it."""
    return path.split("/")[3] if path.startswith(manifest.SPEC_FOLDER) else ""


def _first_spec(document: bytes) -> ConcreteSpec:
    return _spec_of(list(read_spec_file(document).records(in_buildcache=True)))


def _spec_of(records: list[Record]) -> ConcreteSpec:
    """The first record as a spec in the graph of all."""
    nodes = {record.alias or record.hash: node_of(record.node) for record in records}
    return ConcreteSpec.from_nodes(nodes, records[0].alias or records[0].hash)


def _needs(spec: ConcreteSpec) -> Iterator[tuple[str, str]]:
    """The hashes and names whose binaries it needs: link/run dependencies but externals, as they were built."""
    for edge in spec.dependencies:
        child = spec.graph.get(edge.hash)
        if edge.deptypes & LINK_RUN and not (child and child.external):
            reference = child.wire.build_spec if child else None
            yield (reference.key, reference.name) if reference and reference.key else (edge.hash, edge.name)
    own = spec.wire.build_spec
    if own and own.key:
        yield own.key, own.name
