"""What a provider sees of a node over raw HTTP, with a raw OCPP 1.6 station at its other side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.journeys.conftest import make_node
from tests.journeys.obedient import ObedientStation, at
from tests.journeys.provider import Provider, Scene, limits_of, profile, registered
from tests.station import Station
from tests.waiting import wait_for

TIMEOUT_S = 5
MOST_REQUESTS = 25
ACCEPTED = {"result": "ACCEPTED", "timeout": TIMEOUT_S}


def refused(result: str) -> dict[str, Any]:
    """Return the ChargingProfileResponse of a refusal."""
    return {"result": result, "timeout": 0}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Start the node, three partners and a station."""
    node = make_node(
        tmp_path_factory.mktemp("provider"),
        name="Provider's CPO",
        country_code="NL",
        party_id="PCP",
        role="CPO",
        port=8700,
        redis_number=10,
    )
    node.environment |= {"PROFILE_TIMEOUT_S": str(TIMEOUT_S), "PROFILE_RATE": f"{MOST_REQUESTS}/min"}
    with ExitStack() as running:
        running.callback(node.stop)
        node.start()
        node.ready()
        node.ask("charger", "add", "PROV-1", "--location", "PROV", "--evses", "16")
        node.ask("charger", "add", "PROV-2", "--location", "ELSEWHERE")
        provider = running.enter_context(registered(node, "--may-steer", party=("DE", "PRO")))
        other = running.enter_context(registered(node, "--may-steer", party=("DE", "OTH")))
        stranger = running.enter_context(registered(node, party=("DE", "STR")))
        station = running.enter_context(ObedientStation(f"ws://127.0.0.1:{node.ocpp_port}", "PROV-1"))
        station.boot()
        yield Scene(node, provider, other, stranger, station)


def test_a_session_is_told_as_it_starts_is_metered_and_ends(scene: Scene) -> None:
    started_at, connector = at(-30), next(scene.connectors)
    transaction = scene.station.start(connector=connector, tag="METERED", at=started_at)

    session = scene.provider.told("METERED", within_s=2)
    scene.station.meter(connector, transaction, 1500)
    patch = wait_for(lambda: scene.provider.updates(session["id"], "PATCH"), 10)[0]
    scene.station.stop(transaction, meter_wh=3000, at=at())
    ended = wait_for(lambda: scene.provider.updates(session["id"])[2:], 2)[0]

    assert (session["status"], session["kwh"], session["start_date_time"]) == ("ACTIVE", 0, started_at)
    assert patch.body == {"kwh": 0.5, "last_updated": patch.body["last_updated"]}
    assert (ended.body["status"], ended.body["kwh"]) == ("COMPLETED", 2.0)
    assert scene.provider.put(session["id"], profile(6))[0] == refused("REJECTED")


def test_a_refused_patch_is_followed_by_get_and_put(scene: Scene) -> None:
    session, connector, transaction = scene.session()
    path = scene.provider.updates(session)[0].path
    scene.provider.peer.answer("PATCH", path, status=404, status_code=2001)

    scene.station.meter(connector, transaction, 1700)

    whole = wait_for(lambda: scene.provider.updates(session)[3:], 10)[0]
    assert [one.method for one in scene.provider.updates(session)] == ["PUT", "PATCH", "GET", "PUT"]
    assert whole.body["kwh"] == 0.7


def test_the_status_of_an_evse_is_told_to_whom_it_concerns(scene: Scene) -> None:
    connector = next(scene.connectors)
    for status in ("Available", "Faulted"):
        told = {"connectorId": connector, "errorCode": "NoError", "status": status}
        scene.station.call("StatusNotification", told)

    path = f"/2.2.1/receiver/locations/NL/PCP/PROV/PROV-1-{connector}"
    wait_for(lambda: [o for o in scene.provider.peer.received("*", path) if o.body["status"] == "OUTOFORDER"])
    assert not scene.stranger.peer.received("*", "/2.2.1/receiver")


def test_a_stranger_sees_and_steers_nothing_until_it_is_granted_a_location(scene: Scene) -> None:
    session, connector, _ = scene.session()
    stranger = scene.stranger
    address = stranger.endpoints["sessions", "SENDER"]

    def asked(session_id: str) -> list[Any]:
        ways = (stranger.put(session_id, profile(6)), stranger.get(session_id), stranger.delete(session_id))
        return [answer for answer, _ in ways]

    assert asked(session) == [refused("REJECTED")] * 3
    assert asked("no-such-session") == [refused("UNKNOWN_SESSION")] * 3
    assert stranger.ask("GET", address).json()["data"] == []
    assert scene.station.profiles(connector) == []

    scene.node.ask("partner", "grant", str(stranger.partner_id), "--location", "elsewhere")
    with ObedientStation(scene.ocpp_url, "PROV-2") as station:
        station.start(tag="GRANTED", at=at())
        granted = stranger.told("GRANTED")["id"]
        assert [one["id"] for one in stranger.ask("GET", address).json()["data"]] == [granted]
        _, path = stranger.put(granted, profile(6))
        assert stranger.result(path) == {"result": "ACCEPTED"}
    assert stranger.updates(session) == []
    assert asked(session) == [refused("REJECTED")] * 3


def test_a_profile_rules_the_charger_and_result_comes_before_active_profile(scene: Scene) -> None:
    session, connector, transaction = scene.session()

    answer, path = scene.provider.put(session, profile(16, 10.5))

    assert (answer, scene.provider.result(path)) == (ACCEPTED, {"result": "ACCEPTED"})
    sent = scene.station.profiles(connector)[0]
    assert (sent["transactionId"], sent["chargingProfilePurpose"]) == (transaction, "TxProfile")
    assert limits_of(sent) == [16, 10.5]
    active = scene.provider.active(session)[0]
    assert limits_of(active.body) == [16, 10.5]
    assert [one.at < active.at for one in scene.provider.peer.received("POST", path)] == [True]
    answer, path = scene.provider.get(session, 300)
    assert answer == ACCEPTED
    told = scene.provider.result(path)
    assert (told["result"], limits_of(told["profile"])) == ("ACCEPTED", [16])
    assert scene.other.peer.received("PUT", f"/2.2.1/sender/chargingprofiles/{session}") == []


def test_a_profile_without_start_counts_from_the_start_of_charging(scene: Scene) -> None:
    session, connector, _ = scene.session()
    wanted = profile("16", 10, step_s=600)
    del wanted["start_date_time"]

    _, path = scene.provider.put(session, wanted)

    assert scene.provider.result(path) == {"result": "ACCEPTED"}
    schedule = scene.station.profiles(connector)[0]["chargingSchedule"]
    assert schedule["startSchedule"] == scene.provider.told(f"TAG{connector}")["start_date_time"]
    assert schedule["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 16},
        {"startPeriod": 600, "limit": 10},
    ]


def test_the_lower_of_two_senders_rules_and_each_clears_its_own(scene: Scene) -> None:
    session, connector, _ = scene.session()
    steps: list[tuple[Provider, float | None, int]] = [
        (scene.provider, 16, 16),
        (scene.other, 10, 10),
        (scene.provider, 20, 10),
        (scene.other, None, 20),
        (scene.provider, None, 32),
    ]
    for number, (sender, limit, ruling) in enumerate(steps):
        _, path = sender.delete(session) if limit is None else sender.put(session, profile(limit))
        assert sender.result(path) == {"result": "ACCEPTED"}
        told = scene.provider.active(session, count=number + 1)
        # Only the changes are of interest to both; a request of its own is told to its Sender in any case.
        assert limits_of(told[-1].body)[0] == ruling
    assert [limits_of(one)[0] for one in scene.station.profiles(connector)] == [16, 10, 10, 20]
    answer, path = scene.provider.delete(session)
    assert (answer, scene.provider.result(path)) == (ACCEPTED, {"result": "UNKNOWN"})


def test_a_change_at_the_charger_is_told_once(scene: Scene) -> None:
    session, connector, transaction = scene.session()
    scene.provider.put(session, profile(16))
    scene.provider.active(session)

    scene.station.meter(connector, transaction, 1100, offered_a=16)
    wait_for(lambda: len(scene.station.reads(connector)) == 2, 10)
    scene.station.schedules[connector]["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": 9}]
    scene.station.meter(connector, transaction, 1200, offered_a=9)

    told = scene.provider.active(session, count=2, within_s=10)
    assert [limits_of(one.body)[0] for one in told] == [16, 9]


@pytest.mark.parametrize(
    ("change", "http_status"),
    [
        pytest.param(
            ('"charging_profile_period": [{', '"charging_profile_period": [], "x": [{'), 200, id="empty"
        ),
        pytest.param(('"limit": 16', '"limit": true'), 200, id="boolean"),
        pytest.param(('"limit": 16', '"limit": NaN'), 400, id="NaN"),
        pytest.param(('"limit": 16', '"limit": 16, "limit": 32'), 400, id="key-twice"),
        pytest.param(("http://127.0.0.1", "http://169.254.169.254"), 200, id="metadata"),
        pytest.param(("http://127.0.0.1", "http://me@127.0.0.1"), 200, id="userinfo"),
    ],
)
def test_a_wrong_profile_gets_2001(scene: Scene, change: tuple[str, str], http_status: int) -> None:
    whole = scene.provider.body(profile(16), scene.provider.new_response_url())

    answer = scene.provider.ask("PUT", scene.provider.url("any"), data=whole.replace(*change))

    assert (answer.status_code, answer.json()["status_code"]) == (http_status, 2001)
    assert (answer.headers["X-Request-ID"], answer.headers["X-Correlation-ID"]) == (
        "request-1",
        "correlation-1",
    )


def test_addresses_come_from_the_configuration_whatever_host_says(scene: Scene) -> None:
    spoofed = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    scene.session()

    page = scene.provider.ask(
        "GET", scene.provider.endpoints["sessions", "SENDER"] + "?limit=1", headers=spoofed
    )
    versions = scene.provider.ask("GET", f"{scene.node.url}/ocpi/versions", headers=spoofed)

    assert page.headers["Link"].startswith(f"<{scene.node.url}/ocpi/2.2.1/")
    assert versions.json()["data"][0]["url"] == f"{scene.node.url}/ocpi/2.2.1"


def test_each_wish_of_a_burst_gets_one_result_and_the_last_rules(scene: Scene) -> None:
    session, connector, _ = scene.session()
    limits = [6 + number for number in range(MOST_REQUESTS)]

    answers = [scene.provider.put(session, profile(limit)) for limit in limits]
    one_more, _ = scene.provider.put(session, profile(5))

    assert [answer for answer, _ in answers] == [ACCEPTED] * MOST_REQUESTS
    assert one_more == refused("TOO_OFTEN")
    results = [scene.provider.result(path, within_s=TIMEOUT_S + 3)["result"] for _, path in answers]
    assert results[-1] == "ACCEPTED"
    assert set(results) <= {"ACCEPTED", "REJECTED"}
    taken = [limit for limit, result in zip(limits, results, strict=True) if result == "ACCEPTED"]
    assert [limits_of(one)[0] for one in scene.station.profiles(connector)] == [
        min(limit, 32) for limit in taken
    ]
    assert {len(scene.provider.peer.received("POST", path)) for _, path in answers} == {1}


def test_silence_is_rejected_and_a_late_yes_is_undone(scene: Scene) -> None:
    session, connector, _ = scene.session()
    _, path = scene.provider.put(session, profile(20))
    assert scene.provider.result(path) == {"result": "ACCEPTED"}
    with scene.station.silent("SetChargingProfile"):
        _, path = scene.provider.put(session, profile(7))
        assert scene.provider.result(path, within_s=TIMEOUT_S + 3) == {"result": "REJECTED"}

    scene.station.answer_late()

    assert scene.station.schedules[connector]["chargingSchedulePeriod"][0]["limit"] == 7
    wait_for(lambda: scene.station.schedules[connector]["chargingSchedulePeriod"][0]["limit"] == 20, 15)
    assert len(scene.provider.peer.received("POST", path)) == 1
    assert {limits_of(one.body)[0] for one in scene.provider.active(session)} == {20}


def test_a_lost_charger_rejects_at_once_and_goes_on_when_it_is_back(scene: Scene) -> None:
    with ObedientStation(scene.ocpp_url, "PROV-2") as station:
        station.start(tag="LOST", at=at())
        session = scene.provider.told("LOST")["id"]
        with station.silent("SetChargingProfile"):
            _, path = scene.provider.put(session, profile(9))
            station.called("SetChargingProfile")
            station.cut()
        wait_for(lambda: scene.provider.get(session)[0] == refused("REJECTED"), 5, every_s=0.3)

    with ObedientStation(scene.ocpp_url, "PROV-2") as station:
        # What was on its way when the socket broke is sent once more.
        assert scene.provider.result(path) == {"result": "ACCEPTED"}
        assert [limits_of(one) for one in station.profiles(1)] == [[9]]


def test_a_charger_without_smart_charging_is_not_supported_at_once(scene: Scene) -> None:
    features = {"key": "SupportedFeatureProfiles", "readonly": True, "value": "Core"}
    replies = {"GetConfiguration": {"configurationKey": [features]}}
    scene.node.ask("charger", "add", "PROV-3", "--location", "PROV")
    with Station(scene.ocpp_url, "PROV-3", replies=replies) as station:
        station.boot()
        station.called("GetConfiguration")
        station.start(tag="SIMPLE", at=at())
        session = scene.provider.told("SIMPLE")["id"]

        assert scene.provider.put(session, profile(6))[0] == refused("NOT_SUPPORTED")
        assert scene.provider.delete(session)[0] == refused("NOT_SUPPORTED")
        assert [frame[2] for frame in station.calls] == ["GetConfiguration"]


def test_a_failing_response_url_gets_the_same_result_again_and_nothing_overtakes_it(scene: Scene) -> None:
    session, _, _ = scene.session()
    url = scene.provider.new_response_url()
    path = url.removeprefix(scene.provider.peer.url)
    scene.provider.peer.answer("POST", path, status=500)

    scene.provider.put(session, profile(11), url)

    tries = scene.provider.peer.wait_for("POST", path, count=3, timeout_s=10)
    assert scene.provider.peer.received("PUT", f"/2.2.1/sender/chargingprofiles/{session}") == []
    scene.provider.peer.answer("POST", path)
    told = scene.provider.active(session, within_s=10)[0]
    tries = scene.provider.peer.received("POST", path)
    assert [one.body for one in tries] == [{"result": "ACCEPTED"}] * len(tries)
    # Half a second, then one, each more or less by a fifth.
    assert tries[1].at - tries[0].at > 0.39
    assert tries[2].at - tries[1].at > 0.79
    assert tries[-1].at < told.at
