"""Charging profiles, the Receiver: results at response_url and active profiles (mod_charging_profiles)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.obedient import at
from tests.journeys.provider import Provider, Scene, limits_of, profile
from tests.spec.charging import answering, charging_at

MAX_CURRENT_A = 32
REJECTED = {"result": "REJECTED"}
ROUTED_TO_PROVIDER = {
    "OCPI-from-country-code": "NL",
    "OCPI-from-party-id": "SPC",
    "OCPI-to-country-code": "DE",
    "OCPI-to-party-id": "PRO",
}


@pytest.fixture(scope="module")
def charging(scene: Scene) -> Iterator[Scene]:
    """The scene with a station of this section's own."""
    with charging_at(scene, "CPACT", evses=20) as own:
        yield own


def set_limit(sender: Provider, session: str, *limits: float, **fields: Any) -> Any:
    """Return the result of a profile."""
    _, path = sender.put(session, profile(*limits, **fields))
    return sender.result(path)


def active_of(told: dict[str, Any], *periods: tuple[int, float], duration_s: int) -> dict[str, Any]:
    """Return the ActiveChargingProfile with these (start_period, limit) from the moment that was told.

    The station may have answered a moment before, and then its schedule ends so much earlier.
    """
    begins_at, told_s = told["start_date_time"], told["charging_profile"]["duration"]
    assert 0 <= duration_s - told_s <= 2
    return {
        "start_date_time": begins_at,
        "charging_profile": {
            "start_date_time": begins_at,
            "duration": told_s,
            "charging_rate_unit": "A",
            "charging_profile_period": [
                {"start_period": start_s, "limit": limit} for start_s, limit in periods
            ],
        },
    }


def test_each_kind_of_request_gets_its_own_kind_of_result_once(charging: Scene) -> None:
    session, _, _ = charging.session()
    provider, before = charging.provider, at()

    assert set_limit(provider, session, 16) == {"result": "ACCEPTED"}
    _, asked = provider.get(session, 600)
    told = provider.result(asked)
    assert told == {"result": "ACCEPTED", "profile": active_of(told["profile"], (0, 16), duration_s=600)}
    assert before <= told["profile"]["start_date_time"] <= at()
    _, cleared = provider.delete(session)
    assert provider.result(cleared) == {"result": "ACCEPTED"}
    _, cleared_again = provider.delete(session)
    assert provider.result(cleared_again) == {"result": "UNKNOWN"}

    assert [len(provider.peer.received("POST", path)) for path in (asked, cleared, cleared_again)] == [1] * 3


def test_the_station_decides_what_the_result_is(charging: Scene) -> None:
    session, connector, _ = charging.session()
    provider, station = charging.provider, charging.station
    with answering(station, "SetChargingProfile", {"status": "Rejected"}):
        assert set_limit(provider, session, 16) == REJECTED
    with answering(station, "GetCompositeSchedule", {"status": "Rejected"}):
        assert provider.result(provider.get(session)[1]) == REJECTED
    assert set_limit(provider, session, 16) == {"result": "ACCEPTED"}
    # It lost the profile without a word: there is none to clear.
    del station.schedules[connector]
    assert provider.result(provider.delete(session)[1]) == {"result": "UNKNOWN"}


def test_the_result_goes_to_response_url_as_it_is_with_routing_reversed(charging: Scene) -> None:
    session, _, _ = charging.session()
    peer = charging.provider.peer
    path = "/results/verbatim/%2F%C3%BC;v=1"

    charging.provider.put(session, profile(16), f"{peer.url}{path}?a=1%262&b=")

    result = peer.wait_for("POST", path)[0]
    assert (result.path, result.query) == (path, {"a": "1&2", "b": ""})
    active = charging.provider.active(session)[0]
    for told in (result, active):
        assert {name: told.headers[name] for name in ROUTED_TO_PROVIDER} == ROUTED_TO_PROVIDER
    assert result.headers["X-Correlation-ID"] == "correlation-1"


def test_what_was_refused_gets_no_result(charging: Scene) -> None:
    session, _, transaction = charging.session()
    answer, stranger_path = charging.stranger.put(session, profile(6))
    _, unknown_path = charging.provider.put("no-such-session", profile(6))
    assert answer["result"] == "REJECTED"

    assert set_limit(charging.provider, session, 7) == {"result": "ACCEPTED"}
    charging.station.stop(transaction, at=at())
    _, over_path = charging.provider.put(session, profile(6))
    later, _, _ = charging.session()
    assert set_limit(charging.provider, later, 7) == {"result": "ACCEPTED"}

    assert charging.stranger.peer.received("POST", stranger_path) == []
    assert charging.provider.peer.received("POST", unknown_path) == []
    assert charging.provider.peer.received("POST", over_path) == []


def test_only_who_set_a_profile_is_told_the_active_one(charging: Scene) -> None:
    session, _, _ = charging.session()
    provider, other = charging.provider, charging.other
    with answering(charging.station, "SetChargingProfile", {"status": "Rejected"}):
        assert set_limit(other, session, 6) == REJECTED
    assert other.result(other.get(session)[1])["result"] == "ACCEPTED"
    assert other.result(other.delete(session)[1]) == {"result": "UNKNOWN"}

    assert set_limit(provider, session, 16) == {"result": "ACCEPTED"}
    provider.active(session)
    # One more question of its own, to be sure that whatever was on its way came first.
    assert other.result(other.get(session)[1])["result"] == "ACCEPTED"

    assert other.peer.received("PUT", f"/2.2.1/sender/chargingprofiles/{session}") == []


def test_each_sender_is_told_what_another_one_changes(charging: Scene) -> None:
    session, _, _ = charging.session()
    provider, other = charging.provider, charging.other
    assert set_limit(provider, session, 16) == {"result": "ACCEPTED"}
    provider.active(session)

    assert set_limit(other, session, 10) == {"result": "ACCEPTED"}
    assert limits_of(provider.active(session, count=2)[1].body) == [10]
    assert limits_of(other.active(session)[0].body) == [10]
    assert other.result(other.delete(session)[1]) == {"result": "ACCEPTED"}

    assert limits_of(provider.active(session, count=3)[2].body) == [16]
    assert limits_of(other.active(session, count=2)[1].body) == [16]


def test_a_newer_profile_replaces_the_older_one(charging: Scene) -> None:
    session, connector, _ = charging.session()
    assert set_limit(charging.provider, session, 10) == {"result": "ACCEPTED"}

    assert set_limit(charging.provider, session, 20) == {"result": "ACCEPTED"}

    sent = charging.station.profiles(connector)
    assert [limits_of(one) for one in sent] == [[10], [20]]
    assert {(one["chargingProfileId"], one["stackLevel"]) for one in sent} == {
        (sent[0]["chargingProfileId"], sent[0]["stackLevel"])
    }
    told = charging.provider.result(charging.provider.get(session)[1])
    assert limits_of(told["profile"]) == [20]


@pytest.mark.parametrize("is_telling", [True, False], ids=["station tells", "station refuses to tell"])
def test_without_a_profile_the_maximum_of_the_evse_is_told(charging: Scene, is_telling: bool) -> None:
    session, _, _ = charging.session()
    assert set_limit(charging.provider, session, 10) == {"result": "ACCEPTED"}
    charging.provider.active(session)
    reply = charging.station.composite if is_telling else {"status": "Rejected"}

    with answering(charging.station, "GetCompositeSchedule", reply):
        assert charging.provider.result(charging.provider.delete(session)[1]) == {"result": "ACCEPTED"}
        told = charging.provider.active(session, count=2)[1].body

    assert told == active_of(told, (0, MAX_CURRENT_A), duration_s=3600)


def test_a_limit_on_site_that_is_lower_is_what_is_active(charging: Scene) -> None:
    session, connector, _ = charging.session()
    station = charging.station

    def capped(request: dict[str, Any]) -> dict[str, Any]:
        answer = station.composite(request)
        for period in answer["chargingSchedule"]["chargingSchedulePeriod"]:
            period["limit"] = min(period["limit"], 10)
        return answer

    with answering(station, "GetCompositeSchedule", capped):
        assert set_limit(charging.provider, session, 16, 8) == {"result": "ACCEPTED"}
        told = charging.provider.active(session)[0].body

    assert limits_of(station.profiles(connector)[0]) == [16, 8]
    assert limits_of(told) == [10, 8]


def test_a_start_is_a_moment_and_without_an_end_the_last_period_runs_on(charging: Scene) -> None:
    session, connector, _ = charging.session()
    begun_at = at(-700)
    endless = profile(16, 10, 8, start_date_time=begun_at)
    del endless["duration"]

    assert charging.provider.result(charging.provider.put(session, endless)[1]) == {"result": "ACCEPTED"}

    schedule = charging.station.profiles(connector)[0]["chargingSchedule"]
    assert "duration" not in schedule
    told = charging.provider.active(session)[0].body
    # 700 s after its start the second period rules, and 500 s later the third for good.
    first, second = told["charging_profile"]["charging_profile_period"]
    assert told == active_of(told, (0, 10), (second["start_period"], 8), duration_s=3600)
    assert first["start_period"] == 0
    assert 490 <= second["start_period"] <= 500
    assert 300 <= told["charging_profile"]["duration"] <= 3600
