"""A provider that knows no credentials module: fixed addresses, access tokens and an API key."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.journeys.nodes import SpreadNode
from tests.journeys.provider import Provider, Scene, limits_of, profile
from tests.peer import Peer
from tests.spec.charging import charging_at
from tests.spec.operator import Operator
from tests.token_endpoint import API_KEY, AUDIENCE, CLIENT_ID, CLIENT_SECRET, TokenEndpoint
from tests.waiting import wait_for

PARTY = ("NL", "JDX")
LIFE_S = 4
ACCEPTED = {"result": "ACCEPTED"}


@dataclass
class Fixed:
    """The provider, its token endpoint on a host of its own, and a session that it steers."""

    scene: Scene
    provider: Provider
    tokens: TokenEndpoint
    session: str

    def ask(self) -> str:
        """Ask for the active profile; return the path at which the result arrives."""
        return self.provider.get(self.session)[1]

    def result(self, path: str) -> str:
        """Return the Authorization of the first result that the provider let in."""

        def found() -> str | None:
            told = self.provider.peer.received("POST", path)
            taken = [one for one in told if one not in self.tokens.refused]
            return next((one.headers["Authorization"] for one in taken), None)

        return wait_for(found, 10) or ""

    def results(self) -> list[str]:
        """Return what the tries at results that are still owed came to."""
        owed = self.scene.node.ask("delivery", "list", "--state", "PENDING")["duties"]
        return [
            one["last_error"] for one in owed if (one["partner_name"], one["kind"]) == ("Jedlix", "result")
        ]

    @property
    def last_error(self) -> str:
        """What the node says of the provider."""
        return str(self.scene.node.ask("partner", "show", "Jedlix")["last_error"])


@pytest.fixture(scope="module")
def fixed(scene: Scene) -> Iterator[Fixed]:
    """Add the provider and let a car charge."""
    with ExitStack() as running:
        tokens = running.enter_context(TokenEndpoint())
        peer = running.enter_context(Peer())
        tokens.guard(peer)
        provider = Provider(scene.node, peer, party=PARTY)
        added = scene.node.ask(
            "partner", "add-static", "--name", "Jedlix", "--party", "-".join(PARTY),
            "--sessions-url", peer.endpoint("sessions", "RECEIVER"),
            "--profiles-url", peer.endpoint("chargingprofiles", "SENDER"),
            "--auth", "oauth2", "--token-url", tokens.url, "--client-id", CLIENT_ID,
            "--client-secret", CLIENT_SECRET, "--audience", AUDIENCE, "--api-key", API_KEY, "--may-steer",
        )  # fmt: skip
        running.callback(scene.node.ask, "partner", "unregister", "Jedlix")
        assert added["sign_in_problem"] == ""
        provider.token = added["token"]
        provider.endpoints = {("chargingprofiles", "RECEIVER"): added["chargingprofiles_url"]}
        charging = running.enter_context(charging_at(scene, "FIXED", evses=1))
        charging.station.start(tag="FIXED", at="2026-01-15T12:00:00Z")
        yield Fixed(charging, provider, tokens, provider.told("FIXED", within_s=5)["id"])


def test_it_is_told_sessions_and_steers_them_with_one_token_for_all(fixed: Fixed) -> None:
    provider, tokens = fixed.provider, fixed.tokens

    _, path = provider.put(fixed.session, profile(6900, unit="W"))

    assert provider.result(path) == ACCEPTED
    assert limits_of(provider.active(fixed.session)[0].body) == [10]
    kinds = {(one.method, one.path.split("/")[3]) for one in provider.peer.requests if "/2.2.1" in one.path}
    assert kinds >= {("PUT", "sessions"), ("PUT", "chargingprofiles")}
    assert {one.headers["Authorization"] for one in provider.peer.requests} == {"Bearer access-1"}
    assert {one.headers["ApiKey"] for one in provider.peer.requests} == {API_KEY}
    assert tokens.refused == []
    assert len(tokens.peer.requests) == 1


def test_a_refused_token_is_replaced_once_and_a_short_one_renewed_before_its_end(fixed: Fixed) -> None:
    tokens = fixed.tokens
    tokens.expires_in = LIFE_S
    tokens.revoked.add("access-1")

    assert fixed.result(fixed.ask()) == "Bearer access-2"
    wait_for(lambda: fixed.result(fixed.ask()) == "Bearer access-3", 2 * LIFE_S, every_s=0.5)

    assert tokens.issued["access-3"] - tokens.issued["access-2"] < LIFE_S
    assert {one.headers["Authorization"] for one in tokens.refused} == {"Bearer access-1"}
    assert list(tokens.issued) == ["access-1", "access-2", "access-3"]


def test_a_result_waits_for_a_token_endpoint_that_fails(fixed: Fixed) -> None:
    tokens = fixed.tokens
    tokens.peer.answer("POST", "/oauth/token", status=400, body={"error": "invalid_client"})
    wait_for(lambda: time.monotonic() > max(tokens.issued.values()) + LIFE_S, 2 * LIFE_S)

    path = fixed.ask()

    reason = f"no token from {tokens.url}: HTTP 400, invalid_client"
    wait_for(lambda: f"sign_in_failed: {reason}" in fixed.results(), 10)
    assert fixed.last_error == f"Signing in failed: {reason}"
    assert fixed.provider.peer.received("POST", path) == []
    tokens.mend()
    assert fixed.result(path).startswith("Bearer access-")
    assert fixed.last_error == ""


def test_it_reads_its_credentials_and_changes_nothing_of_them(fixed: Fixed) -> None:
    url = f"{fixed.scene.node.url}/ocpi/2.2.1/credentials"

    assert fixed.provider.ask("GET", url).json()["data"]["token"] == fixed.provider.token
    for method in ("POST", "PUT", "DELETE"):
        refused = fixed.provider.ask(method, url, json=fixed.provider.credentials())
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET")


def test_secrets_are_seen_nowhere(fixed: Fixed) -> None:
    node = fixed.scene.node
    operator = Operator(node, "looking")
    partner = node.ask("partner", "show", "Jedlix")
    pages = ["partners/partner/", f"partners/partner/{partner['partner']}/change/", "delivery/attempt/"]
    seen = [operator.browser.get(f"{operator.url}/{page}", timeout=10) for page in pages]
    programs = node.programs.values() if isinstance(node, SpreadNode) else [node.program]
    logs = [line for program in programs if program for line in program.errors]

    assert [page.status_code for page in seen] == [200] * len(pages)
    assert (partner["sign_in"], partner["api_key_header"]) == ("oauth2", "ApiKey")
    told = [page.text for page in seen] + [json.dumps(partner), json.dumps(node.ask("delivery", "list"))]
    for secret in (CLIENT_SECRET, API_KEY, fixed.provider.token, *fixed.tokens.issued):
        assert secret not in "\n".join(told + logs)
