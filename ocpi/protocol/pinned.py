"""Connections of `requests` to addresses that were checked before, under a watchdog."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context


class Watchdog:
    """Ends a call at its deadline by shutting its socket, whatever the other side drips.

    Timeouts of sockets count anew with each byte. `has_barked` overrides every outcome.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.has_barked = False
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._bark)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for watched in self._sockets:
                watched.close()
            self._sockets.clear()

    @property
    def remaining_s(self) -> float:
        """Seconds until the deadline, never less than a moment."""
        return max(self._ends_at - time.monotonic(), 0.001)

    def watch(self, connection: socket.socket) -> None:
        """Shut this socket at the deadline, also after TLS has taken it over."""
        with self._lock:
            self._sockets.append(connection.dup())
        if self.has_barked:
            self._shut()

    def _bark(self) -> None:
        self.has_barked = True
        self._shut()

    def _shut(self) -> None:
        with self._lock:
            for watched in self._sockets:
                with contextlib.suppress(OSError):
                    watched.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=8)
def trusting(ca_file: str | None) -> ssl.SSLContext:
    """Return the TLS settings: 1.2 or later, trust in the public authorities, or in those of `ca_file`.

    Kept, because reading the public authorities takes as long as several calls.
    """
    context = create_urllib3_context()
    context.load_verify_locations(ca_file or DEFAULT_CA_BUNDLE_PATH)
    return context


class PinnedAdapter(HTTPAdapter):
    """Connects to the first of `addresses` that takes the connection, whatever name the URL has.

    The name stays the one for Host, SNI and the certificate. `is_connected` tells whether the
    connection, with its TLS, stood: from then on the other side may have done what was asked.
    """

    def __init__(self, addresses: Sequence[str], watchdog: Watchdog, *, ca_file: str | None = None) -> None:
        self.addresses = list(addresses)
        self.watchdog = watchdog
        self.ca_file = ca_file
        self.is_connected = False
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make pools whose connections are pinned."""
        super().init_poolmanager(*args, **kwargs, ssl_context=trusting(self.ca_file))
        manager: PoolManager = self.poolmanager
        adapter = self

        class Http(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return adapter.open(self)

            def connect(self) -> None:
                super().connect()
                adapter.is_connected = True

        class Https(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return adapter.open(self)

            def connect(self) -> None:
                super().connect()
                adapter.is_connected = True

        class HttpPool(HTTPConnectionPool):
            ConnectionCls = Http

        class HttpsPool(HTTPSConnectionPool):
            ConnectionCls = Https

        manager.pool_classes_by_scheme = {"http": HttpPool, "https": HttpsPool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Always check certificates, against what `trusting` has read."""
        conn.cert_reqs = "CERT_REQUIRED"

    def open(self, connection: HTTPConnection) -> socket.socket:
        """Open the TCP connection. Raises NewConnectionError or ConnectTimeoutError when none works."""
        failure: OSError | None = None
        for number, address in enumerate(self.addresses):
            # An address that swallows packets must leave time for the next.
            patience_s = self.watchdog.remaining_s / (len(self.addresses) - number)
            try:
                opened = socket.create_connection((address, connection.port), patience_s)
            except OSError as error:
                failure = error
                continue
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.watchdog.watch(opened)
            return opened
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(connection, "timed out") from failure
        raise NewConnectionError(connection, "no connection") from failure
