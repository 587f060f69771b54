"""Locations Sender: what partners read of our own locations."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from locations.models import Evse, Location
from ocpi.partners import grants
from tests.factories import (
    NOW,
    connector_document,
    evse_document,
    iso,
    location_document,
    make_location,
    make_partner,
)
from tests.locations.calling import Calls

pytestmark = pytest.mark.django_db


@pytest.fixture
def emsp():
    make_partner(role="EMSP", token="emsp")
    return Calls("sender/locations", "emsp")


def hide(location):
    location.document["publish"] = False
    location.save()


def test_lists_our_locations_with_all_their_evses(emsp):
    make_location(location_id="LOC1", evses=2)
    make_location(location_id="LOC2", evses=0)
    make_location(location_id="THEIRS", partner=make_partner(role="CPO"))

    first = location_document("LOC1", evses=[evse_document("LOC1-EVSE1"), evse_document("LOC1-EVSE2")])
    expected = {"data": [first, location_document("LOC2")], "status_code": 1000}
    assert emsp.get() == (200, expected)
    assert emsp.get("/") == (200, expected)


def test_pages_with_an_absolute_link(emsp):
    for number in range(3):
        make_location(location_id=f"LOC{number}")

    first = emsp.raw("GET", "?limit=2")
    link = first["Link"].split(">")[0].removeprefix("<")
    second = emsp.raw("GET", "?" + link.split("?")[1])

    assert first["X-Total-Count"] == second["X-Total-Count"] == "3"
    assert link.startswith("http://127.0.0.1:8000/ocpi/2.2.1/sender/locations?")
    ids = [one["id"] for page in (first, second) for one in json.loads(page.content)["data"]]
    assert ids == ["LOC0", "LOC1", "LOC2"]
    assert "Link" not in second


def test_filters_by_last_updated_of_the_location(emsp):
    make_location(location_id="OLD")
    new = make_location(location_id="NEW")
    Location.objects.filter(pk=new.pk).update(last_updated=NOW + timedelta(hours=1))

    envelope = emsp.get(f"?date_from={iso(NOW + timedelta(hours=1))}")[1]

    assert [one["id"] for one in envelope["data"]] == ["NEW"]


def test_gives_each_depth_by_ids_in_any_case(emsp):
    make_location(location_id="LOC1")
    evse = evse_document("LOC1-EVSE1")

    assert emsp.get("/loc1")[1]["data"] == location_document("LOC1", evses=[evse])
    assert emsp.get("/LOC1/loc1-evse1/")[1]["data"] == evse
    assert emsp.get("/LOC1/LOC1-EVSE1/1")[1]["data"] == connector_document()


def test_still_shows_a_removed_evse(emsp):
    make_location(location_id="LOC1")
    removed = evse_document("LOC1-EVSE1", status="REMOVED")
    Evse.objects.update(status="REMOVED", document=removed)

    assert emsp.get("/LOC1")[1]["data"] == location_document("LOC1", evses=[removed])


@pytest.mark.parametrize("path", ["/NOPE", "/LOC1/NOPE", "/LOC1/LOC1-EVSE1/NOPE", "/THEIRS"])
def test_answers_2003_for_what_is_not_ours(emsp, path):
    make_location(location_id="LOC1")
    make_location(location_id="THEIRS", partner=make_partner(role="CPO"))

    assert emsp.status("GET", path) == (404, 2003)


def test_hides_unpublished_locations_from_all_without_a_grant(emsp):
    hide(make_location(location_id="HIDDEN"))
    make_partner(token="all", may_steer=True)
    grants.grant(make_partner(token="one"), location_id="hidden", now=NOW)

    assert emsp.get()[1]["data"] == []
    assert emsp.status("GET", "/HIDDEN") == (404, 2003)
    for token in ("all", "one"):
        seen = Calls("sender/locations", token).get()[1]["data"]
        assert [one["id"] for one in seen] == ["HIDDEN"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["", "/LOC1", "/LOC1/LOC1-EVSE1", "/LOC1/LOC1-EVSE1/1"])
def test_can_only_be_read(emsp, method, path):
    assert emsp.status(method, path, {}) == (405, 2000)


@pytest.mark.parametrize("query", ["limit=abc", "limit=0", "offset=-1", "date_from=yesterday"])
def test_refuses_queries_that_make_no_sense(emsp, query):
    assert emsp.status("GET", f"?{query}") == (200, 2001)


def test_needs_a_good_token():
    assert Calls("sender/locations", "wrong").status("GET", "") == (401, 2000)


def test_reads_a_long_list_with_as_many_queries_as_a_short_one(emsp, django_assert_max_num_queries):
    for number in range(20):
        make_location(location_id=f"LOC{number}", evses=2)
    emsp.get()

    with django_assert_max_num_queries(7):
        emsp.get()


MAIN, SECOND, THIRD = ("NL", "NOD"), ("NL", "ABC"), ("NL", "XYZ")


@pytest.fixture
def of_two(settings):
    """LOC1 and LOC2 of our main party, LOC1 and LOC3 of the second; a third has none."""
    settings.OTHER_PARTIES = [(*SECOND, ("CPO",), "Second"), (*THIRD, ("SCSP",), "Third")]
    for party, location_id in ((MAIN, "LOC1"), (MAIN, "LOC2"), (SECOND, "LOC1"), (SECOND, "LOC3")):
        make_location(location_id=location_id, party=party)


def listed(calls):
    answer = calls.raw("GET")
    found = [(one["country_code"], one["party_id"], one["id"]) for one in json.loads(answer.content)["data"]]
    assert answer["X-Total-Count"] == str(len(found))
    return found


def test_lists_those_of_the_party_that_is_asked(of_two):
    make_partner(token="one", party_id="ONE", may_steer=True)

    def asked(party):
        return listed(Calls("sender/locations", "one", to_party=party))

    assert asked(MAIN) == [(*MAIN, "LOC1"), (*MAIN, "LOC2")]
    assert asked(SECOND) == [(*SECOND, "LOC1"), (*SECOND, "LOC3")]
    assert asked(THIRD) == []
    assert asked(None) == asked(MAIN) + asked(SECOND)


@pytest.mark.parametrize(
    ("to_party", "owners"),
    [
        (None, [MAIN, MAIN, SECOND]),
        (MAIN, [MAIN, MAIN, None]),
        (SECOND, [SECOND, None, SECOND]),
        (THIRD, [None, None, None]),
    ],
)
def test_gives_one_of_the_party_that_is_asked_else_the_first_of_that_id(of_two, to_party, owners):
    make_partner(token="one", party_id="ONE")
    calls = Calls("sender/locations", "one", to_party=to_party)

    for location_id, owner in zip(("LOC1", "LOC2", "LOC3"), owners, strict=True):
        http_status, envelope = calls.get(f"/{location_id}")
        found = envelope.get("data", {})
        assert (found.get("country_code"), found.get("party_id")) == (owner or (None, None))
        assert http_status == (200 if owner else 404)
        assert calls.status("GET", f"/{location_id}/{location_id}-EVSE1") == (
            (200, 1000) if owner else (404, 2003)
        )


@pytest.mark.parametrize(
    ("location_id", "party", "seen"),
    [
        ("loc1", MAIN, [(*MAIN, "LOC1")]),
        ("loc1", SECOND, [(*SECOND, "LOC1")]),
        ("", SECOND, [(*SECOND, "LOC1"), (*SECOND, "LOC3")]),
    ],
)
def test_shows_hidden_ones_of_the_party_that_the_grant_names(of_two, location_id, party, seen):
    for location in Location.objects.all():
        hide(location)
    grants.grant(make_partner(token="one"), location_id=location_id, party=party, now=NOW)

    assert listed(Calls("sender/locations", "one")) == seen
