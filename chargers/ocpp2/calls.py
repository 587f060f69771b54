"""Our calls to OCPP 2.0.1 and 2.1 chargers, and what their answers mean. Pure.

OCPP 2.0.1 edition 3, part 2, use cases B06, K01, K08 and K10.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chargers import composite
from chargers.capabilities import Capabilities, Place, number_of, units_in
from chargers.schedule import Schedule, as_number
from chargers.schemas import check_own_call

SET, CLEAR, READ, CONFIGURATION = (
    "SetChargingProfile",
    "ClearChargingProfile",
    "GetCompositeSchedule",
    "GetVariables",
)
COMPONENT = "SmartChargingCtrlr"
VARIABLES = [
    {"variable": "Enabled"},
    {"variable": "Available"},
    {"variable": "ProfileStackLevel"},
    {"variable": "RateUnit"},
    {"variable": "PeriodsPerSchedule"},
    {"variable": "Entries", "instance": "ChargingProfiles", "attribute": "MaxSet"},
    {"variable": "Phases3to1"},
    {"variable": "ACPhaseSwitchingSupported"},
    {"variable": "LimitChangeSignificance"},
]
_NAMES = {one["variable"].casefold(): one["variable"] for one in VARIABLES}
_OUTCOMES = {
    SET: {"accepted": "ACCEPTED"},
    CLEAR: {"accepted": "ACCEPTED", "unknown": "UNKNOWN"},
    READ: {"accepted": "ACCEPTED"},
}
# Why a charger says Rejected when it has no smart charging at all (part 2, appendix 5).
_CAN_NOT = {"unsupportedrequest", "notenabled", "notsupported"}

OwnCall = tuple[str, dict[str, Any]]


def limit_call(place: Place, schedule: Schedule, *, transaction_id: int | str, version: str) -> OwnCall:
    """Return the call that makes a schedule rule a transaction. Raises ValueError: a mistake of ours.

    A TxProfile with absolute times; one profile per EVSE, which replaces what an earlier transaction left
    behind.
    """
    payload = {
        "evseId": place.number,
        "chargingProfile": {
            "id": place.number,
            "stackLevel": place.capabilities.stack_level,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "transactionId": transaction_id,
            "chargingSchedule": [{"id": place.number, **_schedule(schedule)}],
        },
    }
    check_own_call(SET, payload, version=version)
    return SET, payload


def clear_call(place: Place) -> OwnCall:
    """Return the call that ends our profile at an EVSE."""
    return CLEAR, {"chargingProfileId": place.number}


def read_call(place: Place, duration_s: int) -> OwnCall:
    """Return the call that asks for the schedule in force; the charger chooses the unit."""
    return READ, {"evseId": place.number, "duration": duration_s}


def configuration_call() -> OwnCall:
    """Return the call that asks what the charger can do."""
    asked = []
    for one in VARIABLES:
        variable = {"name": one["variable"]}
        if "instance" in one:
            variable["instance"] = one["instance"]
        entry: dict[str, Any] = {"component": {"name": COMPONENT}, "variable": variable}
        if "attribute" in one:
            entry["attributeType"] = one["attribute"]
        asked.append(entry)
    return CONFIGURATION, {"getVariableData": asked}


def outcome_of(action: str, payload: Any) -> str:
    """Return what a CALLRESULT means; a status in odd letters is still a status."""
    answer = payload if isinstance(payload, dict) else {}
    outcome = _OUTCOMES[action].get(str(answer.get("status")).strip().casefold(), "REJECTED")
    info = answer.get("statusInfo")
    reason = str(info.get("reasonCode")).casefold() if isinstance(info, dict) else ""
    return "NOT_SUPPORTED" if outcome == "REJECTED" and reason in _CAN_NOT else outcome


def schedule_of(
    place: Place, payload: Any, *, asked_duration_s: int, received_at: datetime
) -> Schedule | None:
    """Return the schedule in an answer to `read_call`; None when it tells of none."""
    told = payload.get("schedule") if isinstance(payload, dict) else None
    start = told.get("scheduleStart") if isinstance(told, dict) else None
    return composite.read(
        told, starts=(start,), asked_duration_s=asked_duration_s, received_at=received_at, place=place
    )


def configuration_of(payload: Any) -> dict[str, str]:
    """Return the variables and values of an answer to `configuration_call`; others are left out."""
    told = payload.get("getVariableResult") if isinstance(payload, dict) else None
    configuration = {}
    for entry in told if isinstance(told, list) else []:
        if not isinstance(entry, dict) or str(entry.get("attributeStatus")).casefold() != "accepted":
            continue
        variable = entry.get("variable")
        name = _NAMES.get(str(variable.get("name")).casefold()) if isinstance(variable, dict) else None
        if name and entry.get("attributeValue") is not None:
            configuration[f"{COMPONENT}.{name}"] = str(entry["attributeValue"])[:500]
    return configuration


def capabilities_of(configuration: Mapping[str, str]) -> Capabilities:
    """Return what GetVariables said; unreadable values are left out."""
    told = {key.removeprefix(f"{COMPONENT}.").casefold(): value for key, value in configuration.items()}
    works = [told[name].strip().casefold() for name in ("enabled", "available") if name in told]
    return Capabilities(
        units=units_in(told.get("rateunit", "")),
        max_periods=number_of(told.get("periodsperschedule"), least=1),
        max_stack_level=number_of(told.get("profilestacklevel"), least=0),
        max_profiles=number_of(told.get("entries"), least=1),
        takes_profiles="false" not in works if works else None,
    )


def _schedule(schedule: Schedule) -> dict[str, Any]:
    """Return a ChargingSchedule without its id."""
    document: dict[str, Any] = {
        # Whole seconds: some chargers can't read fractions.
        "startSchedule": schedule.starts_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "chargingRateUnit": schedule.unit.value,
        "chargingSchedulePeriod": [
            {"startPeriod": period.start_s, "limit": as_number(period.limit)} for period in schedule.periods
        ],
    }
    if schedule.duration_s is not None:
        document["duration"] = schedule.duration_s
    if schedule.min_rate is not None:
        document["minChargingRate"] = as_number(schedule.min_rate)
    return document
