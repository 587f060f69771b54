"""A platform that invited the node, and takes its credentials as OCPI demands."""

from __future__ import annotations

from typing import Any

from tests.journeys.provider import Provider
from tests.peer import Recorded, enveloped

TOKEN_A = "token-a"


class Host(Provider):
    """Answers POST and PUT of credentials: calls back with the token in them, then gives `issues`."""

    issues = "token-c"

    def open(self) -> None:
        """Publish three versions, of which the node speaks one, and take credentials."""
        self.peer.publish(endpoints=self.offered)
        others = [{"version": one, "url": f"{self.peer.url}/{one}"} for one in ("2.1.1", "2.2", "2.3.0")]
        ours = {"version": "2.2.1", "url": f"{self.peer.url}/2.2.1"}
        self.peer.answer("GET", "/versions", data=[*others[:2], ours, others[2]])
        self.called_back: list[tuple[int, int]] = []
        for method in ("POST", "PUT"):
            self.peer.answer(method, "/2.2.1/sender/credentials", body=self.take)

    def join(self) -> dict[str, Any]:
        """Let the node register here. Raises StepFailed with its reason."""
        versions_url = f"{self.peer.url}/versions"
        joined = self.node.ask(
            "partner", "register", "--name", self.party[1], "--versions-url", versions_url, "--token", TOKEN_A
        )
        self.partner_id = joined["partner"]
        return joined

    def calls(self) -> list[tuple[str, str, str]]:
        """Return what the node called: method, path and Authorization."""
        return [(one.method, one.path, one.headers["Authorization"]) for one in self.peer.requests]

    def take(self, request: Recorded) -> dict[str, Any]:
        self.token = request.body["token"]
        versions = self.ask("GET", request.body["url"])
        details = self.ask("GET", versions.json()["data"][0]["url"])
        self.called_back.append((versions.status_code, details.status_code))
        return enveloped(self.credentials(token=self.issues))
