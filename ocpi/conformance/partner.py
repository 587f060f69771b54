"""Our side of the partnership: a small OCPI platform that the platform under test calls back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from ocpi.protocol.headers import token_candidates
from ocpi.protocol.times import format_datetime

VERSION = "2.2.1"
ENDPOINTS = [
    ("credentials", "SENDER"),
    ("locations", "SENDER"),
    ("locations", "RECEIVER"),
    ("sessions", "SENDER"),
    ("sessions", "RECEIVER"),
    ("chargingprofiles", "SENDER"),
    ("chargingprofiles", "RECEIVER"),
]


@dataclass(frozen=True)
class Call:
    """One call that the platform made to us."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    at: float

    @property
    def tokens(self) -> list[str]:
        """What the Authorization header may mean."""
        return token_candidates(self.headers.get("Authorization"))


class Partner:
    """Serves versions and details below `url`, takes everything else with 1000, and keeps what it got.

    `is_broken`, `versions` and `endpoints` may be changed between calls: what a platform then answers to a
    registration is part of what is tested. A context manager.
    """

    def __init__(self, listen: tuple[str, int], url: str) -> None:
        self.calls: list[Call] = []
        self.is_broken = False
        self.versions = [VERSION]
        self.endpoints = list(ENDPOINTS)
        handler = type("Handler", (_Handler,), {"partner": self})
        self._server = ThreadingHTTPServer(listen, handler)
        host, port = str(self._server.server_address[0]), int(self._server.server_address[1])
        self.url = url.rstrip("/") or f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def got(self, method: str, path: str) -> list[Call]:
        """Return the calls with this method below this path."""
        return [call for call in list(self.calls) if call.method == method and call.path.startswith(path)]

    def wait_for(self, method: str, path: str, *, within_s: float) -> list[Call]:
        """Return the calls once there is one, or none when the time is over."""
        ends_at = time.monotonic() + within_s
        while not (found := self.got(method, path)) and time.monotonic() < ends_at:
            time.sleep(0.05)
        return found

    def answer(self, path: str) -> tuple[int, Any]:
        """Return the HTTP status and the data for a GET."""
        if self.is_broken:
            return 500, None
        if path == "/versions":
            return 200, [{"version": name, "url": f"{self.url}/{name}"} for name in self.versions]
        if path.strip("/") in self.versions:
            endpoints = [
                {"identifier": module, "role": role, "url": f"{self.url}/{module}/{role.lower()}"}
                for module, role in self.endpoints
            ]
            return 200, {"version": path.strip("/"), "endpoints": endpoints}
        return 200, []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    partner: Partner

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw.decode(errors="replace")
        path = urlsplit(self.path).path
        self.partner.calls.append(Call(self.command, path, dict(self.headers), body, time.monotonic()))
        http_status, data = self.partner.answer(path) if self.command == "GET" else (200, None)
        envelope: dict[str, Any] = {"status_code": 1000 if http_status == 200 else 3000}
        if data is not None:
            envelope["data"] = data
        content = json.dumps(envelope | {"timestamp": format_datetime(datetime.now(UTC))}).encode()
        self.send_response(http_status)
        for name in ("X-Request-ID", "X-Correlation-ID"):
            if self.headers.get(name):
                self.send_header(name, self.headers[name])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - named by http.server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the report does."""
