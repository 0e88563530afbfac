"""Reading from one registry: requests that are tried again, that say who reads when they are asked, and that follow blobs elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import TypeVar

import httpx
import msgspec

from resolver.errors import InputError
from resolver.formats.oci import Repository
from resolver.sources.credentials import Credentials
from resolver.sources.http_client import Transport, make_client
from resolver.sources.http_download import Download
from resolver.sources.http_errors import in_words, refusal, shown, status_name, unreadable
from resolver.sources.http_exchange import LENGTH, Answer, Session, persistently
from resolver.sources.http_pace import Pace, Patience
from resolver.sources.http_transfer import FileTransfer, Probe, Transfer, told_length
from resolver.sources.oci_auth import Ask, Authorization, login_for
from resolver.sources.place import Fetched, Report, no_report
from resolver.sources.sink import Sink

MOST_TOKEN_BYTES = 1 << 20
WHOLE = frozenset({200, 203, 206})
REFUSED = frozenset({401, 403})
T = TypeVar("T")


class Reply(msgspec.Struct, frozen=True):
    """A body that was read whole, and the headers of the answer (in any case)."""

    body: Fetched
    headers: Mapping[str, str]


class Reader:
    """Reads URLs of a registry. ``Authorization`` goes to the registry only, and its realm's to the realm only."""

    def __init__(self, repository: Repository, credentials: Credentials, patience: Patience) -> None:
        self._patience = patience
        self._session = Session(patience)
        self._own = shown(_root(repository))
        ask = partial(_token, self._session, patience)
        self._authorization = Authorization(repository, login_for(repository.registry, credentials), ask)
        self.close: Callable[[], None] = self._session.close

    def read(self, url: httpx.URL, headers: Mapping[str, str], most: int, report: Report = no_report) -> Reply | None:
        """The body of an answer, None for 404. Raises ``SourceError``."""
        download = Download(shown(url), most, "", report)
        return persistently(self._patience, shown(url), lambda: self._try(url, headers, download))

    def fetch(self, url: httpx.URL, sink: Sink) -> bool:
        """Put the body of an answer into a sink, False for 404. Raises ``SourceError``, and ``VerificationError`` as the sink does."""
        transfer = FileTransfer(shown(url), sink)
        return persistently(self._patience, shown(url), lambda: self._try(url, {}, transfer), lambda: sink.held) is not None

    def length(self, url: httpx.URL) -> int | None:
        """How many bytes there are, None for 404, -1 where the registry does not tell. Raises ``SourceError``."""
        reply = persistently(self._patience, shown(url), lambda: self._try(url, {}, Probe()))
        if reply is None:
            return None
        length = reply.headers.get("content-length", "")
        return told_length(reply.headers, int(length) if LENGTH.fullmatch(length) else None)

    def _try(self, url: httpx.URL, headers: Mapping[str, str], download: Transfer) -> Reply | None:
        with closing(self._get(url, headers, download)) as answer:
            if answer.status in WHOLE:
                return Reply(download.take(answer), answer.headers)
            answer.discard()
            if answer.status == 404:
                return None
            if answer.status in REFUSED and answer.where.startswith(self._own):
                raise unreadable(answer.where, f"the server answered {status_name(answer.status)}", self._authorization.hint)
            if answer.status == 416:
                download.start_over()
            raise refusal(answer.status, answer.headers, answer.where)

    def _get(self, url: httpx.URL, headers: Mapping[str, str], download: Transfer) -> Answer:
        """The answer; when the registry itself, not one that it redirects to, asks who reads, that to a second request that says so."""
        sent = self._authorization.header
        answer = self._send(url, headers, download, sent)
        if answer.status != 401 or not answer.where.startswith(self._own):
            return answer
        answer.discard()
        again = self._authorization.renew(answer.headers.get("www-authenticate", ""), sent)
        return self._send(url, headers, download, self._authorization.header) if again else answer

    def _send(self, url: httpx.URL, headers: Mapping[str, str], download: Transfer, authorization: str) -> Answer:
        proof = {"Authorization": authorization} if authorization else {}
        return self._session.get(url, {**headers, **download.headers(), **proof})


def _root(repository: Repository) -> httpx.URL:
    with suppress(httpx.InvalidURL, ValueError):
        url = httpx.URL(f"{repository.scheme}://{repository.registry}/")
        if url.host:  # is decoded only here
            return url
    raise InputError(f"{repository.registry[:200]!r} is no host", hint="check the URL of the registry")


def _token(session: Session, patience: Patience, ask: Ask) -> bytes:
    """What a realm answers to one who wants a token. Raises ``SourceError``, with a hint when it refuses."""
    with in_words("the registry's place for tokens"):
        url = httpx.URL(ask.url).copy_merge_params(dict(ask.query))
    return persistently(patience, shown(url), lambda: _try_token(session, patience, ask, url))


def _try_token(session: Session, patience: Patience, ask: Ask, url: httpx.URL) -> bytes:
    with _asked(session, patience, ask, url) as answer:
        if answer.status == 200:
            return Download(shown(url), MOST_TOKEN_BYTES, "", no_report).take(answer).data
        answer.discard()
        if answer.status in {400, *REFUSED}:
            raise unreadable(answer.where, f"no token is given, the server answered {status_name(answer.status)}", ask.hint)
        raise refusal(answer.status, answer.headers, answer.where)


@contextmanager
def _asked(session: Session, patience: Patience, ask: Ask, url: httpx.URL) -> Iterator[Answer]:
    """The answer of a realm. A form holds a secret, so that its redirects are not followed."""
    if ask.form is None:
        with closing(session.get(url, {"Authorization": ask.authorization} if ask.authorization else {})) as answer:
            yield answer
        return
    pace = Pace(patience.least, patience.window)
    with make_client(patience, Transport(pace)) as client:
        pace.begin()
        with in_words(shown(url)):
            response = client.send(client.build_request("POST", url, data=dict(ask.form)), stream=True)
        with closing(Answer(response, pace)) as answer:
            yield answer
