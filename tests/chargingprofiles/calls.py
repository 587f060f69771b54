"""How a partner calls the node, and what it sends."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.test import Client
from django.utils import timezone

from tests.factories import iso

RECEIVER = "/ocpi/2.2.1/receiver/chargingprofiles"
ANSWER_URL = "https://scsp.example/answer/1"


def call(method: str, path: str, body: Any = None, *, token: str = "steerer", **headers: str) -> Any:
    """Call the node as a partner; `body` is sent as JSON, or as it is when it is bytes."""
    encoded = base64.b64encode(token.encode()).decode()
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Client().generic(
        method,
        path,
        raw,
        content_type="application/json",
        headers={"authorization": f"Token {encoded}", **headers},
    )


def profile(**fields: Any) -> dict[str, Any]:
    """Return a ChargingProfile that began a minute ago: 16 A, after an hour 10 A."""
    return {
        "start_date_time": iso(timezone.now() - timedelta(minutes=1)),
        "charging_rate_unit": "A",
        "charging_profile_period": [
            {"start_period": 0, "limit": 16.0},
            {"start_period": 3600, "limit": 10.0},
        ],
        **fields,
    }


def said(response: Any) -> tuple[int, int, Any]:
    """Return (HTTP status, OCPI status, data) of an answer; data is "absent" when there is none."""
    envelope = response.json()
    return response.status_code, envelope["status_code"], envelope.get("data", "absent")


def put(session_id: str, *, response_url: str = ANSWER_URL, token: str = "steerer", **fields: Any) -> Any:
    """Set a profile, that of `profile(**fields)`."""
    body = {"charging_profile": profile(**fields), "response_url": response_url}
    return call("PUT", f"{RECEIVER}/{session_id}", body, token=token)


def delete(session_id: str, *, response_url: str = ANSWER_URL, token: str = "steerer") -> Any:
    """Clear the profile."""
    return call("DELETE", f"{RECEIVER}/{session_id}?response_url={quote(response_url, safe='')}", token=token)


def get(
    session_id: str, *, duration: object = 900, response_url: str = ANSWER_URL, token: str = "steerer"
) -> Any:
    """Ask for the active profile."""
    query = f"duration={duration}&response_url={quote(response_url, safe='')}"
    return call("GET", f"{RECEIVER}/{session_id}?{query}", token=token)
