"""Charging profiles, the Receiver: what a CPO answers a Sender at once (mod_charging_profiles)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.obedient import ObedientStation, at
from tests.journeys.provider import Provider, Scene, profile
from tests.spec.charging import charging_at
from tests.spec.conftest import TIMEOUT_S
from tests.spec.endpoints import REFUSED, Endpoint, Said, said
from tests.station import Station

ACCEPTED: Said = (200, 1000, {"result": "ACCEPTED", "timeout": TIMEOUT_S})
MOST_REQUESTS = 25
METHODS = ["GET", "PUT", "DELETE"]


def refused(result: str) -> Said:
    """Return what a refusal says."""
    return 200, 1000, {"result": result, "timeout": 0}


def ask(sender: Provider, method: str, session_id: str) -> Said:
    """Return what the node answers to a request that has all it needs."""
    profiles = Endpoint(sender, "chargingprofiles", "RECEIVER")
    url = sender.new_response_url()
    if method == "PUT":
        return profiles.put(f"/{session_id}", {"charging_profile": profile(10), "response_url": url})
    params = {"response_url": url} | ({"duration": "900"} if method == "GET" else {})
    return said(profiles.ask(method, f"/{session_id}", params=params))


@pytest.fixture(scope="module")
def charging(scene: Scene) -> Iterator[Scene]:
    """The scene with a station of this section's own."""
    with charging_at(scene, "CPRX", evses=20) as own:
        yield own


@pytest.fixture(scope="module")
def profiles(provider: Provider) -> Endpoint:
    """The node's charging profiles, for a partner that may steer."""
    return Endpoint(provider, "chargingprofiles", "RECEIVER")


def test_sessions_are_published_beside_profiles_for_both_roles(provider: Provider) -> None:
    published = {("sessions", "SENDER"), ("chargingprofiles", "RECEIVER")}

    assert published | {("sessions", "RECEIVER"), ("chargingprofiles", "SENDER")} <= set(provider.endpoints)


@pytest.mark.parametrize("method", METHODS)
def test_a_request_that_reaches_the_evse_is_accepted_with_a_timeout(charging: Scene, method: str) -> None:
    session, _, _ = charging.session()

    assert ask(charging.provider, method, session) == ACCEPTED
    # Ids are compared without regard to case.
    assert ask(charging.provider, method, session.lower()) == ACCEPTED


@pytest.mark.parametrize(
    ("method", "left_out"),
    [("GET", "duration"), ("GET", "response_url"), ("DELETE", "response_url")],
)
def test_a_parameter_that_is_left_out_gets_2001(
    charging: Scene, profiles: Endpoint, method: str, left_out: str
) -> None:
    params = {"duration": "900", "response_url": charging.provider.new_response_url()}
    del params[left_out]

    assert said(profiles.ask(method, "/any", params=params)) == REFUSED


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"charging_profile": None}, id="no profile"),
        pytest.param({"response_url": None}, id="no response_url"),
        pytest.param({"charging_profile": {"charging_rate_unit": None}}, id="no unit"),
        pytest.param({"charging_profile": {"charging_rate_unit": "kW"}}, id="unit"),
        pytest.param({"charging_profile": {"charging_profile_period": []}}, id="no periods"),
        pytest.param({"charging_profile": {"charging_profile_period": None}}, id="periods left out"),
        pytest.param(
            {"charging_profile": {"charging_profile_period": [{"start_period": 0, "limit": -1}]}},
            id="below 0",
        ),
        pytest.param(
            {"charging_profile": {"charging_profile_period": [{"start_period": -5, "limit": 6}]}},
            id="before 0",
        ),
        pytest.param({"charging_profile": {"charging_profile_period": [{"limit": 6}]}}, id="no start_period"),
        pytest.param({"charging_profile": {"charging_profile_period": [{"start_period": 0}]}}, id="no limit"),
    ],
)
def test_a_profile_that_says_nothing_usable_gets_2001(
    charging: Scene, profiles: Endpoint, body: dict[str, Any]
) -> None:
    whole: dict[str, Any] = {
        "charging_profile": profile(10),
        "response_url": charging.provider.new_response_url(),
    }
    for name, changed in body.items():
        whole[name] = whole[name] | changed if isinstance(changed, dict) else changed
    # None stands for a field that is not there.
    whole["charging_profile"] = {k: v for k, v in (whole["charging_profile"] or {}).items() if v is not None}
    whole = {name: value for name, value in whole.items() if value}

    assert profiles.put("/any", whole) == REFUSED


def test_there_is_no_post_and_no_patch(profiles: Endpoint) -> None:
    profiles.refuses("/any", "POST", "PATCH")


@pytest.mark.parametrize("method", METHODS)
def test_a_refusal_is_ok_for_http_and_has_a_timeout_too(charging: Scene, method: str) -> None:
    session, _, transaction = charging.session()

    assert ask(charging.provider, method, "no-such-session") == refused("UNKNOWN_SESSION")
    assert ask(charging.stranger, method, session) == refused("REJECTED")
    charging.station.stop(transaction, at=at())
    assert ask(charging.provider, method, session) == refused("REJECTED")


def test_what_a_station_can_not_do_is_not_supported(scene: Scene) -> None:
    features = {"key": "SupportedFeatureProfiles", "readonly": True, "value": "Core"}
    replies = {"GetConfiguration": {"configurationKey": [features]}}
    scene.node.ask("charger", "add", "CPNO", "--location", "CPNO")
    with Station(scene.ocpp_url, "CPNO", replies=replies) as station:
        station.boot()
        station.called("GetConfiguration")
        station.start(tag="CPNO", at=at())
        session = scene.provider.told("CPNO")["id"]

        assert [ask(scene.provider, method, session) for method in METHODS] == [refused("NOT_SUPPORTED")] * 3


def test_only_reading_is_not_supported_where_a_station_tells_no_schedule(scene: Scene) -> None:
    scene.node.ask("charger", "add", "CPMUTE", "--location", "CPMUTE")
    with ObedientStation(scene.ocpp_url, "CPMUTE") as station:
        del station.replies["GetCompositeSchedule"]
        station.boot()
        station.start(tag="CPMUTE", at=at())
        session = scene.provider.told("CPMUTE")["id"]
        answer, path = scene.provider.get(session)
        assert (answer, scene.provider.result(path)) == (ACCEPTED[2], {"result": "REJECTED"})

        assert ask(scene.provider, "GET", session) == refused("NOT_SUPPORTED")
        assert ask(scene.provider, "PUT", session) == ACCEPTED


def test_one_request_more_than_allowed_is_too_often(charging: Scene) -> None:
    (session, _, _), (another, _, _) = charging.session(), charging.session()
    provider = charging.provider

    answers = [ask(provider, "DELETE", session) for _ in range(MOST_REQUESTS)]

    assert answers == [ACCEPTED] * MOST_REQUESTS
    assert ask(provider, "DELETE", session) == refused("TOO_OFTEN")
    assert ask(charging.other, "DELETE", session) == ask(provider, "DELETE", another) == ACCEPTED


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    "query",
    [
        pytest.param("{url}?first=1&second=2&duration=900", id="duration last"),
        pytest.param("duration=900&{url}?first=1&second=2", id="duration first"),
    ],
)
def test_a_response_url_that_is_not_encoded_is_taken_whole(
    charging: Scene, profiles: Endpoint, method: str, query: str
) -> None:
    session, _, _ = charging.session()
    url = charging.provider.new_response_url()

    answer = profiles.ask(method, f"/{session}?" + query.format(url=f"response_url={url}"))

    assert said(answer) == ACCEPTED
    path = url.removeprefix(charging.provider.peer.url)
    result = charging.provider.peer.wait_for("POST", path)[0]
    assert (result.path, result.query) == (path, {"first": "1", "second": "2"})


def test_periods_are_sorted_shifted_to_their_start_and_rounded_down(charging: Scene) -> None:
    session, connector, _ = charging.session()
    periods = [
        {"start_period": 900, "limit": 8.999},
        {"start_period": 600, "limit": 10.55},
        {"start_period": 300, "limit": 16},
    ]
    begins_at, first_at = at(60), at(360)
    wanted = profile(1, start_date_time=begins_at, charging_profile_period=periods)

    _, path = charging.provider.put(session, wanted)

    assert charging.provider.result(path) == {"result": "ACCEPTED"}
    schedule = charging.station.profiles(connector)[0]["chargingSchedule"]
    assert schedule["startSchedule"] == first_at
    assert schedule["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 16},
        {"startPeriod": 300, "limit": 10.5},
        {"startPeriod": 600, "limit": 8.9},
    ]
