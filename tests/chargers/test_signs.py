"""Signs that the active profile may have changed, and what a charger says that it can do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chargers import learning
from chargers.models import Charger, Command, Transaction
from tests.chargers.owed import ACCEPTED, AMPS_16, READ, SET, owe_limit, settled
from tests.factories import NOW
from tests.station import Station
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Connect = Callable[..., Station]


def offered(number: int, amperes: str) -> dict[str, Any]:
    """Return MeterValues that tell what is offered to the car."""
    sample = {"measurand": "Current.Offered", "value": amperes, "unit": "A"}
    return {
        "connectorId": 1,
        "transactionId": number,
        "meterValue": [{"timestamp": "2026-01-15T12:10:00Z", "sampledValue": [sample]}],
    }


def state(status: str) -> dict[str, Any]:
    """Return a StatusNotification payload."""
    return {"connectorId": 1, "errorCode": "NoError", "status": status}


def readings() -> list[Command]:
    """Return the readings for a sign of change."""
    return list(Command.objects.filter(kind="READ_SCHEDULE"))


@pytest.fixture
def limited(charger: Charger, connect: Connect) -> tuple[Station, int]:
    """A station that accepted a limit, and the number of its transaction."""
    station = connect(replies={SET: ACCEPTED, READ: AMPS_16})
    number = station.start()
    settled(owe_limit(number, 16))
    return station, number


@pytest.mark.parametrize(
    "show",
    [
        lambda station, number: station.call("StatusNotification", state("SuspendedEVSE")),
        lambda station, number: station.call("StatusNotification", state("Charging")),
        lambda station, number: station.call("MeterValues", offered(number, "6.0")),
        lambda station, number: station.boot(),
    ],
    ids=["suspended", "charging", "offered", "boot"],
)
def test_reads_the_schedule_after_a_sign(limited: tuple[Station, int], show: Any) -> None:
    station, number = limited

    show(station, number)

    (reading,) = readings()
    assert (reading.not_before - reading.created_at, reading.duration_s) == (timedelta(seconds=2), 3600)
    assert settled(reading) == ("ANSWERED", "ACCEPTED")
    assert station.called(READ)[3] == {"connectorId": 1, "duration": 3600}


def test_reads_the_schedule_after_a_reconnect(limited: tuple[Station, int], connect: Connect) -> None:
    limited[0].close()

    again = connect(replies={READ: AMPS_16})

    assert again.called(READ)


def test_reads_once_for_many_signs(limited: tuple[Station, int]) -> None:
    station, number = limited

    station.call("StatusNotification", state("SuspendedEVSE"))
    station.call("MeterValues", offered(number, "0.0"))
    station.call("StatusNotification", state("Charging"))

    assert len(readings()) == 1


def test_sees_no_sign_in_what_stays_the_same(limited: tuple[Station, int]) -> None:
    station, number = limited
    Transaction.objects.update(offered="Current.Offered 16.0 A")

    station.call("MeterValues", offered(number, "16.0"))
    station.call("StatusNotification", state("SuspendedEV"))

    assert readings() == []


def test_reads_nothing_where_no_limit_was_accepted_or_reading_fails(
    charger: Charger, connect: Connect
) -> None:
    station = connect()
    number = station.start()
    station.call("StatusNotification", state("Charging"))
    Transaction.objects.update(was_limited=True)
    Charger.objects.update(reads_schedules=False)
    station.call("MeterValues", offered(number, "6.0"))

    assert readings() == []


def test_asks_once_what_a_charger_can_do(charger: Charger, connect: Connect) -> None:
    known = [
        {"key": "ChargeProfileMaxStackLevel", "readonly": True, "value": "5"},
        {"key": "SupportedFeatureProfiles", "readonly": True, "value": "Core,SmartCharging"},
        {"key": "NumberOfConnectors", "readonly": True},
        {"key": "AuthorizationKey", "readonly": False, "value": "a password that nobody asked for"},
    ]
    station = connect(replies={"GetConfiguration": {"configurationKey": known, "unknownKey": ["X"]}})

    station.boot()
    wait_for(lambda: Charger.objects.get().configuration_at)
    station.boot()
    assert station.call("Heartbeat")

    charger.refresh_from_db()
    assert charger.configuration == {
        "ChargeProfileMaxStackLevel": "5",
        "SupportedFeatureProfiles": "Core,SmartCharging",
    }
    assert charger.takes_profiles is None
    assert [frame[2] for frame in station.calls] == ["GetConfiguration"]
    assert "ChargingScheduleAllowedChargingRateUnit" in station.calls[0][3]["key"]


def test_asks_a_charger_that_says_no_word_of_its_start(charger: Charger, connect: Connect) -> None:
    station = connect()

    assert station.called("GetConfiguration")


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"configurationKey": []},
        {"configurationKey": "?"},
        {"unknownKey": ["A"]},
        {"configurationKey": [5]},
    ],
)
def test_keeps_the_defaults_after_a_weak_answer(
    charger: Charger, connect: Connect, reply: dict[str, Any]
) -> None:
    connect(replies={"GetConfiguration": reply}).boot()

    wait_for(lambda: Charger.objects.get().configuration_at)
    charger.refresh_from_db()
    assert (charger.configuration, charger.takes_profiles) == ({}, None)


def test_believes_a_charger_that_lists_no_smart_charging(charger: Charger, connect: Connect) -> None:
    listed = {"key": "SupportedFeatureProfiles", "readonly": True, "value": "Core,Reservation"}

    connect(replies={"GetConfiguration": {"configurationKey": [listed]}}).boot()

    wait_for(lambda: Charger.objects.get().takes_profiles is False)


def test_gives_a_charger_another_chance_that_lists_smart_charging_now(
    charger: Charger, connect: Connect
) -> None:
    Charger.objects.update(takes_profiles=False)
    listed = {"key": "supportedfeatureprofiles", "readonly": True, "value": "Core,SmartCharging"}

    connect(replies={"GetConfiguration": {"configurationKey": [listed]}}).boot()

    wait_for(lambda: Charger.objects.get().takes_profiles is None)


def test_does_not_let_commands_wait_for_what_a_charger_can_do(charger: Charger, connect: Connect) -> None:
    station = connect(replies={"GetConfiguration": None, SET: ACCEPTED})
    station.boot()
    station.called("GetConfiguration")

    assert settled(owe_limit(station.start(), 10), within_s=4) == ("ANSWERED", "ACCEPTED")

    # Late, but an answer.
    level = {"key": "ChargeProfileMaxStackLevel", "readonly": True, "value": "3"}
    station.send([3, station.calls[0][1], {"configurationKey": [level]}])
    wait_for(lambda: Charger.objects.get().configuration)


def test_forgets_what_old_firmware_could(charger: Charger, connect: Connect) -> None:
    Charger.objects.update(
        vendor="Acme", model="One", takes_profiles=False, reads_schedules=False, configuration_at=NOW
    )
    station = connect()

    station.boot()
    charger.refresh_from_db()
    before = charger.takes_profiles
    station.call(
        "BootNotification",
        {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": "2"},
    )

    charger.refresh_from_db()
    assert (before, charger.takes_profiles, charger.reads_schedules) == (False, None, None)


def test_asks_again_when_what_it_knows_is_old(charger: Charger) -> None:
    now = timezone.now()
    assert learning.is_due(charger.pk, now=now)

    Charger.objects.update(configuration_at=now)

    assert not learning.is_due(charger.pk, now=now + timedelta(minutes=59))
    assert learning.is_due(charger.pk, now=now + timedelta(minutes=61))
