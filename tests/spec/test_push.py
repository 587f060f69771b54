"""OCPI 2.2.1 transport_and_format: PUT and PATCH, pushes of a client's own objects, and being offline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demo.processes import StepFailed
from tests.factories import (
    CPO_ENDPOINTS,
    connector_document,
    evse_document,
    location_document,
    session_document,
)
from tests.journeys.provider import Provider, Scene, registered
from tests.peer import Recorded
from tests.spec.endpoints import CREATED, DONE, NOTHING, Endpoint
from tests.waiting import wait_for

THEIRS = {"country_code": "BE", "party_id": "PSH"}
LATER, LAST = "2026-01-15T13:00:00.5Z", "2026-01-15T14:00:00Z"
MEMBERS = [
    pytest.param(
        "locations",
        "PUSH-1",
        location_document("PUSH-1", **THEIRS),
        {"name": "Quay", "facilities": ["HOTEL"], "charging_when_closed": False},
        id="location",
    ),
    pytest.param(
        "locations",
        "PARENT/PUSH-2",
        evse_document("PUSH-2"),
        {"evse_id": "BE*PSH*E2", "floor_level": "1"},
        id="EVSE",
    ),
    pytest.param(
        "locations",
        "PARENT/PUSH-3/1",
        connector_document(),
        {"max_electric_power": 22000, "tariff_ids": ["T1"]},
        id="connector",
    ),
    pytest.param(
        "sessions",
        "PUSH-4",
        session_document("PUSH-4", **THEIRS),
        {"meter_id": "M1", "total_cost": {"excl_vat": 1.5}},
        id="session",
    ),
]


@pytest.fixture(scope="module")
def owner(scene: Scene) -> Iterator[Provider]:
    """A CPO that pushes its objects, and a location of it."""
    with registered(scene.node, party=("BE", "PSH"), role="CPO", endpoints=CPO_ENDPOINTS) as partner:
        locations = Endpoint(partner, "locations", "RECEIVER")
        parent = location_document("PARENT", evses=[evse_document("PUSH-3")], **THEIRS)
        assert locations.put("/BE/PSH/PARENT", parent) == CREATED
        yield partner


@pytest.mark.parametrize(("module", "path", "document", "optional"), MEMBERS)
def test_a_put_is_the_whole_and_what_it_leaves_out_is_gone(
    owner: Provider, module: str, path: str, document: dict[str, Any], optional: dict[str, Any]
) -> None:
    receiver, path = Endpoint(owner, module, "RECEIVER"), f"/BE/PSH/{path}"
    with_all = document | optional | {"last_updated": LATER}

    assert receiver.put(path, with_all)[1:] == (1000, NOTHING)
    assert receiver.data(path) == with_all
    assert receiver.put(path, document | {"last_updated": LAST}) == DONE
    assert receiver.data(path) == document | {"last_updated": LAST}


@pytest.mark.parametrize(("module", "path", "document", "optional"), MEMBERS)
def test_a_patch_changes_what_it_names_and_last_updated_is_its_owners(
    owner: Provider, module: str, path: str, document: dict[str, Any], optional: dict[str, Any]
) -> None:
    receiver, path = Endpoint(owner, module, "RECEIVER"), f"/BE/PSH/{path}"
    name, value = next(iter(optional.items()))
    stamps = ["2026-01-15T15:00:00Z", "2026-01-15T16:00:00.5Z", "2026-01-15T17:00:00.123Z"]

    whole = document | optional | {name: None, "last_updated": stamps[0]}
    del whole[name]
    assert receiver.put(path, whole)[1:] == (1000, NOTHING)
    for stamp in stamps[1:]:
        assert receiver.patch(path, {name: value, "last_updated": stamp}) == DONE
        assert receiver.data(path) == whole | {name: value, "last_updated": stamp}


@pytest.mark.parametrize(("module", "path", "document", "optional"), MEMBERS)
def test_nothing_is_posted_at_an_address_that_the_client_made(
    owner: Provider, module: str, path: str, document: dict[str, Any], optional: dict[str, Any]
) -> None:
    receiver = Endpoint(owner, module, "RECEIVER")

    assert receiver.get(f"/BE/PSH/{path}")[0] in (200, 404)
    receiver.refuses(f"/BE/PSH/{path}", "POST")


def test_a_pull_begins_where_the_last_one_ended_and_leaves_out_what_is_not_theirs(owner: Provider) -> None:
    mine, others = (
        session_document("PUSH-5", **THEIRS),
        session_document("PUSH-6", country_code="BE", party_id="XXX"),
    )
    path = "/2.2.1/sender/sessions"
    owner.peer.answer("GET", path, data=[others, mine])

    def pull() -> tuple[int, int]:
        counts = owner.node.ask("partner", "pull", str(owner.partner_id), "--module", "sessions")
        return counts["sessions"], counts["refused"]

    begun = [datetime.now(UTC)]
    assert pull() == (1, 1)
    begun.append(datetime.now(UTC))
    owner.peer.answer("GET", path, status=503)
    with pytest.raises(StepFailed, match="HTTP 503"):
        pull()
    owner.peer.answer("GET", path, data=[mine | {"kwh": 4.5, "last_updated": LATER}])
    assert pull() == (1, 0)

    receiver = Endpoint(owner, "sessions", "RECEIVER")
    assert receiver.data("/BE/PSH/PUSH-5")["kwh"] == 4.5
    assert receiver.get("/BE/XXX/PUSH-6") == (404, 2001, NOTHING)
    first, failed, last = [one.query["date_from"] for one in owner.peer.received("GET", path)]
    assert (first, failed) == ("1970-01-01T00:00:00Z", last)
    # Five minutes earlier, since clocks differ.
    since = datetime.fromisoformat(last) + timedelta(minutes=5, milliseconds=1)
    assert begun[0] <= since <= begun[1]


def test_who_was_offline_is_told_how_it_is_now_and_not_what_it_missed(scene: Scene) -> None:
    connector = next(scene.connectors)
    number = connector - 1
    below = "/2.2.1/receiver/locations/NL/SPC/SPEC"

    def tell(status: str) -> None:
        told = {"connectorId": connector, "errorCode": "NoError", "status": status}
        scene.station.call("StatusNotification", told)

    def told(partner: Provider, *methods: str) -> list[str]:
        """Return the status of the EVSE in each message."""
        return [
            status_in(one)
            for one in partner.peer.received("*", below)
            if one.method in methods and is_of_evse(one)
        ]

    def is_of_evse(one: Recorded) -> bool:
        return one.method == "PUT" or one.path.endswith(f"/SPEC-1-{connector}")

    def status_in(one: Recorded) -> str:
        evse = one.body if one.method == "PATCH" else one.body["evses"][number]
        return str(evse["status"])

    with registered(scene.node, "--may-steer", party=("DE", "OFF")) as partner:
        partner.peer.answer("*", below, status=503)
        tell("Faulted")
        wait_for(lambda: told(partner, "PUT"))
        tell("Unavailable")
        evse = f"/SPEC/SPEC-1-{connector}"
        listed = Endpoint(partner, "locations", "SENDER")
        wait_for(lambda: listed.data(evse)["status"] == "INOPERATIVE")
        missed = len(told(partner, "PATCH", "PUT"))
        partner.peer.answer("*", below)

        heard = wait_for(lambda: told(partner, "PATCH", "PUT")[missed:], 10)
        partner.ask("DELETE", partner.credentials_url)

    assert heard == ["INOPERATIVE"]
