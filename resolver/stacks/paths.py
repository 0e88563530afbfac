"""The paths of includes: variables in them, and where what is remote lies on this computer.

Variables mean the machine that is asked for, and the environment is what was given with ``--env``: nothing is taken from the host.
What only a running Spack knows (its prefix, the user, the date, ...) is given by its name, or by Spack's own variable, too.
Source: Spack ``util/path.py`` (``replacements``, ``substitute_path_variables``, ``canonicalize_path``).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

import msgspec

from resolver.arch.machine import Machine
from resolver.arch.target import family
from resolver.errors import InputError, without_credentials

VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://")
FILE = "file://"
FACTS = {"platform": "platform", "os": "os", "operating_system": "os", "target": "target", "target_family": "target"}
ARCHITECTURE = frozenset({"arch", "architecture"})
OF_SPACK: Mapping[str, str] = {
    "spack": "SPACK_ROOT",
    "user": "USER",
    "tempdir": "TMPDIR",
    "user_cache_path": "SPACK_USER_CACHE_PATH",
    "spack_instance_id": "spack_instance_id",
    "spack_short_version": "spack_short_version",
    "date": "date",
}
"""What Spack replaces and nobody but a running Spack knows, with the variable that gives it here: Spack's own where it has one."""


class Surroundings(msgspec.Struct, frozen=True):
    """What paths and conditions may depend on: the machine, the variables given, and directories that stand for what is elsewhere.

    ``roots`` maps a URL, ``$spack`` or an absolute path to a directory of this computer. ``home`` is the manifest's directory, ``$env``.
    """

    machine: Machine
    environment: Mapping[str, str] = msgspec.field(default_factory=dict)
    roots: Mapping[str, str] = msgspec.field(default_factory=dict)
    home: str = ""

    def filled(self, text: str) -> str:
        """A path with its variables replaced; undefined ones stay, as in Spack. Raises ``InputError`` on what Spack would know."""
        text = VARIABLE.sub(self._by_spack, text)
        text = VARIABLE.sub(lambda found: self.environment.get(_name(found), found[0]), text)
        if text == "~" or text.startswith("~/"):
            return self._given("~", "HOME") + text[1:]
        return text

    def _by_spack(self, found: re.Match[str]) -> str:
        name = _name(found).lower()
        if name == "env" and self.home:
            return self.home
        if name in ARCHITECTURE:
            return "-".join(self._fact(fact, found[0]) for fact in ("platform", "os", "target"))
        if name in FACTS:
            value = self._fact(FACTS[name], found[0])
            return family(value) if name == "target_family" else value
        if name not in OF_SPACK:
            return found[0]
        if name == "spack" and "$spack" in self.roots:
            return self.roots["$spack"]
        return self._given(f"${name}", OF_SPACK[name])

    def _fact(self, fact: str, written: str) -> str:
        value: str | None = getattr(self.machine, fact)
        if value is None:
            msg = f"the machine's {fact} is not known, which {written} stands for"
            raise InputError(msg, hint=f"give it with --{fact} or --machine")
        return value

    def _given(self, written: str, name: str) -> str:
        if name in self.environment:
            return self.environment[name]
        more = "--include-root '$spack=DIR' or " if written == "$spack" else ""
        msg = f"what {written} stands for is not known here"
        raise InputError(msg, why="nothing is taken from this host", hint=f"give it with {more}--env {name}=...")

    def mapped(self, place: str) -> str | None:
        """The local path that stands for a URL or an absolute path, by the longest root that it lies in; None without one."""
        wanted = _plain(place)
        for root in sorted(self.roots, key=len, reverse=True):
            base = _plain(root)
            if wanted == base or wanted.startswith(f"{base}/"):
                return _inside(self.roots[root], wanted[len(base) :].lstrip("/"), place)
        return None


def unknown_in(text: str) -> list[str]:
    """The variables that are left in a path."""
    return [_name(found) for found in VARIABLE.finditer(text)]


def _name(found: re.Match[str]) -> str:
    return found[1] or found[2]


def _plain(url: str) -> str:
    """A URL or path without what makes no difference: a slash or ``.git`` at its end, a name and password."""
    return without_credentials(url).replace("//***@", "//").rstrip("/").removesuffix(".git")


def _inside(folder: str, rest: str, written: str) -> str:
    """A path below a folder. Raises ``InputError`` when it leads out of it."""
    path = posixpath.normpath(posixpath.join(folder, rest))
    base = posixpath.normpath(folder)
    if path != base and not path.startswith(base.rstrip("/") + "/"):
        msg = f"{written!r} leads out of its root"
        raise InputError(msg, hint="write it without '..'")
    return path


def below(folder: str, rest: str) -> str:
    """A path of a clone, inside it. Raises ``InputError`` when it is absolute or leads out of it."""
    return _inside(folder, rest, rest)


def is_remote(text: str) -> bool:
    """Is it a URL of another place than this computer's files?"""
    return bool(URL.match(text)) and not text.startswith(FILE)


def absolute(text: str, folder: str) -> str:
    """A local path in full; a relative one begins at the folder of the file that names it."""
    path = text.removeprefix(FILE) if text.startswith(FILE) else text
    return posixpath.normpath(posixpath.join(folder, path))
