"""Sessions Receiver: what partners store with us."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ocpi.partners.models import Partner
from sessions import listeners
from sessions.models import Session
from tests.factories import NOW, make_partner, session_document
from tests.locations.calling import Calls

pytestmark = pytest.mark.django_db

LATER = "2026-01-15T13:00:00Z"
LATEST = "2026-01-15T14:00:00.500Z"
EARLIER = "2026-01-15T11:00:00Z"
PATH = "/NL/NOD/S1"


def period(hour, volume=1.0):
    return {
        "start_date_time": f"2026-01-15T{hour}:00:00Z",
        "dimensions": [{"type": "ENERGY", "volume": volume}],
    }


@pytest.fixture
def cpo(settings):
    # NL-NOD of the documents is theirs.
    settings.PARTY_ID = "OUR"
    make_partner(role="CPO", country_code="NL", party_id="NOD", token="cpo")
    return Calls("receiver/sessions", "cpo")


@pytest.fixture
def stored(cpo):
    cpo.put(PATH, session_document("S1"))
    return cpo


def test_finds_a_session_whatever_the_case_of_its_ids(stored):
    assert stored.get("/nl/nod/s1/") == (200, {"data": session_document("S1"), "status_code": 1000})
    assert stored.status("PUT", "/nl/nod/s1", session_document("s1", last_updated=LATER)) == (200, 1000)
    assert Session.objects.count() == 1


def test_keeps_the_columns_that_planning_reads_in_step(stored):
    stored.patch(PATH, {"status": "COMPLETED", "end_date_time": LATER, "last_updated": LATER})

    session = Session.objects.get()

    assert (session.status, session.location_id, session.evse_uid) == ("COMPLETED", "LOC1", "LOC1-EVSE1")
    assert (session.token_country_code, session.token_party_id) == ("NL", "NOD")
    assert session.ended_at == session.last_updated


def test_put_replaces_the_whole(stored):
    stored.put(PATH, session_document("S1", charging_periods=[period(12)], meter_id="M", last_updated=LATER))
    bare = session_document("S1", last_updated=LATEST)

    assert stored.put(PATH, bare) == (200, {"status_code": 1000})

    assert stored.get(PATH)[1]["data"] == bare


def test_patch_changes_only_what_it_names_and_clears_what_is_null(stored):
    stored.patch(PATH, {"kwh": 4.2, "meter_id": "M1", "vendor_field": {"a": 1}, "last_updated": LATER})
    stored.patch(PATH, {"meter_id": None, "last_updated": LATEST})

    expected = session_document("S1", kwh=4.2, vendor_field={"a": 1}, last_updated=LATEST)
    assert stored.get(PATH)[1]["data"] == expected


def test_patch_appends_charging_periods_and_drops_exact_repetitions(stored):
    for moment, periods in [
        ("2026-01-15T12:01:00Z", [period(12)]),
        ("2026-01-15T12:02:00Z", []),
        ("2026-01-15T12:03:00Z", None),
        ("2026-01-15T12:04:00Z", [period(12), period(13)]),
    ]:
        change = {"charging_periods": periods, "last_updated": moment}
        assert stored.status("PATCH", PATH, change) == (200, 1000)

    assert stored.get(PATH)[1]["data"] == session_document(
        "S1", charging_periods=[period(12), period(13)], last_updated="2026-01-15T12:04:00Z"
    )


def test_takes_reserved_for_reservation_and_an_unassigned_evse(cpo):
    reserved = session_document("S1", status="RESERVED", evse_uid="#NA", connector_id="#NA")

    assert cpo.status("PUT", PATH, reserved) == (201, 1000)

    assert cpo.get(PATH)[1]["data"] == reserved | {"status": "RESERVATION"}


def test_takes_numbers_sent_as_strings(cpo):
    cpo.put(PATH, session_document("S1", kwh="1.5"))

    assert cpo.get(PATH)[1]["data"] == session_document("S1", kwh=1.5)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_takes_an_older_update_without_overwriting_newer_data(stored, method):
    body = session_document("S1", kwh=9.9, last_updated=EARLIER)

    assert stored.status(method, PATH, body) == (200, 1000)

    assert stored.get(PATH)[1]["data"] == session_document("S1")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_takes_an_update_of_the_same_moment(stored, method):
    assert stored.status(method, PATH, session_document("S1", kwh=9.9)) == (200, 1000)

    assert stored.get(PATH)[1]["data"]["kwh"] == 9.9


def test_takes_late_facts_of_a_completed_session(stored):
    stored.patch(PATH, {"status": "COMPLETED", "last_updated": LATER})

    assert stored.status("PATCH", PATH, {"total_cost": {"excl_vat": 2}, "last_updated": LATEST}) == (
        200,
        1000,
    )

    assert stored.get(PATH)[1]["data"]["total_cost"] == {"excl_vat": 2}


@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
    [
        ("GET", "/NL/NOD/NOPE", None, (404, 2001)),
        ("PATCH", "/NL/NOD/NOPE", {"kwh": 1, "last_updated": LATER}, (404, 2001)),
        ("GET", "/DE/XXX/S1", None, (404, 2001)),
        ("PUT", "/DE/XXX/S1", session_document("S1", country_code="DE", party_id="XXX"), (404, 2001)),
        ("PUT", PATH, session_document("S1", party_id="XXX"), (200, 2001)),
        ("PUT", PATH, session_document("S2"), (200, 2001)),
        ("PUT", PATH, {"id": "S1"}, (200, 2001)),
        ("PUT", PATH, session_document("S1", status="active"), (200, 2001)),
        ("PUT", PATH, session_document("S1", kwh=True), (200, 2001)),
        ("PUT", PATH, session_document("S1", charging_periods=[{}]), (200, 2001)),
        ("PUT", PATH, session_document("S1", last_updated="2099-01-01T00:00:00Z"), (200, 2001)),
        ("PATCH", PATH, {"kwh": 2, "last_updated": "9999-12-31T23:59:59Z"}, (200, 2001)),
        ("PUT", PATH, [], (200, 2001)),
        ("PUT", PATH, b'{"id":', (400, 2001)),
        ("PATCH", PATH, {"kwh": 2}, (200, 2001)),
        ("PATCH", PATH, {"kwh": None, "last_updated": LATER}, (200, 2001)),
        ("PATCH", PATH, {"kwh": "lots", "last_updated": LATER}, (200, 2001)),
        ("PATCH", PATH, {"id": "S2", "last_updated": LATER}, (200, 2001)),
        ("PATCH", PATH, {"cdr_token": {"uid": "X"}, "last_updated": LATER}, (200, 2001)),
        ("PATCH", PATH, "kwh", (200, 2001)),
        ("POST", PATH, {}, (405, 2000)),
        ("DELETE", PATH, None, (405, 2000)),
        ("PATCH", f"{PATH}/charging_periods", {"last_updated": LATER}, (404, 2001)),
    ],
)
def test_refuses_what_is_wrong_and_leaves_all_as_it_was(stored, method, path, body, answer):
    assert stored.status(method, path, body) == answer

    assert stored.get(PATH)[1]["data"] == session_document("S1")
    assert Session.objects.count() == 1


def test_needs_a_good_token(stored):
    assert Calls("receiver/sessions", "wrong").status("GET", PATH) == (401, 2000)


def test_keeps_each_partner_to_its_own_sessions(stored):
    make_partner(role="CPO", country_code="NL", party_id="NOD", token="other")
    other = Calls("receiver/sessions", "other")

    assert other.status("GET", PATH) == (404, 2001)
    assert other.status("PATCH", PATH, {"kwh": 1, "last_updated": LATER}) == (404, 2001)
    assert other.status("PUT", PATH, session_document("S1", kwh=7.0)) == (201, 1000)
    assert stored.get(PATH)[1]["data"] == session_document("S1")


def test_tells_listeners_of_each_session_stored_after_the_commit(
    cpo, monkeypatch, django_capture_on_commit_callbacks
):
    heard = []
    monkeypatch.setattr(listeners, "_listeners", [])
    listeners.register_session_listener(lambda session, now: heard.append(session.document["kwh"]))

    with django_capture_on_commit_callbacks(execute=True):
        cpo.put(PATH, session_document("S1", kwh=1.0))
        cpo.patch(PATH, {"kwh": 2.0, "last_updated": LATER})
        cpo.patch(PATH, {"kwh": 3.0, "last_updated": EARLIER})
        cpo.put(PATH, session_document("S1", kwh="lots"))

    assert heard == [1.0, 2.0]


def test_stores_with_few_queries(stored, django_assert_max_num_queries):
    with django_assert_max_num_queries(7):
        stored.put(PATH, session_document("S1", kwh=1.0, last_updated=LATER))
    with django_assert_max_num_queries(7):
        stored.patch(PATH, {"kwh": 2.0, "last_updated": LATEST})


def test_asks_again_soon_for_what_was_changed_before_it_was_told(stored):
    Partner.objects.update(pull_due_at=NOW + timedelta(days=10_000))

    assert stored.status("PATCH", "/NL/NOD/S9", {"kwh": 1, "last_updated": LATER}) == (404, 2001)

    assert Partner.objects.get().pull_due_at < NOW + timedelta(days=10_000)
