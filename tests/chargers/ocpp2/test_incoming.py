"""What an OCPP 2.x station tells the gateway over a real socket, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ocpp.messages import MessageType, get_validator

from chargers.models import Charger, Command, Transaction
from locations.models import Evse
from sessions.models import Session
from tests.chargers.owed import owe_limit
from tests.factories import NOW, iso
from tests.station import CallRefused
from tests.station2 import Station2, now, register
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["2.0.1", "2.1"])
def station(request: pytest.FixtureRequest, gateway: str, charger: Charger) -> Iterator[Station2]:
    with Station2(gateway, "CH1", version=request.param) as station:
        station.version = request.param  # type: ignore[attr-defined]
        yield station


def evse_status() -> str:
    return Evse.objects.get(outlet__isnull=False).status


def document() -> dict[str, Any]:
    found: dict[str, Any] = Session.objects.get().document
    return found


CALLS: dict[str, dict[str, Any]] = {
    "Authorize": {"idToken": {"idToken": "TAG1", "type": "ISO14443"}},
    "BootNotification": {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Two"}},
    "ClearedChargingLimit": {"chargingLimitSource": "EMS"},
    "DataTransfer": {"vendorId": "Acme"},
    "FirmwareStatusNotification": {"status": "Idle"},
    "Get15118EVCertificate": {
        "iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef",
        "action": "Install",
        "exiRequest": "x",
    },
    "GetCertificateStatus": {
        "ocspRequestData": {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": "a",
            "issuerKeyHash": "b",
            "serialNumber": "1",
            "responderURL": "http://ocsp.example.com",
        }
    },
    "Heartbeat": {},
    "LogStatusNotification": {"status": "Idle"},
    "MeterValues": {"evseId": 1, "meterValue": [register(1)]},
    "NotifyChargingLimit": {"chargingLimit": {"chargingLimitSource": "EMS"}},
    "NotifyCustomerInformation": {"data": "x", "seqNo": 0, "generatedAt": iso(NOW), "requestId": 1},
    "NotifyDisplayMessages": {"requestId": 1},
    "NotifyEVChargingNeeds": {
        "evseId": 1,
        "chargingNeeds": {"requestedEnergyTransfer": "AC_three_phase"},
    },
    "NotifyEVChargingSchedule": {
        "timeBase": iso(NOW),
        "evseId": 1,
        "chargingSchedule": {
            "id": 1,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}],
        },
    },
    "NotifyEvent": {
        "generatedAt": iso(NOW),
        "seqNo": 0,
        "eventData": [
            {
                "eventId": 1,
                "timestamp": iso(NOW),
                "trigger": "Alerting",
                "actualValue": "1",
                "eventNotificationType": "CustomMonitor",
                "component": {"name": "EVSE"},
                "variable": {"name": "Power"},
            }
        ],
    },
    "NotifyMonitoringReport": {"requestId": 1, "seqNo": 0, "generatedAt": iso(NOW)},
    "NotifyReport": {"requestId": 1, "seqNo": 0, "generatedAt": iso(NOW)},
    "PublishFirmwareStatusNotification": {"status": "Idle"},
    "ReportChargingProfiles": {
        "requestId": 1,
        "chargingLimitSource": "CSO",
        "evseId": 1,
        "chargingProfile": [
            {
                "id": 1,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": [
                    {
                        "id": 1,
                        "chargingRateUnit": "A",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}],
                    }
                ],
            }
        ],
    },
    "ReservationStatusUpdate": {"reservationId": 1, "reservationUpdateStatus": "Expired"},
    "SecurityEventNotification": {"type": "SettingSystemTime", "timestamp": iso(NOW)},
    "SignCertificate": {"csr": "x"},
    "StatusNotification": {
        "timestamp": iso(NOW),
        "connectorStatus": "Available",
        "evseId": 1,
        "connectorId": 1,
    },
}


def test_answers_everything_that_a_station_may_call(station: Station2) -> None:
    version: str = station.version  # type: ignore[attr-defined]
    for action, payload in CALLS.items():
        validator = get_validator(MessageType.CallResult, action, version)
        assert list(validator.iter_errors(station.call(action, payload))) == [], action


def test_a_session_runs_from_the_first_event_to_the_last(station: Station2, charger: Charger) -> None:
    station.boot()
    station.status("Occupied")
    assert evse_status() == "BLOCKED"

    at = "2026-01-15T12:00:00Z"
    answer = station.event("Started", "TX-1", tag="TAG1", at=at, meter_wh=1000, chargingState="Charging")
    assert answer == {"idTokenInfo": {"status": "Accepted"}}
    assert evse_status() == "CHARGING"
    assert (document()["status"], document()["start_date_time"]) == ("ACTIVE", at)
    assert document()["cdr_token"]["uid"] == "TAG1"

    station.event("Updated", "TX-1", trigger="MeterValuePeriodic", meter_wh=3500)
    assert document()["kwh"] == 2.5
    # A register that falls, and one event twice, change nothing.
    station.event("Updated", "TX-1", trigger="MeterValuePeriodic", meter_wh=2000)
    assert document()["kwh"] == 2.5

    ended_at = "2026-01-15T13:00:00Z"
    for _ in range(2):
        station.event(
            "Ended",
            "TX-1",
            trigger="EVDeparted",
            at=ended_at,
            meter_wh=5000,
            stoppedReason="Local",
        )
    assert (document()["status"], document()["kwh"]) == ("COMPLETED", 4.0)
    assert document()["end_date_time"] == ended_at
    assert evse_status() == "BLOCKED"
    station.status("Available")
    assert evse_status() == "AVAILABLE"
    charger.refresh_from_db()
    assert (charger.vendor, charger.model, charger.firmware) == ("Acme", "Two", "2")


def test_a_session_waits_for_its_token(station: Station2) -> None:
    station.event("Started", "TX-1", trigger="CablePluggedIn", chargingState="EVConnected")
    assert (document()["status"], document()["cdr_token"]["uid"]) == ("PENDING", "#NA")

    at = "2026-01-15T12:05:00Z"
    station.event("Updated", "TX-1", tag="TAG9", at=at, chargingState="Charging")

    assert (document()["status"], document()["cdr_token"]["uid"]) == ("ACTIVE", "TAG9")
    assert document()["start_date_time"] == at


def test_a_session_that_nobody_claimed_was_none(station: Station2) -> None:
    station.event("Started", "TX-1", trigger="CablePluggedIn", chargingState="EVConnected")

    station.event("Ended", "TX-1", trigger="EVDeparted", stoppedReason="EVDisconnected")

    assert document()["status"] == "INVALID"


def test_energy_counts_from_the_first_register_that_is_told(station: Station2) -> None:
    station.event("Started", "TX-1", tag="TAG1")
    station.event("Updated", "TX-1", trigger="MeterValuePeriodic", meter_wh=7000)
    station.event("Updated", "TX-1", trigger="MeterValuePeriodic", meter_wh=7500)

    assert document()["kwh"] == 0.5


def test_a_session_whose_start_was_lost_is_made_of_what_comes(station: Station2) -> None:
    station.event("Updated", "TX-1", tag="TAG1", trigger="MeterValuePeriodic", meter_wh=1000)
    station.event("Ended", "TX-1", trigger="StopAuthorized", meter_wh=2000)

    assert (document()["status"], document()["kwh"]) == ("COMPLETED", 1.0)


def test_what_comes_late_does_not_end_the_transaction_that_runs(station: Station2) -> None:
    station.event("Started", "TX-2", tag="TAG2", at="2026-01-15T14:00:00Z")

    answer = station.event("Started", "TX-1", tag="TAG1", at="2026-01-15T12:00:00Z", meter_wh=1)
    station.event("Ended", "TX-1", trigger="StopAuthorized", at="2026-01-15T13:00:00Z", meter_wh=2)

    assert answer == {"idTokenInfo": {"status": "Accepted"}}
    assert Transaction.objects.get().ocpp_id == "TX-2"
    assert document()["status"] == "ACTIVE"


def test_a_limit_goes_out_with_the_stations_own_transaction_id(station: Station2) -> None:
    station.event("Started", "TX-1", tag="TAG1", meter_wh=0)

    command = owe_limit(Transaction.objects.get().pk, 10)

    frame = station.called("SetChargingProfile")
    assert frame[3]["chargingProfile"]["transactionId"] == "TX-1"
    wait_for(lambda: Command.objects.get(pk=command.pk).outcome == "ACCEPTED")


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "EMS"}, "evseId": 1}),
        ("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "EMS"}}),
        ("ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 1}),
        ("TransactionEvent", None),
    ],
)
def test_a_sign_of_change_asks_for_the_schedule_in_force(
    station: Station2, action: str, payload: dict[str, Any] | None
) -> None:
    station.event("Started", "TX-1", tag="TAG1", meter_wh=0)
    command = owe_limit(Transaction.objects.get().pk, 10)
    wait_for(lambda: Command.objects.get(pk=command.pk).outcome == "ACCEPTED")

    if payload is None:
        station.event("Updated", "TX-1", trigger="ChargingRateChanged", chargingState="Charging")
    else:
        station.call(action, payload)

    assert station.called("GetCompositeSchedule")[3]["evseId"] == 1


def test_refuses_in_words_of_its_version(station: Station2) -> None:
    with pytest.raises(CallRefused, match="NotImplemented"):
        station.call("StartTransaction", {})
    with pytest.raises(CallRefused, match="FormatViolation: 'reason' is a required property"):
        station.call("BootNotification", {"chargingStation": {"vendorName": "A", "model": "B"}})
    with pytest.raises(CallRefused, match="PropertyConstraintViolation"):
        station.status("Asleep")


def test_does_not_answer_what_wants_no_answer(gateway: str, charger: Charger) -> None:
    with Station2(gateway, "CH1", version="2.1") as station:
        station.send([6, "s-1", "NotifyPeriodicEventStream", {"id": 1}])
        station.send([5, "s-2", "GenericError", "", {}])
        station.call("Heartbeat")

        assert [frame[1] for frame in station.received if frame[0] in (3, 4)] == ["station-1"]


def test_an_unknown_message_type_is_refused(gateway: str, charger: Charger) -> None:
    with Station2(gateway, "CH1", version="2.0.1") as station:
        station.send([6, "s-1", "NotifyPeriodicEventStream", {"id": 1}])

        assert station.answer_to("s-1")[2] == "MessageTypeNotSupported"


def test_learns_what_the_station_can_do(gateway: str, charger: Charger) -> None:
    told = {
        "attributeStatus": "Accepted",
        "attributeValue": "W",
        "component": {"name": "SmartChargingCtrlr"},
        "variable": {"name": "RateUnit"},
    }
    with Station2(gateway, "CH1", replies={"GetVariables": {"getVariableResult": [told]}}) as station:
        station.boot()
        wait_for(lambda: Charger.objects.get().configuration)

    assert Charger.objects.get().configuration == {"SmartChargingCtrlr.RateUnit": "W"}


@pytest.mark.parametrize(
    ("changes", "is_taken"),
    [
        ({"triggerReason": None}, True),
        ({"evse": {}}, True),
        ({"evse": {"id": "1"}}, True),
        ({"transactionInfo": {}}, False),
        ({"transactionInfo": {"transactionId": 7}}, False),
        ({"transactionInfo": {"transactionId": "x" * 37}}, False),
    ],
)
def test_bears_what_is_beside_the_point_and_never_asks_to_try_again(
    station: Station2, changes: dict[str, Any], is_taken: bool
) -> None:
    event = {
        "eventType": "Updated",
        "timestamp": now(),
        "triggerReason": "MeterValuePeriodic",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "TX-1"},
        "evse": {"id": 1},
        **changes,
    }

    if is_taken:
        assert station.call("TransactionEvent", event) == {}
    else:
        with pytest.raises(CallRefused, match=r"FormatViolation|TypeConstraintViolation"):
            station.call("TransactionEvent", event)


def test_an_end_that_tells_nothing_of_an_unknown_transaction_begins_none(station: Station2) -> None:
    station.event("Ended", "TX-0", trigger="EVDeparted", stoppedReason="Local")

    assert not Session.objects.exists()


def test_a_meter_value_alone_is_no_sign_of_change(station: Station2) -> None:
    station.event("Started", "TX-1", tag="TAG1", meter_wh=0)
    command = owe_limit(Transaction.objects.get().pk, 10)
    wait_for(lambda: Command.objects.get(pk=command.pk).outcome == "ACCEPTED")

    station.event("Updated", "TX-1", trigger="MeterValuePeriodic", chargingState="Charging", meter_wh=1)

    assert not Command.objects.filter(kind=Command.Kind.READ_SCHEDULE).exists()
