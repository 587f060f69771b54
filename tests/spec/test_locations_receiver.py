"""Locations, the Receiver: what a CPO stores with us (mod_locations)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import connector_document, evse_document, location_document
from tests.journeys.provider import Provider
from tests.spec.endpoints import CREATED, DONE, NOTHING, REFUSED, Endpoint

THEIRS = "/NL/PTN"
LATER, LAST = "2026-01-15T13:00:00Z", "2026-01-15T14:00:00.500Z"


@pytest.fixture(scope="module")
def locations(cpo: Provider) -> Endpoint:
    """Where the CPO stores its locations."""
    return Endpoint(cpo, "locations", "RECEIVER")


def location(location_id: str, *evses: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a location of the CPO's with these EVSEs."""
    fields = {"party_id": "PTN", **fields} | ({"evses": list(evses)} if evses else {})
    return location_document(location_id, **fields)


def evse(uid: str, **fields: Any) -> dict[str, Any]:
    """Return an EVSE with one connector."""
    return evse_document(uid, **fields)


def stored(locations: Endpoint, location_id: str, *evses: dict[str, Any], **fields: Any) -> str:
    """Store a location and return its path."""
    path = f"{THEIRS}/{location_id}"
    assert locations.put(path, location(location_id, *evses, **fields)) == CREATED
    return path


@pytest.mark.parametrize(
    "fields", [{"party_id": "OTH"}, {"country_code": "DE"}, {"id": "OTHER"}], ids=lambda one: next(iter(one))
)
def test_the_url_names_the_locations_own_ids(locations: Endpoint, fields: dict[str, str]) -> None:
    body = location("RL-URL") | fields

    assert locations.put(f"{THEIRS}/RL-URL", body) == REFUSED
    assert locations.get(f"{THEIRS}/RL-URL") == (404, 2003, NOTHING)


def test_the_url_names_the_childrens_ids(locations: Endpoint) -> None:
    path = stored(locations, "RL-IDS", evse("E1"))

    assert locations.put(f"{path}/E2", evse("E1")) == REFUSED
    assert locations.put(f"{path}/E1/2", connector_document()) == REFUSED
    assert locations.patch(f"{path}/E1", {"uid": "E2", "last_updated": LATER}) == REFUSED
    assert locations.data(path) == location("RL-IDS", evse("E1"))


def test_each_depth_is_put_and_read_back(locations: Endpoint) -> None:
    whole = location("RL-DEPTH", evse("E1"), name="Whole")
    path = stored(locations, "RL-DEPTH", evse("E1"), name="Whole")

    assert locations.data(path) == whole
    assert locations.data(f"{path}/E1") == evse("E1")
    assert locations.data(f"{path}/E1/1/") == connector_document()
    assert locations.data("/nl/ptn/rl-depth/e1/1") == connector_document()

    second = evse("E2", last_updated=LATER)
    assert locations.put(f"{path}/E2", second) == CREATED
    assert locations.put(f"{path}/E2", second) == DONE
    plug = connector_document(id="2", last_updated=LAST)
    assert locations.put(f"{path}/E2/2", plug) == CREATED
    assert locations.put(f"{path}/E2/2", plug) == DONE
    second |= {"connectors": [connector_document(), plug], "last_updated": LAST}
    assert locations.data(path) == whole | {"evses": [evse("E1"), second], "last_updated": LAST}

    # A whole location again is all there is, and what it lacks is gone.
    bare = location("RL-DEPTH", evse("E1"), last_updated=LAST)
    assert locations.put(path, bare) == DONE
    assert locations.data(path) == bare


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("PUT", "/E1", evse("E1", status="BLOCKED", last_updated=LATER)),
        ("PATCH", "/E1", {"status": "BLOCKED", "last_updated": LATER}),
        ("PUT", "/E1/1", connector_document(max_amperage=16, last_updated=LATER)),
        ("PATCH", "/E1/1", {"max_amperage": 16, "last_updated": LATER}),
    ],
)
def test_a_childs_change_moves_its_parents(
    locations: Endpoint, method: str, below: str, body: dict[str, Any]
) -> None:
    name = f"RL-UP-{method}-{below.count('/')}"
    path = stored(locations, name, evse("E1"), evse("E2"))

    assert locations.ask(method, path + below, body).json()["status_code"] == 1000

    first = evse("E1", last_updated=LATER)
    if below == "/E1":
        first["status"] = "BLOCKED"
    else:
        first["connectors"] = [connector_document(max_amperage=16, last_updated=LATER)]
    assert locations.data(path) == location(name, first, evse("E2"), last_updated=LATER)


@pytest.mark.parametrize("below", ["", "/E1", "/E1/1"])
def test_a_patch_has_last_updated_and_changes_only_what_it_names(locations: Endpoint, below: str) -> None:
    name = f"RL-PATCH-{below.count('/')}"
    path = stored(locations, name, evse("E1", physical_reference="7"), name="Named")
    whole = locations.data(path)
    change: dict[str, Any] = {"": {"city": "Delft"}, "/E1": {"floor_level": "-1"}}.get(
        below, {"max_amperage": 20}
    )

    assert locations.patch(path + below, change) == REFUSED
    assert locations.data(path) == whole

    before = locations.data(path + below)
    assert locations.patch(path + below, change | {"last_updated": LATER}) == DONE
    assert locations.data(path + below) == before | change | {"last_updated": LATER}


def test_a_patch_removes_no_evse_and_no_connector(locations: Endpoint) -> None:
    path = stored(locations, "RL-KEEP", evse("E1"), evse("E2"))
    change = {"evses": [{"uid": "E2", "status": "CHARGING", "last_updated": LATER}], "last_updated": LATER}

    assert locations.patch(path, change) == DONE
    assert locations.patch(path, {"evses": [], "last_updated": LATER}) == DONE
    assert locations.patch(f"{path}/E1", {"connectors": [], "last_updated": LATER}) == DONE
    assert locations.patch(path, {"address": None, "last_updated": LATER}) == REFUSED

    assert locations.data(path) == location(
        "RL-KEEP",
        evse("E1", last_updated=LATER),
        evse("E2", status="CHARGING", last_updated=LATER),
        last_updated=LATER,
    )


def test_an_incomplete_object_is_discarded(locations: Endpoint) -> None:
    path = stored(locations, "RL-PART", evse("E1"))
    whole = locations.data(path)
    no_place = {name: value for name, value in location("RL-NEW").items() if name != "coordinates"}

    assert locations.put(f"{path}/E2", evse("E2", connectors=[])) == REFUSED
    assert locations.put(f"{path}/E1/2", {"id": "2", "last_updated": LATER}) == REFUSED
    assert locations.put(f"{THEIRS}/RL-NEW", no_place) == REFUSED
    assert locations.data(path) == whole
    assert locations.get(f"{THEIRS}/RL-NEW") == (404, 2003, NOTHING)


@pytest.mark.parametrize("below", ["", "/E1", "/E1/1"])
def test_a_part_of_what_is_unknown_is_not_found(locations: Endpoint, below: str) -> None:
    change = {"status": "BLOCKED", "last_updated": LATER}

    assert locations.patch(f"{THEIRS}/RL-NONE{below}", change) == (404, 2003, NOTHING)
    assert locations.get(f"{THEIRS}/RL-NONE{below}") == (404, 2003, NOTHING)


@pytest.mark.parametrize("below", ["", "/E1", "/E1/1"])
def test_nothing_is_posted_or_deleted(locations: Endpoint, below: str) -> None:
    locations.refuses(f"{THEIRS}/RL-ANY{below}", "POST", "DELETE")


def test_an_expired_location_is_kept_as_it_is(locations: Endpoint) -> None:
    path = stored(locations, "RL-EXPIRED", evse("E1"))

    assert locations.patch(f"{path}/E1", {"status": "REMOVED", "last_updated": LATER}) == DONE

    gone = evse("E1", status="REMOVED", last_updated=LATER)
    assert locations.data(path) == location("RL-EXPIRED", gone, last_updated=LATER)


@pytest.mark.parametrize(
    ("token", "is_right"),
    [
        ({"uid": "TAG", "type": "RFID"}, True),
        ({"visual_number": "DE-1", "issuer": "Fleet"}, True),
        ({"group_id": "FLEET"}, True),
        ({}, False),
        ({"issuer": "Fleet"}, False),
        ({"uid": "TAG"}, False),
        ({"visual_number": "DE-1"}, False),
        ({"group_id": "FLEET", "uid": "TAG"}, False),
    ],
)
def test_a_token_that_may_see_a_private_location_is_named_in_full(
    locations: Endpoint, token: dict[str, str], is_right: bool
) -> None:
    name = "RL-TOKEN-" + "-".join(token)[:26]
    body = location(name, publish=False, publish_allowed_to=[token])

    assert locations.put(f"{THEIRS}/{name}", body) == (CREATED if is_right else REFUSED)
    assert locations.get(f"{THEIRS}/{name}") == ((200, 1000, body) if is_right else (404, 2003, NOTHING))


def test_tariffs_that_nobody_told_of_are_taken(locations: Endpoint) -> None:
    plug = connector_document(tariff_ids=["NO-SUCH-TARIFF"])
    path = stored(locations, "RL-TARIFF", evse("E1", connectors=[plug]))

    assert locations.data(f"{path}/E1/1") == plug


def test_ids_may_have_a_slash_at_each_depth(locations: Endpoint) -> None:
    slashed = connector_document(id="1/2")
    whole = location("RL/1", evse("E/1%2F", connectors=[slashed]))
    path = f"{THEIRS}/RL%2F1"

    assert locations.put(path, whole) == CREATED
    assert locations.data(path) == whole
    assert locations.data(f"{THEIRS}/rl%2f1/E%2F1%252F/") == whole["evses"][0]
    assert locations.data(f"{path}/E%2F1%252F/1%2F2") == slashed
    assert locations.patch(f"{path}/E%2F1%252F", {"status": "BLOCKED", "last_updated": LATER}) == DONE
    assert locations.data(path)["evses"][0]["status"] == "BLOCKED"
    assert locations.get(f"{THEIRS}/RL/1") == (404, 2003, NOTHING)
