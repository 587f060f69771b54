"""Calling the platform under test, and what came back, kept for the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from ocpi.protocol.headers import authorization, new_message_id

PATIENCE_S = 30
LONGEST_TEXT = 2000
NOTHING: Any = object()


class Unanswered(Exception):
    """The platform gave no HTTP answer; the message says why."""


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `sent` is the body as JSON, None without one."""

    method: str
    url: str
    sent: Any
    request_id: str
    correlation_id: str
    http_status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        """The answer's JSON; None when it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    @property
    def status_code(self) -> int | None:
        """The OCPI status in the envelope."""
        code = self.body.get("status_code") if isinstance(self.body, dict) else None
        return code if isinstance(code, int) else None

    @property
    def data(self) -> Any:
        """The data in the envelope."""
        return self.body.get("data") if isinstance(self.body, dict) else None

    @property
    def is_success(self) -> bool:
        """Whether both HTTP and OCPI say success (OCPI 2.2.1 status_codes)."""
        code = self.status_code
        return 200 <= self.http_status < 300 and code is not None and 1000 <= code < 2000

    def __str__(self) -> str:
        if self.status_code is None:
            return f"HTTP {self.http_status} without an OCPI envelope"
        message = self.body.get("status_message") or ""
        return f"HTTP {self.http_status}, OCPI {self.status_code} {message}".strip()


class Platform:
    """The platform under test; every exchange with it is kept until `take_log`."""

    def __init__(self) -> None:
        self._log: list[Exchange] = []
        self._http = requests.Session()
        self._http.trust_env = False

    def ask(
        self,
        method: str,
        url: str,
        *,
        token: str | None,
        body: Any = NOTHING,
        raw: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """Make one request; `body` goes out as JSON, `raw` as it is. Raises Unanswered."""
        ids = {"X-Request-ID": new_message_id(), "X-Correlation-ID": new_message_id()}
        whole = {**ids, **(headers or {})}
        if token is not None and "Authorization" not in whole:
            whole["Authorization"] = authorization(token)
        content = raw if body is NOTHING else json.dumps(body).encode()
        if content is not None:
            whole["Content-Type"] = "application/json"
        try:
            answer = self._http.request(
                method,
                url,
                params=params,
                data=content,
                headers=whole,
                timeout=PATIENCE_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise Unanswered(f"{method} {url}: no answer ({type(error).__name__})") from error
        exchange = Exchange(
            method=method,
            url=str(answer.request.url),
            sent=None if body is NOTHING else body,
            request_id=whole["X-Request-ID"],
            correlation_id=whole["X-Correlation-ID"],
            http_status=answer.status_code,
            headers=answer.headers,
            text=answer.text[:1_000_000],
        )
        self._log.append(exchange)
        return exchange

    def take_log(self) -> list[Exchange]:
        """Return the exchanges since the last call of this."""
        log, self._log = self._log, []
        return log
