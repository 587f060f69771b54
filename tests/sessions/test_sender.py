"""Sessions Sender: what partners read of our own sessions, and the driver's preferences."""

from __future__ import annotations

import json

import pytest

from locations.models import Evse
from ocpi.partners import grants
from sessions.models import Session
from tests.factories import NOW, evse_document, make_location, make_partner, make_session, session_document
from tests.locations.calling import Calls

pytestmark = pytest.mark.django_db

PREFERENCES = "/S1/charging_preferences"
CHEAP = {"profile_type": "CHEAP", "departure_time": "2026-01-15T18:00:00Z", "energy_need": 20}


@pytest.fixture
def scsp():
    make_partner(token="scsp", may_steer=True)
    return Calls("sender/sessions", "scsp")


def capable(*capabilities):
    make_location(location_id="LOC1")
    Evse.objects.update(document=evse_document("LOC1-EVSE1", capabilities=list(capabilities)))


def ids(envelope):
    return [one["id"] for one in envelope["data"]]


def test_lists_our_sessions_whole(scsp):
    make_session(session_id="S1")
    make_session(session_id="S2", status="COMPLETED", kwh=3.5)
    make_session(session_id="THEIRS", partner=make_partner(role="CPO"))

    expected = [session_document("S1"), session_document("S2", status="COMPLETED", kwh=3.5)]
    for path in ("", "/", "?date_from=2020-01-01T00:00:00Z"):
        assert scsp.get(path) == (200, {"data": expected, "status_code": 1000})


def test_filters_by_last_updated(scsp):
    make_session(session_id="S1")

    assert ids(scsp.get("?date_from=2026-01-15T12:00:00Z")[1]) == ["S1"]
    assert ids(scsp.get("?date_to=2026-01-15T12:00:00Z")[1]) == []
    assert ids(scsp.get("?date_from=2026-01-15T12:00:00.001Z")[1]) == []


def test_pages_with_an_absolute_link(scsp):
    for number in range(3):
        make_session(session_id=f"S{number}")

    first = scsp.raw("GET", "?limit=2")
    link = first["Link"].split(">")[0].removeprefix("<")
    second = scsp.raw("GET", "?" + link.split("?")[1])

    assert link.startswith("http://127.0.0.1:8000/ocpi/2.2.1/sender/sessions?")
    assert [one["id"] for page in (first, second) for one in json.loads(page.content)["data"]] == [
        "S0",
        "S1",
        "S2",
    ]


def test_shows_a_session_by_grant_or_to_the_party_of_its_token_and_to_nobody_else():
    make_session(session_id="S1", location_id="Loc1")
    make_session(session_id="S2", location_id="LOC2", token_party=("DE", "EMS"))
    make_partner(token="nobody")
    grants.grant(make_partner(token="there"), location_id="lOC1", now=NOW)
    make_partner(token="emsp", role="EMSP", country_code="DE", party_id="EMS")

    def seen(token):
        return ids(Calls("sender/sessions", token).get()[1])

    assert (seen("nobody"), seen("there"), seen("emsp")) == ([], ["S1"], ["S2"])


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/S1", (404, 2001)),
        ("POST", "", (405, 2000)),
        ("PUT", "", (405, 2000)),
        ("DELETE", "", (405, 2000)),
        ("GET", PREFERENCES, (405, 2000)),
        ("POST", PREFERENCES, (405, 2000)),
    ],
)
def test_offers_nothing_else(scsp, method, path, answer):
    make_session(session_id="S1")

    assert scsp.status(method, path, {}) == answer


@pytest.mark.parametrize("query", ["limit=abc", "offset=-1", "date_from=yesterday", "date_to=x"])
def test_refuses_queries_that_make_no_sense(scsp, query):
    assert scsp.status("GET", f"?{query}") == (200, 2001)


def test_needs_a_good_token():
    wrong = Calls("sender/sessions", "wrong")
    assert wrong.status("GET", "") == (401, 2000)
    assert wrong.status("PUT", PREFERENCES, CHEAP) == (401, 2000)


def test_reads_a_long_list_with_as_many_queries_as_a_short_one(scsp, django_assert_max_num_queries):
    for _ in range(20):
        make_session()
    scsp.get()

    with django_assert_max_num_queries(6):
        scsp.get()


@pytest.mark.parametrize(
    ("preferences", "answer"),
    [
        (CHEAP, "ACCEPTED"),
        ({"profile_type": "FAST"}, "ACCEPTED"),
        ({"profile_type": "REGULAR", "discharge_allowed": True}, "ACCEPTED"),
        ({"profile_type": "GREEN", "energy_need": 20}, "DEPARTURE_REQUIRED"),
        ({"profile_type": "CHEAP", "departure_time": "2026-01-15T18:00:00Z"}, "ENERGY_NEED_REQUIRED"),
    ],
)
def test_answers_preferences_with_a_bare_value_and_keeps_those_it_accepts(scsp, preferences, answer):
    capable("CHARGING_PREFERENCES_CAPABLE")
    make_session(session_id="S1")

    for _ in range(2):
        assert scsp.put(PREFERENCES, preferences) == (200, {"data": answer, "status_code": 1000})

    kept = {"discharge_allowed": False, **preferences} if answer == "ACCEPTED" else None
    assert Session.objects.get().preferences == kept


@pytest.mark.parametrize("status", ["COMPLETED", "INVALID"])
def test_can_not_follow_preferences_after_the_end(scsp, status):
    capable("CHARGING_PREFERENCES_CAPABLE")
    make_session(session_id="S1", status=status)

    assert scsp.put(PREFERENCES, CHEAP)[1] == {"data": "NOT_POSSIBLE", "status_code": 1000}
    assert Session.objects.get().preferences is None


def test_takes_no_preferences_where_the_evse_can_not_or_the_session_is_not_theirs(scsp):
    capable("CHARGING_PROFILE_CAPABLE")
    make_session(session_id="S1")
    make_session(session_id="S2", location_id="GONE")
    make_session(session_id="S3", partner=make_partner(role="CPO"))
    make_partner(token="nobody")

    for session_id in ("S1", "S2", "S3", "S4"):
        assert scsp.status("PUT", f"/{session_id}/charging_preferences", CHEAP) == (404, 2001)
    assert Calls("sender/sessions", "nobody").status("PUT", PREFERENCES, CHEAP) == (404, 2001)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, (200, 2001)),
        ({"profile_type": "LUXURY"}, (200, 2001)),
        (CHEAP | {"departure_time": "tonight"}, (200, 2001)),
        (CHEAP | {"energy_need": -1}, (200, 2001)),
        (CHEAP | {"discharge_allowed": "yes"}, (200, 2001)),
        ([], (200, 2001)),
        (b"{", (400, 2001)),
    ],
)
def test_refuses_broken_preferences(scsp, body, answer):
    capable("CHARGING_PREFERENCES_CAPABLE")
    make_session(session_id="S1")

    assert scsp.status("PUT", PREFERENCES, body) == answer
    assert Session.objects.get().preferences is None


MAIN, SECOND = ("NL", "NOD"), ("NL", "ABC")


@pytest.fixture
def of_two(settings):
    """S1 at LOC1 of our main party, S2 at LOC1 of the second; a third has none."""
    settings.OTHER_PARTIES = [(*SECOND, ("CPO",), "Second"), ("NL", "XYZ", ("SCSP",), "Third")]
    make_session(session_id="S1")
    make_session(session_id="S2", party_id="ABC")


@pytest.mark.parametrize(
    ("to_party", "listed"), [(None, ["S1", "S2"]), (MAIN, ["S1"]), (SECOND, ["S2"]), (("NL", "XYZ"), [])]
)
def test_lists_those_of_the_party_that_is_asked(of_two, to_party, listed):
    make_partner(token="one", party_id="ONE", may_steer=True)
    calls = Calls("sender/sessions", "one", to_party=to_party)

    assert ids(calls.get()[1]) == listed
    assert calls.raw("GET")["X-Total-Count"] == str(len(listed))


@pytest.mark.parametrize(
    ("party", "location_id", "listed"),
    [(MAIN, "LOC1", ["S1"]), (SECOND, "LOC1", ["S2"]), (SECOND, "", ["S2"]), (SECOND, "LOC2", [])],
)
def test_shows_those_at_the_party_that_the_grant_names(of_two, party, location_id, listed):
    grants.grant(make_partner(token="one"), location_id=location_id, party=party, now=NOW)

    assert ids(Calls("sender/sessions", "one").get()[1]) == listed


def test_takes_preferences_where_the_session_belongs(of_two):
    make_partner(token="one", party_id="ONE", may_steer=True)
    make_location(location_id="LOC1", evses=0)
    make_location(location_id="LOC1", party=SECOND)
    Evse.objects.update(document=evse_document("LOC1-EVSE1", capabilities=["CHARGING_PREFERENCES_CAPABLE"]))
    preferences = {"profile_type": "FAST"}

    def asked(party):
        calls = Calls("sender/sessions", "one", to_party=party)
        return calls.status("PUT", "/S2/charging_preferences", preferences)

    assert (asked(MAIN), asked(SECOND), asked(None)) == ((404, 2001), (200, 1000), (200, 1000))
