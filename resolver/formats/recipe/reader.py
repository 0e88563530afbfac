"""Recipes read as syntax trees, never run: what ``version``, ``variant``, ``provides`` and ``build_system`` say.

Loops over known values are unrolled, conditions that can be told are followed, ``with when(...)`` is joined to each directive's own
condition, and base classes are read in the same way, from ``build_systems/`` or from other recipes. What cannot be read is noted and left
out. Sources: Spack ``directives.py``, ``directives_meta.py`` (the order of directives), ``util/naming.py`` (names of classes).
"""

from __future__ import annotations

import ast
import re
import string
import warnings
from collections.abc import Callable, Mapping

from resolver.formats.facts import MOST_ENTRIES, PackageFacts
from resolver.formats.recipe.evaluate import Evaluator
from resolver.formats.recipe.facts import Collected, ReadClass
from resolver.formats.recipe.statements import Module, Unread
from resolver.formats.recipe.values import Scope

MOST_SOURCE = 4 << 20
PACKAGE_MODULE = re.compile(r"(?:spack_repo\.\w+\.packages|spack\.pkg\.\w+)\.(?P<name>\w+)(?:\.package)?")


def class_name(package: str) -> str:
    """The class of a package's recipe (Spack ``util/naming.py:pkg_name_to_class_name``)."""
    name = string.capwords(package.replace("_", "-"), "-").replace("-", "")
    return f"_{name}" if name[:1].isdigit() or name in ("None", "True", "False") else name


class RecipeReader:
    """Reads the recipes of one repository for a platform. ``unread`` are the places that could not be read.

    ``build_systems`` are modules by name; ``source`` gives a recipe by the name of its module, or None.
    """

    def __init__(self, platform: str, build_systems: Mapping[str, bytes], source: Callable[[str], bytes | None]) -> None:
        self.platform = platform
        self.unread: list[Unread] = []
        self._source = source
        self._modules: dict[str, Scope | None] = {}
        self._systems: dict[str, ReadClass] = {"Package": _generic()}
        self._pending = dict(build_systems)
        while self._pending:
            self._build_system(next(iter(self._pending)))

    def _build_system(self, module: str) -> None:
        data = self._pending.pop(module, None)
        if data is not None:
            scope = self._read(f"build_systems/{module}.py", data)
            self._systems.update((name, found) for name, found in (scope or {}).items() if isinstance(found, ReadClass))

    def package(self, module: str, name: str) -> PackageFacts | None:
        """The facts of a package; None, and a note in ``unread``, when there is no recipe of it to be read."""
        scope = self._module(module, name)
        if scope is None:
            return None
        found = scope.get(class_name(name))
        if not isinstance(found, ReadClass):
            self.unread.append(Unread(name, 1, f"there is no class {class_name(name)}"))
            return None
        facts = found.facts.package()
        if facts.size > MOST_ENTRIES:
            self.unread.append(Unread(name, 1, f"it states more than {MOST_ENTRIES} facts"))
            return None
        return facts

    def _module(self, module: str, name: str) -> Scope | None:
        if module not in self._modules:
            self._modules[module] = None  # a recipe that imports itself on a detour finds nothing
            data = self._source(module)
            self._modules[module] = None if data is None else self._read(name, data)
        return self._modules[module]

    def known_class(self, name: str, module: str = "") -> ReadClass | None:
        """A class of the build systems, read before its turn if another one needs it, or of another recipe."""
        if found := PACKAGE_MODULE.fullmatch(module):
            scope = self._module(found["name"], found["name"].replace("_", "-")) or {}
            return scope.get(name) if isinstance(scope.get(name), ReadClass) else None
        if name not in self._systems:
            self._build_system(module.rpartition(".")[2])
        return self._systems.get(name)

    def _read(self, name: str, data: bytes) -> Scope | None:
        tree = None
        why = f"it has more than {MOST_SOURCE >> 20} MiB"
        if len(data) <= MOST_SOURCE:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of escapes in their texts, which are nobody's concern here
                    tree = ast.parse(data)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                why = f"it is no Python that can be read ({type(error).__name__})"
        if tree is None:
            self.unread.append(Unread(name, 1, why))
            return None
        module = Module(name, Evaluator(self.platform), self.known_class)
        module.read(tree)
        self.unread += module.unread
        return module.scope


def _generic() -> ReadClass:
    """The base class that Spack has itself: since 1.0 it is not among the build systems of a repository."""
    facts = Collected({}, {}, {})
    facts.variant("build_system", "generic", ["generic"], multi=False, when="")
    return ReadClass({}, facts)
