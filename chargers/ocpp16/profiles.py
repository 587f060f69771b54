"""Schedules as OCPP 1.6 smart-charging requests, and what a charger said that it takes. Pure.

OCPP 1.6 edition 2, sections 3.13, 5.5, 5.7 and 5.16, with errata v4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chargers.capabilities import MOST_PERIODS, Capabilities, number_of, units_in, words_of
from chargers.schedule import Schedule, as_number, windowed


def set_profile(
    schedule: Schedule, *, connector_id: int, profile_id: int, stack_level: int, transaction_id: int | str
) -> dict[str, Any]:
    """Return SetChargingProfile.req: a TxProfile with absolute times, at most one frame long.

    Raises ValueError for connector 0: a TxProfile belongs to one connector (OCPP 1.6, 3.13.1).
    """
    if connector_id < 1:
        raise ValueError("a TxProfile needs a connector above 0")
    window = windowed(schedule, MOST_PERIODS)
    charging_schedule: dict[str, Any] = {
        # Whole seconds: some chargers can't read fractions.
        "startSchedule": window.starts_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "chargingRateUnit": window.unit.value,
        "chargingSchedulePeriod": [
            {"startPeriod": period.start_s, "limit": as_number(period.limit)} for period in window.periods
        ],
    }
    if window.duration_s is not None:
        charging_schedule["duration"] = window.duration_s
    if window.min_rate is not None:
        charging_schedule["minChargingRate"] = as_number(window.min_rate)
    return {
        "connectorId": connector_id,
        "csChargingProfiles": {
            "chargingProfileId": profile_id,
            "transactionId": transaction_id,
            "stackLevel": stack_level,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": charging_schedule,
        },
    }


def clear_profile(profile_id: int) -> dict[str, Any]:
    """Return ClearChargingProfile.req for one profile; without an id it would clear the whole station."""
    return {"id": profile_id}


def composite_request(connector_id: int, duration_s: int) -> dict[str, Any]:
    """Return GetCompositeSchedule.req; without a unit the charger answers in its own."""
    return {"connectorId": connector_id, "duration": duration_s}


def capabilities_of(configuration: Mapping[str, str]) -> Capabilities:
    """Return what GetConfiguration said; keys in any case, unreadable values are left out."""
    told = {key.casefold(): str(value) for key, value in configuration.items() if value is not None}
    features = words_of(told.get("supportedfeatureprofiles", ""))
    return Capabilities(
        units=units_in(told.get("chargingscheduleallowedchargingrateunit", "")),
        max_periods=number_of(told.get("chargingschedulemaxperiods"), least=1),
        max_stack_level=number_of(told.get("chargeprofilemaxstacklevel"), least=0),
        max_profiles=number_of(told.get("maxchargingprofilesinstalled"), least=1),
        takes_profiles="smartcharging" in features if features else None,
    )
