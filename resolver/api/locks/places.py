"""Where a lock's stacks and mirrors lie: paths in it are relative to its own folder, so that it means the same in every checkout."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from resolver.api.settings import Settings, shipped_stacks
from resolver.api.stacks import LABEL, MANIFEST, StackRequest, known_stacks
from resolver.errors import InputError, did_you_mean, without_credentials
from resolver.formats.resolver_lock import LockStack

SHIPPED = "shipped:"
"""Stands in a mirror's address for the folder of the stacks that ship with the program, which lies elsewhere on every computer."""
FILE = "file://"


class Folder:
    """The folder of a lock."""

    def __init__(self, path: Path) -> None:
        self._folder = os.path.realpath(path)

    def relative(self, path: str | Path) -> str:
        """A path as it stands in the lock: with slashes, beginning with a dot. Raises ``InputError`` when there is no such way."""
        place = Path(os.path.expanduser(path))  # noqa: PTH111 - leaves the name of an unknown user as it is
        named = place.name not in ("", "..")
        real = Path(os.path.realpath(place.absolute().parent)) / place.name if named else Path(os.path.realpath(place))
        try:
            found = os.path.relpath(real, self._folder).replace(os.sep, "/")
        except ValueError as error:  # another drive
            msg = f"no relative path leads from {self._folder} to {path}"
            raise InputError(msg, why=str(error), hint="put the lock on the same drive") from None
        if found in (".", ".."):
            return f"{found}/"
        return found if found.startswith(".") else f"./{found}"

    def absolute(self, text: str) -> str:
        """A path of the lock as one of this computer."""
        return os.path.normpath(os.path.join(self._folder, text))  # noqa: PTH118 - the text may be no path here

    def stack(self, request: StackRequest) -> LockStack:
        """What the lock says of a stack. A name that is also a path here means the path, as everywhere."""
        text = request.stack
        place = Path(os.path.expanduser(text))  # noqa: PTH111 - as above
        is_path = not text.startswith(LABEL) and (place.is_file() or (place / MANIFEST).is_file())
        return LockStack(
            self.relative(place) if is_path else text,
            dict(sorted(request.environment.items())),
            request.include,
            {without_credentials(url): self.relative(folder) for url, folder in sorted(request.include_roots.items())},
            self.relative(request.spack_config) if request.spack_config else "",
        )

    def request(self, stack: LockStack, settings: Settings) -> StackRequest:
        """How a stack of the lock is read on this computer. Raises ``InputError`` when there is no stack of that name."""
        roots = {url: self.absolute(folder) for url, folder in stack.include_roots.items()}
        config = self.absolute(stack.spack_config) if stack.spack_config else ""
        return StackRequest(self._place(stack.location, settings), stack.environment, stack.include, roots, config)

    def _place(self, location: str, settings: Settings) -> str:
        if location.startswith(LABEL):
            return location
        if "/" in location:
            return self.absolute(location)
        for folder in settings.stack_folders:
            for place in (folder / location / MANIFEST, folder / f"{location}.yaml"):
                if place.is_file():
                    return str(place)
        known = known_stacks(settings)
        msg = f"there is no stack {location!r}"
        raise InputError(msg, hint=f"{did_you_mean(location, known)}known are {', '.join(known) or 'none'}")

    def url(self, url: str) -> str:
        """A mirror's address as it stands in the lock."""
        if not url.startswith(FILE):
            return without_credentials(url)
        path = Path(unquote(urlsplit(url).path))
        for folder in shipped_stacks():
            if path.is_relative_to(os.path.realpath(folder)):
                return f"{SHIPPED}{path.relative_to(os.path.realpath(folder)).as_posix()}"
        return self.relative(path)

    def full_url(self, text: str) -> str:
        """The address of a mirror, of what stands in the lock."""
        if text.startswith(SHIPPED):
            name = text.removeprefix(SHIPPED)
            return next(((Path(os.path.realpath(folder)) / name).as_uri() for folder in shipped_stacks()), text)
        return Path(self.absolute(text)).as_uri() if text.startswith(".") else text


def stack_name(request: StackRequest) -> str:
    """The name that a stack goes by: its folder's, its file's, its label's, or its own."""
    text = request.stack.removeprefix(LABEL)
    if text != request.stack:
        return text.replace("/", "-").replace("\\", "-")
    path = Path(os.path.expanduser(text))  # noqa: PTH111 - as above
    if path.is_dir():
        path = path / MANIFEST
    name = (Path(os.path.realpath(path.parent)).name if path.name == MANIFEST else path.stem) if path.is_file() else text
    return name or "stack"
