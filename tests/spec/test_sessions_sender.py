"""Sessions, the Sender: what partners read of our sessions, and what we push of them (mod_sessions)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from demo.processes import ROOT
from tests.journeys.nodes import Node
from tests.journeys.obedient import ObedientStation, at
from tests.journeys.provider import Provider, Scene
from tests.spec.endpoints import NOTHING, Endpoint
from tests.waiting import wait_for

# No command gives an EVSE this yet: an EVSE that has it needs tariffs, too.
TAKES_PREFERENCES = """
from locations.models import Evse
for evse in Evse.objects.filter(uid__in=["SESS-1-5", "SESS-1-6"]):
    evse.document["capabilities"].append("CHARGING_PREFERENCES_CAPABLE")
    evse.save()
"""
UNKNOWN = (404, 2001, NOTHING)


@pytest.fixture(scope="module")
def station(scene: Scene) -> Iterator[ObedientStation]:
    """A station with outlets of its own."""
    scene.node.ask("charger", "add", "SESS-1", "--location", "SESS", "--evses", "8")
    with ObedientStation(scene.ocpp_url, "SESS-1") as station:
        station.boot()
        yield station


@pytest.fixture(scope="module")
def sessions(provider: Provider, station: ObedientStation) -> Endpoint:
    """The node's sessions, for a partner that may steer."""
    return Endpoint(provider, "sessions", "SENDER")


@pytest.fixture(scope="module")
def stranger(scene: Scene) -> Endpoint:
    """The node's sessions, for a partner without any grant."""
    return Endpoint(scene.stranger, "sessions", "SENDER")


def of_list(sessions: Endpoint, session_id: str, **params: str) -> list[dict[str, Any]]:
    """Return the sessions of a list with this id."""
    return [one for one in sessions.data(limit="100", **params) if one["id"] == session_id]


@pytest.fixture(scope="module")
def active(provider: Provider, station: ObedientStation) -> dict[str, Any]:
    """A session that goes on."""
    station.start(connector=1, tag="SE-ACTIVE", at=at(-60))
    return provider.told("SE-ACTIVE")


def test_the_list_is_filtered_by_last_updated(sessions: Endpoint, active: dict[str, Any]) -> None:
    session_id, moment = active["id"], active["last_updated"]

    assert of_list(sessions, session_id) == [active]
    assert of_list(sessions, session_id, date_from=moment) == [active]
    assert of_list(sessions, session_id, date_from=moment, date_to=at(60)) == [active]
    assert of_list(sessions, session_id, date_to=moment) == []
    assert of_list(sessions, session_id, date_from=at(60)) == []
    assert sessions.get(date_from="soon") == (200, 2001, NOTHING)


def test_the_list_comes_in_pages(
    sessions: Endpoint, active: dict[str, Any], station: ObedientStation
) -> None:
    station.start(connector=2, tag="SE-SECOND", at=at(-60))
    second = sessions.partner.told("SE-SECOND")
    query = {"date_from": active["last_updated"], "limit": "1"}

    page = sessions.ask("GET", params=query)
    link = page.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
    following = sessions.partner.ask("GET", link)

    assert [one["id"] for one in page.json()["data"]] == [active["id"]]
    assert int(page.headers["X-Total-Count"]) >= 2
    assert following.json()["data"][0]["id"] == second["id"]


def test_only_the_list_and_preferences_have_an_address(sessions: Endpoint, active: dict[str, Any]) -> None:
    assert sessions.get(f"/{active['id']}") == UNKNOWN
    assert sessions.get(f"/NL/SPC/{active['id']}") == UNKNOWN
    sessions.refuses("", "POST", "PUT", "PATCH", "DELETE")
    sessions.refuses(f"/{active['id']}/charging_preferences", "GET", "POST", "PATCH", "DELETE")


def test_a_new_session_is_put_whole(provider: Provider, station: ObedientStation) -> None:
    started_at = at(-90)

    station.start(connector=3, tag="SE-NEW", at=started_at)

    told = provider.told("SE-NEW")
    assert told == {
        "country_code": "NL",
        "party_id": "SPC",
        "id": told["id"],
        "start_date_time": started_at,
        "kwh": 0.0,
        "cdr_token": {
            "country_code": "NL",
            "party_id": "SPC",
            "uid": "SE-NEW",
            "type": "RFID",
            "contract_id": "SE-NEW",
        },
        "auth_method": "WHITELIST",
        "location_id": "SESS",
        "evse_uid": "SESS-1-3",
        "connector_id": "1",
        "currency": "EUR",
        "status": "ACTIVE",
        "last_updated": told["last_updated"],
    }
    put = provider.updates(told["id"])[0]
    assert (put.method, put.path) == ("PUT", f"/2.2.1/receiver/sessions/NL/SPC/{told['id']}")


def test_completed_is_final_and_nothing_is_deleted(
    provider: Provider, station: ObedientStation, sessions: Endpoint
) -> None:
    transaction = station.start(connector=4, tag="SE-OVER", at=at(-60))
    session_id = provider.told("SE-OVER")["id"]
    station.stop(transaction, meter_wh=3000, at=at())
    end = wait_for(lambda: provider.updates(session_id)[1:])[0].body

    station.meter(4, transaction, 9000)
    station.stop(transaction, meter_wh=9000, at=at())
    # A session after it is told, and of this one nothing more.
    station.start(connector=4, tag="SE-AFTER", at=at())
    provider.told("SE-AFTER")

    assert (end["status"], end["kwh"], end["end_date_time"][-1]) == ("COMPLETED", 2.0, "Z")
    assert len(provider.updates(session_id)) == 2
    ended = of_list(sessions, session_id)[0]
    assert {name: ended[name] for name in end} == end


def test_an_hour_is_a_charging_period_and_periods_are_never_patched(
    provider: Provider, station: ObedientStation, sessions: Endpoint
) -> None:
    started_at, hour = at(-7200), 7200
    transaction = station.start(connector=7, tag="SE-LONG", at=started_at)
    session_id = provider.told("SE-LONG")["id"]

    station.meter(7, transaction, 6000)
    told = wait_for(lambda: of_list(sessions, session_id)[0].get("charging_periods"))
    station.stop(transaction, meter_wh=7000, at=at())
    wait_for(lambda: provider.updates(session_id)[-1].body.get("status") == "COMPLETED")

    energy, duration = told[0]["dimensions"]
    assert (told[0]["start_date_time"], energy) == (started_at, {"type": "ENERGY", "volume": 5.0})
    assert (duration["type"], round(duration["volume"] * 3600 / hour, 2)) == ("TIME", 1.0)
    whole = of_list(sessions, session_id)[0]
    assert {one.method for one in provider.updates(session_id)} == {"PUT"}
    assert provider.updates(session_id)[-1].body == whole
    assert [one["dimensions"][0]["volume"] for one in whole["charging_periods"]] == [5.0, 1.0]
    # Nobody knows the price: no total_cost, which is not the same as 0.
    assert "total_cost" not in whole


@pytest.fixture(scope="module")
def choosy(node: Node, provider: Provider, station: ObedientStation) -> str:
    """A session at an EVSE that takes charging preferences."""
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", TAKES_PREFERENCES],
        cwd=ROOT,
        env=node.environment,
        check=True,
        capture_output=True,
        timeout=60,
    )
    station.start(connector=5, tag="SE-CHOOSY", at=at(-60))
    return str(provider.told("SE-CHOOSY")["id"])


@pytest.mark.parametrize(
    ("preferences", "answer"),
    [
        ({"profile_type": "FAST"}, "ACCEPTED"),
        ({"profile_type": "REGULAR"}, "ACCEPTED"),
        ({"profile_type": "CHEAP"}, "DEPARTURE_REQUIRED"),
        ({"profile_type": "GREEN", "energy_need": 20}, "DEPARTURE_REQUIRED"),
        ({"profile_type": "GREEN", "departure_time": "2030-01-01T08:00:00Z"}, "ENERGY_NEED_REQUIRED"),
        (
            {"profile_type": "CHEAP", "departure_time": "2030-01-01T08:00:00Z", "energy_need": 20},
            "ACCEPTED",
        ),
    ],
)
def test_preferences_are_answered_by_a_bare_value(
    sessions: Endpoint, choosy: str, preferences: dict[str, Any], answer: str
) -> None:
    assert sessions.put(f"/{choosy}/charging_preferences", preferences) == (200, 1000, answer)


def test_discharging_is_forbidden_unless_it_is_allowed(node: Node, sessions: Endpoint, choosy: str) -> None:
    path = f"/{choosy}/charging_preferences"

    assert sessions.put(path, {"profile_type": "FAST"}) == (200, 1000, "ACCEPTED")
    silent = node.ask("session", "show", choosy)["preferences"]
    assert sessions.put(path, {"profile_type": "FAST", "discharge_allowed": True})[2] == "ACCEPTED"
    allowing = node.ask("session", "show", choosy)["preferences"]

    assert silent == {"profile_type": "FAST", "discharge_allowed": False}
    assert allowing == {"profile_type": "FAST", "discharge_allowed": True}


def test_preferences_need_a_session_of_theirs_and_an_evse_that_takes_them(
    sessions: Endpoint, stranger: Endpoint, active: dict[str, Any], choosy: str
) -> None:
    wish = {"profile_type": "FAST"}

    assert sessions.put(f"/{active['id']}/charging_preferences", wish) == UNKNOWN
    assert sessions.put("/no-such-session/charging_preferences", wish) == UNKNOWN
    assert stranger.put(f"/{choosy}/charging_preferences", wish) == UNKNOWN
    assert sessions.put(f"/{choosy}", wish) == UNKNOWN
    assert sessions.put(f"/{choosy}/charging_preferences", {"profile_type": "WARP"}) == (200, 2001, NOTHING)


def test_preferences_come_too_late_at_the_end(
    provider: Provider, sessions: Endpoint, station: ObedientStation, choosy: str
) -> None:
    transaction = station.start(connector=6, tag="SE-LATE", at=at(-60))
    session_id = provider.told("SE-LATE")["id"]
    station.stop(transaction, at=at())
    wait_for(lambda: of_list(sessions, session_id)[0]["status"] == "COMPLETED")

    answer = sessions.put(f"/{session_id}/charging_preferences", {"profile_type": "FAST"})

    assert answer == (200, 1000, "NOT_POSSIBLE")


def test_a_session_is_seen_only_by_whom_it_concerns(
    scene: Scene, sessions: Endpoint, stranger: Endpoint, active: dict[str, Any]
) -> None:
    assert of_list(sessions, active["id"]) == [active]
    assert of_list(stranger, active["id"]) == []
    assert scene.provider.updates(active["id"])
    assert scene.stranger.updates(active["id"]) == []
