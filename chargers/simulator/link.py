"""OCPP-J as the station speaks it: one call of ours at a time, and theirs answered meanwhile."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

logger = logging.getLogger(__name__)
CALL, RESULT, ERROR = 2, 3, 4
ANSWER_LIMIT_S = 30


class NoAnswer(Exception):
    """No answer came: the socket is lost, or the other end was silent for too long."""


class CallError(Exception):
    """A CALLERROR, theirs or ours."""

    is_foreseen = True

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code
        self.description = description


@dataclass(frozen=True)
class Answer:
    """What we answer to a call, and what happens once the answer is on its way."""

    payload: dict[str, Any]
    then: Callable[[], object] | None = None


class Link:
    """The station's end of the wire, over one socket after another.

    `answer` gives our answer to a call (None: stay silent) or raises CallError; `unreadable` hears of frames
    that are not OCPP.
    """

    def __init__(
        self,
        *,
        answer: Callable[[str, dict[str, Any]], Awaitable[Answer | None]],
        unreadable: Callable[[str], object],
    ) -> None:
        self.is_up = asyncio.Event()
        self._answer = answer
        self._unreadable = unreadable
        self._socket: ClientConnection | None = None
        self._turn = asyncio.Lock()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._answering: set[asyncio.Task[None]] = set()

    async def serve(self, socket: ClientConnection) -> None:
        """Speak over a socket until it is closed."""
        self._socket = socket
        self.is_up.set()
        try:
            async for frame in socket:
                self._take(frame)
        finally:
            self._socket = None
            self.is_up.clear()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(NoAnswer("the socket is lost"))
            for task in self._answering:
                task.cancel()

    async def close(self) -> None:
        """Close the socket, if there is one."""
        if self._socket is not None:
            await self._socket.close()

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a call. Raises NoAnswer, CallError."""
        async with self._turn:
            if self._socket is None:
                raise NoAnswer("there is no socket")
            message_id = str(uuid4())
            future = asyncio.get_running_loop().create_future()
            self._waiting[message_id] = future
            try:
                await self._socket.send(json.dumps([CALL, message_id, action, payload]))
                async with asyncio.timeout(ANSWER_LIMIT_S):
                    result: dict[str, Any] = await future
                    return result
            except ConnectionClosed as lost:
                raise NoAnswer("the socket is lost") from lost
            except TimeoutError as silence:
                raise NoAnswer(f"no answer within {ANSWER_LIMIT_S} s") from silence
            finally:
                del self._waiting[message_id]

    async def insist(self, action: str, payload: dict[str, Any], *, pause_s: float) -> dict[str, Any]:
        """Return the answer to a call, again and again over lost sockets. Raises CallError."""
        while True:
            await self.is_up.wait()
            try:
                return await self.call(action, payload)
            except NoAnswer:
                await asyncio.sleep(pause_s)

    def _take(self, frame: str | bytes) -> None:
        try:
            kind, message_id, *rest = json.loads(frame)
            if kind == CALL:
                action, payload = rest
                task = asyncio.create_task(self._respond(message_id, action, payload))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
                return
            future = self._waiting.get(message_id)
            if future is None or future.done():
                return
            if kind == RESULT:
                future.set_result(rest[0])
            elif kind == ERROR:
                future.set_exception(CallError(str(rest[0]), str(rest[1])))
        except (ValueError, TypeError, IndexError):
            self._unreadable(str(frame))

    async def _respond(self, message_id: str, action: str, payload: dict[str, Any]) -> None:
        then = None
        try:
            answer = await self._answer(action, payload)
            if answer is None:
                return
            frame: list[Any] = [RESULT, message_id, answer.payload]
            then = answer.then
        except CallError as error:
            frame = [ERROR, message_id, error.code, error.description, {}]
        except Exception as error:  # a bug here must be seen at both ends, not end in silence
            logger.exception("The simulated station failed to answer %s", action)
            frame = [ERROR, message_id, "InternalError", repr(error), {}]
        if self._socket is not None:
            # What was answered happens, even when nobody hears the answer any more.
            with suppress(ConnectionClosed):
                await self._socket.send(json.dumps(frame))
        if then is not None:
            then()
