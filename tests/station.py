"""A gateway on a real socket, and a charging station that says exactly what a test tells it to."""

from __future__ import annotations

import base64
import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django import db
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from chargers import server
from chargers.bus import bus_from_settings
from tests.ports import free_port
from tests.waiting import wait_for

Reply = dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]] | None


class CallRefused(Exception):
    """The gateway answered with CALLERROR; `frame` is all of it."""

    def __init__(self, frame: list[Any]) -> None:
        super().__init__(f"{frame[2]}: {frame[3]}")
        self.frame = frame
        self.code = frame[2]


@contextmanager
def running_gateway(port: int = 0) -> Iterator[str]:
    """Run a gateway in a thread; yields its address, ws://127.0.0.1:PORT. For tests with transaction=True."""
    port = port or free_port()
    stop, is_ready = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def serve() -> None:
        try:
            server.run(host="127.0.0.1", port=port, bus=bus_from_settings(), stop=stop, on_ready=is_ready.set)
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            failures.append(error)
            is_ready.set()
        finally:
            db.connections.close_all()

    thread = threading.Thread(target=serve, name="gateway")
    thread.start()
    assert is_ready.wait(10), "the gateway did not start"
    try:
        if not failures:
            yield f"ws://127.0.0.1:{port}"
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive(), "the gateway did not stop"
    if failures:
        raise failures[0]


class Station:
    """An OCPP 1.6 station; a context manager.

    `replies` says how it answers our calls: a payload, a function of the request, or None for silence. What
    is not listed gets CALLERROR NotImplemented. Every frame is kept in `received`, our calls in `calls`.
    """

    def __init__(
        self,
        url: str,
        identity: str,
        *,
        password: str | bytes | None = None,
        subprotocols: tuple[str, ...] = ("ocpp1.6",),
        replies: dict[str, Reply] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.replies: dict[str, Reply] = {"GetConfiguration": {"configurationKey": []}, **(replies or {})}
        self.received: list[list[Any]] = []
        self.calls: list[list[Any]] = []
        self._answers: dict[str, list[Any]] = {}
        self._numbers = itertools.count(1)
        self._arrived = threading.Condition()
        headers = dict(headers or {})
        if password is not None:
            secret = password.encode() if isinstance(password, str) else password
            headers["Authorization"] = "Basic " + base64.b64encode(identity.encode() + b":" + secret).decode()
        self._open = ExitStack()
        self.socket: ClientConnection = self._open.enter_context(
            connect(
                f"{url}/{identity}",
                subprotocols=list(subprotocols) or None,  # type: ignore[arg-type]
                additional_headers=headers,
                compression=None,
                ping_interval=None,
                close_timeout=1,
                proxy=None,
            )
        )
        self._reader = threading.Thread(target=self._read, name=f"station {identity}", daemon=True)
        self._reader.start()

    def __enter__(self) -> Station:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave in good order."""
        self._open.close()
        self._reader.join(5)

    def cut(self) -> None:
        """Lose the connection without a word."""
        self.socket.socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(5)

    def call(self, action: str, payload: dict[str, Any] | None = None, *, within_s: float = 5) -> Any:
        """Return the payload of the gateway's answer. Raises CallRefused."""
        message_id = f"station-{next(self._numbers)}"
        self.send([2, message_id, action, payload or {}])
        answer = self.answer_to(message_id, within_s=within_s)
        if answer[0] == 4:
            raise CallRefused(answer)
        return answer[2]

    def send(self, frame: Any) -> None:
        """Send a frame as it is: text and bytes untouched, anything else as JSON."""
        self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    def answer_to(self, message_id: str, *, within_s: float = 5) -> list[Any]:
        """Return the frame that answers a message of ours."""
        with self._arrived:
            is_there = self._arrived.wait_for(lambda: message_id in self._answers, within_s)
            assert is_there, f"no answer to {message_id} within {within_s:g} s; received: {self.received}"
            return self._answers[message_id]

    def called(self, action: str, *, times: int = 1, within_s: float = 5) -> list[Any]:
        """Return the frame of the gateway's n-th call of an action, once it came."""
        return wait_for(
            lambda: [frame for frame in list(self.calls) if frame[2] == action][times - 1 :], within_s
        )[0]

    def is_closed(self) -> bool:
        """Tell whether the gateway closed the socket."""
        return self.socket.close_code is not None

    def boot(self) -> dict[str, Any]:
        """Say that the station started."""
        answer: dict[str, Any] = self.call(
            "BootNotification", {"chargePointVendor": "Acme", "chargePointModel": "One"}
        )
        return answer

    def start(self, *, connector: int = 1, tag: str = "TAG1", meter_wh: int = 1000, at: str = "") -> int:
        """Start a transaction and return its number."""
        answer = self.call(
            "StartTransaction",
            {
                "connectorId": connector,
                "idTag": tag,
                "meterStart": meter_wh,
                "timestamp": at or "2026-01-15T12:00:00Z",
            },
        )
        return int(answer["transactionId"])

    def stop(self, transaction_id: int, *, meter_wh: int = 3000, at: str = "", **fields: Any) -> Any:
        """End a transaction."""
        return self.call(
            "StopTransaction",
            {
                "transactionId": transaction_id,
                "meterStop": meter_wh,
                "timestamp": at or "2026-01-15T13:00:00Z",
                **fields,
            },
        )

    def _read(self) -> None:
        try:
            for raw in self.socket:
                frame = json.loads(raw)
                with self._arrived:
                    self.received.append(frame)
                    if frame[0] == 2:
                        self.calls.append(frame)
                    else:
                        self._answers[frame[1]] = frame
                    self._arrived.notify_all()
                if frame[0] == 2:
                    self._reply(frame)
        except ConnectionClosed:
            return

    def _reply(self, frame: list[Any]) -> None:
        _, message_id, action, payload = frame
        if action not in self.replies:
            self.send([4, message_id, "NotImplemented", "", {}])
            return
        reply = self.replies[action]
        answer = reply(payload) if callable(reply) else reply
        if answer is not None:
            self.send([3, message_id, answer])
