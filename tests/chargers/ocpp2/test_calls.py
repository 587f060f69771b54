"""Our calls to OCPP 2.x chargers, frame by frame, and what their answers mean."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chargers.capabilities import Capabilities, Place
from chargers.ocpp2 import calls
from chargers.ruling import ruling
from chargers.schedule import Period, Schedule, Unit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOTH = frozenset(Unit)


def place(**fields: Any) -> Place:
    capabilities = Capabilities(units=fields.pop("units", BOTH), **fields.pop("told", {}))
    kept = {"number": 2, "voltage_v": 230, "phases": 3, "max_current_a": 32, "is_dc": False} | fields
    return Place(**kept, capabilities=capabilities)


def schedule(*limits: float, unit: str = "A", starts_at: datetime = NOON, **fields: Any) -> Schedule:
    periods = tuple(Period(600 * n, Decimal(str(limit))) for n, limit in enumerate(limits))
    return Schedule(starts_at=starts_at, unit=Unit(unit), periods=periods, **fields)


def sent(place: Place, document: Schedule, *, version: str = "2.0.1") -> Any:
    """Return the payload that goes out for a schedule."""
    ruled = ruling(place, [document], now=NOON)
    assert ruled is not None
    return calls.limit_call(place, ruled.schedule, transaction_id="TX-1", version=version)[1]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_sets_a_profile_of_the_transaction(version: str) -> None:
    document = schedule(16, 8.5, duration_s=3600, min_rate=Decimal("6"))

    assert sent(place(told={"max_stack_level": 8}), document, version=version) == {
        "evseId": 2,
        "chargingProfile": {
            "id": 2,
            "stackLevel": 1,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "transactionId": "TX-1",
            "chargingSchedule": [
                {
                    "id": 2,
                    "startSchedule": "2026-03-01T12:00:00Z",
                    "duration": 3600,
                    "chargingRateUnit": "A",
                    "minChargingRate": 6,
                    "chargingSchedulePeriod": [
                        {"startPeriod": 0, "limit": 16},
                        {"startPeriod": 600, "limit": 8.5},
                    ],
                }
            ],
        },
    }


@pytest.mark.parametrize(
    ("where", "document", "unit", "limits"),
    [
        (place(units=frozenset()), schedule(11040, unit="W"), "A", [16]),
        (place(units=frozenset({Unit.WATT})), schedule(16), "W", [11040]),
        (place(phases=1), schedule(3680, unit="W"), "A", [16]),
        (place(units=frozenset(), is_dc=True), schedule(50000, unit="W"), "W", [50000]),
        (place(told={"max_periods": 2}), schedule(16, 10, 8, 12), "A", [16, 8]),
    ],
    ids=["nothing told", "watts only", "one phase", "DC", "two periods"],
)
def test_sends_what_the_charger_takes(where: Place, document: Schedule, unit: str, limits: list[int]) -> None:
    [told] = sent(where, document)["chargingProfile"]["chargingSchedule"]

    assert told["chargingRateUnit"] == unit
    assert [period["limit"] for period in told["chargingSchedulePeriod"]] == limits


def test_clears_by_id_and_asks_for_what_rules() -> None:
    assert calls.clear_call(place()) == ("ClearChargingProfile", {"chargingProfileId": 2})
    assert calls.read_call(place(), 900) == ("GetCompositeSchedule", {"evseId": 2, "duration": 900})


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_every_call_of_ours_keeps_to_the_schema(version: str) -> None:
    for action, payload in (
        calls.clear_call(place()),
        calls.read_call(place(), 900),
        calls.configuration_call(),
    ):
        calls.check_own_call(action, payload, version=version)


@pytest.mark.parametrize(
    ("action", "answer", "outcome"),
    [
        ("SetChargingProfile", {"status": "Accepted"}, "ACCEPTED"),
        ("SetChargingProfile", {"status": "accepted "}, "ACCEPTED"),
        ("SetChargingProfile", {"status": "Rejected"}, "REJECTED"),
        (
            "SetChargingProfile",
            {"status": "Rejected", "statusInfo": {"reasonCode": "UnsupportedRequest"}},
            "NOT_SUPPORTED",
        ),
        (
            "SetChargingProfile",
            {"status": "Rejected", "statusInfo": {"reasonCode": "TxNotFound"}},
            "REJECTED",
        ),
        ("SetChargingProfile", "nonsense", "REJECTED"),
        ("ClearChargingProfile", {"status": "Accepted"}, "ACCEPTED"),
        ("ClearChargingProfile", {"status": "Unknown"}, "UNKNOWN"),
        ("GetCompositeSchedule", {"status": "Rejected"}, "REJECTED"),
        ("GetCompositeSchedule", None, "REJECTED"),
    ],
)
def test_reads_an_answer(action: str, answer: Any, outcome: str) -> None:
    assert calls.outcome_of(action, answer) == outcome


def test_reads_the_schedule_in_force() -> None:
    told = {
        "status": "Accepted",
        "schedule": {
            "evseId": 2,
            "duration": 900,
            "scheduleStart": "2026-03-01T11:59:58Z",
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0}],
        },
    }

    read = calls.schedule_of(place(), told, asked_duration_s=900, received_at=NOON)

    assert read == Schedule(
        NOON - timedelta(seconds=2), Unit.AMPERE, (Period(0, Decimal("10.0")),), duration_s=900
    )
    assert calls.schedule_of(place(), {"status": "Accepted"}, asked_duration_s=900, received_at=NOON) is None


def variable(name: str, value: str, status: str = "Accepted", component: str = "SmartChargingCtrlr") -> Any:
    return {
        "attributeStatus": status,
        "attributeValue": value,
        "component": {"name": component},
        "variable": {"name": name},
    }


@pytest.mark.parametrize(
    ("told", "capabilities"),
    [
        ([], Capabilities()),
        ([variable("RateUnit", "A,W")], Capabilities(units=BOTH)),
        (
            [
                variable("rateunit", "A"),
                variable("ProfileStackLevel", "3"),
                variable("PeriodsPerSchedule", "24"),
                variable("Entries", "10"),
                variable("Enabled", "true"),
            ],
            Capabilities(frozenset({Unit.AMPERE}), 24, 3, 10, True),
        ),
        ([variable("Enabled", "false"), variable("Available", "true")], Capabilities(takes_profiles=False)),
        ([variable("RateUnit", "A", status="UnknownComponent"), {"odd": 1}, 7], Capabilities()),
        ([variable("BasicAuthPassword", "secret")], Capabilities()),
    ],
)
def test_learns_what_the_charger_can_do(told: list[Any], capabilities: Capabilities) -> None:
    configuration = calls.configuration_of({"getVariableResult": told})

    assert calls.capabilities_of(configuration) == capabilities
    assert "secret" not in str(configuration)
