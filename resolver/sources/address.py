"""Locations as a person gives them: paths and URLs, how they are told apart, shown and stored."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from resolver.errors import InputError, UnsupportedError
from resolver.sources.credentials import Credentials
from resolver.sources.place import Place

URL = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):/")
WEB = ("http", "https")
REGISTRY = ("oci", "oci+http")
SCHEMES = (*WEB, "s3", *REGISTRY)


def is_url(location: str) -> bool:
    """Is it a URL, of a file perhaps?"""
    return bool(URL.match(location))


def is_remote(location: str) -> bool:
    """Is it a URL of something that is not a file of this machine?"""
    found = URL.match(location)
    return bool(found and found[1].lower() != "file")


def local_path(location: str) -> Path:
    """The file or directory that a path or a ``file:`` URL names, links followed. Raises ``InputError`` on what can be no path."""
    path = _path_of(_split(location)) if is_url(location) else os.path.expanduser(location)  # noqa: PTH111 - leaves unknown users
    try:
        path.encode()
        return Path(os.path.realpath(path))
    except ValueError:  # with a NUL, or no UTF-8, which the catalog could not hold
        msg = f"{ascii(path)[:100]} cannot be the path of a source"
        raise InputError(msg, why="its letters are not those of a path in UTF-8", hint="give the file another name") from None


def _path_of(parts: SplitResult) -> str:
    if parts.netloc not in ("", "localhost"):
        msg = f"file:// names another computer, {shown(parts).removeprefix('file://').partition('/')[0]}"
        raise InputError(msg, hint="write file:///path, with three slashes")
    return unquote(parts.path)


def remote_parts(location: str) -> SplitResult:
    """The parts of a URL that can be read. Raises ``InputError`` when it is none, ``UnsupportedError`` for other schemes."""
    parts = _split(location)
    if parts.scheme not in SCHEMES:
        msg = f"{parts.scheme}://{shown(parts).partition('://')[2].partition('/')[0]} cannot be read from here"
        raise UnsupportedError(msg, why=f"read are files and {', '.join(SCHEMES)}", hint="copy the mirror's index to a file and sync that")
    if not parts.netloc:
        raise _no_url()
    return parts


def _split(location: str) -> SplitResult:
    try:
        parts = urlsplit(location.strip())
        _ = parts.port  # is read only when it is asked for
    except ValueError:
        raise _no_url() from None
    return parts


def _no_url() -> InputError:
    """Of what cannot be read as a URL nothing is shown: its credentials cannot be told from the rest."""
    return InputError("not a URL that can be read", hint="write scheme://host/path, or give a path")


def shown(parts: SplitResult) -> str:
    """A URL without credentials, query and slash at the end."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl().rstrip("/")


def address(parts: SplitResult) -> str:
    """The URL as sources are stored under it: as its transport writes it. Opens nothing. Raises ``InputError``."""
    if parts.scheme == "s3":
        return shown(parts._replace(path=f"/{parts.path.strip('/')}"))
    if parts.scheme in REGISTRY:
        from resolver.formats.oci import read_url

        return read_url(parts.geturl()).url
    from resolver.sources.http import HttpPlace

    return HttpPlace(parts.geturl()).url


def place_at(parts: SplitResult, credentials: Credentials) -> Place:
    """What reads below a URL; each transport is loaded when it is needed."""
    if parts.scheme == "s3":
        from resolver.sources.s3 import S3Place

        return S3Place(parts.geturl(), credentials)
    from resolver.sources.http import HttpPlace

    return HttpPlace(parts.geturl(), credentials)


def origin(parts: SplitResult) -> tuple[str, str]:
    """Scheme and host with port: what credentials are for."""
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()


def is_at_or_below(location: str, above: str) -> bool:
    """Is a location this one, or inside it?"""
    return location == above or location.startswith(f"{above.rstrip('/')}/")
