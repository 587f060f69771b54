"""The state of connectors as a station tells it, and as partners see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chargers.models import Charger
from locations.models import Evse
from sessions.models import Session
from tests.factories import make_charger, make_location
from tests.station import Station
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Connect = Callable[..., Station]


def status(connector: int, told: str) -> dict[str, Any]:
    """Return a StatusNotification payload."""
    return {"connectorId": connector, "errorCode": "NoError", "status": told}


def evse_status(number: int = 1) -> str:
    """Return the status of the EVSE at an outlet."""
    return Evse.objects.get(outlet__number=number).status


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("Available", "AVAILABLE"),
        ("Preparing", "CHARGING"),
        ("SuspendedEVSE", "CHARGING"),
        ("Reserved", "RESERVED"),
        ("Unavailable", "INOPERATIVE"),
        ("Faulted", "OUTOFORDER"),
    ],
)
def test_shows_the_state_that_a_connector_is_in(
    charger: Charger, connect: Connect, told: str, expected: str
) -> None:
    assert connect().call("StatusNotification", status(1, told)) == {}

    assert evse_status() == expected


def test_takes_a_station_out_of_order_for_all_its_connectors(
    transactional_db: None, connect: Connect
) -> None:
    make_charger(identity="CH1", location=make_location(evses=2))
    station = connect()

    shown = []
    for number, told in (
        (1, "Charging"),
        (0, "Faulted"),
        (2, "Available"),
        (7, "Available"),
        (0, "Available"),
    ):
        station.call("StatusNotification", status(number, told))
        shown.append([evse_status(1), evse_status(2)])

    assert shown == [
        ["CHARGING", "AVAILABLE"],
        ["OUTOFORDER", "OUTOFORDER"],
        ["OUTOFORDER", "OUTOFORDER"],
        ["OUTOFORDER", "OUTOFORDER"],
        ["CHARGING", "AVAILABLE"],
    ]


def test_knows_nothing_of_an_outlet_while_the_socket_is_gone(charger: Charger, connect: Connect) -> None:
    station = connect()
    station.start()
    station.call("StatusNotification", status(1, "Charging"))

    station.cut()

    wait_for(lambda: evse_status() == "UNKNOWN")
    assert Session.objects.get().status == "ACTIVE"
    # A plain reconnect tells nothing anew.
    connect().call("Heartbeat")
    assert evse_status() == "CHARGING"
