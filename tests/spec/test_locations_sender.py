"""Locations, the Sender: what partners read of our locations and what we push of them (mod_locations)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.processes import StepFailed
from tests.journeys.nodes import Node
from tests.journeys.obedient import ObedientStation
from tests.journeys.provider import Provider, Scene, registered
from tests.peer import Recorded
from tests.spec.endpoints import NOTHING, Endpoint
from tests.spec.operator import Operator
from tests.waiting import wait_for

PUSHED = "/2.2.1/receiver/locations/NL/SPC"


@pytest.fixture(scope="module")
def station(scene: Scene) -> Iterator[ObedientStation]:
    """A station with two EVSEs at a location of its own."""
    scene.node.ask("charger", "add", "LOCS-1", "--location", "LOCS", "--evses", "2")
    with ObedientStation(scene.ocpp_url, "LOCS-1") as station:
        station.boot()
        yield station


@pytest.fixture(scope="module")
def operator(node: Node) -> Operator:
    """Somebody in the admin."""
    return Operator(node, "locations")


@pytest.fixture(scope="module")
def locations(provider: Provider, station: ObedientStation) -> Endpoint:
    """The node's locations, for a partner that may steer."""
    return Endpoint(provider, "locations", "SENDER")


@pytest.fixture(scope="module")
def driver_app(node: Node) -> Iterator[Provider]:
    """A partner that shows locations to drivers and has no grant."""
    with registered(node, party=("DE", "APP"), role="EMSP") as partner:
        yield partner


def tell(station: ObedientStation, connector: int, status: str) -> None:
    """Let the station tell the status of a connector."""
    told = {"connectorId": connector, "errorCode": "NoError", "status": status}
    station.call("StatusNotification", told)


def pushed(partner: Provider, method: str, path: str, **fields: Any) -> Recorded:
    """Return the push below a path whose body has these fields, once it came."""

    def found() -> Recorded | None:
        fitting = [
            one
            for one in partner.peer.received(method, f"{PUSHED}/{path}")
            if {name: one.body.get(name) for name in fields} == fields
        ]
        return fitting[-1] if fitting else None

    message = wait_for(found)
    assert message is not None
    return message


def ids(listed: list[dict[str, Any]]) -> list[str]:
    """Return the ids of a list of locations."""
    return [one["id"] for one in listed]


def test_a_changed_evse_moves_its_location_and_brings_all_evses(
    locations: Endpoint, station: ObedientStation
) -> None:
    tell(station, 1, "Available")
    wait_for(lambda: locations.data("/LOCS/LOCS-1-1")["status"] == "AVAILABLE")
    before = locations.data("/LOCS")

    tell(station, 1, "Faulted")
    wait_for(lambda: locations.data("/LOCS/LOCS-1-1")["status"] == "OUTOFORDER")

    after = locations.data("/LOCS")
    first, second = after["evses"]
    assert before["last_updated"] < after["last_updated"] == first["last_updated"]
    assert second == before["evses"][1]
    # From its very moment on it is in the list, with the EVSE that did not change; until then it is not.
    assert after in locations.data(date_from=after["last_updated"], limit="100")
    assert "LOCS" not in ids(locations.data(date_to=after["last_updated"], limit="100"))


def test_an_evse_is_new_with_its_connector_and_location(
    node: Node, locations: Endpoint, station: ObedientStation
) -> None:
    before = locations.data("/LOCS")

    node.ask("charger", "add", "LOCS-NEW", "--location", "LOCS")

    after = locations.data("/LOCS")
    added = next(one for one in after["evses"] if one["uid"] == "LOCS-NEW-1")
    assert before["last_updated"] < after["last_updated"]
    assert added["last_updated"] == added["connectors"][0]["last_updated"] == after["last_updated"]


def test_each_depth_is_one_object(locations: Endpoint) -> None:
    location = locations.data("/LOCS")
    evse = location["evses"][0]

    assert (location["id"], location["country_code"], location["party_id"]) == ("LOCS", "NL", "SPC")
    assert locations.data("/LOCS/LOCS-1-1") == evse
    assert locations.data("/LOCS/LOCS-1-1/1") == evse["connectors"][0]
    assert locations.data("/locs/locs-1-1/1/") == evse["connectors"][0]


@pytest.mark.parametrize("path", ["/NONE", "/LOCS/NONE", "/LOCS/LOCS-1-1/9", "/NONE/LOCS-1-1/1"])
def test_what_is_not_there_is_an_unknown_location(locations: Endpoint, path: str) -> None:
    assert locations.get(path) == (404, 2003, NOTHING)


@pytest.mark.parametrize("path", ["", "/LOCS", "/LOCS/LOCS-1-1", "/LOCS/LOCS-1-1/1"])
def test_locations_are_only_read(locations: Endpoint, path: str) -> None:
    locations.refuses(path, "POST", "PUT", "PATCH", "DELETE")


def test_a_new_location_is_put_and_a_status_is_patched(
    node: Node, scene: Scene, locations: Endpoint, provider: Provider
) -> None:
    node.ask("charger", "add", "LOCS-2", "--location", "PUSHED")
    whole = pushed(provider, "PUT", "PUSHED")
    with ObedientStation(scene.ocpp_url, "LOCS-2") as station:
        station.boot()
        tell(station, 1, "Available")
        patch = pushed(provider, "PATCH", "PUSHED/LOCS-2-1", status="AVAILABLE")
        evse = locations.data("/PUSHED/LOCS-2-1")

    assert (whole.path, whole.body["evses"][0]["uid"]) == (f"{PUSHED}/PUSHED", "LOCS-2-1")
    assert patch.path == f"{PUSHED}/PUSHED/LOCS-2-1"
    assert patch.body == {"status": "AVAILABLE", "last_updated": evse["last_updated"]}


def test_a_removed_evse_is_told_and_stays_for_good(
    node: Node, scene: Scene, locations: Endpoint, provider: Provider, operator: Operator
) -> None:
    node.ask("charger", "add", "LOCS-3", "--location", "SHRINKS", "--evses", "2")
    pushed(provider, "PUT", "SHRINKS")

    operator.remove_evse("LOCS-3-1")
    patch = pushed(provider, "PATCH", "SHRINKS/LOCS-3-1")
    with ObedientStation(scene.ocpp_url, "LOCS-3") as station:
        station.boot()
        tell(station, 1, "Available")
        tell(station, 2, "Available")
        wait_for(lambda: locations.data("/SHRINKS/LOCS-3-2")["status"] == "AVAILABLE")
        # Without its charger the other one would be UNKNOWN again.
        statuses = [one["status"] for one in locations.data("/SHRINKS")["evses"]]

    removed = locations.data("/SHRINKS/LOCS-3-1")
    assert patch.body == {"status": "REMOVED", "last_updated": removed["last_updated"]}
    assert statuses == ["REMOVED", "AVAILABLE"]
    assert operator.try_to_delete_location("SHRINKS") == 403


def test_a_private_location_is_not_published(
    node: Node, scene: Scene, driver_app: Provider, locations: Endpoint, operator: Operator
) -> None:
    public = Endpoint(scene.stranger, "locations", "SENDER")
    for name in ("HOME", "SHOP"):
        node.ask("charger", "add", name, "--location", name)
    pushed(driver_app, "PUT", "HOME")
    assert {"HOME", "SHOP"} <= set(ids(public.data(limit="100")))

    private = locations.data("/HOME") | {"publish": False, "publish_allowed_to": [{"group_id": "FAMILY"}]}
    operator.change_location("HOME", private)
    operator.change_location("SHOP", locations.data("/SHOP") | {"address": "Kade 5"})

    pushed(driver_app, "PUT", "SHOP", address="Kade 5")
    assert {one.body["publish"] for one in driver_app.peer.received("*", f"{PUSHED}/HOME")} == {True}
    assert ids(public.data(limit="100")).count("SHOP") == 1
    assert "HOME" not in ids(public.data(limit="100"))
    assert public.get("/HOME") == public.get("/HOME/HOME-1") == (404, 2003, NOTHING)
    # Who steers there has to know it, and is told that it is private.
    assert locations.data("/HOME")["publish"] is False


def test_tokens_are_named_only_for_a_private_location(locations: Endpoint, operator: Operator) -> None:
    before = locations.data("/LOCS")

    page = operator.try_to_change_location("LOCS", before | {"publish_allowed_to": [{"group_id": "FLEET"}]})

    assert (page.status_code, "publish_allowed_to: only when publish is false" in page.text) == (200, True)
    assert locations.data("/LOCS") == before


def test_ids_never_change_and_a_uid_is_given_once(
    node: Node, locations: Endpoint, operator: Operator
) -> None:
    before = locations.data("/LOCS")

    operator.change_location("LOCS", before | {"id": "OTHER", "party_id": "OTH", "name": "Still LOCS"})
    again = node.ask("charger", "add", "locs-1", "--location", "LOCS-TWIN")
    with pytest.raises(StepFailed, match="There is a charger LOCS-1 already"):
        node.ask("charger", "add", "LOCS-1", "--location", "ELSEWHERE")

    after = locations.data("/LOCS")
    assert after == before | {"name": "Still LOCS", "last_updated": after["last_updated"]}
    assert locations.get("/OTHER") == (404, 2003, NOTHING)
    assert [one["uid"] for one in again["evses"]] == ["locs-1-1-2"]
