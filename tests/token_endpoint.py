"""A token endpoint (RFC 6749, 4.4) on a host of its own, and a partner that lets in only with its tokens."""

from __future__ import annotations

import time
from typing import Any, Self
from urllib.parse import parse_qsl

from tests.peer import Peer, Recorded, enveloped

CLIENT_ID = "our-client"
CLIENT_SECRET = "our-client-secret"
AUDIENCE = "https://ocpi.example.com"
API_KEY = "our-api-key"
FORM = {
    "grant_type": "client_credentials",
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "audience": AUDIENCE,
}


class TokenEndpoint:
    """Gives the tokens access-1, access-2, … to whoever sends FORM; use it as a context manager."""

    def __init__(self, *, expires_in: Any = 3600) -> None:
        self.peer = Peer()
        self.expires_in = expires_in
        self.issued: dict[str, float] = {}
        self.revoked: set[str] = set()
        self.refused: list[Recorded] = []
        self.mend()
        self.url = f"{self.peer.url}/oauth/token"

    def __enter__(self) -> Self:
        self.peer.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.peer.__exit__(*error)

    def mend(self) -> None:
        """Give tokens, also after `peer.answer` told otherwise."""
        self.peer.answer("POST", "/oauth/token", body=self._answer)

    def lets_in(self, request: Recorded) -> bool:
        """Tell whether a request carries a living token, and the API key."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        is_good = scheme == "Bearer" and token in self.issued and token not in self.revoked
        return is_good and request.headers.get("ApiKey") == API_KEY

    def guard(self, partner: Peer) -> None:
        """Let a partner's platform answer 401 to everybody else."""
        partner.answer("*", "/", body=self._guarded)

    def _guarded(self, request: Recorded) -> Any:
        if self.lets_in(request):
            return enveloped()
        self.refused.append(request)
        return 401, enveloped(status_code=2001)

    def _answer(self, request: Recorded) -> Any:
        is_form = request.headers.get("Content-Type") == "application/x-www-form-urlencoded"
        if not is_form or dict(parse_qsl(str(request.body))) != FORM:
            return 401, {"error": "invalid_client", "error_description": f"Wrong: {request.body}"}
        token = f"access-{len(self.issued) + 1}"
        self.issued[token] = time.monotonic()
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in}
        return 200, {name: value for name, value in answer.items() if value is not None}
