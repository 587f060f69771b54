"""OCPI 2.2.1 transport_and_format, "Message Routing": which party speaks to which, also through a hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.factories import CPO_ENDPOINTS, SCSP_ENDPOINTS, location_document, session_document
from tests.journeys.obedient import ObedientStation
from tests.journeys.provider import Provider, Scene, profile, registered
from tests.peer import Recorded
from tests.spec.answers import OUR_PARTY, routing, routing_in, said, status

HUB, FIRST, SECOND = ("BE", "HUB"), ("BE", "ONE"), ("BE", "TWO")
OUR_SECOND, OUR_THIRD = ("NL", "SP2"), ("NL", "SP3")
HUB_ENDPOINTS = [*SCSP_ENDPOINTS, *CPO_ENDPOINTS[1:]]


def roles(*parties: tuple[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the roles of Credentials."""
    return [
        {"role": role, "country_code": party[0], "party_id": party[1], "business_details": {"name": "Many"}}
        for role, party in parties
    ]


def become(partner: Provider, *parties: tuple[str, tuple[str, str]]) -> None:
    """PUT credentials with these parties."""
    answer = partner.ask(
        "PUT", partner.credentials_url, json=partner.credentials(roles=roles(*parties))
    ).json()
    assert answer["status_code"] == 1000, answer
    partner.token = answer["data"]["token"]


def routed(requests: list[Recorded]) -> list[dict[str, str]]:
    """Return the routing headers of requests."""
    return [routing_in(request.headers) for request in requests]


@pytest.fixture(scope="module")
def many(scene: Scene) -> Iterator[Provider]:
    """A platform with two CPO parties."""
    with registered(scene.node, party=FIRST, role="CPO", endpoints=CPO_ENDPOINTS) as partner:
        become(partner, ("CPO", FIRST), ("CPO", SECOND))
        yield partner


@pytest.fixture(scope="module")
def hub(scene: Scene) -> Iterator[Provider]:
    """A hub that the operator let steer."""
    with registered(scene.node, "--may-steer", party=HUB, role="HUB", endpoints=HUB_ENDPOINTS) as partner:
        yield partner
        scene.node.ask("partner", "unregister", str(partner.partner_id))


def test_what_we_send_names_both_parties_and_configuration_modules_none(scene: Scene) -> None:
    session, _, _ = scene.session()
    _, path = scene.provider.put(session, profile(11))
    scene.provider.result(path)
    scene.provider.active(session)
    told = [one for one in scene.provider.peer.requests if session in one.path or one.path == path]

    assert {one.method for one in told} >= {"PUT", "POST"}
    assert routed(told) == [routing(scene.provider.party, OUR_PARTY)] * len(told)
    registering = [one for one in scene.provider.peer.requests if one.path in ("/versions", "/2.2.1")]
    assert routed(registering) == [{}, {}]


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_none_or_some_of_the_headers_are_borne(provider: Provider, kept: int) -> None:
    some = dict(list(routing(("NL", "XXX"), ("NL", "YYY")).items())[:kept])

    answer = provider.ask("GET", provider.endpoints["sessions", "SENDER"], headers=some)

    assert status(answer) == (200, 1000)
    assert routing_in(answer.headers) == {}


@pytest.mark.parametrize("path", ["/ocpi/versions", "/ocpi/2.2.1", "/ocpi/2.2.1/credentials"])
def test_configuration_modules_neither_read_nor_send_them(provider: Provider, path: str) -> None:
    headers = routing(("NL", "XXX"), ("NL", "YYY"))

    answer = provider.ask("GET", f"{provider.node.url}{path}", headers=headers)

    assert status(answer) == (200, 1000)
    assert routing_in(answer.headers) == {}


@pytest.mark.parametrize("name", [str.lower, str.upper], ids=["lower", "upper"])
@pytest.mark.parametrize(
    ("role", "path", "answered"),
    [
        ("SENDER", "", (200, 1000)),
        ("RECEIVER", "/DE/PRO/R4", (404, 2001)),
        ("RECEIVER", "/DE/XXX/R4", (404, 2001)),
    ],
)
def test_an_answer_goes_back_to_whom_it_came_from(
    provider: Provider, role: str, path: str, answered: tuple[int, int], name: Any
) -> None:
    headers = {name(one): value for one, value in routing(OUR_PARTY, provider.party).items()}

    answer = provider.ask("GET", provider.endpoints["sessions", role] + path, headers=headers)

    assert status(answer) == answered
    assert routing_in(answer.headers) == routing(provider.party, OUR_PARTY)


@pytest.mark.parametrize(
    ("to_party", "from_party", "stored"),
    [
        (OUR_PARTY, FIRST, True),
        (OUR_PARTY, SECOND, True),
        (("NL", "XXX"), FIRST, False),
        (("BE", "SPC"), FIRST, False),
        (OUR_PARTY, ("BE", "XXX"), False),
        (OUR_PARTY, ("DE", "PRO"), False),
    ],
)
def test_a_message_is_between_a_party_of_ours_and_one_of_theirs(
    many: Provider, to_party: tuple[str, str], from_party: tuple[str, str], stored: bool
) -> None:
    name = f"R5-{'-'.join(to_party + from_party)}"
    address = f"{many.endpoints['sessions', 'RECEIVER']}/{FIRST[0]}/{FIRST[1]}/{name}"
    document = session_document(name, country_code=FIRST[0], party_id=FIRST[1])

    answer = many.ask("PUT", address, json=document, headers=routing(to_party, from_party))

    assert status(answer) == ((201, 1000) if stored else (200, 2001))
    assert routing_in(answer.headers) == routing(from_party, to_party)
    assert status(many.ask("GET", address)) == ((200, 1000) if stored else (404, 2001))


def test_of_two_parties_on_a_platform_the_one_whose_object_it_is_is_addressed(
    many: Provider, tmp_path: Path
) -> None:
    for party in (FIRST, SECOND):
        document = session_document(f"R5-{party[1]}", country_code=party[0], party_id=party[1])
        address = f"{many.endpoints['sessions', 'RECEIVER']}/{party[0]}/{party[1]}/R5-{party[1]}"
        assert status(many.ask("PUT", address, json=document)) == (201, 1000)
    taken = {"result": "ACCEPTED", "timeout": 30}
    many.peer.answer("PUT", "/2.2.1/receiver/chargingprofiles", data=taken)
    file = tmp_path / "profile.json"
    file.write_text(json.dumps(profile(10)))

    many.node.ask("profile", "set", "R5-TWO", "--file", str(file), "--partner", str(many.partner_id))

    sent = many.peer.received("PUT", "/2.2.1/receiver/chargingprofiles/R5-TWO")
    assert routed(sent) == [routing(SECOND, OUR_PARTY)]


def test_a_hub_is_pushed_locations_for_all_and_never_a_session(scene: Scene, hub: Provider) -> None:
    session, connector, _ = scene.session()
    told = {"connectorId": connector, "errorCode": "NoError", "status": "Faulted"}
    scene.station.call("StatusNotification", told)

    pushed = hub.peer.wait_for("*", f"/2.2.1/receiver/locations/NL/SPC/SPEC/SPEC-1-{connector}", timeout_s=10)
    assert routed(pushed) == [routing(HUB, OUR_PARTY)] * len(pushed)
    assert scene.provider.updates(session)
    assert hub.peer.received("*", "/2.2.1/receiver/sessions") == []


def test_what_a_hub_brings_belongs_to_its_owner(hub: Provider) -> None:
    document = location_document("R8", country_code="BE", party_id="XYZ")
    address = f"{hub.endpoints['locations', 'RECEIVER']}/BE/XYZ/R8"

    answer = hub.ask("PUT", address, json=document, headers=routing(OUR_PARTY, HUB))
    read = hub.ask("GET", address, headers=routing(OUR_PARTY, ("BE", "XYZ")))

    assert said(answer) == (201, {"status_code": 1000})
    assert routing_in(answer.headers) == routing(HUB, OUR_PARTY)
    assert said(read) == (200, {"data": document, "status_code": 1000})


def test_a_hub_can_not_speak_for_us(hub: Provider) -> None:
    ours = location_document("SPEC", country_code="NL", party_id="SPC")
    address = f"{hub.endpoints['locations', 'RECEIVER']}/NL/SPC/SPEC"

    assert status(hub.ask("PUT", address, json=ours)) == (404, 2001)
    answer = hub.ask("GET", hub.endpoints["locations", "SENDER"], headers=routing(OUR_PARTY, OUR_PARTY))
    assert status(answer) == (200, 2001)


def test_a_list_read_from_a_hub_is_asked_of_the_hub_and_has_many_owners(hub: Provider) -> None:
    owners = [("BE", "AAA"), ("BE", "BBB")]
    become(hub, ("HUB", HUB), *(("CPO", owner) for owner in owners))
    listed = [location_document("R9", country_code=owner[0], party_id=owner[1]) for owner in owners]
    hub.peer.answer("GET", "/2.2.1/sender/locations", data=listed)

    pulled = hub.node.ask("partner", "pull", str(hub.partner_id), "--module", "locations")

    assert (pulled["locations"], pulled["refused"]) == (2, 0)
    assert routed(hub.peer.received("GET", "/2.2.1/sender/locations")) == [routing(HUB, OUR_PARTY)]
    for owner, document in zip(owners, listed, strict=True):
        stored = hub.ask("GET", f"{hub.endpoints['locations', 'RECEIVER']}/{owner[0]}/{owner[1]}/R9")
        assert stored.json()["data"] == document


@pytest.fixture(scope="module")
def ours(scene: Scene) -> Iterator[dict[tuple[str, str], str]]:
    """A session of each of our two CPO parties, whose locations have the same id."""
    second = Scene(scene.node, scene.provider, scene.other, scene.stranger, scene.station, tag="SECOND")
    scene.node.ask("charger", "add", "SPEC-2", "--location", "SPEC", "--party", "NL-SP2", "--evses", "2")
    with ObedientStation(scene.ocpp_url, "SPEC-2") as second.station:
        second.station.boot()
        yield {OUR_PARTY: scene.session()[0], OUR_SECOND: second.session()[0]}


def owners(answer: requests.Response) -> set[tuple[str, str]]:
    """Return the parties whose objects a list has, on its only page."""
    assert status(answer) == (200, 1000)
    listed = answer.json()["data"]
    assert answer.headers["X-Total-Count"] == str(len(listed))
    return {(one["country_code"], one["party_id"]) for one in listed}


@pytest.mark.parametrize(
    ("to_party", "seen"),
    [
        (OUR_PARTY, {OUR_PARTY}),
        (OUR_SECOND, {OUR_SECOND}),
        (OUR_THIRD, set()),
        (None, {OUR_PARTY, OUR_SECOND}),
    ],
)
def test_of_our_parties_the_one_that_is_asked_shows_its_objects(
    provider: Provider, ours: dict[tuple[str, str], str], to_party: Any, seen: set[tuple[str, str]]
) -> None:
    headers = routing(to_party, provider.party) if to_party else {}
    for module in ("locations", "sessions"):
        url = f"{provider.endpoints[module, 'SENDER']}?limit=100"
        assert owners(provider.ask("GET", url, headers=headers)) == seen

    location = provider.ask("GET", f"{provider.endpoints['locations', 'SENDER']}/SPEC", headers=headers)
    if to_party == OUR_THIRD:
        assert status(location) == (404, 2003)
    else:
        assert location.json()["data"]["party_id"] == (to_party or OUR_PARTY)[1]
    for owner, session in ours.items():
        params = {"response_url": provider.new_response_url(), "duration": "900"}
        asked = provider.ask("GET", provider.url(session), params=params, headers=headers).json()
        assert asked["data"]["result"] == ("ACCEPTED" if owner in seen else "UNKNOWN_SESSION")


def test_what_we_send_comes_from_the_party_whose_it_is(
    scene: Scene, ours: dict[tuple[str, str], str]
) -> None:
    peer = scene.provider.peer
    for owner, session in ours.items():
        _, path = scene.provider.put(session, profile(9))
        scene.provider.result(path)
        scene.provider.active(session)
        location = f"/2.2.1/receiver/locations/{owner[0]}/{owner[1]}/SPEC"
        peer.wait_for("*", location, timeout_s=10)
        told = [one for one in peer.requests if session in one.path or one.path == path]
        told += peer.received("*", location)

        assert {one.method for one in told} >= {"PUT", "POST"}
        assert routed(told) == [routing(scene.provider.party, owner)] * len(told)


def test_a_result_through_a_hub_goes_to_the_party_that_asked(
    hub: Provider, ours: dict[tuple[str, str], str]
) -> None:
    asking, session = ("BE", "ASK"), ours[OUR_SECOND]
    url = hub.new_response_url()
    path = url.removeprefix(hub.peer.url)
    headers = routing(OUR_SECOND, asking)

    body = hub.body(profile(8), url)
    answer = hub.ask("PUT", hub.url(session), data=body, headers=headers)
    assert answer.json()["data"]["result"] == "ACCEPTED"
    assert routing_in(answer.headers) == routing(asking, OUR_SECOND)
    hub.result(path)
    assert routed(hub.active(session)) == [routing(asking, OUR_SECOND)]
    unrouted = hub.put(session, profile(7))[1]
    hub.result(unrouted)
    assert routed(hub.peer.received("POST", path)) == [routing(asking, OUR_SECOND)]
    assert routed(hub.peer.received("POST", unrouted)) == [routing(HUB, OUR_SECOND)]
    # What was lowered for one changes for the other, too.
    told = [one["OCPI-to-party-id"] for one in routed(hub.active(session, count=3))]
    assert (told[0], sorted(told)) == ("ASK", ["ASK", "ASK", "HUB"])


def test_a_grant_on_a_party_of_ours_shows_nothing_of_another(
    scene: Scene, ours: dict[tuple[str, str], str]
) -> None:
    with registered(scene.node, party=("DE", "GRT")) as partner:
        sessions = f"{partner.endpoints['sessions', 'SENDER']}?limit=100"
        assert owners(partner.ask("GET", sessions)) == set()

        grant = ("--party", "NL-SP2", "--location", "spec")
        scene.node.ask("partner", "grant", str(partner.partner_id), *grant)

        assert owners(partner.ask("GET", sessions)) == {OUR_SECOND}
        assert partner.put(ours[OUR_PARTY], profile(9))[0] == {"result": "REJECTED", "timeout": 0}
        scene.node.ask("partner", "unregister", str(partner.partner_id))
