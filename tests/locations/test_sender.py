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
