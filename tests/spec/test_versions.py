"""OCPI 2.2.1 version_information_endpoint: what we publish, and what we read of others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories import SCSP_ENDPOINTS
from tests.journeys.nodes import Node
from tests.journeys.provider import Provider, registered
from tests.peer import enveloped
from tests.spec.answers import said, status

OURS = [
    ("credentials", "SENDER", "credentials"),
    ("locations", "SENDER", "sender/locations"),
    ("sessions", "SENDER", "sender/sessions"),
    ("chargingprofiles", "RECEIVER", "receiver/chargingprofiles"),
    ("locations", "RECEIVER", "receiver/locations"),
    ("sessions", "RECEIVER", "receiver/sessions"),
    ("chargingprofiles", "SENDER", "sender/chargingprofiles"),
]
ODD_ENDPOINTS = [
    ("credentials", "RECEIVER"),
    *SCSP_ENDPOINTS[1:],
    ("bever-parking", "SENDER"),
    ("tokens", "SENDER"),
]


@pytest.fixture(scope="module")
def odd(node: Node) -> Iterator[Provider]:
    """A partner whose credentials are a RECEIVER's, and that has modules which we don't know."""
    with registered(node, party=("BE", "VER"), endpoints=ODD_ENDPOINTS) as partner:
        yield partner


def shown(node: Node, partner: Provider) -> set[tuple[str, str, str]]:
    """Return the endpoints that the node keeps of a partner."""
    kept = node.ask("partner", "show", str(partner.partner_id))["endpoints"]
    return {(one["identifier"], one["role"], one["url"]) for one in kept}


def published(partner: Provider, endpoints: list[tuple[str, str]]) -> set[tuple[str, str, str]]:
    """Return what the partner publishes."""
    return {(module, role, partner.peer.endpoint(module, role)) for module, role in endpoints}


def test_the_versions_are_a_list_with_absolute_addresses(node: Node, provider: Provider) -> None:
    data = [{"version": "2.2.1", "url": f"{node.url}/ocpi/2.2.1"}]

    for path in ("/ocpi/versions", "/ocpi/versions/"):
        answer = provider.ask("GET", node.url + path)
        assert said(answer) == (200, {"data": data, "status_code": 1000})
    assert status(provider.ask("GET", f"{node.url}/ocpi/2.1.1")) == (404, 2001)


def test_the_details_have_each_module_once_per_role_at_an_address_with_the_version(
    node: Node, provider: Provider
) -> None:
    endpoints = [
        {"identifier": module, "role": role, "url": f"{node.url}/ocpi/2.2.1/{path}"}
        for module, role, path in OURS
    ]
    data = {"version": "2.2.1", "endpoints": endpoints}

    answer = provider.ask("GET", f"{node.url}/ocpi/2.2.1")

    assert said(answer) == (200, {"data": data, "status_code": 1000})


@pytest.mark.parametrize("path", ["/ocpi/versions", "/ocpi/2.2.1"])
@pytest.mark.parametrize("authorization", [None, "Token d3Jvbmc="])
def test_both_need_a_token(provider: Provider, path: str, authorization: str | None) -> None:
    answer = provider.ask("GET", provider.node.url + path, headers={"Authorization": authorization})

    assert said(answer) == (401, {"status_code": 2000})


@pytest.mark.parametrize("path", ["/ocpi/versions", "/ocpi/2.2.1"])
def test_who_looks_whether_we_are_alive_changes_nothing(provider: Provider, path: str) -> None:
    asked_before = len(provider.peer.received("GET", "/versions"))

    answers = [said(provider.ask("GET", provider.node.url + path)) for _ in range(3)]

    assert answers == [answers[0]] * 3
    assert provider.ask("GET", provider.credentials_url).json()["data"]["token"] == provider.token
    assert len(provider.peer.received("GET", "/versions")) == asked_before


def test_credentials_are_found_in_any_role_and_new_endpoints_are_announced_by_a_put(
    node: Node, odd: Provider
) -> None:
    renewed = enveloped(odd.credentials(token="renewed"))
    odd.peer.answer("PUT", "/2.2.1/receiver/credentials", body=renewed)
    assert node.ask("partner", "rotate", str(odd.partner_id))["status"] == "registered"
    # Ours: the PUT leads the partner to our versions, which it may read again with the new token.
    put = odd.peer.received("PUT", "/2.2.1/receiver/credentials")[0]
    assert put.body["url"] == f"{node.url}/ocpi/versions"
    odd.token = put.body["token"]
    assert status(odd.ask("GET", put.body["url"])) == (200, 1000)

    # Theirs: we read their versions and details again.
    fewer = [("credentials", "RECEIVER"), ("locations", "RECEIVER"), ("tokens", "SENDER")]
    odd.peer.publish(endpoints=fewer)
    answer = odd.ask("PUT", odd.credentials_url, json=odd.credentials()).json()
    assert answer["status_code"] == 1000
    odd.token = answer["data"]["token"]
    assert shown(node, odd) == published(odd, fewer)


def test_modules_that_we_do_not_know_are_left_alone(odd: Provider) -> None:
    assert odd.ask("GET", odd.credentials_url).json()["data"]["token"] == odd.token
    assert odd.peer.received("*", "/2.2.1/sender/bever-parking") == []
    assert odd.peer.received("*", "/2.2.1/sender/tokens") == []
