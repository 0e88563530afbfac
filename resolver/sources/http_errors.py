"""What goes wrong between here and a web server, in words: what may pass when it is tried again, and what to do about the rest."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpcore
import httpx

from resolver.errors import ResolverError, SourceError

LONGEST_SHOWN = 400
PASSING = frozenset({408, 425, 429})
"""Refusals that ask to come again: too slow a request, too early, too many (RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4)."""
SECONDS = re.compile(r"\d{1,9}")
LATER_HINT = "try again later, and see that the URL and the proxy of the environment (https_proxy, no_proxy) are right"
PROXY_HINT = "see that https_proxy, http_proxy and no_proxy name the right proxy, with user and password where it wants them"
REFUSED_HINTS = {
    401: "give the mirror an access_pair or access_token in mirrors.yaml, or the host a line in ~/.netrc",
    403: "see its access_pair or access_token in mirrors.yaml, or the host's line in ~/.netrc; "
    "a bucket that may not be listed answers like this too when there is no such file",
    407: PROXY_HINT,
}


class PassingError(Exception):
    """What may be gone when it is tried again; it never leaves the transport.

    ``wait`` is for how many seconds the server asked to be left alone.
    """

    def __init__(self, why: str, *, wait: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.wait = wait


def shown(url: httpx.URL) -> str:
    """A URL as messages name it: without credentials, and without its query, which may be a signature."""
    path, mark, _ = url.raw_path.decode("ascii").partition("?")
    text = f"{url.scheme}://{url.netloc.decode('ascii')}{path}"
    return (text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}...") + ("?***" if mark else "")


def unreadable(where: str, why: str, hint: str = LATER_HINT) -> SourceError:
    """The error that ends a read."""
    return SourceError(f"{where} cannot be read", why=why, hint=hint)


@contextmanager
def in_words(where: str) -> Iterator[None]:
    """Whatever the libraries raise inside becomes a ``SourceError``, or a ``PassingError`` when another try may help."""
    try:
        yield
    except (ResolverError, PassingError):
        raise
    except Exception as error:  # noqa: BLE001 - four libraries raise their own and each other's errors here, and some of Python's
        raise _in_words(error, where) from None


def _in_words(error: Exception, where: str) -> Exception:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            hint = "name a file with the certificates of your authorities in SSL_CERT_FILE, and see that the clock is right"
            return unreadable(where, f"the server's certificate does not hold ({cause.verify_message})", hint)
    if isinstance(error, httpcore.ProxyError):
        return unreadable(where, f"the proxy refused{_status_in(str(error))}", PROXY_HINT)
    if isinstance(error, httpx.InvalidURL | httpcore.UnsupportedProtocol | httpx.RemoteProtocolError):
        return unreadable(where, "the server redirects to what is no URL")
    return PassingError(_why(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it; httpcore takes the causes off its errors, and what remains is their context."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _status_in(text: str) -> str:
    found = re.match(r"\d{3}(?!\d)", text)
    return f" with {status_name(int(found[0]))}" if found else ""


def _why(error: Exception) -> str:
    """Words for an error that may pass. Texts that may repeat what was sent, such as a header, are left out."""
    if isinstance(error, httpcore.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, httpcore.TimeoutException):
        return str(error) or "no answer in time"
    if isinstance(error, httpcore.NetworkError | OSError):
        system = next((cause for cause in _causes(error) if isinstance(cause, OSError)), None)
        return f"the connection failed ({(system and system.strerror) or 'no reason given'})"
    if isinstance(error, httpcore.ProtocolError):
        return "the connection ended before the whole answer had come, or the answer is no HTTP"
    return f"the exchange with the server failed ({type(error).__name__})"


def status_name(status: int) -> str:
    """A status with its usual phrase; the server's own is not repeated."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def refusal(status: int, headers: Mapping[str, str], where: str) -> Exception:
    """The error for a status that is neither a body nor a clear no: passing for 429 and 5xx, else with a hint on credentials."""
    why = f"the server answered {status_name(status)}"
    if status in PASSING or status >= 500:
        return PassingError(why, wait=retry_after(headers.get("retry-after", "")))
    return unreadable(where, why, REFUSED_HINTS.get(status, "see that the URL is that of a mirror or a file"))


def retry_after(text: str) -> float:
    """How many seconds a ``Retry-After`` asks for, as a number or as a date; 0 when it says neither (RFC 9110 10.2.3)."""
    if SECONDS.fullmatch(text.strip()):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0
