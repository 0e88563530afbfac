"""The HTTP client: proxies of the environment, trusted certificates, no cookies, no logged URLs."""

from __future__ import annotations

import functools
import logging
import os
import ssl
import threading
from collections.abc import Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import metadata
from typing import Any, cast
from urllib.request import getproxies, proxy_bypass  # noqa: TID251 - reads the environment, opens nothing

import certifi
import httpcore
import httpx

from resolver.errors import InputError
from resolver.sources.http_errors import PROXY_HINT
from resolver.sources.http_pace import Pace, PacedBackend, Patience

MOST_CONNECTIONS = 64
IDLE_SECONDS = 15.0
TALKATIVE = ("httpx", "httpcore", "hpack")


class Body(httpx.SyncByteStream):
    """A body as it comes from a pool of connections."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - an iterable that may be closed
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        """Give the connection back, or close it when the body was not read to its end."""
        self._stream.close()


class Transport(httpx.BaseTransport):
    """Connections, directly or through the proxy that the environment names for a URL; raises httpcore's errors."""

    def __init__(self, pace: Pace, *, http1: bool = True) -> None:
        self._common = {
            "http1": http1,
            "http2": True,
            "max_connections": MOST_CONNECTIONS,
            "keepalive_expiry": IDLE_SECONDS,
            "network_backend": PacedBackend(pace),
        }
        self._pools: dict[tuple[str, str], httpcore.ConnectionPool] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer's head; its body is read later."""
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        sent = httpcore.Request(request.method, target, headers=request.headers.raw, content=request.stream, extensions=request.extensions)
        answer = self._pool(url).handle_request(sent)
        return httpx.Response(answer.status, headers=answer.headers, stream=Body(answer.stream), extensions=answer.extensions)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()

    def _pool(self, url: httpx.URL) -> httpcore.ConnectionPool:
        key = (url.scheme, _proxy(url))
        with self._lock:
            if key not in self._pools:
                self._pools[key] = self._open(*key)
            return self._pools[key]

    def _open(self, scheme: str, proxy: str) -> httpcore.ConnectionPool:
        common: dict[str, Any] = {**self._common, "ssl_context": trusted() if scheme == "https" else None}
        if not proxy:
            return httpcore.ConnectionPool(**common)
        try:
            return _proxied(httpx.URL(proxy), common)
        except (httpx.InvalidURL, ValueError, RuntimeError) as error:
            why = "SOCKS needs the package socksio" if isinstance(error, RuntimeError) else "it is not the URL of a proxy"
            raise InputError("the proxy of the environment cannot be used", why=why, hint=PROXY_HINT) from None


def _proxied(url: httpx.URL, common: dict[str, Any]) -> httpcore.ConnectionPool:
    if url.scheme not in {"http", "https", "socks5", "socks5h"} or not url.host:
        raise ValueError
    where = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/")
    user = (url.username.encode(), url.password.encode()) if url.username or url.password else None
    if url.scheme.startswith("socks"):
        return cast("httpcore.ConnectionPool", httpcore.SOCKSProxy(where, proxy_auth=user, **common))
    return httpcore.HTTPProxy(where, proxy_auth=user, proxy_ssl_context=trusted() if url.scheme == "https" else None, **common)


def _proxy(url: httpx.URL) -> str:
    """The proxy for a URL by ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy``; empty for none."""
    if proxy_bypass(url.netloc.decode("ascii")):
        return ""
    proxies = getproxies()
    found = proxies.get(url.scheme) or proxies.get("all", "")
    return found if "://" in found or not found else f"http://{found}"


@functools.cache
def trusted() -> ssl.SSLContext:
    """What the system trusts, as for Spack's own urllib, and certifi's list for a Python that knows no system's.

    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``, which OpenSSL reads itself, stand alone.
    """
    context = ssl.create_default_context()
    if not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        context.load_verify_locations(cafile=certifi.where())
    return context


def make_client(patience: Patience, transport: Transport) -> httpx.Client:
    """A client that threads may share. It follows no redirect and sends no credentials by itself."""
    _keep_quiet()
    return httpx.Client(
        transport=transport,
        trust_env=False,
        timeout=httpx.Timeout(patience.read, connect=patience.connect, pool=None),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # a jar that fills is not safe to share between threads
        headers={"User-Agent": f"spack-resolver/{_version()}"},
    )


def _keep_quiet() -> None:
    """The libraries log signed URLs and headers; whoever wants that must set the level of their loggers, not only the root's."""
    for name in TALKATIVE:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)


def _version() -> str:
    try:
        return metadata.version("spack-resolver")
    except metadata.PackageNotFoundError:
        return "0"
