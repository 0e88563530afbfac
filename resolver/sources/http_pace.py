"""How long a server is waited for: the bounds that a caller sets, and connections that hold to them."""

from __future__ import annotations

import math
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from random import SystemRandom
from typing import Any

import httpcore
import msgspec

MOST_DOUBLINGS = 16


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how often a server is tried; times are in seconds.

    ``connect`` and ``read`` bound the wait for a connection and for the next bytes. Fewer than ``least`` bytes in ``window`` seconds
    are too slow; the head of an answer has one window too. There are ``tries`` in all, and before each further one a wait that is drawn
    from 0 to a bound, ``first_delay`` at first and doubled each time up to ``longest_delay``, or as long as the server asks for, up to
    ``longest_delay`` too.
    """

    connect: float = 10.0
    read: float = 60.0
    least: int = 1024
    window: float = 60.0
    tries: int = 5
    first_delay: float = 0.5
    longest_delay: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def delay(self, tried: int, asked: float) -> float:
        """The wait after so many tries, when the server asked for so many seconds."""
        bound = min(self.longest_delay, self.first_delay * 2 ** min(tried - 1, MOST_DOUBLINGS))
        return max(SystemRandom().uniform(0, bound), min(asked, self.longest_delay))


class Pace(threading.local):
    """Until when the request of this thread may wait: each time that ``least`` bytes have come, ``window`` seconds more."""

    def __init__(self, least: int, window: float) -> None:
        self._least = least
        self._window = window
        self._count = 0
        self._end = math.inf

    def begin(self) -> None:
        """Start a new window."""
        self._count = 0
        self._end = time.monotonic() + self._window

    def count(self, size: int) -> None:
        """Bytes of a body have come."""
        self._count += size
        if self._count >= self._least:
            self.begin()

    def left(self) -> float:
        """Seconds until the window ends; negative when it has ended."""
        return self._end - time.monotonic()

    def __str__(self) -> str:
        """What is wrong when it has ended."""
        return f"it is too slow: fewer than {self._least} bytes in {self._window:g} s"


class PacedStream(httpcore.NetworkStream):
    """A connection that stops reading when its thread's pace ends.

    The deadline is held here, since a server can keep the layers above busy for ever with lines of a head, interim answers or pings,
    while none of them returns. ``last`` is what the last read gave.
    """

    def __init__(self, inner: httpcore.NetworkStream, pace: Pace) -> None:
        self._inner = inner
        self._pace = pace
        self.last = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes. Raises ``httpcore.ReadTimeout`` that says which bound was met."""
        left = self._pace.left()
        bound = math.inf if timeout is None else timeout
        if left <= 0:
            raise httpcore.ReadTimeout(str(self._pace))
        try:
            self.last = self._inner.read(max_bytes, min(left, bound))
        except httpcore.ReadTimeout:
            raise httpcore.ReadTimeout(str(self._pace) if left < bound else f"nothing came for {bound:g} s") from None
        return self.last

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        """Close the socket."""
        self._inner.close()

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None) -> PacedStream:
        """The same connection, encrypted."""
        return PacedStream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._pace)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        """What httpcore asks of a socket."""
        return self._inner.get_extra_info(info)


class PacedBackend(httpcore.SyncBackend):
    """Opens connections that are paced."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def connect_tcp(  # noqa: D102 - httpcore's
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> PacedStream:
        return PacedStream(super().connect_tcp(host, port, timeout, local_address, socket_options), self._pace)
