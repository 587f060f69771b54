"""What a station tells the gateway over a real socket, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chargers.models import Charger, Transaction
from sessions.models import Session
from tests.factories import make_charger, make_location
from tests.station import CallRefused, Station

pytestmark = pytest.mark.django_db(transaction=True)
Connect = Callable[..., Station]


def meter_values(
    number: int | None, *samples: tuple[str, dict[str, str]], connector: int = 1
) -> dict[str, Any]:
    """Return a MeterValues payload; each sample is its value and its other fields."""
    sampled = [{"value": value, **fields} for value, fields in samples]
    payload: dict[str, Any] = {
        "connectorId": connector,
        "meterValue": [{"timestamp": "2026-01-15T12:10:00Z", "sampledValue": sampled}],
    }
    return payload if number is None else {**payload, "transactionId": number}


def kwh() -> float:
    """Return the energy of the one session."""
    energy: float = Session.objects.get().document["kwh"]
    return energy


def test_accepts_a_boot_with_a_spread_interval(charger: Charger, connect: Connect) -> None:
    station = connect()

    answers = [station.boot() for _ in range(8)]

    assert {answer["status"] for answer in answers} == {"Accepted"}
    assert all(240 <= answer["interval"] <= 360 for answer in answers)
    assert len({answer["interval"] for answer in answers}) > 1
    charger.refresh_from_db()
    assert (charger.vendor, charger.model, charger.ocpp_version) == ("Acme", "One", "1.6")


def test_answers_everything_that_a_station_may_call(charger: Charger, connect: Connect) -> None:
    station = connect()

    assert set(station.call("Heartbeat")) == {"currentTime"}
    assert station.call("DataTransfer", {"vendorId": "Acme"}) == {"status": "UnknownVendorId"}
    assert station.call("FirmwareStatusNotification", {"status": "Idle"}) == {}
    assert station.call("DiagnosticsStatusNotification", {"status": "Idle"}) == {}
    event = {"type": "SettingSystemTime", "timestamp": "2026-01-15T12:00:00Z"}
    assert station.call("SecurityEventNotification", event) == {}
    assert station.call("SignCertificate", {"csr": "x"}) == {"status": "Rejected"}
    assert station.call("LogStatusNotification", {"status": "Idle"}) == {}
    assert station.call("SignedFirmwareStatusNotification", {"status": "Idle"}) == {}


@pytest.mark.parametrize(("accepts", "expected"), [(True, "Accepted"), (False, "Invalid")])
def test_lets_tokens_charge_as_the_setting_says(
    charger: Charger, connect: Connect, settings: Any, accepts: bool, expected: str
) -> None:
    settings.ACCEPT_UNKNOWN_TOKENS = accepts
    station = connect()

    assert station.call("Authorize", {"idTag": "TAG1"}) == {"idTagInfo": {"status": expected}}


@pytest.mark.parametrize(
    ("tag", "uid"),
    [("é😀", "??"), ("a\nb", "a?b"), ("  a ", "a"), ("", "#NA")],
    ids=["letters", "line", "spaces", "none"],
)
def test_lets_no_token_charge_that_ocpi_can_not_name(
    charger: Charger, connect: Connect, tag: str, uid: str
) -> None:
    station = connect()

    answer = station.call(
        "StartTransaction",
        {"connectorId": 1, "idTag": tag, "meterStart": 1000.0, "timestamp": "2026-01-15T12:00:00Z"},
    )

    assert answer["idTagInfo"] == {"status": "Invalid"}
    assert Session.objects.get().document["cdr_token"]["uid"] == uid


def test_grows_a_session_out_of_a_transaction(charger: Charger, connect: Connect) -> None:
    station = connect()

    number = station.start(tag="Tag1", meter_wh=1000, at="2026-01-15T12:00:00Z")
    station.call("MeterValues", meter_values(number, ("2500", {})))
    running = Session.objects.get().document
    station.stop(number, meter_wh=4200, at="2026-01-15T13:00:00Z")

    assert (running["status"], running["kwh"], running["evse_uid"]) == ("ACTIVE", 1.5, "LOC1-EVSE1")
    ended = Session.objects.get().document
    assert (ended["status"], ended["kwh"], ended["cdr_token"]["uid"]) == ("COMPLETED", 3.2, "Tag1")
    assert ended["start_date_time"] == "2026-01-15T12:00:00Z"
    assert ended["end_date_time"] == "2026-01-15T13:00:00Z"


def test_gives_a_repeated_start_the_same_number(charger: Charger, connect: Connect) -> None:
    station = connect()

    first = station.start()
    station.close()
    again = connect().start()

    assert first == again > 0
    assert Session.objects.count() == 1


def test_takes_the_same_start_after_the_end_for_a_new_one(charger: Charger, connect: Connect) -> None:
    station = connect()
    # A clock that is not set and a meter that counts from the plug tell the same each time.
    number = station.start(meter_wh=0, at="1970-01-01T00:00:10Z")
    station.stop(number, meter_wh=500)

    assert station.start(meter_wh=0, at="1970-01-01T00:00:10Z") != number
    assert sorted(Session.objects.values_list("status", flat=True)) == ["ACTIVE", "COMPLETED"]


def test_overlooks_fields_that_are_null(charger: Charger, connect: Connect) -> None:
    station = connect()
    number = station.start()

    assert station.stop(number, idTag=None, reason=None, transactionData=None) == {}
    assert Session.objects.get().status == "COMPLETED"


def test_ends_a_forgotten_transaction_when_the_next_one_starts(charger: Charger, connect: Connect) -> None:
    station = connect()

    station.start(at="2026-01-15T12:00:00Z")
    station.start(at="2026-01-15T14:00:00Z", meter_wh=5000)

    ended, running = Session.objects.order_by("id")
    assert (ended.status, ended.document["end_date_time"]) == ("COMPLETED", "2026-01-15T14:00:00Z")
    assert running.status == "ACTIVE"


@pytest.mark.parametrize("connector", [0, 2, 10**20])
def test_answers_a_start_on_an_unknown_connector(charger: Charger, connect: Connect, connector: int) -> None:
    station = connect()

    answer = station.call(
        "StartTransaction",
        {"connectorId": connector, "idTag": "T", "meterStart": 0, "timestamp": "2026-01-15T12:00:00Z"},
    )

    assert answer == {"transactionId": 0, "idTagInfo": {"status": "Invalid"}}
    assert not Session.objects.exists()


@pytest.mark.parametrize("number", [-1, 0, 999, 10**25])
def test_answers_the_end_of_an_unknown_transaction(charger: Charger, connect: Connect, number: int) -> None:
    station = connect()
    station.start()

    assert station.stop(number, idTag="TAG1") == {"idTagInfo": {"status": "Accepted"}}
    assert Session.objects.get().status == "ACTIVE"


def test_leaves_the_transactions_of_other_chargers_alone(charger: Charger, connect: Connect) -> None:
    make_charger(identity="CH2", location=make_location(location_id="LOC2"))
    number = connect().start()

    other = connect("CH2")
    other.stop(number, meter_wh=9000)
    other.call("MeterValues", meter_values(number, ("9000", {})))

    assert (Session.objects.get().status, kwh()) == ("ACTIVE", 0)


def test_voids_the_session_of_a_driver_who_was_not_let_in(charger: Charger, connect: Connect) -> None:
    station = connect()
    number = station.start(meter_wh=1000)

    station.stop(number, meter_wh=1000, reason="DeAuthorized")

    assert Session.objects.get().status == "INVALID"


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([("2500", {})], 1.5),
        ([("2.5", {"unit": "kWh", "measurand": "Energy.Active.Import.Register"})], 1.5),
        ([("2500", {"phase": "L1"})], 0),
        ([("2500", {"format": "SignedData"})], 0),
        ([("2500", {"measurand": "Power.Active.Import", "unit": "W"})], 0),
        ([("500", {})], 0),
        ([("nonsense", {}), ("1600.9", {})], 0.6),
        ([("2500", {"unit": "furlongs"})], 0),
        ([("9e999999", {"unit": "kWh"}), ("1e12", {"unit": "kWh"}), ("NaN", {})], 0),
        ([("2500", {"phase": None})], 1.5),
    ],
    ids=[
        "Wh",
        "kWh",
        "one phase",
        "signed",
        "power",
        "backwards",
        "unreadable beside",
        "odd unit",
        "absurd",
        "null",
    ],
)
def test_reads_energy_in_its_unit(
    charger: Charger, connect: Connect, samples: list[tuple[str, dict[str, str]]], expected: float
) -> None:
    station = connect()
    number = station.start(meter_wh=1000)

    assert station.call("MeterValues", meter_values(number, *samples)) == {}

    assert kwh() == expected


def test_never_lets_energy_go_backwards(charger: Charger, connect: Connect) -> None:
    station = connect()
    number = station.start(meter_wh=1000)

    # Without a transaction id the connector says which.
    station.call("MeterValues", meter_values(None, ("3000", {})))
    station.call("MeterValues", meter_values(-1, ("3500", {})))
    station.call("MeterValues", meter_values(number, ("2000", {})))
    station.stop(number, meter_wh=1500)

    assert (Session.objects.get().status, kwh()) == ("COMPLETED", 2.5)


@pytest.mark.parametrize(
    "at", ["1970-01-01T00:00:10Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"]
)
def test_takes_a_clock_that_is_not_set_for_now(charger: Charger, connect: Connect, at: str) -> None:
    connect().start(at=at)

    assert Transaction.objects.get().started_at.year >= 2026


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Nonsense", {}, "NotImplemented"),
        ("Reset", {"type": "Soft"}, "NotSupported"),
        ("BootNotification", {"chargePointVendor": "Acme"}, "FormationViolation"),
        ("Authorize", {"idTag": 5}, "TypeConstraintViolation"),
        ("Authorize", {"idTag": "x" * 21}, "TypeConstraintViolation"),
        ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Happy"},
         "PropertyConstraintViolation"),
        ("StartTransaction", {"connectorId": 1, "idTag": "T", "meterStart": 0}, "FormationViolation"),
        ("StopTransaction", {"transactionId": "one", "meterStop": 0, "timestamp": "x"},
         "TypeConstraintViolation"),
    ],
)  # fmt: skip
def test_refuses_what_the_schema_forbids(
    charger: Charger, connect: Connect, action: str, payload: dict[str, Any], code: str
) -> None:
    station = connect()

    with pytest.raises(CallRefused) as refused:
        station.call(action, payload)

    assert refused.value.code == code
    assert station.call("Heartbeat")


def test_overlooks_small_mistakes_in_transaction_messages(charger: Charger, connect: Connect) -> None:
    station = connect()

    answer = station.call(
        "StartTransaction",
        {"connectorId": 1, "idTag": "x" * 300, "meterStart": 0, "timestamp": "yesterday", "extra": None},
    )
    reading = meter_values(answer["transactionId"], ("700", {"measurand": "Odd"}), ("500", {"context": "?"}))

    assert station.call("MeterValues", reading) == {}
    assert (kwh(), Transaction.objects.get().id_token) == (0.5, "x" * 36)
