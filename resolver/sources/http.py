"""A folder of a web server, or one document, as a place. Imported only when such a source is synced, since httpx takes long to load."""

from __future__ import annotations

import base64
import netrc
import os
import re
import weakref
from collections.abc import Iterator
from typing import TypeVar
from urllib.parse import quote

import httpx

from resolver.errors import InputError, UnsupportedError
from resolver.sources.credentials import NO_CREDENTIALS, Credentials
from resolver.sources.http_download import Download
from resolver.sources.http_errors import PassingError, refusal, shown
from resolver.sources.http_exchange import Answer, Session, is_web, persistently
from resolver.sources.http_pace import Patience
from resolver.sources.http_transfer import FileTransfer, Transfer, told_length
from resolver.sources.place import MOST_SMALL_BYTES, Fetched, Report, no_report
from resolver.sources.sink import Sink

__all__ = ["HttpPlace", "Patience"]

PATIENCE = Patience()
LONGEST_PATH = 4096
T = TypeVar("T")


class HttpPlace:
    """Files below a URL with http or https; threads may read at the same time.

    A user and password in the URL are taken out of it and sent as basic authentication, unless ``credentials`` has others; a token is
    sent as a bearer's. With neither, netrc's line for the host counts (``NETRC`` or ``~/.netrc``). A query in the URL belongs to the
    document that it names, ``read("")``, and to no path below. Raises ``InputError`` for what is no such URL.
    """

    def __init__(self, url: str, credentials: Credentials = NO_CREDENTIALS, *, patience: Patience = PATIENCE) -> None:
        self._base = _parse(url)
        self._headers = _authorization(self._base, credentials)
        self._patience = patience
        self._session = Session(patience)
        self._finalizer = weakref.finalize(self, self._session.close)

    def __repr__(self) -> str:
        return f"HttpPlace({self.url!r})"

    @property
    def url(self) -> str:
        """The URL without credentials, query, fragment and a slash at the end; percent-encoded, the host in lower case."""
        return f"{self._base.scheme}://{self._base.netloc.decode('ascii')}{_folder(self._base)}"

    def close(self) -> None:
        """Close all connections; what is collected unclosed is closed too."""
        self._finalizer()

    def read(self, path: str, *, most: int = MOST_SMALL_BYTES, tag: str = "", report: Report = no_report) -> Fetched | None:
        """A file's bytes, decoded when the server encodes them; None for 404 and 410.

        A body that breaks off is continued where it ended if the server allows, else begun anew; then ``report`` is told of the bytes
        that were dropped as a negative count. Raises ``InputError`` for a path that leads out of the place or is none, and ``SourceError``
        when the server cannot be reached after all tries, is too slow, refuses, redirects in a way that is not followed, or sends
        more than ``most`` bytes or another number than it announced.
        """
        url = self._target(path)
        download = Download(shown(url), most, tag, report)
        return persistently(self._patience, shown(url), lambda: self._try(url, download))

    def exists(self, path: str) -> bool:
        """Is there such a file? Asked for by a byte of it, since not all servers answer a HEAD as they answer a GET."""
        return self.length(path) is not None

    def length(self, path: str) -> int | None:
        """See ``Place``. Asked for as ``exists`` does."""
        url = self._target(path)
        return persistently(self._patience, shown(url), lambda: self._length(url))

    def fetch(self, path: str, sink: Sink) -> bool:
        """See ``Place``. A body that breaks off is continued as ``read`` does, as is what the sink holds from another time."""
        url = self._target(path)
        transfer = FileTransfer(shown(url), sink)
        return persistently(self._patience, shown(url), lambda: self._try(url, transfer), lambda: sink.held) is not None

    def _length(self, url: httpx.URL) -> int | None:
        answer = self._session.get(url, {**self._headers, "Range": "bytes=0-0"})
        try:
            if answer.status not in {200, 203, 204, 206, 404, 410, 416}:
                raise refusal(answer.status, answer.headers, answer.where)
            if answer.status != 200:
                answer.discard()
            return None if answer.status in {404, 410} else told_length(answer.headers, answer.length)
        finally:
            answer.close()

    def paths(self, folder: str) -> Iterator[str]:
        """Raises ``UnsupportedError``: HTTP has no way to list a folder."""
        msg = f"the folder {folder or '.'} of {self.url} cannot be listed"
        raise UnsupportedError(msg, why="a web server does not list its files", hint="let `spack buildcache update-index` write an index")

    def _target(self, path: str) -> httpx.URL:
        if not path:
            return self._base
        if not _is_inside(path):
            hint = "a path is relative and has neither .. nor backslashes nor control characters"
            raise InputError(f"{path[:100]!r} is no path below {self.url}", hint=hint)
        return self._base.copy_with(raw_path=f"{_folder(self._base)}/{quote(path, safe='/')}".encode())

    def _try(self, url: httpx.URL, download: Transfer) -> Fetched | None:
        answer = self._session.get(url, {**self._headers, **download.headers()})
        try:
            return _body(answer, download)
        finally:
            answer.close()


def _body(answer: Answer, download: Transfer) -> Fetched | None:
    if answer.status in {200, 203, 206}:
        return download.take(answer)
    answer.discard()
    if answer.status in {404, 410}:
        return None
    if found := download.unchanged(answer):
        return found
    if answer.status == 416:  # the rest that was asked for is not there: the file became shorter
        download.start_over()
        raise PassingError("it changed while it was read")
    raise refusal(answer.status, answer.headers, answer.where)


def _parse(text: str) -> httpx.URL:
    """The URL with its credentials."""
    try:
        url = httpx.URL(text.strip()).copy_with(fragment=None)
        usable = is_web(url) and url.host  # which is decoded, and may be no name by the rules for foreign letters
    except (httpx.InvalidURL, ValueError):
        raise _no_url(text) from None
    if not usable:
        raise _no_url(text)
    return url


def _no_url(text: str) -> InputError:
    """All before an ``@`` is left out: where a URL cannot be read, its credentials cannot be told from the rest."""
    named = re.sub(r"(?s)^([^/]*//)?.*@", r"\1***@", text.strip())
    named = re.split(r"[?#]", named, maxsplit=1)[0][:200]
    return InputError(f"{named!r} is no URL of a web server", hint="give http:// or https://, a host, and a path")


def _folder(url: httpx.URL) -> str:
    return url.raw_path.decode("ascii").partition("?")[0].rstrip("/")


def _is_inside(path: str) -> bool:
    """Does a path stay below its place; an empty part would make it absolute, or another host's."""
    parts = path.split("/")
    return path.isprintable() and "\\" not in path and len(path) <= LONGEST_PATH and not {"", ".", ".."} & set(parts)


def _authorization(url: httpx.URL, credentials: Credentials) -> dict[str, str]:
    if credentials.token:
        if not (credentials.token.isascii() and credentials.token.isprintable()):
            raise InputError("the access token has characters that no token has", hint="see the access_token in mirrors.yaml")
        return {"Authorization": f"Bearer {credentials.token}"}
    if credentials.user or credentials.secret:
        return _basic(credentials.user, credentials.secret)
    if url.username or url.password:
        return _basic(url.username, url.password)
    return _from_netrc(url.host)


def _basic(user: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{secret}'.encode(errors='replace')).decode()}"}


def _from_netrc(host: str) -> dict[str, str]:
    """The host's line, or the default's. A file that cannot be read gives none: most mirrors ask for none."""
    try:
        found = netrc.netrc(os.environ.get("NETRC") or None).authenticators(host)
    except (OSError, netrc.NetrcParseError, UnicodeError):
        return {}
    return _basic(found[0], found[2] or "") if found else {}
