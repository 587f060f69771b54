"""Partners register at us: OCPI 2.2.1 credentials, as receiver, over real HTTP in both directions."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from ocpi.partners import discovery
from ocpi.partners.models import InboundToken, Partner
from ocpi.partners.secrets import decrypt
from tests.factories import make_partner
from tests.ocpi.partners.two_sides import (
    CREDENTIALS,
    ENDPOINTS,
    answered,
    authorization,
    invited,
    outcome,
    register,
    role,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_registers_a_partner_that_was_invited(node, platform, settings):
    settings.OTHER_PARTIES = [("BE", "ABC", ("CPO",), "Second")]
    token_a = invited(may_steer=True)

    response = node.call("POST", CREDENTIALS, token_a, platform.credentials())

    assert outcome(response) == (200, 1000)
    token_c = response.json()["data"].pop("token")
    business = {"name": "Smart charging node"}
    assert response.json()["data"] == {
        "token": token_c,
        "url": f"{node.url}/ocpi/versions",
        "roles": [
            {"role": "CPO", "country_code": "NL", "party_id": "NOD", "business_details": business},
            {"role": "SCSP", "country_code": "NL", "party_id": "NOD", "business_details": business},
            {"role": "CPO", "country_code": "BE", "party_id": "ABC", "business_details": {"name": "Second"}},
        ],
    } | {"token": token_c}
    assert node.opens(token_c)
    assert not node.opens(token_a, "versions")
    partner = Partner.objects.get(name="Jedlix")
    assert (partner.status, partner.version) == ("REGISTERED", "2.2.1")
    assert decrypt(partner.outbound_token_encrypted) == "token-b"
    assert [str(one) for one in partner.roles.all()] == ["NL-JED SCSP"]
    assert {(one.identifier, one.role) for one in partner.endpoints.all()} == set(ENDPOINTS)
    assert partner.grants.get().location_id == ""


def test_calls_back_with_token_b_before_it_answers(node, platform):
    register(node, platform)

    calls = [(one.method, one.path, one.headers["Authorization"]) for one in platform.peer.requests]
    shown = authorization("token-b")["Authorization"]
    assert calls == [("GET", "/versions", shown), ("GET", "/2.2.1", shown)]
    assert not [name for name in platform.peer.requests[0].headers if name.lower().startswith("ocpi-")]


def test_remembers_a_partner_that_reads_raw_tokens_only(node, platform):
    def only_raw(request: Any) -> Any:
        if request.headers["Authorization"] != "Token token-b":
            return 401, {}
        return answered([{"version": "2.2.1", "url": f"{platform.peer.url}/2.2.1"}])

    platform.peer.answer("GET", "/versions", body=only_raw)

    register(node, platform)

    assert Partner.objects.get().sends_raw_tokens


@pytest.mark.parametrize(
    ("fields", "pulled"),
    [
        ({}, {"sessions": "2026-01-15T12:00:00Z"}),
        ({"roles": [role(), role(role="CPO")]}, {"sessions": "2026-01-15T12:00:00Z"}),
        ({"roles": [role(), role("TWO")]}, {}),
        ({"url": "/versions?other"}, {}),
    ],
    ids=["nothing", "a role", "a party", "the address"],
)
def test_pulls_from_the_beginning_when_parties_or_address_changed(node, platform, fields, pulled):
    token_c = register(node, platform)
    Partner.objects.update(pulled={"sessions": "2026-01-15T12:00:00Z"})
    if "url" in fields:
        fields = {"url": platform.peer.url + fields["url"]}

    response = node.call("PUT", CREDENTIALS, token_c, platform.credentials("token-b2", **fields))

    assert outcome(response) == (200, 1000)
    assert Partner.objects.get().pulled == pulled


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda body: without(body, "token"), "token"),
        (lambda body: body | {"token": ""}, "token"),
        (lambda body: body | {"token": "a" * 65}, "token"),
        (lambda body: body | {"token": "with space"}, "token"),
        (lambda body: body | {"token": ["a"]}, "token"),
        (lambda body: without(body, "url"), "url"),
        (lambda body: body | {"url": "not a url"}, "url"),
        (lambda body: without(body, "roles"), "roles"),
        (lambda body: body | {"roles": []}, "roles"),
        (lambda body: body | {"roles": [role(), role("jed")]}, "roles"),
        (lambda body: body | {"roles": [without(role(), "business_details")]}, "business_details"),
        (lambda body: body | {"roles": [role(role="PILOT")]}, "role"),
        (lambda body: body | {"roles": [role(country_code="")]}, "country_code"),
        (lambda body: body | {"roles": [role("FOUR")]}, "party_id"),
        (lambda body: body | {"roles": [role("NOD")]}, "our own party"),
        (lambda body: body | {"roles": [role(), role("two")]}, "NL-TWO is our own party"),
        (lambda body: [body], ""),
    ],
)
def test_refuses_wrong_credentials_without_calling_back(node, platform, settings, change, named):
    settings.OTHER_PARTIES = [("NL", "TWO", ("CPO",), "Second")]
    token_a = invited()

    response = node.call("POST", CREDENTIALS, token_a, change(platform.credentials()))

    assert outcome(response) == (200, 2001)
    assert named in response.json()["status_message"]
    assert platform.peer.requests == []
    assert node.opens(token_a, "versions")
    assert Partner.objects.get().status == "INVITED"


LINK_LOCAL = "http://169.254.169.254/latest"


@pytest.mark.parametrize(
    ("path", "answer", "reason"),
    [
        ("/versions", {"status": 500, "body": {}}, (3001, "/versions")),
        ("/versions", {"body": answered(None, 2000)}, (3001, "/versions")),
        ("/versions", {"body": answered({"version": "2.2.1"})}, (3001, "/versions")),
        ("/versions", {"body": answered([{"version": "2.1.1", "url": "{url}/2.1.1"}])}, (3002, "2.1.1")),
        ("/versions", {"body": answered([])}, (3002, "none")),
        ("/versions", {"body": answered([{"version": "2.2.1", "url": LINK_LOCAL}])}, (3001, LINK_LOCAL)),
        ("/2.2.1", {"body": answered([])}, (3001, "/2.2.1")),
        ("/2.2.1", {"body": answered({"version": "2.2.1", "endpoints": []})}, (3003, "credentials")),
        (
            "/2.2.1",
            {
                "body": answered(
                    {
                        "version": "2.2.1",
                        "endpoints": [
                            {"identifier": "credentials", "role": "SENDER", "url": "{url}/credentials"},
                            {"identifier": "sessions", "role": "RECEIVER", "url": LINK_LOCAL},
                        ],
                    }
                )
            },
            (3001, LINK_LOCAL),
        ),
    ],
)
def test_keeps_everything_as_it_was_when_it_cannot_use_their_side(node, platform, path, answer, reason):
    status_code, named = reason
    token_c = register(node, platform)
    token_a = invited(name="Second")
    platform.peer.answer("GET", path, **_at(platform.peer.url, answer))
    body = platform.credentials("token-b2", roles=[role("TWO")])

    first = node.call("POST", CREDENTIALS, token_a, body)
    update = node.call("PUT", CREDENTIALS, token_c, platform.credentials("token-b2"))

    assert outcome(first) == outcome(update) == (200, status_code)
    assert named in first.json()["status_message"]
    assert node.opens(token_a, "versions")
    assert node.opens(token_c)
    partner = Partner.objects.get(name="Jedlix")
    assert decrypt(partner.outbound_token_encrypted) == "token-b"
    assert partner.endpoints.count() == len(ENDPOINTS)
    assert Partner.objects.get(name="Second").status == "INVITED"


def _at(url: str, answer: Any) -> Any:
    """Fill the peer's address into a scripted answer."""
    if isinstance(answer, dict):
        return {key: _at(url, value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [_at(url, value) for value in answer]
    return answer.replace("{url}", url) if isinstance(answer, str) else answer


def test_answers_3001_when_nobody_listens(node, platform):
    token_a = invited()
    body = platform.credentials(url="http://127.0.0.1:9/versions")

    response = node.call("POST", CREDENTIALS, token_a, body)

    assert outcome(response) == (200, 3001)
    assert "http://127.0.0.1:9/versions" in response.json()["status_message"]
    assert outcome(node.call("POST", CREDENTIALS, token_a, platform.credentials())) == (200, 1000)


def test_answers_3001_when_their_versions_come_too_late(node, platform, monkeypatch):
    monkeypatch.setattr(discovery, "DEADLINE_S", 0.3)
    platform.peer.answer("GET", "/versions", delay=5)

    response = node.call("POST", CREDENTIALS, invited(), platform.credentials())

    assert outcome(response) == (200, 3001)
    assert "timeout" in response.json()["status_message"]


def test_registers_a_partner_that_offers_other_versions_and_unknown_modules_too(node, platform):
    url = platform.peer.url
    versions = [{"version": "2.1.1", "url": f"{url}/2.1.1"}, {"version": "2.2.1", "url": f"{url}/2.2.1"}]
    endpoints = [
        {"identifier": "credentials", "role": "RECEIVER", "url": f"{url}/credentials"},
        {"identifier": "nl-jed-vehicles", "role": "sender", "url": f"{url}/vehicles"},
        {"identifier": "broken"},
    ]
    platform.peer.answer("GET", "/versions", body=answered(versions))
    platform.peer.answer("GET", "/2.2.1", body=answered({"version": "2.2.1", "endpoints": endpoints}))

    register(node, platform)

    stored = Partner.objects.get().endpoints.values_list("identifier", "role")
    assert list(stored) == [("credentials", "RECEIVER"), ("nl-jed-vehicles", "SENDER")]


def test_lets_an_invitation_expire(node, platform, settings):
    token_a = invited(now=timezone.now() - timedelta(seconds=settings.INVITATION_LIFE_S + 1))

    assert node.call("POST", CREDENTIALS, token_a, platform.credentials()).status_code == 401


def test_registers_once_when_a_token_a_is_used_twice_at_the_same_time(node, platform):
    token_a = invited()
    platform.peer.answer(
        "GET",
        "/versions",
        delay=0.3,
        body=answered([{"version": "2.2.1", "url": f"{platform.peer.url}/2.2.1"}]),
    )
    responses: list[Any] = []

    def post(number: int) -> None:
        responses.append(node.call("POST", CREDENTIALS, token_a, platform.credentials(f"token-b{number}")))

    threads = [threading.Thread(target=post, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(response.status_code for response in responses) == [200, 401, 401]
    winner = next(response for response in responses if response.status_code == 200).json()["data"]["token"]
    assert node.opens(winner)
    assert InboundToken.objects.count() == 1


@pytest.mark.parametrize(
    ("theirs", "ours", "taken"),
    [("SCSP", "SCSP", True), ("SCSP", "EMSP", True), ("CPO", "SCSP", False), ("CPO", "CPO", True)],
)
def test_refuses_the_party_of_another_partner(node, platform, theirs, ours, taken):
    make_partner(role=theirs, country_code="NL", party_id="JED")
    body = platform.credentials(roles=[role("jed", role=ours)])

    response = node.call("POST", CREDENTIALS, invited(), body)

    assert outcome(response) == (200, 2001 if taken else 1000)
    assert taken is ("NL-JED" in response.json().get("status_message", ""))


def test_keeps_no_token_in_clear(node, platform):
    token_c = register(node, platform)

    with connection.cursor() as cursor:
        rows = []
        for table in ("partners_partner", "partners_inboundtoken"):
            cursor.execute(f"SELECT * FROM {table}")
            rows += cursor.fetchall()
    assert "token-b" not in str(rows)
    assert token_c not in str(rows)
