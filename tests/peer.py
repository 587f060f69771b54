"""Another OCPI platform for tests: a real HTTP server that records what it is asked and answers as told."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from requests.structures import CaseInsensitiveDict

from tests.ports import PORTS
from tests.waiting import wait_for

# Below the ports that the system gives to outgoing connections, and none that our client refuses.
TIMESTAMP = "2026-01-15T12:00:00Z"


@dataclass(frozen=True)
class Recorded:
    """One request as it came; `body` is its JSON, or its text when it is none."""

    method: str
    path: str
    query: dict[str, str]
    headers: CaseInsensitiveDict[str]
    body: Any
    at: float


@dataclass(frozen=True)
class Answer:
    """What to answer to requests with this method below this path."""

    method: str
    path: str
    status: int
    body: Any
    headers: Mapping[str, str]
    delay: float

    def fits(self, method: str, path: str) -> bool:
        return self.method in {method, "*"} and path.startswith(self.path)


def enveloped(data: Any = None, status_code: int = 1000, **fields: Any) -> dict[str, Any]:
    """Return an envelope; None leaves `data` out."""
    body = {"status_code": status_code, "timestamp": TIMESTAMP, **fields}
    return body if data is None else {"data": data, **body}


class Peer:
    """A partner's platform at `url`; use it as a context manager.

    Requests are in `requests`, oldest first. Without other instruction it answers 200 with an envelope 1000.
    """

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self._answers: list[Answer] = []
        self._stopping = threading.Event()
        self._server = _listen(self)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(
        self,
        method: str,
        path: str = "/",
        *,
        status: int = 200,
        body: Any = None,
        data: Any = None,
        status_code: int = 1000,
        headers: Mapping[str, str] | None = None,
        delay: float = 0,
    ) -> None:
        """Answer requests with `method` ("*" for any) whose path begins with `path`; the last told wins.

        `body` is the whole JSON, bytes to send as they are, or a function of the Recorded request returning
        either, (status, either) or (status, either, headers). Without `body` an envelope with `data` and
        `status_code` goes out.
        `delay` is in seconds.
        """
        whole = enveloped(data, status_code) if body is None else body
        self._answers.append(Answer(method, path, status, whole, dict(headers or {}), delay))

    def publish(
        self, version: str = "2.2.1", endpoints: Iterable[tuple[str, str]] = (("credentials", "SENDER"),)
    ) -> None:
        """Serve /versions and the details of one version, with these (identifier, role)s as endpoints."""
        details = {
            "version": version,
            "endpoints": [
                {"identifier": identifier, "role": role, "url": self.endpoint(identifier, role, version)}
                for identifier, role in endpoints
            ],
        }
        self.answer("GET", "/versions", data=[{"version": version, "url": f"{self.url}/{version}"}])
        details_path = f"/{version}"
        self.answer(
            "GET",
            details_path,
            body=lambda request: enveloped(details if request.path.strip("/") == version else None),
        )

    def endpoint(self, identifier: str, role: str, version: str = "2.2.1") -> str:
        """Return the address of an endpoint, the same that tests.factories.make_partner gives."""
        return f"{self.url}/{version}/{role.lower()}/{identifier}"

    def received(self, method: str = "*", path: str = "/") -> list[Recorded]:
        """Return the requests with this method ("*" for any) whose path begins with `path`."""
        found = list(self.requests)
        return [one for one in found if method in {one.method, "*"} and one.path.startswith(path)]

    def wait_for(
        self, method: str = "*", path: str = "/", *, count: int = 1, timeout_s: float = 5
    ) -> list[Recorded]:
        """Return the requests once there are at least `count`. Raises AssertionError after `timeout_s`."""

        def enough() -> list[Recorded] | None:
            found = self.received(method, path)
            return found if len(found) >= count else None

        return wait_for(enough, timeout_s) or []

    def _respond(self, request: Recorded) -> tuple[int, bytes, Mapping[str, str]]:
        fitting = [answer for answer in self._answers if answer.fits(request.method, request.path)]
        answer = fitting[-1] if fitting else Answer("*", "/", 200, enveloped(), {}, 0)
        if answer.delay:
            self._stopping.wait(answer.delay)
        status, body, headers = answer.status, answer.body, answer.headers
        if isinstance(body, Callable):  # type: ignore[arg-type]
            body = body(request)
        if isinstance(body, tuple):
            status, body, *more = body
            headers = more[0] if more else headers
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return status, raw, headers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An idle connection must not keep a test waiting.
    timeout = 5
    peer: Peer

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw.decode(errors="replace")
        request = Recorded(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=CaseInsensitiveDict(self.headers.items()),
            body=body,
            at=time.monotonic(),
        )
        self.peer.requests.append(request)
        status, answer, headers = self.peer._respond(request)
        self.send_response(status)
        for name in ("X-Request-ID", "X-Correlation-ID"):
            if name in request.headers:
                self.send_header(name, request.headers[name])
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if status != 204:
            self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - named by http.server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of what is tested."""


def _listen(peer: Peer) -> _Server:
    handler = type("Handler", (_Handler,), {"peer": peer})
    for port in random.sample(PORTS, 200):
        try:
            return _Server(("127.0.0.1", port), handler)
        except OSError:
            continue
    raise OSError("no free port")
