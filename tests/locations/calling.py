"""A partner that calls our OCPI endpoints, for tests of views."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.test import Client

from ocpi.protocol.headers import Routing

EXAMPLES = Path(__file__).parent.parent / "fixtures" / "ocpi-2.2.1-examples"


def example(name: str) -> Any:
    """Return an example of the specification."""
    return json.loads((EXAMPLES / f"{name}.json").read_text())


class Calls:
    """Calls below one endpoint; most return the HTTP status and the envelope without its timestamp.

    With `to_party` and `from_party` they have routing headers.
    """

    def __init__(
        self,
        endpoint: str,
        token: str,
        *,
        to_party: tuple[str, str] | None = None,
        from_party: tuple[str, str] = ("DE", "ONE"),
    ) -> None:
        self.endpoint = f"/ocpi/2.2.1/{endpoint}"
        self.headers = {"Authorization": f"Token {base64.b64encode(token.encode()).decode()}"}
        if to_party:
            self.headers |= Routing(*to_party, *from_party).headers

    def raw(self, method: str, path: str = "", body: Any = None) -> HttpResponse:
        """Return Django's response; `body` is sent as JSON unless it is bytes."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return Client().generic(
            method,
            self.endpoint + path,
            content,
            content_type="application/json",
            headers=self.headers,
        )

    def call(self, method: str, path: str = "", body: Any = None) -> tuple[int, dict[str, Any]]:
        """Return the HTTP status and the envelope, without timestamp and without "Success"."""
        response = self.raw(method, path, body)
        envelope = json.loads(response.content)
        del envelope["timestamp"]
        if envelope["status_code"] == 1000:
            del envelope["status_message"]
        return response.status_code, envelope

    def get(self, path: str = "") -> tuple[int, dict[str, Any]]:
        """GET."""
        return self.call("GET", path)

    def put(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        """PUT."""
        return self.call("PUT", path, body)

    def patch(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        """PATCH."""
        return self.call("PATCH", path, body)

    def status(self, method: str, path: str, body: Any = None) -> tuple[int, int]:
        """Return the HTTP and the OCPI status."""
        http_status, envelope = self.call(method, path, body)
        return http_status, envelope["status_code"]
