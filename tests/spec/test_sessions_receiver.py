"""Sessions, the Receiver: what a CPO stores with us, and that we can act on it (mod_sessions)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.factories import session_document
from tests.journeys.nodes import Node
from tests.journeys.provider import Provider
from tests.spec.endpoints import CREATED, DONE, NOTHING, REFUSED, Endpoint

THEIRS = "/NL/PTN"
LATER, LAST = "2026-01-15T13:00:00Z", "2026-01-15T14:00:00.500Z"
UNKNOWN = (404, 2001, NOTHING)


@pytest.fixture(scope="module")
def sessions(cpo: Provider) -> Endpoint:
    """Where the CPO stores its sessions."""
    return Endpoint(cpo, "sessions", "RECEIVER")


def session(session_id: str, **fields: Any) -> dict[str, Any]:
    """Return an active session of the CPO's."""
    return session_document(session_id, **{"party_id": "PTN", **fields})


def period(hour: int) -> dict[str, Any]:
    """Return a charging period that begins at this hour."""
    energy = {"type": "ENERGY", "volume": 1.5}
    return {"start_date_time": f"2026-01-15T{hour}:00:00Z", "dimensions": [energy]}


def stored(sessions: Endpoint, session_id: str, **fields: Any) -> str:
    """Store a session and return its path."""
    path = f"{THEIRS}/{session_id}"
    assert sessions.put(path, session(session_id, **fields)) == CREATED
    return path


@pytest.mark.parametrize(
    "fields", [{"party_id": "OTH"}, {"country_code": "DE"}, {"id": "OTHER"}], ids=lambda one: next(iter(one))
)
def test_the_url_names_the_sessions_own_ids(sessions: Endpoint, fields: dict[str, str]) -> None:
    path = stored(sessions, f"RS-URL-{next(iter(fields))}")
    before = sessions.data(path)

    assert sessions.put(path, before | fields | {"last_updated": LATER}) == REFUSED
    assert sessions.patch(path, fields | {"last_updated": LATER}) == REFUSED
    assert sessions.put(f"/DE/OTH/{before['id']}", before | {"country_code": "DE"}) == UNKNOWN
    assert sessions.data(path) == before


def test_a_session_is_read_back_as_it_was_stored(sessions: Endpoint) -> None:
    path = stored(sessions, "RS-READ", meter_id="M1", their_own_field=[1, {"a": None}])

    assert sessions.data(path) == session("RS-READ", meter_id="M1", their_own_field=[1, {"a": None}])
    assert sessions.data("/nl/ptn/rs-read/") == sessions.data(path)
    assert sessions.get(f"{THEIRS}/RS-NONE") == UNKNOWN


def test_a_put_replaces_all_also_charging_periods(sessions: Endpoint) -> None:
    path = stored(sessions, "RS-PUT", charging_periods=[period(12), period(13)], meter_id="M1")
    one_left = session("RS-PUT", charging_periods=[period(13)], last_updated=LATER)
    none_left = session("RS-PUT", last_updated=LAST)

    assert sessions.put(path, one_left) == DONE
    assert sessions.data(path) == one_left
    assert sessions.put(path, none_left) == DONE
    assert sessions.data(path) == none_left
    assert sessions.put(path, one_left | {"last_updated": LAST}) == DONE
    assert sessions.put(path, none_left | {"charging_periods": []}) == DONE
    assert sessions.data(path).get("charging_periods", []) == []


def test_a_patch_needs_last_updated(sessions: Endpoint) -> None:
    path = stored(sessions, "RS-STAMP")

    assert sessions.patch(path, {"kwh": 3.5}) == REFUSED
    assert sessions.patch(path, {"kwh": 3.5, "last_updated": None}) == REFUSED
    assert sessions.data(path) == session("RS-STAMP")
    assert sessions.patch(path, {"kwh": 3.5, "last_updated": LATER}) == DONE
    assert sessions.data(path) == session("RS-STAMP", kwh=3.5, last_updated=LATER)


def test_a_patch_adds_charging_periods(sessions: Endpoint) -> None:
    path = stored(sessions, "RS-ADD", charging_periods=[period(12)])

    assert sessions.patch(path, {"charging_periods": [period(13)], "last_updated": LATER}) == DONE
    both = session("RS-ADD", charging_periods=[period(12), period(13)], last_updated=LATER)
    assert sessions.data(path) == both
    for nothing_new in ({"charging_periods": []}, {"charging_periods": None}, {}):
        assert sessions.patch(path, nothing_new | {"last_updated": LAST}) == DONE
        assert sessions.data(path) == both | {"last_updated": LAST}


def test_only_a_whole_session_is_patched(sessions: Endpoint) -> None:
    path = stored(sessions, "RS-WHOLE")

    for below in ("/charging_periods", "/status", "/charging_preferences"):
        assert sessions.patch(path + below, {"status": "COMPLETED", "last_updated": LATER}) == UNKNOWN
    assert sessions.patch(f"{THEIRS}/RS-NONE", {"kwh": 1, "last_updated": LATER}) == UNKNOWN
    assert sessions.data(path) == session("RS-WHOLE")


def test_nothing_is_posted_or_deleted(sessions: Endpoint) -> None:
    sessions.refuses(f"{THEIRS}/RS-ANY", "POST", "DELETE")


def test_a_reservation_has_no_evse_yet(sessions: Endpoint) -> None:
    body = session("RS-BOOKED", status="RESERVATION", evse_uid="#NA", connector_id="#NA")
    path = stored(sessions, "RS-BOOKED", status="RESERVATION", evse_uid="#NA", connector_id="#NA")
    change = {"status": "ACTIVE", "evse_uid": "E1", "connector_id": "1", "last_updated": LATER}

    assert sessions.data(path) == body
    assert sessions.patch(path, change) == DONE
    assert sessions.data(path) == body | change


def test_free_is_not_the_same_as_no_price(sessions: Endpoint) -> None:
    free = {"total_cost": {"excl_vat": 0.0}}
    path = stored(sessions, "RS-FREE")

    assert "total_cost" not in sessions.data(path)
    assert sessions.patch(path, free | {"last_updated": LATER}) == DONE
    assert sessions.data(path) == session("RS-FREE", last_updated=LATER) | free


@pytest.mark.parametrize("session_id", ["RS-ACT", "RS/1 *%"])
def test_a_session_that_was_told_is_steered(
    node: Node, cpo: Provider, sessions: Endpoint, tmp_path: Path, session_id: str
) -> None:
    encoded = quote(session_id, safe="")
    path = f"{THEIRS}/{encoded}"
    assert sessions.put(path, session(session_id)) == CREATED
    assert sessions.patch(path, {"kwh": 1.5, "last_updated": LATER}) == DONE
    assert sessions.data(path) == session(session_id, kwh=1.5, last_updated=LATER)
    steering = f"/2.2.1/receiver/chargingprofiles/{encoded}"
    cpo.peer.answer("PUT", steering, data={"result": "ACCEPTED", "timeout": 30})
    limits = {
        "start_date_time": LATER,
        "charging_rate_unit": "A",
        "charging_profile_period": [{"start_period": 0, "limit": 10}],
    }
    (tmp_path / "limits.json").write_text(json.dumps(limits))

    asked = node.ask("profile", "set", session_id, "--file", str(tmp_path / "limits.json"))

    put = cpo.peer.wait_for("PUT", steering)[0]
    assert asked["result"] == "ACCEPTED"
    assert (put.path, put.body["charging_profile"]) == (steering, limits)
    # And what the CPO tells of its profile finds the session.
    active = {"start_date_time": LATER, "charging_profile": limits}
    told = Endpoint(cpo, "chargingprofiles", "SENDER").put(f"/{encoded}", active)
    assert told == DONE
