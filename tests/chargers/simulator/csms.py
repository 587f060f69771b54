"""A central system in the test's own loop, that speaks in literal OCPP-J frames."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from ocpp.messages import MessageType, get_validator
from websockets.asyncio.server import ServerConnection, serve

ACCEPTED = {"idTagInfo": {"status": "Accepted"}}
NOW = "2026-03-01T12:00:00Z"
ANSWERS: dict[str, Any] = {
    "BootNotification": {"status": "Accepted", "currentTime": NOW, "interval": 300},
    "Heartbeat": {"currentTime": NOW},
    "StatusNotification": {},
    "Authorize": ACCEPTED,
    "StartTransaction": {"transactionId": 7, **ACCEPTED},
    "MeterValues": {},
    "StopTransaction": {},
}


class Csms:
    """Keeps every call it got in `calls`, checked against the official schema; `answers` by action.

    An answer None is silence; a callable gets the request.
    """

    def __init__(self, answers: dict[str, Any] | None = None, http_status: int | None = None) -> None:
        self.answers = ANSWERS | (answers or {})
        self.http_status = http_status
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.replies: dict[str, list[Any]] = {}
        self.sockets: list[ServerConnection] = []
        self.headers: list[Any] = []
        self.url = ""

    @asynccontextmanager
    async def open(self, *, subprotocols: tuple[str, ...] | None = ("ocpp1.6",)):
        """Listen until the block ends."""

        def gate(connection: ServerConnection, request: Any) -> Any:
            self.headers.append((request.path, request.headers.get("Authorization")))
            if self.http_status:
                return connection.respond(HTTPStatus(self.http_status), "no\n")
            return None

        protocols: Any = list(subprotocols) if subprotocols else None
        async with serve(self._serve, "127.0.0.1", 0, subprotocols=protocols, process_request=gate) as server:
            self.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            yield self

    async def call(self, action: str, payload: Any, message_id: str = "") -> list[Any]:
        """Send a call and return the whole frame that answers it."""
        message_id = message_id or f"{action}-{len(self.replies)}"
        await self.sockets[-1].send(json.dumps([2, message_id, action, payload]))
        await until(lambda: message_id in self.replies)
        return self.replies[message_id]

    async def ask(self, action: str, payload: Any) -> dict[str, Any]:
        """Send a call and return the payload that answers it, checked against the official schema."""
        kind, _, answer = await self.call(action, payload)
        assert kind == 3
        # Decimals: in binary a multiple of 0.1 would not be one.
        validator = get_validator(MessageType.CallResult, action, "1.6", parse_float=Decimal)
        validator.validate(json.loads(json.dumps(answer), parse_float=Decimal))
        return answer

    def got(self, action: str) -> list[dict[str, Any]]:
        """Return the payloads of the calls of one action."""
        return [payload for name, payload in self.calls if name == action]

    def statuses(self, connector: int = 1) -> list[str]:
        """Return the statuses that a connector went through."""
        told = self.got("StatusNotification")
        return [status["status"] for status in told if status["connectorId"] == connector]

    async def _serve(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        async for raw in socket:
            frame = json.loads(raw)
            if frame[0] != 2:
                self.replies[frame[1]] = frame
                continue
            _, message_id, action, payload = frame
            get_validator(MessageType.Call, action, "1.6").validate(payload)
            self.calls.append((action, payload))
            answer = self.answers[action]
            answer = answer(payload) if callable(answer) else answer
            if answer is not None:
                await socket.send(json.dumps([3, message_id, answer]))


async def until(condition: Callable[[], Any], timeout_s: float = 5) -> Any:
    """Return the first truthy value of `condition`, letting the loop work meanwhile."""
    async with asyncio.timeout(timeout_s):
        while not (value := condition()):
            await asyncio.sleep(0.005)
        return value
