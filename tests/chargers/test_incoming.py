"""What a station tells the gateway over a real socket, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chargers.models import Charger, Transaction
from locations.models import Evse
from sessions.models import Session
from tests.station import CallRefused, Station
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Connect = Callable[..., Station]


def test_accepts_a_boot_with_a_spread_interval(charger: Charger, connect: Connect) -> None:
    station = connect()

    answers = [station.boot() for _ in range(8)]

    assert {answer["status"] for answer in answers} == {"Accepted"}
    assert all(240 <= answer["interval"] <= 360 for answer in answers)
    assert len({answer["interval"] for answer in answers}) > 1
    charger.refresh_from_db()
    assert (charger.vendor, charger.model, charger.ocpp_version) == ("Acme", "One", "1.6")


def test_grows_a_session_out_of_a_transaction(charger: Charger, connect: Connect) -> None:
    station = connect()

    number = station.start(tag="TAG1", meter_wh=1000, at="2026-01-15T12:00:00Z")
    station.call("MeterValues", meter_values(number, ("2500", {})))
    running = Session.objects.get().document
    station.stop(number, meter_wh=4200, at="2026-01-15T13:00:00Z")

    assert (running["status"], running["kwh"]) == ("ACTIVE", 1.5)
    ended = Session.objects.get().document
    assert ended["status"] == "COMPLETED"
    assert ended["kwh"] == 3.2
    assert ended["cdr_token"]["uid"] == "TAG1"
    assert ended["start_date_time"] == "2026-01-15T12:00:00Z"
    assert ended["end_date_time"] == "2026-01-15T13:00:00Z"


def meter_values(
    number: int | None, *samples: tuple[str, dict[str, str]], connector: int = 1
) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "connectorId": connector,
        "meterValue": [
            {
                "timestamp": "2026-01-15T12:10:00Z",
                "sampledValue": [{"value": value, **fields} for value, fields in samples],
            }
        ],
    }
    return payload if number is None else {**payload, "transactionId": number}
