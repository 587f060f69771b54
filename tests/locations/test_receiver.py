"""Locations Receiver: what partners store with us."""

from __future__ import annotations

import copy
import json
from datetime import timedelta

import pytest

from locations.models import Evse, Location
from ocpi.partners.models import Partner
from tests.factories import NOW, connector_document, evse_document, iso, location_document, make_partner
from tests.locations.calling import Calls

pytestmark = pytest.mark.django_db

LATER = "2026-01-15T13:00:00Z"
LATEST = "2026-01-15T14:00:00.500Z"
EARLIER = "2026-01-15T11:00:00Z"


@pytest.fixture
def cpo(settings):
    # NL-NOD of the documents is theirs.
    settings.PARTY_ID = "OUR"
    make_partner(role="CPO", country_code="NL", party_id="NOD", token="cpo")
    return Calls("receiver/locations", "cpo")


@pytest.fixture
def stored(cpo):
    """LOC1 with EVSE1 and its connector 1."""
    cpo.put("/NL/NOD/LOC1", location_document(evses=[evse_document("EVSE1")]))
    return cpo


def test_keeps_fields_and_enum_values_that_it_does_not_know(cpo):
    evse = evse_document("EVSE1", capabilities=["TELEPORT"], parking={"x": [1]})
    document = location_document(evses=[evse], help_phone="+31", facilities=["SAUNA"])

    cpo.put("/NL/NOD/LOC1", document)

    assert cpo.get("/NL/NOD/LOC1")[1]["data"] == document


def test_gives_each_depth_by_ids_in_any_case(stored):
    evse = evse_document("EVSE1")

    assert stored.get("/nl/nod/loc1")[1]["data"] == location_document(evses=[evse])
    assert stored.get("/NL/NOD/LOC1/evse1/")[1]["data"] == evse
    assert stored.get("/NL/NOD/LOC1/EVSE1/1")[1]["data"] == connector_document()


@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
    [
        ("GET", "/NL/NOD/NOPE", None, (404, 2003)),
        ("GET", "/NL/NOD/LOC1/NOPE", None, (404, 2003)),
        ("GET", "/NL/NOD/LOC1/EVSE1/NOPE", None, (404, 2003)),
        ("PATCH", "/NL/NOD/NOPE", {"name": "x", "last_updated": LATER}, (404, 2003)),
        ("PATCH", "/NL/NOD/LOC1/NOPE", {"status": "BLOCKED", "last_updated": LATER}, (404, 2003)),
        ("PATCH", "/NL/NOD/LOC1/EVSE1/NOPE", {"max_voltage": 1, "last_updated": LATER}, (404, 2003)),
        ("PUT", "/NL/NOD/NOPE/EVSE1", evse_document("EVSE1"), (404, 2003)),
        ("PUT", "/NL/NOD/LOC1/NOPE/1", connector_document(), (404, 2003)),
        ("GET", "/DE/XXX/LOC1", None, (404, 2001)),
        ("PUT", "/DE/XXX/LOC1", location_document(country_code="DE", party_id="XXX"), (404, 2001)),
        ("PUT", "/NL/NOD/LOC1", location_document(party_id="XXX"), (200, 2001)),
        ("PUT", "/NL/NOD/LOC1", location_document("LOC2"), (200, 2001)),
        ("PUT", "/NL/NOD/LOC1/EVSE2", evse_document("EVSE1"), (200, 2001)),
        ("PUT", "/NL/NOD/LOC1/EVSE1/2", connector_document(), (200, 2001)),
        ("PATCH", "/NL/NOD/LOC1", {"id": "LOC2", "last_updated": LATER}, (200, 2001)),
        ("PATCH", "/NL/NOD/LOC1", {"name": "no last_updated"}, (200, 2001)),
        ("PATCH", "/NL/NOD/LOC1", {"name": "x", "last_updated": "yesterday"}, (200, 2001)),
        ("PATCH", "/NL/NOD/LOC1", {"city": None, "last_updated": LATER}, (200, 2001)),
        ("PATCH", "/NL/NOD/LOC1", ["name"], (200, 2001)),
        ("PATCH", "/NL/NOD/LOC1", {"evses": [3], "last_updated": LATER}, (200, 2001)),
        ("PATCH", "/NL/NOD/LOC1", {"evses": [{"uid": "NEW"}], "last_updated": LATER}, (200, 2001)),
        ("PATCH", "/NL/NOD/LOC1/EVSE1", {"connectors": "1", "last_updated": LATER}, (200, 2001)),
        ("PUT", "/NL/NOD/LOC1/EVSE1", evse_document("EVSE1", connectors=[]), (200, 2001)),
        ("PUT", "/NL/NOD/LOC1", location_document(publish="yes"), (200, 2001)),
        ("PUT", "/NL/NOD/LOC1", b'{"id":', (400, 2001)),
        ("POST", "/NL/NOD/LOC1", {}, (405, 2000)),
        ("DELETE", "/NL/NOD/LOC1", None, (405, 2000)),
        ("DELETE", "/NL/NOD/LOC1/EVSE1/1", None, (405, 2000)),
        ("GET", "/NL/NOD/LOC1/EVSE1/1/deeper", None, (404, 2001)),
    ],
)
def test_refuses_what_is_wrong_and_leaves_all_as_it_was(stored, method, path, body, answer):
    before = stored.get("/NL/NOD/LOC1")

    assert stored.status(method, path, body) == answer

    assert stored.get("/NL/NOD/LOC1") == before
    assert Location.objects.count() == 1


def test_says_which_field_is_wrong(cpo):
    document = location_document(evses=[evse_document("EVSE1")])
    del document["coordinates"]

    http_status, envelope = cpo.put("/NL/NOD/LOC1", document)

    assert (http_status, envelope["status_code"]) == (200, 2001)
    assert "coordinates" in envelope["status_message"]
    assert not Location.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"publish_allowed_to": [{}]},
        {"publish_allowed_to": [{"uid": "1"}]},
        {"publish_allowed_to": [{"visual_number": "1"}]},
        {"coordinates": {"latitude": "91.00000", "longitude": "5.12222"}},
        {"coordinates": {"latitude": "north", "longitude": "5.12222"}},
        {"evses": [evse_document("E1"), evse_document("e1")]},
        {"evses": [evse_document("E1", connectors=[connector_document(), connector_document()])]},
    ],
)
def test_refuses_objects_that_break_a_rule_between_fields(cpo, fields):
    assert cpo.status("PUT", "/NL/NOD/LOC1", location_document(**fields)) == (200, 2001)


def test_needs_a_good_token(stored):
    assert Calls("receiver/locations", "wrong").status("GET", "/NL/NOD/LOC1") == (401, 2000)


def test_keeps_each_partner_to_its_own_locations(stored):
    make_partner(role="CPO", country_code="NL", party_id="NOD", token="other")
    other = Calls("receiver/locations", "other")

    assert other.status("GET", "/NL/NOD/LOC1") == (404, 2003)
    assert other.status("PUT", "/NL/NOD/LOC1", location_document(name="Theirs")) == (201, 1000)
    assert "name" not in stored.get("/NL/NOD/LOC1")[1]["data"]


def test_replaces_a_location_and_keeps_the_evses_left_out_as_removed(stored):
    replacement = location_document(
        evses=[evse_document("EVSE3"), evse_document("EVSE2")], last_updated=LATER
    )

    assert stored.put("/NL/NOD/LOC1", replacement) == (200, {"status_code": 1000})

    assert stored.get("/NL/NOD/LOC1")[1]["data"] == replacement
    left_out = evse_document("EVSE1", status="REMOVED", last_updated=LATER)
    assert stored.get("/NL/NOD/LOC1/EVSE1")[1]["data"] == left_out
    back = location_document(evses=[evse_document("EVSE1")], last_updated=LATEST)
    stored.put("/NL/NOD/LOC1", back)
    assert stored.get("/NL/NOD/LOC1")[1]["data"] == back
    assert Evse.objects.count() == 3


def test_patches_a_location_and_clears_what_is_null(stored):
    stored.patch("/NL/NOD/LOC1", {"name": "Kade", "postal_code": "3511", "last_updated": LATER})
    assert stored.patch("/NL/NOD/LOC1", {"name": None, "last_updated": LATEST}) == (
        200,
        {"status_code": 1000},
    )

    expected = location_document(postal_code="3511", evses=[evse_document("EVSE1")], last_updated=LATEST)
    assert stored.get("/NL/NOD/LOC1")[1]["data"] == expected


def test_patches_evses_and_connectors_inside_by_id_and_drops_none(stored):
    change = {
        "evses": [
            {"uid": "evse1", "status": "CHARGING", "connectors": [{"id": "1", "max_amperage": 16}]},
            evse_document("EVSE2"),
        ],
        "last_updated": LATER,
    }

    assert stored.status("PATCH", "/NL/NOD/LOC1", change) == (200, 1000)

    first = evse_document(
        "EVSE1",
        status="CHARGING",
        connectors=[connector_document(max_amperage=16, last_updated=LATER)],
        last_updated=LATER,
    )
    expected = location_document(evses=[first, evse_document("EVSE2")], last_updated=LATER)
    assert stored.get("/NL/NOD/LOC1")[1]["data"] == expected


def test_moves_the_parents_when_a_child_changes(stored):
    assert stored.status("PUT", "/NL/NOD/LOC1/EVSE2", evse_document("EVSE2")) == (201, 1000)
    assert stored.status("PATCH", "/NL/NOD/LOC1/EVSE1", {"status": "REMOVED", "last_updated": LATER}) == (
        200,
        1000,
    )
    second = connector_document(id="2", last_updated=LATEST)
    assert stored.status("PUT", "/NL/NOD/LOC1/EVSE1/2", second) == (201, 1000)
    assert stored.status("PUT", "/NL/NOD/LOC1/EVSE1/2", second) == (200, 1000)

    first = evse_document(
        "EVSE1", status="REMOVED", connectors=[connector_document(), second], last_updated=LATEST
    )
    expected = location_document(evses=[first, evse_document("EVSE2")], last_updated=LATEST)
    assert stored.get("/NL/NOD/LOC1")[1]["data"] == expected
    assert Location.objects.get().last_updated.isoformat() == "2026-01-15T14:00:00.500000+00:00"


def test_patches_a_connector(stored):
    change = {"tariff_ids": ["15"], "last_updated": LATER}

    assert stored.status("PATCH", "/NL/NOD/LOC1/EVSE1/1", change) == (200, 1000)

    assert stored.get("/NL/NOD/LOC1/EVSE1/1")[1]["data"] == connector_document(**change)
    assert stored.get("/NL/NOD/LOC1/EVSE1")[1]["data"]["last_updated"] == LATER
    assert stored.get("/NL/NOD/LOC1")[1]["data"]["last_updated"] == LATER


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/NL/NOD/LOC1", location_document(last_updated=EARLIER)),
        ("PATCH", "/NL/NOD/LOC1", {"name": "Old", "last_updated": EARLIER}),
        ("PUT", "/NL/NOD/LOC1/EVSE1", evse_document("EVSE1", status="BLOCKED", last_updated=EARLIER)),
        ("PATCH", "/NL/NOD/LOC1/EVSE1", {"status": "BLOCKED", "last_updated": EARLIER}),
        ("PUT", "/NL/NOD/LOC1/EVSE1/1", connector_document(max_voltage=400, last_updated=EARLIER)),
        ("PATCH", "/NL/NOD/LOC1/EVSE1/1", {"max_voltage": 400, "last_updated": EARLIER}),
    ],
)
def test_takes_an_older_update_without_overwriting_newer_data(stored, method, path, body):
    before = copy.deepcopy(stored.get("/NL/NOD/LOC1"))

    assert stored.status(method, path, body) == (200, 1000)

    assert stored.get("/NL/NOD/LOC1") == before


def test_takes_a_location_for_as_new_as_its_newest_connector(stored):
    connector = connector_document(max_voltage=400, last_updated=LATER)
    location = location_document(last_updated=EARLIER, evses=[evse_document("EVSE1", connectors=[connector])])

    assert stored.status("PUT", "/NL/NOD/LOC1", location) == (200, 1000)

    assert stored.get("/NL/NOD/LOC1/EVSE1/1")[1]["data"] == connector


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/NL/NOD/LOC1", location_document(name="New")),
        ("PATCH", "/NL/NOD/LOC1", {"name": "New", "last_updated": iso(NOW)}),
        ("PUT", "/NL/NOD/LOC1/EVSE1", evse_document("EVSE1", physical_reference="New")),
        ("PATCH", "/NL/NOD/LOC1/EVSE1", {"physical_reference": "New", "last_updated": iso(NOW)}),
        ("PUT", "/NL/NOD/LOC1/EVSE1/1", connector_document(terms_and_conditions="https://cpo.example/New")),
        (
            "PATCH",
            "/NL/NOD/LOC1/EVSE1/1",
            {"terms_and_conditions": "https://cpo.example/New", "last_updated": iso(NOW)},
        ),
    ],
)
def test_takes_an_update_of_the_same_moment(stored, method, path, body):
    assert stored.status(method, path, body) == (200, 1000)

    assert "New" in json.dumps(stored.get("/NL/NOD/LOC1"))


FUTURE = {"last_updated": "2099-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", location_document(**FUTURE)),
        ("PUT", "", location_document(evses=[evse_document("EVSE1", **FUTURE)])),
        ("PATCH", "", {"name": "New"} | FUTURE),
        ("PATCH", "", {"evses": [{"uid": "EVSE1"} | FUTURE], "last_updated": LATER}),
        ("PUT", "/EVSE1", evse_document("EVSE1", **FUTURE)),
        ("PUT", "/EVSE1", evse_document("EVSE1", connectors=[connector_document(**FUTURE)])),
        ("PATCH", "/EVSE1", {"status": "BLOCKED"} | FUTURE),
        ("PUT", "/EVSE1/1", connector_document(**FUTURE)),
        ("PATCH", "/EVSE1/1", {"max_voltage": 400} | FUTURE),
    ],
)
def test_refuses_an_update_from_the_future_that_nothing_could_follow(stored, method, path, body):
    before = copy.deepcopy(stored.get("/NL/NOD/LOC1"))

    assert stored.status(method, f"/NL/NOD/LOC1{path}", body) == (200, 2001)

    assert stored.get("/NL/NOD/LOC1") == before


def test_takes_tolerated_forms_and_stores_strict_ones(cpo):
    connector = connector_document(max_voltage="230", last_updated="2026-01-15T12:00:00+00:00")
    evse = evse_document("EVSE1", status="EXPLODED", physical_reference=3, connectors=[connector])

    cpo.put("/NL/NOD/LOC1", location_document(evses=[evse], directions=None))

    strict = evse_document("EVSE1", status="UNKNOWN", physical_reference="3")
    assert cpo.get("/NL/NOD/LOC1")[1]["data"] == location_document(evses=[strict])


def test_takes_the_locations_of_others_from_a_hub():
    make_partner(role="HUB", country_code="NL", party_id="HUB", token="hub")
    hub = Calls("receiver/locations", "hub")
    theirs = location_document("LOC1", country_code="BE", party_id="XYZ")
    ours = location_document("LOC1")

    assert hub.put("/BE/XYZ/LOC1", theirs) == (201, {"status_code": 1000})
    assert hub.status("PUT", "/NL/NOD/LOC1", ours) == (404, 2001)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/NL/NOD/LOC9", {"last_updated": LATER}),
        ("PATCH", "/NL/NOD/LOC1/EVSE9", {"status": "CHARGING", "last_updated": LATER}),
        ("PATCH", "/NL/NOD/LOC1/EVSE1/9", {"max_voltage": 400, "last_updated": LATER}),
        ("PUT", "/NL/NOD/LOC9/EVSE1", evse_document("EVSE1")),
        ("PUT", "/NL/NOD/LOC1/EVSE9/1", connector_document()),
    ],
)
def test_asks_again_soon_for_what_was_changed_before_it_was_told(stored, method, path, body):
    Partner.objects.update(pull_due_at=NOW + timedelta(days=10_000))

    assert stored.status(method, path, body)[0] == 404

    assert Partner.objects.get().pull_due_at < NOW + timedelta(days=10_000)
