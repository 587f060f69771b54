"""OCPI 2.2.1 credentials, as the platform that starts: registering at a host, new tokens, and the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from demo.processes import StepFailed
from ocpi.protocol.headers import authorization
from tests.factories import CPO_ENDPOINTS
from tests.journeys.nodes import Node
from tests.peer import Peer, Recorded, enveloped
from tests.spec.answers import OUR_ROLES, routing_in, status
from tests.spec.hosting import TOKEN_A, Host

CREDENTIALS = "/2.2.1/sender/credentials"
IDS = ("X-Request-ID", "X-Correlation-ID")


@pytest.fixture
def host(node: Node) -> Iterator[Host]:
    """A CPO that invited the node."""
    with Peer() as peer:
        host = Host(node, peer, party=("BE", "HST"), role="CPO", endpoints=CPO_ENDPOINTS)
        host.open()
        yield host


def own_credentials(node: Node, token: str) -> dict[str, Any]:
    """Return the credentials of the node with a token."""
    return {"token": token, "url": f"{node.url}/ocpi/versions", "roles": OUR_ROLES}


def test_we_register_renew_and_end_as_the_diagrams_show(node: Node, host: Host) -> None:
    endpoint = f"{node.url}/ocpi/2.2.1/credentials"

    joined = host.join()

    # Of four versions the one that both speak; the token in the POST opens before the POST is answered.
    token_b = host.token
    assert (joined["status"], joined["version"]) == ("registered", "2.2.1")
    assert host.calls() == [
        ("GET", "/versions", authorization(TOKEN_A)),
        ("GET", "/2.2.1", authorization(TOKEN_A)),
        ("POST", CREDENTIALS, authorization(TOKEN_A)),
    ]
    assert host.peer.requests[-1].body == own_credentials(node, token_b)
    assert host.called_back == [(200, 200)]
    assert host.ask("GET", endpoint).json()["data"] == own_credentials(node, token_b)

    # From now on their token C; the PUT renews both, where their credentials are by then.
    host.issues = "token-c2"
    node.ask("partner", "rotate", str(host.partner_id))
    token_b2 = host.token
    assert host.calls()[3:] == [
        ("GET", "/versions", authorization("token-c")),
        ("GET", "/2.2.1", authorization("token-c")),
        ("PUT", CREDENTIALS, authorization("token-c")),
    ]
    assert host.peer.requests[-1].body == own_credentials(node, token_b2)
    assert host.called_back == [(200, 200)] * 2
    assert host.ask("GET", endpoint).json()["data"] == own_credentials(node, token_b2)
    host.token = token_b
    assert status(host.ask("GET", endpoint)) == (401, 2000)

    ended = node.ask("partner", "unregister", str(host.partner_id))
    assert (ended["status"], ended["confirmed"]) == ("ended", True)
    assert host.calls()[6:] == [("DELETE", CREDENTIALS, authorization("token-c2"))]
    host.token = token_b2
    assert status(host.ask("GET", endpoint)) == (401, 2000)

    # Credentials are no functional module: message ids, and no routing.
    assert [routing_in(one.headers) for one in host.peer.requests] == [{}] * 7
    assert len({one.headers[name] for one in host.peer.requests for name in IDS}) == 14
    assert all(re.fullmatch(r"[!-~]{1,64}", token) for token in (token_b, token_b2))
    assert len({TOKEN_A, token_b, token_b2}) == 3


@pytest.mark.parametrize(
    ("version", "endpoints", "reason"),
    [("2.2.1", CPO_ENDPOINTS[1:], "lists no credentials endpoint"), ("2.1.1", CPO_ENDPOINTS, "offers 2.1.1")],
    ids=["endpoint", "version"],
)
def test_no_credentials_are_sent_where_something_is_missing(
    host: Host, version: str, endpoints: list[tuple[str, str]], reason: str
) -> None:
    host.peer.publish(version, endpoints)

    with pytest.raises(StepFailed, match=reason):
        host.join()

    assert host.peer.received("POST") == []


def test_a_token_that_the_host_refused_opens_nothing(node: Node, host: Host) -> None:
    def refuse(request: Recorded) -> dict[str, Any]:
        host.token = request.body["token"]
        return enveloped(status_code=3001)

    host.peer.answer("POST", CREDENTIALS, body=refuse)

    with pytest.raises(StepFailed, match="OCPI 3001"):
        host.join()

    assert host.token
    assert status(host.ask("GET", f"{node.url}/ocpi/versions")) == (401, 2000)


def test_a_renewal_follows_them_to_new_addresses_and_changes_nothing_where_ours_are_not_taken(
    node: Node, host: Host
) -> None:
    host.join()
    token_b = host.token

    # They have dropped the version that we speak: nothing is sent.
    host.peer.answer("GET", "/versions", data=[{"version": "2.3.0", "url": f"{host.peer.url}/2.3.0"}])
    with pytest.raises(StepFailed, match=r"nothing changed: We speak 2\.2\.1; .* offers 2\.3\.0"):
        node.ask("partner", "rotate", str(host.partner_id))
    assert host.peer.received("PUT") == []
    before = node.ask("partner", "show", str(host.partner_id))
    assert before["status"] == "registered"

    # They can't use our side, or say so.
    host.open()
    for code in (3001, 3002, 3003):
        host.peer.answer("PUT", CREDENTIALS, status_code=code)
        with pytest.raises(StepFailed, match=f"nothing changed: HTTP 200, OCPI {code}"):
            node.ask("partner", "rotate", str(host.partner_id))
    assert status(host.ask("GET", f"{node.url}/ocpi/versions")) == (200, 1000)
    assert host.token == token_b

    # They have moved, and say so in their details only.
    moved = {"identifier": "credentials", "role": "SENDER", "url": f"{host.peer.url}/moved"}
    host.peer.answer("GET", "/2.2.1", data={"version": "2.2.1", "endpoints": [moved]})
    host.peer.answer("PUT", "/moved", body=host.take)
    shown = node.ask("partner", "rotate", str(host.partner_id))
    assert shown["endpoints"] == [moved]
    assert shown["endpoints_changed_at"] > before["endpoints_changed_at"]
    assert status(host.ask("GET", f"{node.url}/ocpi/2.2.1/credentials")) == (200, 1000)
    node.ask("partner", "unregister", str(host.partner_id))
