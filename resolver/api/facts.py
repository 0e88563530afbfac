"""Facts of package recipes: read from a document, or made from a checkout of a package repository."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from resolver.api.configuration import LocalFiles, read_plain
from resolver.errors import InputError
from resolver.formats.facts import MOST_BYTES, MOST_PACKAGES, FactsDocument, read_facts
from resolver.selection.facts import RecipeFacts
from resolver.selection.recipes import RecipeBook

if TYPE_CHECKING:
    from resolver.formats.recipe import Unread

MOST_RECIPE_BYTES = 4 << 20
MOST_SYSTEMS = 1000
PLACES = ("", "repos/spack_repo/builtin", "spack_repo/builtin", "var/spack/repos/spack_repo/builtin", "var/spack/repos/builtin", "builtin")
OLD_SYSTEMS = "lib/spack/spack/build_systems"
API = re.compile(r"^\s*api\s*:\s*['\"]?v(\d+)", re.MULTILINE)


class Imported(msgspec.Struct, frozen=True):
    """What was read of a package repository, and the places that could not be read."""

    document: FactsDocument
    folder: str
    unread: tuple[Unread, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many packages, versions, variants and provided virtuals were found."""
        packages = self.document.packages.values()
        return {
            "packages": len(packages),
            "versions": sum(len(p.versions) for p in packages),
            "variants": sum(len(p.variants) for p in packages),
            "provides": sum(len(p.provides) for p in packages),
        }


class _Repository(msgspec.Struct, frozen=True):
    """A package repository: its folder, the modules of its packages by package name, and its build systems."""

    folder: Path
    modules: dict[str, str]
    systems: dict[str, bytes]

    def source(self, module: str) -> bytes | None:
        """The recipe of a module; None when there is none that can be read."""
        path = self.folder / "packages" / module / "package.py"
        try:
            return read_plain(str(path), MOST_RECIPE_BYTES)
        except InputError:
            return None


def load_facts(path: str) -> RecipeFacts:
    """The facts of a document. Raises ``InputError`` naming file and place when it cannot be used."""
    try:
        found = Path(path).stat()
        stamp = (found.st_mtime_ns, found.st_size)
    except (OSError, ValueError):
        stamp = (0, 0)
    return _loaded(path, stamp)


@lru_cache(maxsize=4)
def _loaded(path: str, _stamp: tuple[int, int]) -> RecipeFacts:
    return RecipeFacts(RecipeBook(read_facts(read_plain(path, MOST_BYTES), path), path))


def import_facts(folder: str, platform: str = "linux") -> Imported:
    """Read the recipes of a checkout for a platform. Raises ``InputError`` when there is no package repository in the folder.

    What cannot be read of a recipe is told in the result and never an error.
    """
    from resolver.formats.recipe import RecipeReader, Unread

    repository = _open(Path(folder))
    reader = RecipeReader(platform, repository.systems, repository.source)
    packages = {}
    for name, module in repository.modules.items():
        if repository.source(module) is None:
            reader.unread.append(Unread(name, 1, "package.py cannot be read"))
        elif (found := reader.package(module, name)) is not None:
            packages[name] = found
    return Imported(FactsDocument(packages, platform), str(repository.folder), tuple(sorted(set(reader.unread))))


def _open(folder: Path) -> _Repository:
    files = LocalFiles()
    for place in PLACES:
        root = folder / place
        if files.is_dir(str(root / "packages")):
            modules = _modules(root, files.listing(str(root / "packages")))
            if modules:
                return _Repository(root, modules, _systems(root, folder))
    msg = f"{folder} holds no package repository"
    raise InputError(
        msg,
        why=f"there is no packages/*/package.py in it, nor below {', '.join(PLACES[1:-1])}",
        hint="give a checkout of spack-packages, of Spack before 1.0, or the folder with repo.yaml",
    )


def _modules(root: Path, names: list[str]) -> dict[str, str]:
    """The folders of packages by package name. Since version 2 of the API they are modules: ``-`` is ``_``, and ``_`` leads digits."""
    if len(names) > MOST_PACKAGES:
        msg = f"{root} holds more than {MOST_PACKAGES} packages"
        raise InputError(msg, hint="give the folder of one package repository")
    found = [name for name in names if (root / "packages" / name / "package.py").exists()]
    modern = _is_modern(root, found)
    return dict(sorted((_package(name) if modern else name, name) for name in found))


def _is_modern(root: Path, names: list[str]) -> bool:
    try:
        stated = API.search(read_plain(str(root / "repo.yaml"), 1 << 20).decode("utf-8", "replace"))
    except InputError:
        stated = None
    return int(stated[1][:6]) >= 2 if stated else not any("-" in name for name in names)


def _package(module: str) -> str:
    """The package of a module's folder (Spack ``util/naming.py:pkg_dir_to_pkg_name``)."""
    return module.removeprefix("_").replace("_", "-")


def _systems(root: Path, given: Path) -> dict[str, bytes]:
    """The build systems beside the packages; before Spack 1.0 they were in Spack itself."""
    files = LocalFiles()
    for folder in (root / "build_systems", *(parent / OLD_SYSTEMS for parent in (given, *given.absolute().parents[:4]))):
        if files.is_dir(str(folder)):
            names = [name for name in files.listing(str(folder)) if name.endswith(".py")][:MOST_SYSTEMS]
            return {name.removesuffix(".py"): data for name in names if (data := _recipe(folder / name)) is not None}
    return {}


def _recipe(path: Path) -> bytes | None:
    try:
        return read_plain(str(path), MOST_RECIPE_BYTES)
    except InputError:
        return None
