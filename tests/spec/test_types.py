"""OCPI 2.2.1 types, and terminology, "Cardinality": what values look like on the wire."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.factories import connector_document, evse_document, location_document, session_document
from tests.journeys.provider import Provider, Scene, profile
from tests.spec.answers import DATE_TIME, said, status

THEIRS = {"country_code": "NL", "party_id": "PTN"}
FIELD = re.compile(r"date_time|timestamp|last_updated|period_begin|period_end|departure_time")
BEFORE = "2026-01-15T11:00:00"


def session_url(cpo: Provider, session_id: str) -> str:
    return f"{cpo.endpoints['sessions', 'RECEIVER']}/NL/PTN/{session_id}"


def location_url(cpo: Provider, location_id: str) -> str:
    return f"{cpo.endpoints['locations', 'RECEIVER']}/NL/PTN/{location_id}"


def stored(cpo: Provider, url: str, document: dict[str, Any]) -> dict[str, Any]:
    """PUT an object, which must be taken, and return what is there then."""
    answer = cpo.ask("PUT", url, data=json.dumps(document))
    assert answer.json()["status_code"] == 1000, answer.text
    found: dict[str, Any] = cpo.ask("GET", url).json()["data"]
    return found


def moments(document: Any) -> list[str]:
    """Return every DateTime in a document, however deep."""
    if isinstance(document, list):
        return [moment for one in document for moment in moments(one)]
    if not isinstance(document, dict):
        return []
    own = [value for name, value in document.items() if FIELD.search(name) and isinstance(value, str)]
    return own + [moment for value in document.values() for moment in moments(value)]


def test_every_moment_of_ours_is_in_utc_with_at_most_milliseconds(scene: Scene) -> None:
    session, _, transaction = scene.session()
    _, path = scene.provider.put(session, profile(8))
    scene.provider.result(path)
    scene.provider.active(session)
    scene.station.stop(transaction, meter_wh=2345, at="2026-01-15T12:34:56.123456+02:00")
    scene.provider.peer.wait_for("PUT", f"/2.2.1/receiver/sessions/NL/SPC/{session}", count=2)
    sender = [scene.provider.endpoints[module, "SENDER"] for module in ("sessions", "locations")]

    told = [one.body for one in scene.provider.peer.requests]
    read = [scene.provider.ask("GET", url).json() for url in sender]
    found = moments(told) + moments(read)
    assert len(found) > 20
    assert [one for one in found if not DATE_TIME.fullmatch(one)] == []


@pytest.mark.parametrize("ending", ["", ".5", ".25", ".123", "Z", ".5Z", ".25Z", ".123Z"])
def test_every_form_of_a_moment_is_taken(cpo: Provider, ending: str) -> None:
    document = session_document("Y1", **THEIRS, start_date_time=BEFORE + ending)

    found = stored(cpo, session_url(cpo, "Y1"), document)

    assert found["start_date_time"].rstrip("Z") == BEFORE + ending.rstrip("Z")
    assert found["start_date_time"] == document["start_date_time"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (f"{BEFORE}+00:00", f"{BEFORE}Z"),
        ("2026-01-15T13:00:00+02:00", f"{BEFORE}Z"),
        (f"{BEFORE}.123456Z", f"{BEFORE}.123Z"),
        (f"{BEFORE}.123456789+00:00", f"{BEFORE}.123Z"),
    ],
)
def test_other_forms_are_written_in_utc_with_milliseconds(cpo: Provider, sent: str, kept: str) -> None:
    document = session_document("Y2", **THEIRS, start_date_time=sent)

    assert stored(cpo, session_url(cpo, "Y2"), document)["start_date_time"] == kept


@pytest.mark.parametrize("sent", ["2026-01-15", "2026-02-30T11:00:00Z", "noon", 1768474800, ""])
def test_what_is_no_moment_gets_2001(cpo: Provider, sent: Any) -> None:
    document = session_document("Y3", **THEIRS, start_date_time=sent)

    assert status(cpo.ask("PUT", session_url(cpo, "Y3"), json=document)) == (200, 2001)


def test_ids_are_the_same_in_any_case_and_come_back_as_they_were_sent(cpo: Provider) -> None:
    document = session_document("y4-aBc", country_code="nl", party_id="ptn")
    receiver = cpo.endpoints["sessions", "RECEIVER"]

    assert status(cpo.ask("PUT", f"{receiver}/nl/ptn/Y4-ABC", json=document)) == (201, 1000)
    assert status(cpo.ask("PUT", f"{receiver}/NL/ptn/y4-abc", json=document)) == (200, 1000)
    assert cpo.ask("GET", f"{receiver}/NL/PTN/Y4-abc").json()["data"] == document


@pytest.mark.parametrize("meter", ["Zähler 7", "zähler 7"])
def test_text_keeps_its_case_and_its_letters(cpo: Provider, meter: str) -> None:
    document = session_document("Y4S", **THEIRS, meter_id=meter)

    assert stored(cpo, session_url(cpo, "Y4S"), document)["meter_id"] == meter


@pytest.mark.parametrize("field", ["location_id", "evse_uid", "authorization_reference"])
@pytest.mark.parametrize("text", ["ä", "a\tb", "a\r\nb", "x" * 37])
def test_an_id_is_printable_ascii_of_its_length(cpo: Provider, field: str, text: str) -> None:
    document = session_document("Y4I", **THEIRS, **{field: text})

    assert said(cpo.ask("PUT", session_url(cpo, "Y4I"), json=document)) == (200, {"status_code": 2001})


def test_line_breaks_are_kept_out_of_text(cpo: Provider) -> None:
    document = location_document("Y4L", **THEIRS, address="Kade\r\n1\tA")

    assert stored(cpo, location_url(cpo, "Y4L"), document)["address"] == "Kade 1 A"


@pytest.mark.parametrize(
    ("sent", "kept"), [("1.5", 1.5), (2, 2), ("2", 2), (1.23456, 1.2346), (0.00004, 0.0), ("1e1", 10.0)]
)
def test_a_number_is_a_number_with_four_decimals(cpo: Provider, sent: Any, kept: float) -> None:
    found = stored(cpo, session_url(cpo, "Y5"), session_document("Y5", **THEIRS, kwh=sent))

    assert (found["kwh"], isinstance(found["kwh"], str)) == (kept, False)


def test_our_own_numbers_are_numbers_and_limits_have_one_decimal(scene: Scene) -> None:
    session, connector, transaction = scene.session()
    _, path = scene.provider.put(session, profile(10.57))
    assert scene.provider.result(path) == {"result": "ACCEPTED"}
    active = scene.provider.active(session)[0].body["charging_profile"]
    scene.station.meter(connector, transaction, 1234)
    patch = scene.provider.peer.wait_for("PATCH", f"/2.2.1/receiver/sessions/NL/SPC/{session}", timeout_s=10)

    assert patch[0].body["kwh"] == 0.234
    assert [one["limit"] for one in active["charging_profile_period"]] == [10.5]
    sent = scene.station.profiles(connector)[0]["chargingSchedule"]["chargingSchedulePeriod"]
    assert [one["limit"] for one in sent] == [10.5]


@pytest.mark.parametrize(
    ("field", "value"), [("status", "active"), ("status", "CHARGING"), ("auth_method", "Whitelist")]
)
def test_the_case_of_an_enum_counts(cpo: Provider, field: str, value: str) -> None:
    document = session_document("Y6", **THEIRS, **{field: value})

    assert said(cpo.ask("PUT", session_url(cpo, "Y6"), json=document)) == (200, {"status_code": 2001})


@pytest.mark.parametrize(("length", "is_taken"), [(255, True), (256, False)])
def test_an_address_has_255_characters_at_most(provider: Provider, length: int, is_taken: bool) -> None:
    url = f"{provider.peer.url}/results/".ljust(length, "x")
    taken = {"data": {"result": "UNKNOWN_SESSION", "timeout": 0}, "status_code": 1000}
    expected = (200, taken if is_taken else {"status_code": 2001})

    assert said(provider.ask("PUT", provider.url("Y7"), data=provider.body(profile(6), url))) == expected
    params = {"response_url": url, "duration": "60"}
    assert said(provider.ask("GET", provider.url("Y7"), params=params)) == expected
    assert said(provider.ask("DELETE", provider.url("Y7"), params=params)) == expected


@pytest.mark.parametrize(
    "absent", ["evses", "directions", "facilities", "images", "name", "operator", "opening_times"]
)
def test_null_means_absent_where_a_field_is_optional(cpo: Provider, absent: str) -> None:
    plain = location_document("Y8", **THEIRS)

    assert stored(cpo, location_url(cpo, "Y8"), plain | {absent: None}) == plain


@pytest.mark.parametrize("empty", ["evses", "directions", "facilities", "images", "related_locations"])
def test_an_empty_list_is_taken_where_a_field_may_have_none(cpo: Provider, empty: str) -> None:
    found = stored(cpo, location_url(cpo, "Y8"), location_document("Y8", **THEIRS, **{empty: []}))

    assert found.get(empty, []) == []


@pytest.mark.parametrize("connectors", [[], None, "absent"])
def test_a_list_that_needs_one_needs_one(cpo: Provider, connectors: Any) -> None:
    evse = evse_document("Y8E", connectors=connectors)
    if connectors == "absent":
        del evse["connectors"]
    document = location_document("Y8N", **THEIRS, evses=[evse])

    assert said(cpo.ask("PUT", location_url(cpo, "Y8N"), json=document)) == (200, {"status_code": 2001})
    whole = location_document(
        "Y8N", **THEIRS, evses=[evse_document("Y8E", connectors=[connector_document()])]
    )
    assert stored(cpo, location_url(cpo, "Y8N"), whole) == whole


@pytest.mark.parametrize("field", ["address", "coordinates", "publish", "last_updated"])
def test_null_is_no_value_where_a_field_is_required(cpo: Provider, field: str) -> None:
    document = location_document("Y8R", **THEIRS, **{field: None})

    assert said(cpo.ask("PUT", location_url(cpo, "Y8R"), json=document)) == (200, {"status_code": 2001})
