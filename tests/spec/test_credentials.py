"""OCPI 2.2.1 credentials, as the platform that invited: POST, GET, PUT and DELETE of partners."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from ocpi.protocol.headers import authorization
from tests.factories import SCSP_ENDPOINTS
from tests.journeys.nodes import Node
from tests.journeys.provider import Provider, Scene, registered
from tests.peer import Peer, Recorded
from tests.spec.answers import OUR_PARTY, OUR_ROLES, routing, routing_in, said, status

TOKEN = re.compile(r"[!-~]{1,64}")
NOTHING_SAID = {"body": b"<html>"}
PUSHED = "/2.2.1/receiver/locations/NL/SPC/SPEC/SPEC-1-"


def role(party_id: str, **fields: Any) -> dict[str, Any]:
    """Return the role of an SCSP in Belgium."""
    details = {"name": "Guest"}
    return {"role": "SCSP", "country_code": "BE", "party_id": party_id, "business_details": details, **fields}


def invited(node: Node, peer: Peer, party_id: str) -> Provider:
    """Return a partner that has a token A only."""
    partner = Provider(node, peer, party=("BE", party_id))
    partner.endpoints = {("credentials", "SENDER"): f"{node.url}/ocpi/2.2.1/credentials"}
    invitation = node.ask("partner", "invite", "--name", party_id)
    partner.partner_id, partner.token = invitation["partner"], invitation["token"]
    peer.publish(endpoints=SCSP_ENDPOINTS)
    return partner


@pytest.fixture(scope="module")
def guest(node: Node) -> Iterator[Provider]:
    """A partner that never gets further than its token A."""
    with Peer() as peer:
        yield invited(node, peer, "CRG")


@pytest.fixture
def newcomer(node: Node) -> Iterator[Provider]:
    """A partner with a fresh token A."""
    with Peer() as peer:
        yield invited(node, peer, "CRN")


@pytest.fixture(scope="module")
def member(node: Node) -> Iterator[Provider]:
    """A registered partner of this section's own."""
    with registered(node, "--may-steer", party=("BE", "CRM")) as partner:
        yield partner
        # Nobody listens there any more.
        partner.ask("DELETE", partner.credentials_url)


def credentials(partner: Provider, method: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    """Call our credentials; return the HTTP status and the envelope."""
    return said(partner.ask(method, partner.credentials_url, **fields))


def opened(partner: Provider, token: str) -> list[int]:
    """Return the HTTP statuses that a token gets at versions, credentials and a functional module."""
    header = {"Authorization": authorization(token)}
    paths = ["/ocpi/versions", "/ocpi/2.2.1/credentials", "/ocpi/2.2.1/sender/sessions"]
    return [partner.ask("GET", partner.node.url + path, headers=header).status_code for path in paths]


def ours(node: Node, token: str) -> tuple[int, dict[str, Any]]:
    """Return the answer with the node's credentials."""
    data = {"token": token, "url": f"{node.url}/ocpi/versions", "roles": OUR_ROLES}
    return 200, {"data": data, "status_code": 1000}


def next_push(scene: Scene, partner: Provider) -> Recorded:
    """Let an EVSE change and return the push of it that the partner gets."""
    connector = next(scene.connectors)
    told = {"connectorId": connector, "errorCode": "NoError", "status": "Faulted"}
    scene.station.call("StatusNotification", told)
    return partner.peer.wait_for("PATCH", f"{PUSHED}{connector}", timeout_s=10)[0]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_who_is_not_registered_may_only_read_and_post(guest: Provider, method: str) -> None:
    answer = guest.ask(method, guest.credentials_url, json=guest.credentials())

    assert said(answer) == (405, {"status_code": 2000})
    assert method not in answer.headers["Allow"]
    assert credentials(guest, "GET") == ours(guest.node, guest.token)


@pytest.mark.parametrize(
    ("path", "answer", "status_code"),
    [
        ("/versions", {"status": 500, "status_code": 3000}, 3001),
        ("/versions", {"status": 401, "status_code": 2000}, 3001),
        ("/versions", NOTHING_SAID, 3001),
        ("/versions", {"data": {"version": "2.2.1"}}, 3001),
        ("/versions", {"data": [], "status_code": 2000}, 3001),
        ("/2.2.1", {"status": 404, "status_code": 2000}, 3001),
        ("/2.2.1", NOTHING_SAID, 3001),
        ("/versions", {"data": [{"version": "2.1.1", "url": "http://127.0.0.1:8999/2.1.1"}]}, 3002),
        ("/versions", {"data": []}, 3002),
        ("/2.2.1", {"data": {"version": "2.2.1", "endpoints": []}}, 3003),
    ],
)
def test_whose_platform_we_can_not_use_stays_invited(
    guest: Provider, path: str, answer: dict[str, Any], status_code: int
) -> None:
    guest.peer.publish(endpoints=SCSP_ENDPOINTS)
    guest.peer.answer("GET", path, **answer)

    assert credentials(guest, "POST", json=guest.credentials()) == (200, {"status_code": status_code})
    assert opened(guest, guest.token) == [200, 200, 401]


def test_whose_platform_does_not_listen_stays_invited(guest: Provider) -> None:
    with Peer() as gone:
        nowhere = guest.credentials(url=f"{gone.url}/versions")

    assert credentials(guest, "POST", json=nowhere) == (200, {"status_code": 3001})
    assert opened(guest, guest.token) == [200, 200, 401]


@pytest.mark.parametrize(
    "wrong",
    [
        {"roles": []},
        {"roles": None},
        {"roles": [role("CRG"), role("crg")]},
        {"roles": [role("CRG"), role("CRX", role="CPO"), role("CRX", role="CPO")]},
        {"roles": [role("CRG", business_details=None)]},
        {"roles": [role("CRG", role="PILOT")]},
        {"token": "with a space"},
        {"token": "a" * 65},
        {"url": None},
    ],
)
def test_wrong_credentials_get_2001_and_no_call(guest: Provider, wrong: dict[str, Any]) -> None:
    asked_before = len(guest.peer.requests)

    assert credentials(guest, "POST", json=guest.credentials(**wrong)) == (200, {"status_code": 2001})
    assert len(guest.peer.requests) == asked_before
    assert opened(guest, guest.token) == [200, 200, 401]


def test_a_registration_gives_a_new_token_and_ends_the_invitation(node: Node, newcomer: Provider) -> None:
    token_a, token_b = newcomer.token, newcomer.credentials()["token"]
    roles = [role("CRN"), role("CRO"), role("CRN", role="CPO")]
    assert token_a not in str(node.ask("partner", "show", str(newcomer.partner_id)))

    answer = newcomer.ask(
        "POST",
        newcomer.credentials_url,
        json=newcomer.credentials(roles=roles),
        headers=routing(OUR_PARTY, ("BE", "CRN")),
    )

    token_c = answer.json()["data"]["token"]
    assert said(answer) == ours(node, token_c)
    assert TOKEN.fullmatch(token_c)
    assert len({token_a, token_b, token_c}) == 3
    called = [(one.method, one.path, one.headers["Authorization"]) for one in newcomer.peer.requests]
    assert called == [("GET", "/versions", authorization(token_b)), ("GET", "/2.2.1", authorization(token_b))]
    # Ids, and no routing: credentials are a configuration module.
    assert [routing_in(one.headers) for one in newcomer.peer.requests] == [{}, {}]
    assert all(
        one.headers["X-Request-ID"] and one.headers["X-Correlation-ID"] for one in newcomer.peer.requests
    )
    assert routing_in(answer.headers) == {}
    assert (answer.headers["X-Request-ID"], answer.headers["X-Correlation-ID"]) == (
        "request-1",
        "correlation-1",
    )
    assert opened(newcomer, token_a) == [401, 401, 401]
    assert opened(newcomer, token_c) == [200, 200, 200]


def test_who_is_registered_can_not_post_or_patch(member: Provider) -> None:
    asked_before = len(member.peer.received("GET", "/versions"))

    for method in ("POST", "PATCH"):
        answer = credentials(member, method, json=member.credentials(token="another"))
        assert answer == (405, {"status_code": 2000})

    assert credentials(member, "GET") == ours(member.node, member.token)
    assert len(member.peer.received("GET", "/versions")) == asked_before


def test_a_put_renews_both_tokens(scene: Scene, member: Provider) -> None:
    old = member.token
    member.peer.requests.clear()

    answer = credentials(member, "PUT", json=member.credentials(token="token-b2"))

    member.token = answer[1]["data"]["token"]
    assert answer == ours(member.node, member.token)
    renewed = authorization("token-b2")
    read = [one.path for one in member.peer.received("GET") if one.headers["Authorization"] == renewed]
    assert read == ["/versions", "/2.2.1"]
    assert opened(member, old) == [401, 401, 401]
    assert opened(member, member.token) == [200, 200, 200]
    assert next_push(scene, member).headers["Authorization"] == renewed


@pytest.mark.parametrize(
    ("path", "answer", "status_code"),
    [
        ("/versions", {"status": 500, "status_code": 3000}, 3001),
        ("/versions", {"data": []}, 3002),
        ("/2.2.1", {"data": {"version": "2.2.1", "endpoints": []}}, 3003),
    ],
)
def test_a_put_that_fails_leaves_all_as_it_was(
    scene: Scene, member: Provider, path: str, answer: dict[str, Any], status_code: int
) -> None:
    used = next_push(scene, member).headers["Authorization"]
    member.peer.answer("GET", path, **answer)

    put = credentials(member, "PUT", json=member.credentials(token="token-b3"))
    member.peer.publish(endpoints=SCSP_ENDPOINTS)

    assert put == (200, {"status_code": status_code})
    assert credentials(member, "GET") == ours(member.node, member.token)
    assert next_push(scene, member).headers["Authorization"] == used


def test_a_delete_ends_it_in_both_directions(scene: Scene, node: Node) -> None:
    with registered(node, "--may-steer", party=("BE", "CRD")) as leaver:
        next_push(scene, leaver)

        assert credentials(leaver, "DELETE") == (200, {"status_code": 1000})

        assert opened(leaver, leaver.token) == [401, 401, 401]
        assert status(leaver.ask("DELETE", leaver.credentials_url)) == (401, 2000)
        # What was under way at that moment has come by now.
        leaver.peer.requests.clear()
        for _ in range(2):
            next_push(scene, scene.provider)
        assert leaver.peer.requests == []
