"""The configuration of a stack: its manifest, what that includes, and so on, in their order of precedence.

The including file stands above its first include, that above the second, and so on; what an include includes stands directly below it.
Nothing is fetched: what is remote is read from the directory that ``Surroundings.roots`` gives for it.
Source: Spack ``config.py`` (``include_path_scope``, ``DirectoryConfigScope``, ``SingleFileScope``).
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from resolver.errors import InputError
from resolver.formats.shapes import mapping, texts
from resolver.formats.yaml_tree import load_yaml
from resolver.stacks.include import Include, Target, missing, read_includes, unmapped
from resolver.stacks.merge import read_key
from resolver.stacks.paths import Surroundings, absolute, below, is_remote
from resolver.stacks.places import Problems, Spot
from resolver.stacks.scopes import Configuration, NotIncluded, Scope, manifest_body
from resolver.stacks.sections import SECTIONS, check_keys, check_sum, decoded

if TYPE_CHECKING:
    from resolver.formats.manifest_schema import Finding

LOCK = "spack.lock"
MOST_FILES = 2000
"""How many files may be included; the largest trees of the field have some 60."""
DEEPEST = 100
MOST_TOLD = 30


class Files(Protocol):
    """The files of this computer, by absolute path. What cannot be read raises ``InputError``."""

    def read(self, path: str) -> bytes:
        """The bytes of a plain file of bounded size."""

    def is_file(self, path: str) -> bool:
        """Is there something there that is no directory?"""

    def is_dir(self, path: str) -> bool:
        """Is it a directory?"""

    def listing(self, path: str) -> list[str]:
        """The names in a directory."""


def read_configuration(
    manifest: object,
    place: str,
    around: Surroundings,
    files: Files,
    *,
    follow: bool = True,
    lowest: str = "",
    known_good: bool = False,
    notes: Sequence[str] = (),
) -> Configuration:
    """The scopes of a manifest, which was read from ``place``. Raises one ``InputError`` that tells all that keeps it from being read.

    What Spack's schema refuses may well stand in a section that does not matter here, and stacks of the field are full of it: that is
    told in ``refused`` and ``warnings``.

    With ``follow`` False no include is read. ``lowest`` is the directory of a scope that lies below all others, unless one of them has
    ``include::`` (Spack's own configuration files stand there). A manifest that is ``known_good`` is not held against the schema.
    ``notes`` are what its reader has to say.
    """
    tree = _Tree(files, around, follow=follow)
    tree.notes += notes
    if not known_good:
        from resolver.formats.manifest_schema import check_manifest  # what ships with the program was checked by its tests

        tree.findings += check_manifest(manifest, place)
    tree.seen.add(place)
    try:
        body = manifest_body(manifest, place)
    except InputError:
        refuse((), tree.refused(), place)  # whose words say what it is instead
        raise
    tree.add(Scope("manifest", place, body))
    if lowest and not any(key == "include:" for scope in tree.scopes for key in scope.sections):
        tree.attempt(lambda: tree.add_lowest(absolute(lowest, "/")))
    if follow:
        tree.attempt(lambda: tree.add_concrete(body, place))
    tree.refuse(place)
    return tree.configuration()


class _Tree:
    """Reads scopes one after the other, highest first; a file or a name that was there already is passed over."""

    def __init__(self, files: Files, around: Surroundings, *, follow: bool) -> None:
        self.files = files
        self.around = around
        self.follow = follow
        self.scopes: list[Scope] = []
        self.locks: dict[str, None] = {}
        self.findings: list[Finding] = []
        self.errors: list[InputError] = []
        self.notes: list[str] = []
        self.not_included: list[NotIncluded] = []
        self.seen: set[str] = set()
        self.read = 0

    def configuration(self) -> Configuration:
        """What was read."""
        refused = self.refused()
        warnings = [str(finding) for finding in self.findings if finding.severity == "warning"]
        told = [f"Spack refuses the file: {finding}" for finding in refused[:MOST_TOLD]]
        told += [f"Spack refuses {len(refused) - MOST_TOLD} places more"] if len(refused) > MOST_TOLD else []
        said = (*told, *warnings, *self.notes)
        return Configuration(tuple(self.scopes), tuple(self.locks), said, tuple(refused), tuple(self.not_included))

    def refused(self) -> list[Finding]:
        """What Spack refuses."""
        return [finding for finding in self.findings if finding.severity == "error"]

    def refuse(self, name: str) -> None:
        """Raise one error for all that could not be read; the only one as it is."""
        if self.errors:
            refuse(self.errors, self.refused(), name)

    def attempt(self, act: Callable[[], None]) -> None:
        """Errors are kept, so that those of all files can be told at once."""
        try:
            act()
        except InputError as error:
            self.errors.append(error)

    def add(self, scope: Scope, depth: int = 0) -> None:
        """A scope, and below it what it includes."""
        self.scopes.append(scope)
        if self.follow:
            for value in scope.own("include").values():
                self.attempt(lambda value=value: self.enter_all(read_includes(value, scope.file_of("include")), scope, depth))  # type: ignore[misc]

    def enter_all(self, includes: Iterable[Include], parent: Scope, depth: int) -> None:
        """Read what the includes of a scope name, one after the other."""
        if depth > DEEPEST:
            msg = f"includes are nested more than {DEEPEST} deep"
            raise InputError(msg, where=parent.place, hint="read the stack with --no-include")
        for include in includes:
            self.attempt(lambda include=include: self.enter(include, parent, depth))  # type: ignore[misc]

    def enter(self, include: Include, parent: Scope, depth: int) -> None:
        """Read what an entry names. Raises ``InputError`` when it is not there, or cannot be read."""
        if include.when and not self.holds(include):
            self.not_included += [NotIncluded(path, include.where, include.when) for path in include.paths]
            return
        for path in include.paths:
            target = self.target(include, path, posixpath.dirname(parent.file_of("include")))
            if target is not None and target.path not in self.seen and self.is_there(target, include):
                self.open_at(str(target.path), include, parent, depth + 1)

    def holds(self, include: Include) -> bool:
        """Is an entry for this machine?"""
        from resolver.stacks.condition import holds  # parsing conditions loads much, and many includes have none

        try:
            return holds(include.when, self.around.machine, self.around.environment)
        except InputError as error:
            raise error.at(include.where) from None

    def target(self, include: Include, written: str, folder: str) -> Target | None:
        """Where an include lies; None for an optional one whose path cannot be known here."""
        try:
            url = self.around.filled(include.git)
            path = self.around.filled(self.around.environment.get(include.override, written) if include.override else written)
            if url:
                root = self.around.mapped(url)
                return Target(f"{url} ({include.reference}): {path}", url, None if root is None else below(root, path))
            local = "" if is_remote(path) else absolute(path, folder)
            return Target(path, path, self.around.mapped(local or path) or local or None)
        except InputError as error:
            if include.optional:
                self.notes.append(f"{include.where}: the optional include {written} was not read: {error}")
                return None
            raise error.at(include.where) from None

    def is_there(self, target: Target, include: Include) -> bool:
        """Can it be read? An optional one may be missing, which is worth a word only if it is remote. Raises ``InputError``."""
        if target.path and (self.files.is_file(target.path) or self.files.is_dir(target.path)):
            return True
        error = missing(target, include) if target.path else unmapped(target, include)
        if not include.optional:
            raise error
        self.not_included.append(NotIncluded(target.shown, include.where))
        if not target.path:
            self.notes.append(f"{include.where}: the optional include {target.shown} was not read. {error.hint}")
        return False

    def open_at(self, path: str, include: Include, parent: Scope, depth: int) -> None:
        """Read what was found; an error that names no place has the entry's."""
        try:
            self.open(path, include, parent, depth)
        except InputError as error:
            error.where = error.where or include.where
            raise

    def open(self, path: str, include: Include, parent: Scope, depth: int) -> None:
        """Read what was found, unless its name was there already (Spack passes over the second scope of a name)."""
        if include.name in self.seen:
            return
        self.seen.update(filter(None, (path, include.name)))
        name = include.name or f"{parent.name}:{posixpath.basename(path)}"
        if posixpath.basename(path) == LOCK:
            self.locks[path] = None
        elif self.files.is_dir(path):
            self.add(self.directory(path, name), depth)
        else:
            self.add(Scope(name, path, self.sections(path, None, include.sha256)), depth)

    def directory(self, path: str, name: str) -> Scope:
        """A directory as one scope: a file a section, named like it."""
        sections: dict[str, Any] = {}
        present = set(self.files.listing(path))
        places = {section: posixpath.join(path, f"{section}.yaml") for section in SECTIONS if f"{section}.yaml" in present}
        for section, file in places.items():
            self.attempt(lambda section=section, file=file: sections.update(self.sections(file, section)))  # type: ignore[misc]
        return Scope(name, path, sections, places)

    def sections(self, path: str, section: str | None, sha256: str = "") -> Mapping[str, Any]:
        """The sections of a file; those that it may not have are findings, and left out."""
        self.read += 1
        if self.read > MOST_FILES:
            msg = f"more than {MOST_FILES} files are included"
            raise InputError(msg, hint="read the stack with --no-include")
        data = self.files.read(path)
        if sha256:
            check_sum(data, sha256, path)
        tree = load_yaml(decoded(data, path), path, cut=self.notes)
        from resolver.formats.manifest_schema import check_scope  # many stacks include nothing

        self.findings += check_scope(tree, path, section)
        found = mapping(tree, path)
        check_keys(found, path, section)
        return found

    def add_lowest(self, path: str) -> None:
        """The scope below all others. Raises ``InputError`` when it is none."""
        if not self.files.is_dir(path) or not any(f"{section}.yaml" in self.files.listing(path) for section in SECTIONS):
            msg = f"{path} is no directory of Spack's configuration"
            raise InputError(msg, why="it has no packages.yaml, concretizer.yaml or the like", hint="give --spack-config DIR another")
        if path not in self.seen:
            self.seen.add(path)
            self.add(self.directory(path, "spack-config"))

    def add_concrete(self, body: Mapping[str, Any], place: str) -> None:
        """The lockfiles of ``include_concrete``, whose entries are directories of environments. Raises ``InputError``."""
        for key, value in body.items():
            if read_key(key)[0] == "include_concrete":
                for text in texts(value, f"{place}: include_concrete"):
                    path = absolute(self.around.filled(text), posixpath.dirname(place))
                    self.add_lock(posixpath.join(self.around.mapped(path) or path, LOCK), text, place)

    def add_lock(self, path: str, written: str, place: str) -> None:
        """The lockfile of an environment. Raises ``InputError`` when there is none."""
        if not self.files.is_file(path):
            msg = f"the included environment {written} has no {LOCK} here"
            hint = f"name its directory; if it lies elsewhere, --include-root {posixpath.dirname(path)}=DIR says so"
            raise InputError(msg, why=f"there is no {path}", where=f"{place}: include_concrete", hint=hint)
        self.locks[path] = None


def refuse(errors: Sequence[InputError], refused: Sequence[Finding], name: str) -> None:
    """Raise one error for several, and for what Spack refuses at other places."""
    problems = Problems()
    for error in errors:
        problems.add(error)
    known = problems.spots()
    for finding in refused:
        if Spot.read(finding.where) not in known:
            problems.add(InputError(finding.text, where=finding.where, hint=finding.hint))
    problems.refuse(name)
