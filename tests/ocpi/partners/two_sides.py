"""The node as partners see it: over real HTTP, and a partner's platform with its own credentials module."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import requests
from django.utils import timezone

from ocpi.partners.handshake import invite
from ocpi.partners.handshake import register as register_at
from ocpi.partners.models import Partner
from tests.peer import Peer

CREDENTIALS = "2.2.1/credentials"
ENDPOINTS = [("credentials", "RECEIVER"), ("sessions", "RECEIVER"), ("chargingprofiles", "SENDER")]


def authorization(token: str) -> dict[str, str]:
    """Return the header that shows a token."""
    return {"Authorization": "Token " + base64.b64encode(token.encode()).decode()}


def role(party_id: str = "JED", **fields: Any) -> dict[str, Any]:
    """Return a CredentialsRole of an SCSP in the Netherlands."""
    return {
        "role": "SCSP",
        "country_code": "NL",
        "party_id": party_id,
        "business_details": {"name": "Jedlix"},
        **fields,
    }


@dataclass
class Node:
    """Our node, called over HTTP with a token."""

    url: str

    def call(self, method: str, path: str, token: str | None = None, body: Any = None, **headers: str) -> Any:
        """Call an address of the node; return the response of `requests`."""
        shown = authorization(token) if token else {}
        return requests.request(
            method, f"{self.url}/ocpi/{path}", headers={**shown, **headers}, json=body, timeout=20
        )

    def opens(self, token: str, path: str = "2.2.1/functional") -> bool:
        """Tell whether a token opens an address of the node."""
        return self.call("GET", path, token).status_code == 200


@dataclass
class Platform:
    """A partner's platform: publishes, and calls our node back during its POST and PUT as OCPI demands."""

    peer: Peer
    issued: str = "token-c"
    received: list[str] = field(default_factory=list)
    called_back: list[int] = field(default_factory=list)

    def credentials(self, token: str = "token-b", **fields: Any) -> dict[str, Any]:
        """Return its Credentials object, for us to use `token`."""
        return {"token": token, "url": f"{self.peer.url}/versions", "roles": [role()], **fields}

    def answers(self, method: str) -> None:
        """Answer this method of the credentials module as OCPI demands."""
        self.peer.answer(method, "/2.2.1", body=self.take_credentials)

    def take_credentials(self, request: Any) -> dict[str, Any]:
        """Answer a POST or PUT: call back with the token in it, then give `issued`."""
        self.received.append(request.body["token"])
        answer = requests.get(request.body["url"], headers=authorization(request.body["token"]), timeout=5)
        self.called_back.append(answer.status_code)
        return {
            "status_code": 1000,
            "data": self.credentials(self.issued),
            "timestamp": "2026-01-01T00:00:00Z",
        }


def answered(data: Any, status_code: int = 1000) -> dict[str, Any]:
    """Return an OCPI envelope."""
    return {"status_code": status_code, "data": data, "timestamp": "2026-01-01T00:00:00Z"}


def invited(**fields: Any) -> str:
    fields = {"name": "Jedlix", "may_steer": False, "response_hosts": [], "now": timezone.now()} | fields
    return invite(**fields).token


def register(node: Node, platform: Platform) -> str:
    """Register a partner and return its token C."""
    return node.call("POST", CREDENTIALS, invited(), platform.credentials()).json()["data"]["token"]


def outcome(response: Any) -> tuple[int, int]:
    return response.status_code, response.json()["status_code"]


def registered(platform: Platform, *, answers: bool = True, **fields: Any) -> Partner:
    """Register at a platform, which answers POST as it should unless it was told how."""
    if answers:
        platform.answers("POST")
    wanted = {"name": "Jedlix", "may_steer": False, "now": timezone.now()} | fields
    return register_at(versions_url=f"{platform.peer.url}/versions", token="token-a", **wanted)
