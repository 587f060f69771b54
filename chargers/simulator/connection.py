"""Connecting the simulated station to its central system, and connecting again when the socket is lost."""

from __future__ import annotations

import asyncio
import random
from base64 import b64encode
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
    NegotiationError,
    WebSocketException,
)
from websockets.typing import Subprotocol

from chargers.simulator.link import Link

LONGEST_PAUSE_S = 30.0
# A connection that held so long was a good one: the next pause is short again.
GOOD_CONNECTION_S = 10
MOST_BYTES = 1024 * 1024


class NotLetIn(Exception):
    """The first connection failed; the message says why in one line."""

    is_foreseen = True


class Connection:
    """The way to one central system; `address` has the identity as its last part."""

    def __init__(self, url: str, identity: str, password: str | None, *, version: str = "1.6") -> None:
        self.identity = identity
        self.subprotocol = Subprotocol(f"ocpp{version}")
        self.address = f"{url.rstrip('/')}/{quote(identity, safe='')}"
        self.headers: dict[str, str] = {}
        if password is not None:
            basic = b64encode(f"{identity}:{password}".encode()).decode()
            self.headers["Authorization"] = f"Basic {basic}"

    async def keep(
        self,
        link: Link,
        *,
        greet: Callable[[], Coroutine[Any, Any, None]],
        report: Callable[..., object],
        pause_s: float,
    ) -> NoReturn:
        """Keep the link on a socket, forever; `greet` runs on each new one.

        The pauses between attempts grow from `pause_s`. Raises NotLetIn when the first attempt fails.
        """
        self._check_address()
        loop = asyncio.get_running_loop()
        next_pause_s = pause_s
        is_first = True
        while True:
            since = loop.time()
            reason = "the socket was closed"
            try:
                async with connect(
                    self.address,
                    subprotocols=[self.subprotocol],
                    additional_headers=self.headers,
                    compression=None,
                    max_size=MOST_BYTES,
                    proxy=None,
                    close_timeout=2,
                ) as socket:
                    if socket.subprotocol != self.subprotocol:
                        raise NegotiationError("no subprotocol")
                    is_first = False
                    report("connected", url=self.address)
                    greeting = asyncio.create_task(greet())
                    try:
                        await link.serve(socket)
                    finally:
                        greeting.cancel()
                        # A station that leaves says goodbye: else the close would look like a failure.
                        await socket.close()
            except (OSError, WebSocketException) as error:
                reason = self._why(error)
                if is_first:
                    raise NotLetIn(reason) from error
            if loop.time() - since > GOOD_CONNECTION_S:
                next_pause_s = pause_s
            report("lost", reason=reason, pause_s=round(next_pause_s, 2))
            await asyncio.sleep(next_pause_s * random.uniform(0.8, 1.2))
            next_pause_s = min(next_pause_s * 2, LONGEST_PAUSE_S)

    @property
    def _no_address(self) -> str:
        return f"{self.address} is not a websocket address: it must look like ws://HOST:PORT."

    def _check_address(self) -> None:
        try:
            parts = urlsplit(self.address)
            is_fit = bool((parts.hostname or "").encode("idna")) and parts.port != 0
        except ValueError:
            is_fit = False
        if not is_fit:
            raise NotLetIn(self._no_address)

    def _why(self, error: Exception) -> str:
        """Return what a failed connection means, in one line."""
        if isinstance(error, InvalidURI):
            return self._no_address
        if isinstance(error, InvalidStatus):
            return _MEANINGS.get(error.response.status_code, "The server answered HTTP {status}.").format(
                status=error.response.status_code, identity=self.identity
            )
        if isinstance(error, NegotiationError):
            return f"The server at {self.address} does not speak {self.subprotocol}."
        if isinstance(error, InvalidMessage):
            return f"What answers at {self.address} is not a websocket server."
        if isinstance(error, TimeoutError):
            return f"{self.address} does not answer."
        if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
            return f"Nothing listens at {self.address}: connection refused."
        if isinstance(error, OSError | InvalidHandshake):
            return f"{self.address} can't be reached: {' '.join(str(error).split())}"
        return " ".join(str(error).split())


_MEANINGS = {
    401: "The server refused the password of {identity} (HTTP 401).",
    404: "The server knows no charger {identity} (HTTP 404).",
}
